"""Processing many files on all cores.

The files are dealt out to processes. Each process reads its files and says which of them hold policies. When all of
these are known, every process takes the same policies and then processes its own files. Nothing else is shared. A
`FileWork` says what is done with a file and how the result is encoded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct, msgpack

from podward.cli.checking.files import STDIN
from podward.cli.checking.progress import Progress
from podward.cli.checking.workers import Channel, WorkerError, Workers

Result = TypeVar("Result")

if TYPE_CHECKING:  # a Protocol costs start-up time to make, and only mypy reads it
    from typing import Protocol

    class FileWork(Protocol[Result]):
        """What is done with the files, which are named by their indexes. Every process has its own copy."""

        def prepare(self) -> None:
            """Do what every process would do for itself. This is called before the first of several is started."""

        def read(self, index: int) -> bytes:
            """Read a file. Returns its policies, encoded; empty if it has none."""

        def set_policies(self, policies: dict[int, bytes]) -> None:
            """Take the policies of every file that has any, in the order of the files.

            This is called in the main process before any other, so that what it raises ends all.
            """

        def process(self, index: int) -> Result:
            """The result of a file that was read before."""

        def encode(self, results: list[Result]) -> bytes:
            """The results of some files, to be sent to the main process."""

        def decode(self, message: bytes, indexes: Sequence[int]) -> list[Result]:
            """The results of these files, as another process encoded them."""


MANY = 40
"""From this number of files on, other processes are worth their start."""
_SHARE = 20
"""The least number of files for one process."""
_POLICIES = msgpack.Decoder(dict[int, bytes])


def in_parallel(names: Sequence[str], work: FileWork[Result], processes: int = 0) -> list[Result]:
    """The result of every file, in order.

    `processes` is the number of processes that share the work, 0 for as many as are worth their start. Raises
    WorkerError if a process did not finish its share, and what `work` raises. No process is left behind.
    """
    count = max(1, min(processes or worthwhile_processes(len(names)), len(names)))
    if count > 1:
        work.prepare()
    with Workers() as workers:
        shares = _Shares(names, count)
        channels: list[Channel] = []
        for number in range(1, count):
            try:
                channels.append(workers.start(_Worker(work, shares.of(number)).run))
            except OSError:  # the machine gives us no more processes: this one does their shares
                break
        results = _together(work, shares.with_workers(len(channels)), channels)
        workers.finish()
    return [results[index] for index in range(len(names))]


def worthwhile_processes(files: int) -> int:
    """How many processes are worth their start for so many files."""
    if files < MANY:
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), files // _SHARE))


class _Shares(Struct, frozen=True):
    """Which process has which files: process n has every `count`th from n on, process 0 those that nobody else has.

    Standard input can be read only once, so it belongs to process 0, the main process. `workers` is the number of the
    other processes, -1 as long as that is not known.
    """

    names: Sequence[str]
    count: int
    workers: int = -1

    def with_workers(self, workers: int) -> _Shares:
        return _Shares(self.names, self.count, workers)

    def of(self, number: int) -> list[int]:
        """The indexes of the files of a process."""
        return [index for index in range(len(self.names)) if self._owner(index) == number]

    def _owner(self, index: int) -> int:
        number = index % self.count
        return 0 if self.names[index] == STDIN or number > self.workers >= 0 else number


class _Worker(Generic[Result]):
    """The work of another process."""

    def __init__(self, work: FileWork[Result], indexes: list[int]) -> None:
        self._work = work
        self._indexes = indexes
        self._parent = os.getpid()

    def run(self, channel: Channel) -> None:
        """Read the files, send their policies, receive all policies, process the files, send the results."""
        work = self._work
        found = {index: work.read(index) for index in self._while_wanted()}
        channel.send(msgpack.encode({index: policies for index, policies in found.items() if policies}))
        work.set_policies(_POLICIES.decode(channel.receive()))
        channel.send(work.encode([work.process(index) for index in self._while_wanted()]))

    def _while_wanted(self) -> Iterator[int]:
        """The indexes of our files, as long as the main process lives."""
        for index in self._indexes:
            if os.getppid() != self._parent:
                raise WorkerError("nobody waits for this any more")
            yield index


def _together(work: FileWork[Result], shares: _Shares, channels: list[Channel]) -> dict[int, Result]:
    """Do the main process's share, and collect the results of the others."""
    own = shares.of(0)
    progress = Progress(2 * len(own))
    try:
        policies: dict[int, bytes] = {}
        for index in own:
            policies[index] = work.read(index)
            progress.step()
        for channel in channels:
            policies |= _POLICIES.decode(channel.receive())
        in_order = {index: policies[index] for index in sorted(policies) if policies[index]}
        work.set_policies(in_order)
        for channel in channels:
            channel.send(msgpack.encode(in_order))
        results: dict[int, Result] = {}
        for index in own:
            results[index] = work.process(index)
            progress.step()
    finally:
        progress.end()
    for number, channel in enumerate(channels, 1):
        indexes = shares.of(number)
        results |= zip(indexes, work.decode(channel.receive(), indexes), strict=True)
    return results
