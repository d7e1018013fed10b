"""What a dead podward left is found and removed, and what a living one has is not."""

from __future__ import annotations

import os
from pathlib import Path

from podward.errors import NodeError
from podward.runtime.cgroups import Cgroups
from podward.runtime.state import PodDirectory, State
from podward.runtime.sweep import Swept, sweep


def test_a_directory_whose_maker_died_before_it_was_locked_goes(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    os.mkdir(f"{state.pods}/0123456789ab", 0o700)
    assert sweep(state, Cgroups(())) == Swept(("0123456789ab",))
    assert os.listdir(state.pods) == []


class Stuck(Cgroups):
    """Hierarchies in which a process of one Pod does not end."""

    def end_pod(self, pod: str) -> None:
        if pod == "0123456789ab":
            raise NodeError("processes of a container do not end: 7")


def test_what_cannot_be_removed_is_told_and_keeps_nobody_from_going_on(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    for pod in ("0123456789ab", "ba9876543210"):
        os.mkdir(f"{state.pods}/{pod}", 0o700)
    swept = sweep(state, Stuck(()))
    assert swept == Swept(("ba9876543210",), (("0123456789ab", "processes of a container do not end: 7"),))
    assert os.listdir(state.pods) == ["0123456789ab"]
    assert sweep(state, Cgroups(())) == Swept(("0123456789ab",)), "the next sweep tries again"


def test_a_pod_that_somebody_has_stays(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    pod = PodDirectory.create(state)
    assert sweep(state, Cgroups(())) == Swept()
    pod.lock.release()
    assert sweep(state, Cgroups(())) == Swept((pod.id,))
