"""Reading one file of a check: its workloads, its policies, and findings about what could not be read.

A bad document does not hide the other documents, and a bad file not the other files. A document of an unknown kind is
skipped, as every repository has custom resources; if it holds containers, a note says that nobody looked at them.
"""

from __future__ import annotations

from msgspec import Struct

from podward.access.policies import policies_among
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.json_value import Json, JsonObject, kind_of
from podward.check.waivers import DOMAIN, AnnotatedObject, ScopedWaiver, of_annotations
from podward.cli import inputs
from podward.cli.checking.files import STDIN
from podward.documents.document import Document
from podward.documents.reader import read_all
from podward.errors import InputError, LimitError, OtherDocumentError
from podward.path import Path, path
from podward.schema.api_kinds import NoMatchError, knows
from podward.schema.objects import Item, objects_of
from podward.schema.parameters import filled, is_template
from podward.schema.plain.known_valid import KnownValid, plain
from podward.schema.plain.listed import plain_items
from podward.schema.pod_kinds import BUILT_IN, PodKinds, holds_containers, is_known
from podward.schema.strict import MisfitError, require
from podward.schema.workload import DEFAULT_NAMESPACE, PodSource, pod_sources, sources_of

OTHER_DOCUMENT = "input/other"
"""The rule about documents that are no Kubernetes objects."""
UNKNOWN_KIND = "input/unknown-kind"
"""The rule about custom resources that hold containers nobody looks at."""
_METADATA = path("metadata", "annotations")
_NOTHING: JsonObject = {"apiVersion": "podward.dev/v1", "kind": "Unread"}
"""Takes the place of a list item that could not be read, so that the other items keep their indexes."""


class _DocumentPods:
    """The Pods of a document. They are made when one is asked for: all at once, as a List may have thousands."""

    __slots__ = ("_pods", "document")

    def __init__(self, document: Document, pods: tuple[PodSource, ...] | None = None) -> None:
        self.document = document
        self._pods = pods

    def __getitem__(self, number: int) -> PodSource:
        if self._pods is None:
            self._pods = pod_sources(self.document)
        return self._pods[number]


class FileWorkload:
    """A workload of a file. `document` is the index of its document, `number` its index among the document's workloads.

    `plain` is set if the workload is known to be valid; then its Pod is made only if it is asked for.
    """

    __slots__ = ("_number", "_pods", "document", "plain")

    def __init__(self, pods: _DocumentPods, document: int, plain: KnownValid | None, number: int = 0) -> None:
        self._pods = pods
        self._number = number
        self.document = document
        self.plain = plain

    @property
    def source(self) -> PodSource:
        """The workload's Pod."""
        return self._pods[self._number]

    @property
    def written(self) -> Document:
        """The document that has the workload."""
        return self._pods.document

    @property
    def subject(self) -> WorkloadRef:
        """The workload as findings name it, with the namespace that it is created in."""
        plain = self.plain
        if plain is not None:
            return WorkloadRef(plain.kind, plain.namespace or DEFAULT_NAMESPACE, plain.name)
        source = self.source
        return WorkloadRef(source.kind, source.view.metadata.namespace or "", source.name)


class ManifestFile(Struct, frozen=True):
    """The content of a file; `findings` are about what could not be read, and about malformed waivers."""

    name: str
    workloads: tuple[FileWorkload, ...]
    policies: tuple[Item, ...]
    findings: tuple[Finding, ...]
    waivers: tuple[ScopedWaiver, ...]


def read_file(name: str, kinds: PodKinds = BUILT_IN) -> ManifestFile:
    """Read the file of this name, or standard input; `kinds` says where custom resources hold their Pods."""
    shown = inputs.STDIN if name == STDIN else name
    try:
        content = inputs.content_of(name)
    except InputError as error:
        return unreadable(shown, error)
    return parse_file(content, shown, kinds)


def unreadable(name: str, error: InputError) -> ManifestFile:
    """A file that can't be read: it has one finding, the error."""
    rule = "input/limits" if isinstance(error, LimitError) else "input/reading"
    return ManifestFile(name, (), (), (_unread(rule, error, name, 0),), ())


def parse_file(content: bytes, name: str, kinds: PodKinds = BUILT_IN) -> ManifestFile:
    """Read a file with this content; `kinds` says where custom resources hold their Pods."""
    reading = read_all(content, name)
    findings = [_unread(_kind(error), error, name, 0) for error in reading.errors]
    workloads: list[FileWorkload] = []
    items: list[Item] = []
    waivers: list[ScopedWaiver] = []
    for index, document in enumerate(reading.documents):
        try:
            here = _objects(document, index, kinds)
        except InputError as error:
            good, bad = _without_bad_items(document, kinds)
            if good is None:
                findings += _misread(_BadItem(Path(), error), name, index)
                continue
            findings += [finding for each in bad for finding in _misread(each, name, index)]
            here = _objects(good, index, kinds)
        workloads += here.workloads
        items += here.policies
        findings += here.notes
        for workload in here.workloads:
            if workload.plain is None or _is_annotated(workload.plain):
                given, faults = _waivers(workload.source, index)
                waivers += given
                findings += faults
    return ManifestFile(name, tuple(workloads), tuple(items), tuple(findings), tuple(waivers))


class _Objects(Struct, frozen=True):
    """What a document holds: workloads, policies, and notes about what was not looked at."""

    workloads: list[FileWorkload]
    policies: tuple[Item, ...] = ()
    notes: tuple[Finding, ...] = ()


def _objects(document: Document, index: int, kinds: PodKinds) -> _Objects:
    """The objects of a document. Raises InputError if no API server would decode it."""
    found = plain(document.raw)
    if found is not None:
        return _Objects([FileWorkload(_DocumentPods(document), index, found)])
    several = plain_items(document.raw)
    if several is not None:
        sources = _DocumentPods(document)
        here = [FileWorkload(sources, index, each, number) for number, each in enumerate(several)]
        return _Objects(here, policies_among(objects_of(document)))
    require(document)
    items = objects_of(document)
    pods = tuple(source for item in items for source in sources_of(item, kinds))
    sources = _DocumentPods(document, pods)
    here = [FileWorkload(sources, index, None, number) for number in range(len(pods))]
    return _Objects(
        here, policies_among(items), tuple(_unknown(item, index) for item in items if _is_unseen(item, kinds))
    )


def _is_unseen(item: Item, kinds: PodKinds) -> bool:
    """Whether the object holds containers, and nobody knows where its Pods are."""
    return not knows(item.group) and not is_known(item.group, item.kind, kinds) and holds_containers(item.raw)


def _unknown(item: Item, document: int) -> Finding:
    """The note about a custom resource that holds containers."""
    at = item.at / "kind"
    return Finding(
        UNKNOWN_KIND,
        Severity.NOTE,
        item.document.name,
        item.document.inside(at)[0],
        document,
        at,
        WorkloadRef(item.kind, item.namespace, item.name),
        f"a {item.kind} of {item.api_version} holds containers, and no rule has looked at them",
        remedy=f'say in podward.toml where its Pods are: [[check.workloads]] kind = "{item.kind}", …',
    )


class _BadItem(Struct, frozen=True):
    """An item of a list that could not be read: its place, and why."""

    at: Path
    error: InputError


def _without_bad_items(document: Document, kinds: PodKinds) -> tuple[Document | None, list[_BadItem]]:
    """A list, or a Template, with `_NOTHING` in the place of each bad item, and the bad items.

    The answer has None if the document is neither, or if something else than its items is wrong.
    """
    name = "items"
    if is_template(document.kind, document.api_version.rpartition("/")[0]):
        name = "objects"
        try:
            document = filled(document, Path())
        except InputError:
            return None, []
    listed = document.raw.get(name)
    if not isinstance(listed, list):
        return None, []
    kept: list[Json] = []
    bad: list[_BadItem] = []
    for number, item in enumerate(listed):
        at = path(name, number)
        error = _fault(document, at, item, kinds)
        kept.append(item if error is None else _NOTHING)
        bad += [_BadItem(at, error)] if error is not None else []
    line, lines = document.inside(Path())
    good = Document(document.name, {**document.raw, name: kept}, line, lines)
    try:
        _objects(good, 0, kinds)
    except InputError:
        return None, []
    return good, bad


def _fault(document: Document, at: Path, item: Json, kinds: PodKinds) -> InputError | None:
    """The error of an item of a list, read as a document of its own; None if it is good."""
    if not isinstance(item, dict):
        return InputError(f"{at}: expected an object, found {kind_of(item)}", where=document.where(at))
    line, lines = document.inside(at)
    own = document.kind.removesuffix("List")
    if own and own != document.kind:  # the items of a typed list may leave out what they are
        item = {"kind": own, "apiVersion": document.api_version, **item}
    try:
        _objects(Document(document.name, item, line, lines), 0, kinds)
    except InputError as error:
        return error
    return None


def _is_annotated(workload: KnownValid) -> bool:
    """Whether the workload or its template has annotations that may be waivers."""
    for metadata in workload.metadata:
        for key in (metadata.annotations if metadata is not None else None) or ():
            if key.startswith(DOMAIN):
                return True
    return False


def _misread(bad: _BadItem, name: str, document: int) -> list[Finding]:
    """The findings about an object that could be parsed and is wrong: one for each field that does not fit."""
    error = bad.error
    if not isinstance(error, MisfitError):
        rule = "input/schema" if bad.at.segments and isinstance(error, OtherDocumentError) else _schema(error)
        return [_unread(rule, error, name, document)]
    return [
        Finding(
            "input/schema",
            Severity.ERROR,
            name,
            error.document.inside(mistake.path)[0],
            document,
            bad.at + mistake.path,
            WorkloadRef(),
            mistake.what,
            remedy=mistake.advice,
        )
        for mistake in error.mistakes
    ]


def _unread(rule: str, error: InputError, name: str, document: int) -> Finding:
    # `where` is name:line or name:line:column.
    line = error.where.removeprefix(f"{name}:").partition(":")[0]
    number = int(line) if line.isdigit() else 1
    return Finding(
        rule, Severity.ERROR, name, number, document, Path(), WorkloadRef(), error.what, remedy=error.advice.strip()
    )


def _schema(error: InputError) -> str:
    """The rule about a document that could be parsed and is wrong."""
    if isinstance(error, NoMatchError):
        return "input/kind"
    return OTHER_DOCUMENT if isinstance(error, OtherDocumentError) else "input/schema"


def _kind(error: InputError) -> str:
    """The rule about a document that could not be parsed."""
    if isinstance(error, OtherDocumentError):
        return OTHER_DOCUMENT
    return "input/limits" if isinstance(error, LimitError) else "input/syntax"


def _waivers(source: PodSource, document: int) -> tuple[tuple[ScopedWaiver, ...], tuple[Finding, ...]]:
    """The waivers in the annotations of the workload and of its template."""
    about = WorkloadRef(source.kind, source.view.metadata.namespace or "", source.name)
    waivers: list[ScopedWaiver] = []
    faults: list[Finding] = []
    for place in _annotated(source):
        found = _at(source.document, place)
        if found:
            above = Path(place.segments[: -len(_METADATA.segments)])
            annotated = AnnotatedObject(source.document.name, document, about, place=above)
            more, wrong = of_annotations(found, place, annotated, lambda at: _line(source.document, at))
            waivers += more
            faults += wrong
    return tuple(waivers), tuple(faults)


def _annotated(source: PodSource) -> tuple[Path, ...]:
    """The paths of annotations: those of the object, and those of its template."""
    own = source.prefix + _METADATA
    steps = source.prefix.segments
    if "spec" not in steps and "template" not in steps:
        return (own,)
    first = min(steps.index(step) for step in ("spec", "template") if step in steps)
    return (Path(steps[:first]) + _METADATA, own)


def _at(document: Document, place: Path) -> JsonObject:
    node: object = document.raw
    for step in place.segments:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return {}
    return node if isinstance(node, dict) else {}


def _line(document: Document, place: Path) -> int:
    return document.inside(place)[0]
