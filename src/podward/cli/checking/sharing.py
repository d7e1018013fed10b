"""Many files read, and something made of each, on all cores.

The files are dealt out to processes. Each reads its share and says which of its files hold policies; with all of these
known, each settles on the same policies and goes through its own files again. Nothing else has to be shared. What is
made of a file, and how that is told, is the `Work`'s business.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct, msgpack

from podward.cli.checking.files import STDIN
from podward.cli.checking.progress import Progress
from podward.cli.checking.workers import Channel, WorkerError, Workers

if TYPE_CHECKING:  # a Protocol costs start-up time to make, and only mypy reads it
    from typing import Protocol

    Told = TypeVar("Told")

    class Work(Protocol[Told]):
        """What is done about the files, which have indexes here; every process has a copy of its own."""

        def read(self, index: int) -> bytes:
            """Read a file; its policies in their wire form, empty if it has none."""

        def settle(self, policies: dict[int, bytes]) -> None:
            """Hear the policies of every file that has any, in their order.

            We are told before any other process, so that what is raised here ends all.
            """

        def make(self, index: int) -> Told:
            """What came of a file that was read before."""

        def send(self, came: list[Told]) -> bytes:
            """What came of some files, for another process."""

        def receive(self, message: bytes, indexes: Sequence[int]) -> list[Told]:
            """What another process sent about these files."""


Came = TypeVar("Came")
MANY = 40
"""Files from which on other processes are worth their start."""
_SHARE = 20
"""Files that a process should at least have."""
_POLICIES = msgpack.Decoder(dict[int, bytes])


def shared(names: Sequence[str], work: Work[Came], processes: int = 0) -> list[Came]:
    """What came of every file, in order; `processes` is how many share the work, 0 for as many as are worth it.

    Raises WorkerError where a process did not finish its share, and what `work` raises. Nothing is left behind.
    """
    count = max(1, min(processes or worthwhile(len(names)), len(names)))
    with Workers() as workers:
        shares = _Shares(names, count)
        channels: list[Channel] = []
        for number in range(1, count):
            try:
                channels.append(workers.start(_Worker(work, shares.of(number)).run))
            except OSError:  # no more processes here: their shares are ours
                break
        came = _together(work, shares.with_ours(len(channels)), channels)
        workers.finish()
    return [came[index] for index in range(len(names))]


def worthwhile(files: int) -> int:
    """How many processes so many files are worth."""
    if files < MANY:
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), files // _SHARE))


class _Shares(Struct, frozen=True):
    """Who has which files: process n has every `count`th from n on, and process 0 what nobody else took.

    Standard input can be read once and by one: by us, process 0.
    """

    names: Sequence[str]
    count: int
    others: int = -1

    def with_ours(self, others: int) -> _Shares:
        return _Shares(self.names, self.count, others)

    def of(self, number: int) -> list[int]:
        """The indexes of the files of a process."""
        return [index for index in range(len(self.names)) if self._owner(index) == number]

    def _owner(self, index: int) -> int:
        number = index % self.count
        return 0 if self.names[index] == STDIN or number > self.others >= 0 else number


class _Worker(Generic[Came]):
    """The work of another process."""

    def __init__(self, work: Work[Came], indexes: list[int]) -> None:
        self._work = work
        self._indexes = indexes
        self._parent = os.getpid()

    def run(self, channel: Channel) -> None:
        """Read; tell the policies; hear all policies; make; tell what came of it."""
        work = self._work
        found = {index: work.read(index) for index in self._while_wanted()}
        channel.send(msgpack.encode({index: policies for index, policies in found.items() if policies}))
        work.settle(_POLICIES.decode(channel.receive()))
        channel.send(work.send([work.make(index) for index in self._while_wanted()]))

    def _while_wanted(self) -> Iterator[int]:
        """The share, as long as somebody waits for it."""
        for index in self._indexes:
            if os.getppid() != self._parent:
                raise WorkerError("nobody waits for this any more")
            yield index


def _together(work: Work[Came], shares: _Shares, channels: list[Channel]) -> dict[int, Came]:
    """Our own share, and what the others tell."""
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
        work.settle(in_order)
        for channel in channels:
            channel.send(msgpack.encode(in_order))
        came: dict[int, Came] = {}
        for index in own:
            came[index] = work.make(index)
            progress.step()
    finally:
        progress.end()
    for number, channel in enumerate(channels, 1):
        indexes = shares.of(number)
        came |= zip(indexes, work.receive(channel.receive(), indexes), strict=True)
    return came
