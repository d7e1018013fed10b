"""What the cgroups of this machine can limit beside CPU, memory and processes (containerd 2.2 asks the same).

Swap is limited where the memory controller has the file for it: under cgroup v2 it is not in the root, so our own
cgroup is looked at.
"""

from __future__ import annotations

import contextlib
import os

from podward.policy.runtime.linux import Controllers


def controllers(hierarchies: str = "/sys/fs/cgroup", own: str = "/proc/self/cgroup") -> Controllers:
    """What can be limited here and now; `hierarchies` is where they are mounted, `own` the file that names ours."""
    if not os.path.exists(f"{hierarchies}/cgroup.controllers"):
        swap = os.path.exists(f"{hierarchies}/memory/memory.memsw.limit_in_bytes")
        return Controllers(swap=swap, huge_pages=os.path.isdir(f"{hierarchies}/hugetlb"))
    swap = os.path.exists(f"{hierarchies}/{_unified(own)}/memory.swap.max")
    return Controllers(swap=swap, huge_pages="hugetlb" in _text(f"{hierarchies}/cgroup.controllers").split())


def _unified(own: str) -> str:
    """The path of our cgroup in the unified hierarchy."""
    for line in _text(own).splitlines():
        if line.startswith("0::"):
            return line.removeprefix("0::").strip("/")
    return ""


def _text(file: str) -> str:
    with contextlib.suppress(OSError), open(file, encoding="utf-8", errors="surrogateescape") as opened:
        return opened.read()
    return ""
