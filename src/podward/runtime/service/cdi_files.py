"""The node's files about devices of the Container Device Interface.

Their hooks are programs that run as root, so a file that somebody else than root could have written is not used. One
that can't be read takes its devices away, not those of others.
"""

from __future__ import annotations

import os
import stat

import msgspec

from podward.api.cdi import DeviceSpec
from podward.decision import Decision
from podward.policy.runtime import cdi
from podward.runtime import devices

DIRECTORIES = ("/etc/cdi", "/var/run/cdi")
"""The later directory's devices count before those of the earlier one."""
_LARGEST = 16 << 20
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def inject(decided: Decision, asked: tuple[str, ...], directories: tuple[str, ...] = DIRECTORIES) -> Decision:
    """The oci stage's Decision with what a container gets with these devices, or why it can't have one."""
    found = cdi.find(asked, *read(directories))
    nodes = {}
    for place in found.host_paths:
        for device in devices.nodes(place, place):
            nodes[place] = device
    return cdi.injected(decided, found, nodes)


def read(directories: tuple[str, ...] = DIRECTORIES) -> tuple[tuple[cdi.SpecFile, ...], tuple[str, ...]]:
    """The files that can be used, in order, and why others can't."""
    files, broken = [], []
    for priority, directory in enumerate(directories):
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            if name.endswith((".json", ".yaml")):
                file = f"{directory}/{name}"
                try:
                    files.append(cdi.SpecFile(file, priority, _read(file)))
                except (OSError, ValueError, msgspec.MsgspecError) as error:
                    broken.append(f"{file}: {error}")
    return tuple(files), tuple(broken)


def _read(file: str) -> DeviceSpec:
    """Raises OSError, ValueError or MsgspecError for a file that can't be used."""
    with open(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as opened:
        facts = os.fstat(opened.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid or facts.st_mode & _OTHERS:
            raise ValueError("is no file that root alone may write")
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError("is too large")
    decode = msgspec.json.decode if file.endswith(".json") else msgspec.yaml.decode
    return decode(content, type=DeviceSpec)
