"""The machine's facts are what the kernel says."""

from __future__ import annotations

import os
import time

from podward.runtime import machine


def test_the_facts_are_the_kernels() -> None:
    node = machine.gather("runc", "cri-o")
    with open("/proc/self/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    assert node.capabilities == int(fields["CapEff"], 16) & int(fields["CapBnd"], 16)
    assert node.kernel == os.uname().release
    assert (node.runtime, node.runtime_defaults) == ("runc", "cri-o")
    assert node.lsm in {"", "apparmor", "selinux"}
    assert abs(node.memory - os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) <= 1 << 20


def test_special_paths_are_those_that_exist() -> None:
    found = machine.gather().special_paths
    assert "/proc/sys" in found
    assert all(os.path.exists(path) == (path in found) for path in machine.SPECIAL_PATHS)


def test_gathering_costs_next_to_nothing() -> None:
    machine.gather()
    times = []
    for _ in range(9):
        began = time.perf_counter()
        machine.gather()
        times.append(time.perf_counter() - began)
    assert min(times) < 0.001
