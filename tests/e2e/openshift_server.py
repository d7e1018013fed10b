"""A `podward apiserver --openshift` for tests, and the words that its objects begin with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api_server import Server, running

ALICE, BOB = "alice-token", "bob-token"
_CALLERS = 'alice-token,alice,uid-alice,"dev,system:authenticated:oauth"\nbob-token,bob,uid-bob,"dev"\n'
_ADMIN = 'admin-token,admin,uid-admin,"system:masters"\n'


@contextlib.contextmanager
def openshift_server(directory: Path, *flags: str) -> Iterator[Server]:
    """A server whose alice has logged in as people do in OpenShift, and whose bob has not."""
    callers = directory / "callers.csv"
    callers.write_text(_ADMIN + _CALLERS)
    with running(directory, "--openshift", "--token-auth-file", str(callers), *flags) as started:
        yield started


def of(api_version: str, kind: str, name: str = "", **fields: object) -> dict[str, Any]:
    """An object."""
    metadata = {"metadata": {"name": name}} if name else {}
    return {"apiVersion": api_version, "kind": kind, **metadata, **fields}
