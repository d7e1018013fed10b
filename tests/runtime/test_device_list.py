"""Asking the kernel which devices a process may open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime import device_list

pytestmark = pytest.mark.needs("root")


def test_of_our_own_cgroups_the_answer_is_our_own(tmp_path: Path) -> None:
    assert device_list.open_devices(os.getpid(), str(tmp_path)) == ("all",)
    assert list(tmp_path.iterdir()) == [], "the nodes are gone"


def test_a_process_that_is_gone_can_not_be_asked_about(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(NodeError):
        device_list.open_devices(child, str(tmp_path))
