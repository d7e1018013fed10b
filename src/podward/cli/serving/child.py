"""A part as a process: started, heard, started again when it died, ended.

It dies with us: a part without its supervisor would have nobody to end it. What it says on its standard output is read
here; what it says of failures goes where ours does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from podward.cli import terminal
from podward.runtime import syscalls
from podward.runtime.event_loop import EventLoop

FIRST_PAUSE, LONGEST_PAUSE, LIVED = 0.2, 30.0, 60.0
_MOST = 1 << 16


def pause_after(failures: int) -> float:
    """How long to wait before a part is started again that has died so often without living for long."""
    return float(min(FIRST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE))


class Child:
    """A part: `arguments` are its next start's; `ready` begins the line with which it says that it works."""

    def __init__(self, loop: EventLoop, name: str, arguments: Sequence[str], ready: str) -> None:
        self.name = name
        self.is_ready = False
        self.was_ready = False
        self._loop = loop
        self.arguments = tuple(arguments)
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._since = 0.0
        self._failures = 0
        self._ending = False
        self.on_ready: Callable[[str], None] = lambda _line: None
        self.on_end: Callable[[int], None] = lambda _code: None

    @property
    def pid(self) -> int:
        """The process; 0 where there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it."""
        if self._ending or self._process is not None:
            return
        parent = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "podward", *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: we end the parts in their order
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - we have one thread
        )
        self._since, self.is_ready, self._rest = time.monotonic(), False, b""
        output = self._output()
        os.set_blocking(output, False)
        self._loop.watch(output, self._read)
        self._loop.on_exit(self._process.pid, self._ended)

    def leave_ended(self) -> None:
        """Start it no more when it dies: the cluster ends."""
        self._ending = True

    def end(self) -> None:
        """Ask it to end; `on_end` is called when it has."""
        self._ending = True
        if self._process is None:
            self._loop.after(0, lambda: self.on_end(0))
        else:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now."""
        self._ending = True
        if self._process is not None:
            self._signal(signal.SIGKILL)

    def restart(self) -> None:
        """End it, to be started again at once."""
        if self._process is not None and not self._ending:
            self._failures = 0
            self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)  # it is our child, whom only we reap

    def _output(self) -> int:
        if self._process is None or self._process.stdout is None:
            raise ValueError("no process has output")
        return self._process.stdout.fileno()

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _MOST)
        except BlockingIOError:
            return
        if not data:
            self._loop.forget(descriptor)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_MOST:]
        for line in lines:
            self._hear(line.decode(errors="replace"))

    def _hear(self, line: str) -> None:
        if not self.is_ready and line.startswith(self._ready):
            self.is_ready = self.was_ready = True
            self.on_ready(line)

    def _ended(self, status: int) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdout is not None:
            self._loop.forget(process.stdout.fileno())
            process.stdout.close()
            process.returncode = 0  # reaped by the loop: nobody may wait for the number any more
        code = os.waitstatus_to_exitcode(status)
        self.is_ready = False
        if self._ending or not self.was_ready:
            self.on_end(code)
            return
        if time.monotonic() - self._since > LIVED:
            self._failures = 0
        wait = pause_after(self._failures)
        self._failures += 1
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        terminal.say(f"{self.name} has ended {how}; it is started again in {wait:g} s")
        self._loop.after(wait, self.start)


def _die_with(parent: int) -> None:
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
