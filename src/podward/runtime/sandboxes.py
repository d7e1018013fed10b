"""Ending the sandboxes of gVisor, which runs here outside of cgroups (`--ignore-cgroups`).

The processes of a sandbox have the path of the Pod's directory on their command line; a Pod's id is random and used
once, so no other process has it.
"""

from __future__ import annotations

import os
import signal

_NAMES = (b"runsc-sandbox", b"runsc-gofer", b"runsc")


def end(directory: str) -> None:
    """Kill the processes of gVisor that work for the Pod in this directory; none is fine."""
    wanted = os.fsencode(f"{directory}/")
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read(65536).split(b"\0")
            if os.path.basename(words[0]) in _NAMES and any(wanted in word for word in words[1:]):
                os.kill(int(entry), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
