"""The device nodes below this machine's /dev, which a privileged container gets."""

from __future__ import annotations

import os
import stat

from podward.api.oci import Device

_LEFT_OUT = frozenset(("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"))
"""Mounts of their own, links, and what the runtime makes for the container itself (containerd 2.2)."""
_KINDS = {stat.S_IFBLK: "b", stat.S_IFCHR: "c"}


def host_devices(directory: str = "/dev") -> tuple[Device, ...]:
    """Every device node below `directory`, in order of path."""
    found: list[Device] = []
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if entry.name in _LEFT_OUT or entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                found += host_devices(entry.path)
                continue
            facts = entry.stat(follow_symlinks=False)
            kind = _KINDS.get(stat.S_IFMT(facts.st_mode))
            if kind is not None:
                major, minor = os.major(facts.st_rdev), os.minor(facts.st_rdev)
                mode = stat.S_IMODE(facts.st_mode)
                found.append(Device(entry.path, kind, major, minor, mode, facts.st_uid, facts.st_gid))
    return tuple(found)
