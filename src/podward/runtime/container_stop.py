"""The signal that asks a container to end: which one it is, and whether its process takes it."""

from __future__ import annotations

import functools
import signal

_BY_NAME: dict[str, int] = {
    **{str(number): int(number) for number in signal.valid_signals()},
    **{name.removeprefix("SIG"): int(number) for name, number in signal.Signals.__members__.items()},
    **{f"RTMIN+{n}": signal.SIGRTMIN + n for n in range(1, 16)},
    **{f"RTMAX-{n}": signal.SIGRTMAX - n for n in range(1, 15)},
}
"""By number, or by name without SIG."""
_WAITING_CALLS = frozenset((b"128", b"137", b"177", b"421"))
"""rt_sigtimedwait(2): on x86_64, on aarch64, and for programs of 32 bits."""


def number(name: str) -> int:
    """The signal that an image's StopSignal names, as containerd reads it (moby/sys/signal); SIGTERM for any other."""
    return _BY_NAME.get(name.upper().removeprefix("SIG"), signal.SIGTERM)


def is_taken(pid: int, number: int) -> bool:
    """Whether the process has a handler for this signal, ignores it, or blocks it to wait for it (signalfd(2)).

    Who ignores it means to end in his own time. The fields SigCgt, SigIgn and SigBlk of /proc/PID/status. While the
    process is in sigwait(3) the kernel shows the signal as not blocked, so the call counts too; it may begin or end
    between two looks.
    """
    return _is_waiting(pid) or _caught_ignored_or_blocked(pid) >> (number - 1) & 1 == 1 or _is_waiting(pid)


def _is_waiting(pid: int) -> bool:
    return _read(f"/proc/{pid}/syscall").split(b" ")[0] in _WAITING_CALLS


def _caught_ignored_or_blocked(pid: int) -> int:
    lines = _read(f"/proc/{pid}/status").splitlines()
    masks = (int(line.split()[1], 16) for line in lines if line.startswith((b"SigCgt:", b"SigIgn:", b"SigBlk:")))
    return functools.reduce(int.__or__, masks, 0)


def _read(path: str) -> bytes:
    """What the kernel tells; nothing where the process has ended, or where the kernel does not tell of its calls."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
