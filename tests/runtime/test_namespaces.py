"""Making a Pod's namespaces."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from podward.runtime.state import Lock

SLOW = """
import os, sys, time
from podward.api.cri import IDMapping
from podward.runtime import namespaces, state, syscalls

def unshare(flags):
    print(os.getpid(), flush=True)
    time.sleep(60)

lock = state.Lock.wait(sys.argv[1])
syscalls.unshare = unshare
wanted = namespaces.Wanted(ipc=True, net=True, hostname="pod", mapping=IDMapping(0, 1 << 20, 65536))
namespaces.make(wanted, sys.argv[2])
"""


def test_the_lock_of_a_killed_podward_is_free_while_its_child_still_makes_namespaces(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SLOW, str(tmp_path / "lock"), str(tmp_path / "namespaces")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as podward:
        assert podward.stdout is not None
        child = int(podward.stdout.readline())
        assert Lock.attempt(str(tmp_path / "lock")) is None
        podward.kill()
        podward.wait()
        try:
            assert Lock.attempt(str(tmp_path / "lock")) is not None
        finally:
            os.kill(child, signal.SIGKILL)
