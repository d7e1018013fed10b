"""Device nodes of this machine: all below /dev, which a privileged container gets, and those that one asks for."""

from __future__ import annotations

import os
import stat

from podward.api.oci import Device

_LEFT_OUT = frozenset(("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"))
"""Mounts of their own, links, and what the runtime makes for the container itself (containerd 2.2)."""
_KINDS = {stat.S_IFBLK: "b", stat.S_IFCHR: "c"}


def host_devices(directory: str = "/dev") -> tuple[Device, ...]:
    """Every device node below `directory`, in order of path."""
    return _below(directory, directory)


def nodes(host_path: str, container_path: str) -> tuple[Device, ...]:
    """The device at a path of the host, or all below it, as a container has them at its path; links are followed.

    None where there is no device.
    """
    found = os.path.realpath(host_path)
    try:
        facts = os.stat(found, follow_symlinks=False)
    except OSError:
        return ()
    if stat.S_ISDIR(facts.st_mode):
        return _below(found, container_path)
    device = _device(facts, container_path)
    return () if device is None else (device,)


def _below(directory: str, place: str) -> tuple[Device, ...]:
    found: list[Device] = []
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if entry.name in _LEFT_OUT or entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                found += _below(entry.path, f"{place}/{entry.name}")
            elif (device := _device(entry.stat(follow_symlinks=False), f"{place}/{entry.name}")) is not None:
                found.append(device)
    return tuple(found)


def _device(facts: os.stat_result, place: str) -> Device | None:
    kind = _KINDS.get(stat.S_IFMT(facts.st_mode))
    if kind is None:
        return None
    major, minor = os.major(facts.st_rdev), os.minor(facts.st_rdev)
    return Device(place, kind, major, minor, stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid)
