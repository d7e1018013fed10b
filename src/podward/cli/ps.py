"""`podward ps`: list the Pods that `podward run --keep` kept running."""

from __future__ import annotations

import argparse
import sys

from msgspec import Struct

from podward.render.escaping import json_text, printable
from podward.runtime import kept
from podward.runtime.state import State, state_root

SUMMARY = "list the Pods that were kept"
EXAMPLES = (("every kept Pod", "podward ps"), ("for a program", "podward ps -o json"))


class ListedPod(Struct, frozen=True, rename="camel"):
    """One kept Pod."""

    id: str
    namespace: str
    name: str
    status: str
    ready: int
    running: int
    containers: int
    restarts: int
    created: float
    manifest: str


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table", help="the form of the answer")


def run(args: argparse.Namespace) -> int:
    """List the kept Pods, the oldest first."""
    found = [_listed(pod) for pod in kept.every(State(state_root()))]
    if args.output == "json":
        sys.stdout.write(json_text(found, 2))
        return 0
    rows: list[tuple[str, ...]] = [("ID", "NAMESPACE", "NAME", "READY", "RUNNING", "STATUS", "RESTARTS", "MANIFEST")]
    for p in found:
        running = f"{p.running}/{p.containers}"
        rows.append((p.id, p.namespace, p.name, str(p.ready), running, p.status, str(p.restarts), p.manifest))
    rows = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())
    return 0


def _listed(pod: kept.Kept) -> ListedPod:
    record = pod.record
    return ListedPod(
        pod.id,
        record.namespace,
        record.name,
        pod.status,
        sum(container.ready and kept.alive(container.process) for container in record.containers),
        len(kept.living(record)),
        len(record.containers),
        sum(max(0, container.attempt) for container in record.containers),
        record.created,
        record.manifest,
    )
