"""Reading and judging many files on all cores.

The files are dealt out to processes. Each reads its share and says which of its files hold policies; with all of
these known, each makes the same policies of them and judges its own workloads. Nothing else has to be shared. What came
of a file that has not changed, under the same policies, is taken from a cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, msgpack

from podward.api.finding import Finding
from podward.api.report import Checked, in_order
from podward.check import wire
from podward.check.policy_set import PolicySet
from podward.check.shapes import Shapes
from podward.check.waivers import Granted
from podward.check.wire import Outcome
from podward.cli import ending, inputs
from podward.cli.checking import cache as caching
from podward.cli.checking.cache import Cache, Entry
from podward.cli.checking.files import STDIN
from podward.cli.checking.policies import CheckOptions, is_file, policy_set_of, sound
from podward.cli.checking.reading import File, of_content, unreadable
from podward.cli.checking.sharing import MANY, shared
from podward.errors import InputError
from podward.schema.objects import Item

if TYPE_CHECKING:
    from podward.render.check.json import Written


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
    """What a process tells of a file; `written` is its findings as JSON, if they are wanted so."""

    key: bytes
    entry: Entry
    written: str


_TOLD = msgpack.Decoder(list[_Told])


def policies_in(files: Iterable[File]) -> tuple[Item, ...]:
    """The policies of these files."""
    return tuple(item for file in files for item in file.policies)


def outcome(files: Sequence[File], policy_set: PolicySet, shapes: Shapes | None = None) -> Outcome:
    """Judge every workload of these files; `shapes` are those known under the same policies."""
    from podward.check.judging import judge

    shapes = shapes or Shapes(policy_set)
    findings: list[Finding] = []
    granted: list[Granted] = []
    checked: list[Checked] = []
    for file in files:
        findings += file.findings
        granted += file.granted
        for workload in file.workloads:
            plain = workload.plain
            found = shapes.findings(plain, workload.written, workload.document) if plain is not None else None
            findings += judge(workload.source, workload.document, policy_set).findings if found is None else found
            checked.append(Checked(file.name, workload.subject))
    return Outcome(in_order(findings), tuple(granted), tuple(checked))


def examine(
    names: Sequence[str],
    wishes: CheckOptions,
    cache: Cache = caching.NO_CACHE,
    processes: int = 0,
    written: Written | None = None,
) -> Examined:
    """Read and judge all files; `processes` is how many share the work, 0 for as many as are worth it.

    `written` is given the JSON of those findings that are not from the cache. Raises InputError for policies that can't
    be used, WorkerError where a process did not finish its share.
    """
    work = _Work(names, wishes, cache, written)
    every = shared(names, work, processes)
    ending.leave(work, every)
    cache.keep({one.key: one.entry for one in every if one.key and one.entry is not None})
    if written is not None:
        for name, one in zip(names, every, strict=True):
            if one.written:
                written.keep(_shown(name), one.outcome.findings, one.written)
    return Examined(
        tuple(_shown(name) for name in names),
        (*work.faults, *(finding for one in every for finding in one.outcome.findings)),
        tuple(granted for one in every for granted in one.outcome.granted),
        tuple(checked for one in every for checked in one.outcome.checked),
    )


def cache_of(wishes: CheckOptions, names: Sequence[str]) -> Cache:
    """The cache of such a check; none where it would not pay, or where policies come from files beside the checked."""
    if len(names) < MANY or any(map(is_file, wishes.scc)):
        return caching.NO_CACHE
    return caching.opened(msgpack.encode(wishes))


class _Came(Struct, frozen=True):
    """What came of a file; the entry where a cache is to know it, and its findings as JSON where that was made."""

    key: bytes
    outcome: Outcome
    entry: Entry | None
    written: str = ""


class _Terms(Struct, frozen=True):
    """What every process makes of all policies, and what is wrong with some."""

    policy_set: PolicySet
    shapes: Shapes
    judged_by: bytes
    faults: tuple[Finding, ...]


class _Work:
    """What is done about each file, here or in another process: `sharing.Work`."""

    def __init__(self, names: Sequence[str], wishes: CheckOptions, cache: Cache, written: Written | None) -> None:
        self._names = names
        self._wishes = wishes
        self._cache = cache
        self._written = written
        self._read: dict[int, _Read] = {}
        self._terms: _Terms | None = None

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is wrong with the policies."""
        return self._settled.faults

    @property
    def _settled(self) -> _Terms:
        if self._terms is None:
            raise RuntimeError("no workload is judged before all policies are known")
        return self._terms

    def read(self, index: int) -> bytes:
        """Read a file; its policies."""
        one = self._read[index] = _read(self._names[index], self._cache)
        return one.policies

    def settle(self, policies: dict[int, bytes]) -> None:
        """Make terms of all policies."""
        items, faults = _items(policies, self._names)
        terms = policy_set_of(self._wishes, items)
        judged_by = _digest(policies, self._names) if self._cache.used else b""
        self._terms = _Terms(terms, Shapes(terms), judged_by, faults)

    def make(self, index: int) -> _Came:
        """Judge a file, unless the cache knows what comes of it."""
        one, terms = self._read[index], self._settled
        if one.entry is not None and one.entry.judged_by == terms.judged_by:
            return _Came(one.key, wire.outcome(one.entry.outcome, one.name), one.entry)
        found = outcome((one.file or of_content(one.content, one.name),), terms.policy_set, terms.shapes)
        entry = Entry(one.policies, terms.judged_by, wire.outcome_bytes(found)) if one.key else None
        written = self._written.text(found.findings) if self._written is not None else ""
        return _Came(one.key, found, entry, written)

    def send(self, came: list[_Came]) -> bytes:
        """What came of files, for another process."""
        return msgpack.encode(
            [_Told(one.key, one.entry or Entry(b"", b"", wire.outcome_bytes(one.outcome)), one.written) for one in came]
        )

    def receive(self, message: bytes, indexes: Sequence[int]) -> list[_Came]:
        """What came of these files, from another process."""
        return [
            _Came(one.key, wire.outcome(one.entry.outcome, _shown(self._names[index])), one.entry, one.written)
            for one, index in zip(_TOLD.decode(message), indexes, strict=True)
        ]


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
