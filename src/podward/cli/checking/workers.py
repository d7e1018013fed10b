"""Worker processes that share the work of one command: they are forked, talk over pipes, and are never left behind.

A worker is a copy of this process. It runs one function with a channel to the main process, then it ends. A channel
carries messages of bytes, each with its length before it. If a worker dies or sends too little, that is an error.
`multiprocessing` does more, but its start-up takes longer than most checks.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from podward.errors import PodwardError

_LENGTH = 8  # bytes before each message: its length
_PIECE = 1 << 20


class WorkerError(PodwardError):
    """A worker did not finish its share. The exit code is 2: there is no result, and 1 would mean that there is one."""

    exit_code = 2


class Channel:
    """A pair of pipes, one for each direction."""

    def __init__(self, reader: int, writer: int) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: bytes) -> None:
        """Send one message; waits until it is received. Raises WorkerError if the other process has ended."""
        left = memoryview(len(message).to_bytes(_LENGTH, "big") + message)
        try:
            while left:
                left = left[os.write(self._writer, left) :]
        except BrokenPipeError:
            raise WorkerError("a process that checks files has ended early") from None

    def receive(self) -> bytes:
        """Wait for the next message and return it. Raises WorkerError if the other process has ended."""
        return self._exactly(int.from_bytes(self._exactly(_LENGTH), "big"))

    def close(self) -> None:
        """Close both pipes."""
        os.close(self._reader)
        os.close(self._writer)

    def _exactly(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count:
            piece = os.read(self._reader, min(count, _PIECE))
            if not piece:
                raise WorkerError("a process that checks files has ended early")
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)


class Workers:
    """The workers of one command. Leaving the context kills those that still run, also after an exception."""

    def __init__(self) -> None:
        self._running: list[tuple[int, Channel]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pid, channel in self._running:
            channel.close()
            os.kill(pid, signal.SIGKILL)  # it is our child and not reaped yet, so no other process has its number
            os.waitpid(pid, 0)
        self._running.clear()

    def start(self, work: Callable[[Channel], None]) -> Channel:
        """Start a process that does `work`. Raises OSError if no process can be started."""
        to_worker, from_us = os.pipe()
        from_worker, to_us = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # An interrupt after the fork and before the process is in our list would leave it behind.
        held_back = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            try:
                pid = os.fork()
            except OSError:
                for end in (to_worker, from_us, from_worker, to_us):
                    os.close(end)
                raise
            if not pid:
                ours = [Channel(from_worker, from_us), *(channel for _, channel in self._running)]
                _work(work, Channel(to_worker, to_us), ours, held_back)
            channel = Channel(from_worker, from_us)
            self._running.append((pid, channel))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held_back)
        os.close(to_worker)
        os.close(to_us)
        return channel

    def finish(self) -> None:
        """Wait for all workers, in order. Raises WorkerError if one failed."""
        while self._running:
            pid, channel = self._running[0]
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            # A worker is reaped only after it was taken out of the list: so each number in the list is a worker's.
            del self._running[0]
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            channel.close()
            if code:
                how = f"was ended by signal {-code}" if code < 0 else "failed"
                raise WorkerError(f"a process that checks files {how}")


def _work(
    work: Callable[[Channel], None], channel: Channel, others: list[Channel], mask: set[signal.Signals | int]
) -> None:
    """Run a worker and end its process. This never returns: the worker is a copy of a process with other work to do."""
    code = 1
    try:
        # An interrupt from the terminal reaches every process: one message about it is enough.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for other in others:
            other.close()
        work(channel)
        code = 0
    except WorkerError:
        pass  # the main process has ended: nobody wants the result
    except BaseException:  # noqa: BLE001  # a defect: printed here, and a WorkerError in the main process
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(code)
