"""One file of a check, read: its workloads, its policies, and what could not be read as findings.

One bad document does not lose the others, nor one bad file. A document of a kind that nobody here knows is passed over:
custom resources stand in every repository.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.document import Document
from podward.api.finding import Finding, Severity, Subject
from podward.api.json_value import JsonObject
from podward.api.objects import Item
from podward.api.plain.plain import Plain, plain
from podward.api.reader import read_all
from podward.api.workload import DEFAULT_NAMESPACE, PodSource, pod_sources
from podward.check import waivers
from podward.check.waivers import Granted, Holder
from podward.cli import inputs, policies
from podward.cli.checking.files import STDIN
from podward.errors import InputError, LimitError, OtherDocumentError
from podward.path import Path, path

OTHER = "input/other"
"""The rule about documents that are no objects of Kubernetes."""
_METADATA = path("metadata", "annotations")


class Sourced:
    """A workload and the index of its document in the file; `plain` where that is all there is to know of it."""

    __slots__ = ("_object", "_source", "document", "plain")

    def __init__(self, of: Document, document: int, plain: Plain | None, source: PodSource | None = None) -> None:
        self._object = of
        self._source = source
        self.document = document
        self.plain = plain

    @property
    def source(self) -> PodSource:
        """The workload's Pod; of a plain workload made when it is asked for."""
        if self._source is None:
            self._source = pod_sources(self._object)[0]
        return self._source

    @property
    def written(self) -> Document:
        """The document that the workload stands in."""
        return self._object

    @property
    def subject(self) -> Subject:
        """The workload as findings name it, in the namespace that it is created in."""
        plain = self.plain
        if plain is not None:
            return Subject(plain.kind, plain.namespace or DEFAULT_NAMESPACE, plain.name)
        source = self.source
        return Subject(source.kind, source.view.metadata.namespace or "", source.name)


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
            here = _workloads(document, index)
            if not here or here[0].plain is None:
                items += policies.policies_of(document)
        except InputError as error:
            findings.append(
                _unread(OTHER if isinstance(error, OtherDocumentError) else "input/schema", error, name, index)
            )
            continue
        workloads += here
        for workload in here:
            if workload.plain is None or _is_annotated(workload.plain):
                given, faults = _waivers(workload.source, index)
                granted += given
                findings += faults
    return File(name, tuple(workloads), tuple(items), tuple(findings), tuple(granted))


def _workloads(document: Document, index: int) -> list[Sourced]:
    """The workloads of a document. Raises InputError where it is not one that an API server takes."""
    found = plain(document.raw)
    if found is not None:
        return [Sourced(document, index, found)]
    return [Sourced(document, index, None, source) for source in pod_sources(document)]


def _is_annotated(workload: Plain) -> bool:
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
        rule, Severity.ERROR, name, number, document, Path(), Subject(), error.what, remedy=error.advice.strip()
    )


def _kind(error: InputError) -> str:
    """Whether a document is broken, something else or only too much."""
    if isinstance(error, OtherDocumentError):
        return OTHER
    return "input/limits" if isinstance(error, LimitError) else "input/syntax"


def _waivers(source: PodSource, document: int) -> tuple[tuple[Granted, ...], tuple[Finding, ...]]:
    """The waivers on the workload's own annotations and on its template's."""
    about = Subject(source.kind, source.view.metadata.namespace or "", source.name)
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
