"""Processes that share the work of one command: forked, spoken to by pipes, and never left behind.

A worker is a copy of this process that runs one function with a channel to us and then ends. What goes over a channel
are bytes, each message with its length before it. A worker that dies, or says less than it should, is an error: half an
answer is none. `multiprocessing` does more, and costs more start-up time than most checks take.
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
    """A process that shared the work did not finish it: there is no answer, and 1 would say that there is one."""

    exit_code = 2


class Channel:
    """One end of two pipes."""

    def __init__(self, reader: int, writer: int) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: bytes) -> None:
        """Send one message; waits until it is taken. Raises WorkerError if nobody is there."""
        left = memoryview(len(message).to_bytes(_LENGTH, "big") + message)
        try:
            while left:
                left = left[os.write(self._writer, left) :]
        except BrokenPipeError:
            raise WorkerError("a process that checks files has ended early") from None

    def receive(self) -> bytes:
        """The next message; waits for it. Raises WorkerError if there will be none."""
        return self._exactly(int.from_bytes(self._exactly(_LENGTH), "big"))

    def close(self) -> None:
        """Close both ends."""
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
    """Some workers; leaving the context ends those that are still there, however it is left."""

    def __init__(self) -> None:
        self._running: list[tuple[int, Channel]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pid, channel in self._running:
            channel.close()
            os.kill(pid, signal.SIGKILL)  # it is ours and not reaped yet: nobody else can have its number
            os.waitpid(pid, 0)
        self._running.clear()

    def start(self, work: Callable[[Channel], None]) -> Channel:
        """A new process that does `work`; OSError if the machine gives none."""
        to_worker, from_us = os.pipe()
        from_worker, to_us = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # An interrupt between the process's beginning and its place in our list would leave it behind.
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
        """Wait for all of them, in order. Raises WorkerError if one did not end well."""
        while self._running:
            pid, channel = self._running[0]
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            # Only what is not in the list any more is reaped: a number in the list is still that of our worker.
            del self._running[0]
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            channel.close()
            if code:
                how = f"was ended by signal {-code}" if code < 0 else "failed"
                raise WorkerError(f"a process that checks files {how}")


def _work(
    work: Callable[[Channel], None], channel: Channel, others: list[Channel], mask: set[signal.Signals | int]
) -> None:
    """The whole life of a worker; does not return: what its copy of the program was doing is not its business."""
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
        pass  # nobody is there who would want the answer
    except BaseException:  # noqa: BLE001  # a defect: told here, and an error there
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(code)
