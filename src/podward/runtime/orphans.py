"""Ending OCI runtimes that a dead podward left at work outside of the Pod's cgroups.

A `crun create` that was in the middle goes on, and would make cgroups and containers that nobody knows of; gVisor runs
here outside of cgroups altogether (`--ignore-cgroups`). Both have the path of the Pod's directory among their words;
a Pod's id is random and used once, so no other process has it.
"""

from __future__ import annotations

import os
import signal

WAITING = (b"exec",)
"""Verbs at which a runtime waits for a program in the container: it is that program's parent, and reaps it."""
_NAMES = (b"crun", b"runc", b"runsc", b"runsc-sandbox", b"runsc-gofer")


def end(directory: str, spared: tuple[bytes, ...] = ()) -> None:
    """Kill the runtimes that work for the Pod in this directory, but those at work on a spared verb; none is fine."""
    wanted = os.fsencode(f"{directory}/")
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read(65536).split(b"\0")
            works_here = os.path.basename(words[0]) in _NAMES and any(wanted in word for word in words[1:])
            if works_here and not set(words) & set(spared):
                os.kill(int(entry), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
