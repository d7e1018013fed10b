"""`podward run` as an ordinary user: the same Pods, and the kernel says what was predicted."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import build_images
import pytest
from ordinary_user import CLONE, HOME, OrdinaryUser

pytestmark = pytest.mark.needs("root", "crun", "busybox", "umoci", "newuidmap")
SCENARIOS = f"{CLONE}/tests/e2e/scenarios"
FIRST = 3_000_000_000
"""Ids that no machine gives away: above those of all people and services, below what is an error."""


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> OrdinaryUser:
    """A user with the example images."""
    made = OrdinaryUser(61_611, tmp_path_factory.mktemp("user"), f"{FIRST}:131072")
    context = made.directory / "context"
    context.mkdir()
    build_images.prepare(str(context))
    for place in (context, *context.rglob("*")):
        os.lchown(place, made.uid, made.uid)
    for directory, name in build_images.IMAGES.items():
        file = f"{CLONE}/examples/images/{directory}/Containerfile"
        built = made.run("image", "build", "-f", file, "-t", name, f"{HOME}/context")
        assert built.returncode == 0, built.stderr
    return made


@pytest.fixture(autouse=True)
def nothing_left(user: OrdinaryUser) -> Iterator[None]:
    """Whatever ran, the user has no process afterwards."""
    yield
    deadline = time.monotonic() + 20
    while user.processes() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert user.processes() == []


@pytest.mark.parametrize(
    ("manifest", "printed"),
    [
        ("groups/implicit-groups", "uid=1000(user-defined-in-image) gid=3000 groups=3000,4000,50000"),
        ("groups/strict-supplementalgroups-policy", "uid=1000(user-defined-in-image) gid=3000 groups=3000,4000"),
    ],
)
def test_a_pod_of_other_ids_runs_as_predicted(user: OrdinaryUser, manifest: str, printed: str) -> None:
    text = (Path(__file__).parent / "scenarios" / f"{manifest}.yaml").read_text(encoding="utf-8")
    done = user.run("run", "--verify", "-", stdin=text.replace("sleep 1h", "id"))
    assert printed in done.stdout, done.stderr
    assert ", 0 differ" in done.stderr
    assert done.returncode == 0
