"""Reading and judging the files of a check, on all cores.

`parallel` deals the files out to processes. Each of them makes the same policy set of all policies and judges its own
workloads. The result of a file that has not changed, under the same policies, is taken from a cache.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, msgpack

from podward.api.finding import Finding
from podward.api.report import CheckedWorkload, in_order
from podward.check import wire
from podward.check.policy_set import PolicySet
from podward.check.waivers import ScopedWaiver
from podward.check.wire import FileFindings
from podward.cli import inputs, process_exit
from podward.cli.checking import cache as caching
from podward.cli.checking.cache import Cache, CacheEntry
from podward.cli.checking.files import STDIN
from podward.cli.checking.parallel import MANY, in_parallel
from podward.cli.checking.policies import CheckOptions, given_policies, held_to, is_file
from podward.cli.checking.reading import ManifestFile, as_patch, parse_file, unreadable
from podward.errors import InputError
from podward.schema.objects import Item
from podward.schema.pod_kinds import with_rows

if TYPE_CHECKING:
    from podward.render.check.json import JsonFindings


class ExaminedFiles(Struct, frozen=True):
    """The result of all files, in their order; `names` are their names as findings have them."""

    names: tuple[str, ...]
    findings: tuple[Finding, ...]
    waivers: tuple[ScopedWaiver, ...]
    workloads: tuple[CheckedWorkload, ...]


class _ReadFile(Struct, frozen=True):
    """A file that was read; `entry` is its cache entry if there is one, and then `file` is None until it is needed.

    `key` is the key of the cache entry, empty if the file is not to be cached.
    """

    name: str
    key: bytes
    file: ManifestFile | None
    content: bytes = b""
    entry: CacheEntry | None = None

    @property
    def policies(self) -> bytes:
        """The policies in the file, encoded; empty if it has none."""
        if self.entry is not None:
            return self.entry.policies
        found = self.file.policies if self.file is not None else ()
        return wire.policies_bytes(found) if found else b""


class _FileMessage(Struct, array_like=True, frozen=True):
    """What a process sends about a file; `encoded` is its findings as JSON if these are wanted."""

    key: bytes
    entry: CacheEntry
    encoded: str


_MESSAGES = msgpack.Decoder(list[_FileMessage])


def policies_in(files: Iterable[ManifestFile]) -> tuple[Item, ...]:
    """The policies of these files."""
    return tuple(item for file in files for item in file.policies)


def judge_files(files: Sequence[ManifestFile], policy_set: PolicySet) -> FileFindings:
    """Judge every workload of these files. SCCs look at everything that is written: no workload is short for them."""
    from podward.check.judging import judge, judge_sound

    findings: list[Finding] = []
    waivers: list[ScopedWaiver] = []
    workloads: list[CheckedWorkload] = []
    for file in files:
        findings += file.findings
        waivers += file.waivers
        for workload in file.workloads:
            if workload.known_valid and policy_set.scc is None:
                findings += judge_sound(workload.source, workload.document, policy_set)
                scc = ""
            else:
                judged = judge(workload.source, workload.document, policy_set)
                findings += judged.findings
                scc = judged.scc
            workloads.append(CheckedWorkload(file.name, workload.subject, scc))
    return FileFindings(in_order(findings), tuple(waivers), tuple(workloads))


def examine(
    names: Sequence[str],
    options: CheckOptions,
    cache: Cache = caching.NO_CACHE,
    processes: int = 0,
    json_findings: JsonFindings | None = None,
) -> ExaminedFiles:
    """Read and judge all files.

    `processes` is the number of processes that share the work, 0 for as many as are worth their start. `json_findings`
    gets the JSON of those findings that are not from the cache. Raises InputError for policies that can't be used,
    WorkerError if a process did not finish its share.
    """
    work = _Work(names, options, cache, json_findings)
    results = in_parallel(names, work, processes)
    process_exit.keep(work, results)
    cache.keep({one.key: one.entry for one in results if one.key and one.entry is not None})
    if json_findings is not None:
        for name, one in zip(names, results, strict=True):
            if one.encoded:
                json_findings.keep(_shown(name), one.found.findings, one.encoded)
    return ExaminedFiles(
        tuple(_shown(name) for name in names),
        (*work.faults, *(finding for one in results for finding in one.found.findings)),
        tuple(waiver for one in results for waiver in one.found.waivers),
        tuple(workload for one in results for workload in one.found.workloads),
    )


def cache_of(options: CheckOptions, names: Sequence[str], checked: Collection[str] = ()) -> Cache:
    """The cache for this check; none for a few files, and none if policies come from files that are not checked.

    `checked` are directories in which no cache may be.
    """
    if len(names) < MANY or options.policy_from or any(map(is_file, options.scc)):
        return caching.NO_CACHE
    return caching.open_cache(msgpack.encode(options), checked)


class _FileResult(Struct, frozen=True):
    """The result of a file; `entry` is what the cache is to keep, `encoded` its findings as JSON if these were made."""

    key: bytes
    found: FileFindings
    entry: CacheEntry | None
    encoded: str = ""


class _Policies(Struct, frozen=True):
    """What every process makes of all policies; `faults` are findings about policies that are wrong."""

    policy_set: PolicySet
    judged_by: bytes
    faults: tuple[Finding, ...]


class _Work:
    """What is done with each file, here or in another process: a `parallel.FileWork`."""

    def __init__(
        self, names: Sequence[str], options: CheckOptions, cache: Cache, json_findings: JsonFindings | None
    ) -> None:
        self._names = names
        self._options = options
        self._cache = cache
        self._json_findings = json_findings
        self._given = given_policies(options.policy_from)
        self._files = FileReader(options)
        self._read: dict[int, _ReadFile] = {}
        self._known_policies: _Policies | None = None

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings about policies."""
        return self._policies.faults

    @property
    def _policies(self) -> _Policies:
        if self._known_policies is None:
            raise RuntimeError("no workload is judged before all policies are known")
        return self._known_policies

    def prepare(self) -> None:
        """Import what judges, and what reads many files, unless the cache may have every result."""
        if not self._cache:
            from podward.check import hinting, judging
            from podward.documents.yaml import fast

            del hinting, judging, fast

    def read(self, index: int) -> bytes:
        """Read a file; returns its policies, encoded."""
        one = self._read[index] = self._files.read_cached(self._names[index], self._cache)
        return one.policies

    def set_policies(self, policies: dict[int, bytes]) -> None:
        """Make the policy set of all policies."""
        held = held_to(self._options, _items(policies, self._names), self._given)
        judged_by = _digest(policies, self._names) if self._cache.used else b""
        self._known_policies = _Policies(held.policy_set, judged_by, held.findings)

    def process(self, index: int) -> _FileResult:
        """Judge a file, unless the cache has the result."""
        one, policies = self._read[index], self._policies
        if one.entry is not None and one.entry.judged_by == policies.judged_by:
            return _FileResult(one.key, wire.file_findings(one.entry.findings, one.name), one.entry)
        file = one.file or self._files.parse(one.content, one.name)
        found = judge_files((file,), policies.policy_set)
        entry = CacheEntry(one.policies, policies.judged_by, wire.file_findings_bytes(found)) if one.key else None
        encoded = self._json_findings.text(found.findings) if self._json_findings is not None else ""
        return _FileResult(one.key, found, entry, encoded)

    def encode(self, results: list[_FileResult]) -> bytes:
        """The results of files, to be sent to the main process."""
        return msgpack.encode(
            [
                _FileMessage(
                    one.key, one.entry or CacheEntry(b"", b"", wire.file_findings_bytes(one.found)), one.encoded
                )
                for one in results
            ]
        )

    def decode(self, message: bytes, indexes: Sequence[int]) -> list[_FileResult]:
        """The results of these files, as another process encoded them."""
        return [
            _FileResult(
                one.key, wire.file_findings(one.entry.findings, _shown(self._names[index])), one.entry, one.encoded
            )
            for one, index in zip(_MESSAGES.decode(message), indexes, strict=True)
        ]


class FileReader:
    """Reads files as the options of a check say: custom resources by their rows, patches as such."""

    def __init__(self, options: CheckOptions) -> None:
        self._kinds = with_rows(options.pod_kinds)
        self._patches = frozenset(options.patches)

    def parse(self, content: bytes, name: str) -> ManifestFile:
        """The file of this content and name."""
        file = parse_file(content, name, self._kinds)
        return as_patch(file) if name in self._patches else file

    def read(self, name: str) -> ManifestFile:
        """The file of this name, or standard input."""
        shown = _shown(name)
        try:
            return self.parse(inputs.content_of(name), shown)
        except InputError as error:
            return unreadable(shown, error)

    def read_cached(self, name: str, cache: Cache) -> _ReadFile:
        """The same, unless the cache knows a file of this content."""
        if not cache.used:
            return _ReadFile(_shown(name), b"", self.read(name))
        shown = _shown(name)
        try:
            content = inputs.content_of(name)
        except InputError as error:
            return _ReadFile(shown, b"", unreadable(shown, error))
        key = caching.key_of(shown, content)
        known = cache.entry(key)
        if known is not None:
            return _ReadFile(shown, key, None, content, known)
        return _ReadFile(shown, key, self.parse(content, shown))


def _items(policies: dict[int, bytes], names: Sequence[str]) -> Iterator[Item]:
    """The policies of all files, in the order of the files."""
    return (item for index in sorted(policies) for item in wire.policies(policies[index], _shown(names[index])))


def _digest(policies: dict[int, bytes], names: Sequence[str]) -> bytes:
    """A digest of the policies and of the files that they come from."""
    return caching.digest(
        *(
            part
            for index in sorted(policies)
            for part in (names[index].encode("utf-8", "surrogateescape"), policies[index])
        )
    )


def _shown(name: str) -> str:
    return inputs.STDIN if name == STDIN else name
