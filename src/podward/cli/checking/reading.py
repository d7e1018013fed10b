"""One file of a check, read: its workloads, its policies, and what could not be read as findings.

One bad document does not lose the others, nor one bad file. A document of a kind that nobody here knows is passed over:
custom resources stand in every repository.
"""

from __future__ import annotations

from msgspec import Struct

from podward.access.policies import policies_of
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.json_value import Json, JsonObject, kind_of
from podward.check import waivers
from podward.check.waivers import Granted, Holder
from podward.cli import inputs
from podward.cli.checking.files import STDIN
from podward.documents.document import Document
from podward.documents.reader import read_all
from podward.errors import InputError, LimitError, OtherDocumentError
from podward.path import Path, path
from podward.schema.objects import Item
from podward.schema.plain.known_valid import KnownValid, plain
from podward.schema.plain.listed import plain_items
from podward.schema.workload import DEFAULT_NAMESPACE, PodSource, pod_sources

OTHER = "input/other"
"""The rule about documents that are no objects of Kubernetes."""
_METADATA = path("metadata", "annotations")
_NOTHING: JsonObject = {"apiVersion": "podward.dev/v1", "kind": "Unread"}
"""Stands for an item that could not be read, so that the others keep their places."""


class _Sources:
    """The Pods of a document, made when one is asked for: all at once, as a List may have thousands."""

    __slots__ = ("_made", "document")

    def __init__(self, document: Document, made: tuple[PodSource, ...] | None = None) -> None:
        self.document = document
        self._made = made

    def __getitem__(self, number: int) -> PodSource:
        if self._made is None:
            self._made = pod_sources(self.document)
        return self._made[number]


class Sourced:
    """A workload and the index of its document in the file; `plain` where that is all there is to know of it.

    `number` counts the workloads of the document.
    """

    __slots__ = ("_number", "_sources", "document", "plain")

    def __init__(self, sources: _Sources, document: int, plain: KnownValid | None, number: int = 0) -> None:
        self._sources = sources
        self._number = number
        self.document = document
        self.plain = plain

    @property
    def source(self) -> PodSource:
        """The workload's Pod; of a plain workload made when it is asked for."""
        return self._sources[self._number]

    @property
    def written(self) -> Document:
        """The document that the workload stands in."""
        return self._sources.document

    @property
    def subject(self) -> WorkloadRef:
        """The workload as findings name it, in the namespace that it is created in."""
        plain = self.plain
        if plain is not None:
            return WorkloadRef(plain.kind, plain.namespace or DEFAULT_NAMESPACE, plain.name)
        source = self.source
        return WorkloadRef(source.kind, source.view.metadata.namespace or "", source.name)


class File(Struct, frozen=True):
    """What a file holds; `findings` is what could not be read, or is wrong with its waivers."""

    name: str
    workloads: tuple[Sourced, ...]
    policies: tuple[Item, ...]
    findings: tuple[Finding, ...]
    granted: tuple[Granted, ...]


def read_file(name: str) -> File:
    """The file of this name, or standard input."""
    shown = inputs.STDIN if name == STDIN else name
    try:
        content = inputs.content_of(name)
    except InputError as error:
        return unreadable(shown, error)
    return of_content(content, shown)


def unreadable(name: str, error: InputError) -> File:
    """A file whose content can't be had."""
    rule = "input/limits" if isinstance(error, LimitError) else "input/reading"
    return File(name, (), (), (_unread(rule, error, name, 0),), ())


def of_content(content: bytes, name: str) -> File:
    """The file of this content."""
    reading = read_all(content, name)
    findings = [_unread(_kind(error), error, name, 0) for error in reading.errors]
    workloads: list[Sourced] = []
    items: list[Item] = []
    granted: list[Granted] = []
    for index, document in enumerate(reading.documents):
        try:
            here, found = _objects(document, index)
        except InputError as error:
            good, errors = _without_bad_items(document)
            findings += [_unread("input/schema", each, name, index) for each in errors]
            if good is None:
                findings.append(_unread(_schema(error), error, name, index))
                continue
            here, found = _objects(good, index)
        workloads += here
        items += found
        for workload in here:
            if workload.plain is None or _is_annotated(workload.plain):
                given, faults = _waivers(workload.source, index)
                granted += given
                findings += faults
    return File(name, tuple(workloads), tuple(items), tuple(findings), tuple(granted))


def _objects(document: Document, index: int) -> tuple[list[Sourced], tuple[Item, ...]]:
    """The workloads and the policies of a document. Raises InputError where it is not one that an API server takes."""
    found = plain(document.raw)
    if found is not None:
        return [Sourced(_Sources(document), index, found)], ()
    several = plain_items(document.raw)
    if several is not None:
        sources = _Sources(document)
        here = [Sourced(sources, index, each, number) for number, each in enumerate(several)]
    else:
        made = pod_sources(document)
        sources = _Sources(document, made)
        here = [Sourced(sources, index, None, number) for number in range(len(made))]
    return here, policies_of(document)


def _without_bad_items(document: Document) -> tuple[Document | None, list[InputError]]:
    """A `List` with something of no meaning for each item that is wrong, and what is wrong with these.

    None if it is no List, or if not its items are at fault.
    """
    listed = document.raw.get("items")
    if document.kind != "List" or not isinstance(listed, list):
        return None, []
    errors: list[InputError] = []
    kept: list[Json] = []
    for number, item in enumerate(listed):
        error = _fault(document, number, item)
        kept.append(item if error is None else _NOTHING)
        errors += [error] if error is not None else []
    line, lines = document.inside(Path())
    good = Document(document.name, {**document.raw, "items": kept}, line, lines)
    try:
        _objects(good, 0)
    except InputError:
        return None, []
    return good, errors


def _fault(document: Document, number: int, item: Json) -> InputError | None:
    """What is wrong with an item of a List, as a document of its own."""
    at = path("items", number)
    if not isinstance(item, dict):
        return InputError(f"{at}: expected an object, found {kind_of(item)}", where=document.where(at))
    line, lines = document.inside(at)
    try:
        _objects(Document(document.name, item, line, lines), 0)
    except InputError as error:
        return error
    return None


def _is_annotated(workload: KnownValid) -> bool:
    """Whether the workload, or its template, may have a waiver written on it."""
    for metadata in workload.metadata:
        for key in (metadata.annotations if metadata is not None else None) or ():
            if key.startswith(waivers.DOMAIN):
                return True
    return False


def _unread(rule: str, error: InputError, name: str, document: int) -> Finding:
    # `where` is name:line or name:line:column.
    line = error.where.removeprefix(f"{name}:").partition(":")[0]
    number = int(line) if line.isdigit() else 1
    return Finding(
        rule, Severity.ERROR, name, number, document, Path(), WorkloadRef(), error.what, remedy=error.advice.strip()
    )


def _schema(error: InputError) -> str:
    """Whether a document that could be parsed is wrong, or something else."""
    return OTHER if isinstance(error, OtherDocumentError) else "input/schema"


def _kind(error: InputError) -> str:
    """Whether a document is broken, something else or only too much."""
    if isinstance(error, OtherDocumentError):
        return OTHER
    return "input/limits" if isinstance(error, LimitError) else "input/syntax"


def _waivers(source: PodSource, document: int) -> tuple[tuple[Granted, ...], tuple[Finding, ...]]:
    """The waivers on the workload's own annotations and on its template's."""
    about = WorkloadRef(source.kind, source.view.metadata.namespace or "", source.name)
    holder = Holder(source.document.name, document, about)
    granted: list[Granted] = []
    faults: list[Finding] = []
    for place in _annotated(source):
        found = _at(source.document, place)
        if found:
            more, wrong = waivers.of_annotations(found, place, holder, lambda at: _line(source.document, at))
            granted += more
            faults += wrong
    return tuple(granted), tuple(faults)


def _annotated(source: PodSource) -> tuple[Path, ...]:
    """Where annotations stand: the template's, and those of the object around it."""
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
