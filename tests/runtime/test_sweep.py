"""What a dead podward left is found and removed, and what a living one has is not."""

from __future__ import annotations

import os
from pathlib import Path

from podward.runtime.cgroups import Cgroups
from podward.runtime.state import PodDirectory, State
from podward.runtime.sweep import Swept, sweep


def test_a_directory_whose_maker_died_before_it_was_locked_goes(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    os.mkdir(f"{state.pods}/0123456789ab", 0o700)
    assert sweep(state, Cgroups(())) == Swept(("0123456789ab",))
    assert os.listdir(state.pods) == []


def test_a_pod_that_somebody_has_stays(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    pod = PodDirectory.create(state)
    assert sweep(state, Cgroups(())) == Swept()
    pod.lock.release()
    assert sweep(state, Cgroups(())) == Swept((pod.id,))
