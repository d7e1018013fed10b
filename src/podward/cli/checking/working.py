"""Reading and judging many files on all cores.

The files are dealt out to processes. Each reads its share and says which of its files hold policies; with all of
these known, each makes the same policies of them and judges its own workloads. Nothing else has to be shared. What came
of a file that has not changed, under the same policies, is taken from a cache.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, msgpack

from podward.api.finding import Finding, Subject
from podward.api.objects import Item
from podward.api.report import Checked
from podward.check import wire
from podward.check.held import Held
from podward.check.waivers import Granted
from podward.check.wire import Outcome
from podward.cli import inputs
from podward.cli.checking import cache as caching
from podward.cli.checking.cache import Cache, Entry
from podward.cli.checking.files import STDIN
from podward.cli.checking.holding import Wishes, held, is_file, sound
from podward.cli.checking.progress import Progress
from podward.cli.checking.reading import File, of_content, unreadable
from podward.cli.checking.workers import Channel, WorkerError, Workers
from podward.errors import InputError

MANY = 40
"""Files from which on other processes and a cache are worth their start."""
_SHARE = 20
"""Files that a process should at least have."""


class Examined(Struct, frozen=True):
    """What came of all files, in their order; `names` as findings have them."""

    names: tuple[str, ...]
    findings: tuple[Finding, ...]
    granted: tuple[Granted, ...]
    checked: tuple[Checked, ...]


class _Read(Struct, frozen=True):
    """A file of a share: its content as it was read, or what is known of that content; empty for none of these."""

    name: str
    key: bytes
    file: File | None
    content: bytes = b""
    entry: Entry | None = None

    @property
    def policies(self) -> bytes:
        """The policies in it, in their wire form; empty if it has none."""
        if self.entry is not None:
            return self.entry.policies
        found = self.file.policies if self.file is not None else ()
        return wire.policies_bytes(found) if found else b""


class _Told(Struct, array_like=True, frozen=True):
    """What a worker tells of a file when all is done."""

    key: bytes
    entry: Entry


_TOLD = msgpack.Decoder(list[_Told])
_POLICIES = msgpack.Decoder(dict[int, bytes])


def policies_in(files: Iterable[File]) -> tuple[Item, ...]:
    """The policies of these files."""
    return tuple(item for file in files for item in file.policies)


def outcome(files: Sequence[File], held: Held) -> Outcome:
    """Judge every workload of these files."""
    from podward.check.judging import judge

    findings: list[Finding] = []
    granted: list[Granted] = []
    checked: list[Checked] = []
    for file in files:
        findings += file.findings
        granted += file.granted
        for workload in file.workloads:
            source = workload.source
            judged = judge(source, workload.document, held)
            findings += judged.findings
            namespace = source.view.metadata.namespace or ""
            checked.append(Checked(file.name, Subject(source.kind, namespace, source.name)))
    return Outcome(tuple(findings), tuple(granted), tuple(checked))


def examine(names: Sequence[str], wishes: Wishes, cache: Cache = caching.NO_CACHE, processes: int = 0) -> Examined:
    """Read and judge all files; `processes` is how many share the work, 0 for as many as are worth it.

    Raises InputError for policies that can't be used, WorkerError where a process did not finish its share.
    """
    count = min(processes or worthwhile(len(names)), len(names))
    with Workers() as workers:
        shares = _Shares(names, count)
        channels: list[Channel] = []
        for number in range(1, count):
            try:
                channels.append(workers.start(_Worker(shares, number, cache, wishes).work))
            except OSError:  # no more processes here: their shares are ours
                break
        shares = shares.with_ours(len(channels))
        return _Parent(shares, cache, wishes, channels, workers).examined()


def cache_of(wishes: Wishes, names: Sequence[str]) -> Cache:
    """The cache of such a check; none where it would not pay, or where policies come from files beside the checked."""
    if len(names) < MANY or any(map(is_file, wishes.scc)):
        return caching.NO_CACHE
    return caching.opened(msgpack.encode(wishes))


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


class _Share:
    """One process's work: what it read, and what it makes of it."""

    def __init__(self, shares: _Shares, number: int, cache: Cache, wishes: Wishes) -> None:
        self.indexes = shares.of(number)
        self._names = shares.names
        self._cache = cache
        self._wishes = wishes
        self.read: dict[int, _Read] = {}

    def reading(self) -> Iterator[None]:
        """Read the share, a file at each step."""
        for index in self.indexes:
            self.read[index] = _read(self._names[index], self._cache)
            yield

    def policies(self) -> dict[int, bytes]:
        """The policies of each file that has any."""
        return {index: found for index, one in self.read.items() if (found := one.policies)}

    def judged_by(self, policies: dict[int, bytes]) -> bytes:
        """What is different where other policies count; nothing where no cache would ask."""
        return _digest(policies, self._names) if self._cache.used else b""

    def judging(self, judged_by: bytes, terms: Held) -> Iterator[tuple[int, _Read, Outcome | Entry]]:
        """What came of each file: an entry where the cache knew it. Files are let go one by one."""
        for index in self.indexes:
            one = self.read.pop(index)
            if one.entry is not None and one.entry.judged_by == judged_by:
                yield index, one, one.entry
            else:
                yield index, one, outcome((one.file or of_content(one.content, one.name),), terms)


class _Worker:
    """The work of another process."""

    def __init__(self, shares: _Shares, number: int, cache: Cache, wishes: Wishes) -> None:
        self._shares = shares
        self._share = _Share(shares, number, cache, wishes)
        self._wishes = wishes
        self._parent = os.getpid()

    def work(self, channel: Channel) -> None:
        """Read; tell the policies; hear all policies; judge; tell what came of it."""
        for _ in self._share.reading():
            self._require_parent()
        channel.send(msgpack.encode(self._share.policies()))
        policies = _POLICIES.decode(channel.receive())
        terms = held(self._wishes, _items(policies, self._shares.names)[0])
        judged_by = self._share.judged_by(policies)
        told: list[_Told] = []
        for _, one, came in self._share.judging(judged_by, terms):
            self._require_parent()
            told.append(_Told(one.key, _entry(one, came, judged_by)))
        channel.send(msgpack.encode(told))

    def _require_parent(self) -> None:
        if os.getppid() != self._parent:
            raise WorkerError("nobody waits for this any more")


class _Parent:
    """Our own work, and putting all together."""

    def __init__(
        self, shares: _Shares, cache: Cache, wishes: Wishes, channels: list[Channel], workers: Workers
    ) -> None:
        self._shares = shares
        self._cache = cache
        self._wishes = wishes
        self._channels = channels
        self._workers = workers
        self._share = _Share(shares, 0, cache, wishes)
        self._outcomes: dict[int, Outcome] = {}
        self._entries: dict[bytes, Entry] = {}

    def examined(self) -> Examined:
        progress = Progress(2 * len(self._share.indexes))
        try:
            for _ in self._share.reading():
                progress.step()
            policies = self._share.policies()
            for channel in self._channels:
                policies |= _POLICIES.decode(channel.receive())
            items, faults = _items(policies, self._shares.names)
            terms = held(self._wishes, items)
            for channel in self._channels:
                channel.send(msgpack.encode(policies))
            self._judge(self._share.judged_by(policies), terms, progress)
        finally:
            progress.end()
        self._gather()
        self._cache.keep(self._entries)
        return self._all(faults)

    def _judge(self, judged_by: bytes, terms: Held, progress: Progress) -> None:
        for index, one, came in self._share.judging(judged_by, terms):
            progress.step()
            if isinstance(came, Entry):
                self._outcomes[index] = wire.outcome(came.outcome, one.name)
            else:
                self._outcomes[index] = came
            if one.key:
                self._entries[one.key] = _entry(one, came, judged_by)

    def _gather(self) -> None:
        """What the workers have to tell; the files of each are those of its share."""
        for number, channel in enumerate(self._channels, 1):
            told = _TOLD.decode(channel.receive())
            for index, each in zip(self._shares.of(number), told, strict=True):
                self._outcomes[index] = wire.outcome(each.entry.outcome, _shown(self._shares.names[index]))
                if each.key:
                    self._entries[each.key] = each.entry
        self._workers.finish()

    def _all(self, faults: tuple[Finding, ...]) -> Examined:
        in_order = [self._outcomes[index] for index in range(len(self._shares.names))]
        return Examined(
            tuple(_shown(name) for name in self._shares.names),
            (*faults, *(finding for each in in_order for finding in each.findings)),
            tuple(granted for each in in_order for granted in each.granted),
            tuple(checked for each in in_order for checked in each.checked),
        )


def _read(name: str, cache: Cache) -> _Read:
    shown = _shown(name)
    try:
        content = inputs.content_of(name)
    except InputError as error:
        return _Read(shown, b"", unreadable(shown, error))
    if not cache.used:
        return _Read(shown, b"", of_content(content, shown))
    key = caching.key_of(shown, content)
    known = cache.entry(key)
    if known is not None:
        return _Read(shown, key, None, content, known)
    return _Read(shown, key, of_content(content, shown))


def _entry(one: _Read, came: Outcome | Entry, judged_by: bytes) -> Entry:
    if isinstance(came, Entry):
        return came
    return Entry(one.policies, judged_by, wire.outcome_bytes(came))


def _items(policies: dict[int, bytes], names: Sequence[str]) -> tuple[tuple[Item, ...], tuple[Finding, ...]]:
    """The policies that count, and findings about the others."""
    return sound(item for index in sorted(policies) for item in wire.policies(policies[index], _shown(names[index])))


def _digest(policies: dict[int, bytes], names: Sequence[str]) -> bytes:
    """What is different where other policies count, or the same ones from other places."""
    return caching.digest(
        *(
            part
            for index in sorted(policies)
            for part in (names[index].encode("utf-8", "surrogateescape"), policies[index])
        )
    )


def _shown(name: str) -> str:
    return inputs.STDIN if name == STDIN else name
