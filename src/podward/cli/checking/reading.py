"""Reading one file of a check: its workloads, its policies, and findings about what could not be read.

A bad document does not hide the other documents, and a bad file not the other files. A document of an unknown kind is
skipped: every repository has custom resources.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from podward.access.policies import policies_of
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.json_value import Json, JsonObject, kind_of
from podward.check.waivers import DOMAIN, AnnotatedObject, ScopedWaiver, of_annotations
from podward.cli import inputs
from podward.cli.checking.files import STDIN
from podward.documents.document import Document
from podward.documents.reader import read_all
from podward.errors import InputError, LimitError, OtherDocumentError
from podward.path import Path, path
from podward.schema.known_valid import sources_if_known
from podward.schema.objects import Item
from podward.schema.workload import PodSource, pod_sources

OTHER_DOCUMENT = "input/other"
"""The rule about documents that are no Kubernetes objects."""
_METADATA = path("metadata", "annotations")
_NOTHING: JsonObject = {"apiVersion": "podward.dev/v1", "kind": "Unread"}
"""Takes the place of a list item that could not be read, so that the other items keep their indexes."""


class FileWorkload(Struct, frozen=True):
    """A workload's Pod, the index of its document in the file, and whether it is known to be valid."""

    source: PodSource
    document: int
    known_valid: bool

    @property
    def subject(self) -> WorkloadRef:
        """The workload as findings name it, in the namespace that it is created in."""
        source = self.source
        return WorkloadRef(source.kind, source.view.metadata.namespace or "", source.name)


class ManifestFile(Struct, frozen=True):
    """The content of a file; `findings` are about what could not be read, and about malformed waivers."""

    name: str
    workloads: tuple[FileWorkload, ...]
    policies: tuple[Item, ...]
    findings: tuple[Finding, ...]
    waivers: tuple[ScopedWaiver, ...]


def read_file(name: str) -> ManifestFile:
    """Read the file of this name, or standard input."""
    shown = inputs.STDIN if name == STDIN else name
    try:
        content = inputs.content_of(name)
    except InputError as error:
        return unreadable(shown, error)
    return parse_file(content, shown)


def unreadable(name: str, error: InputError) -> ManifestFile:
    """A file that can't be read: it has one finding, the error."""
    rule = "input/limits" if isinstance(error, LimitError) else "input/reading"
    return ManifestFile(name, (), (), (_unread(rule, error, name, 0),), ())


def parse_file(content: bytes, name: str) -> ManifestFile:
    """Read a file with this content."""
    reading = read_all(content, name)
    findings = [_unread(_kind(error), error, name, 0) for error in reading.errors]
    workloads: list[FileWorkload] = []
    items: list[Item] = []
    waivers: list[ScopedWaiver] = []
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
            given, faults = _waivers(workload.source, index)
            waivers += given
            findings += faults
    return ManifestFile(name, tuple(workloads), tuple(items), tuple(findings), tuple(waivers))


def _objects(document: Document, index: int) -> tuple[list[FileWorkload], tuple[Item, ...]]:
    """The workloads and the policies of a document. Raises InputError where it is not one that an API server takes."""
    known = sources_if_known(document)
    if known is None:
        known = tuple([(source, False) for source in pod_sources(document)])
    return [FileWorkload(source, index, valid) for source, valid in known], policies_of(document)


def _without_bad_items(document: Document) -> tuple[Document | None, list[InputError]]:
    """A `List` with `_NOTHING` in the place of each bad item, and the errors of the bad items.

    The answer has None if the document is no List, or if something else than its items is wrong.
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
    """The error of an item of a List, read as a document of its own; None if it is good."""
    at = path("items", number)
    if not isinstance(item, dict):
        return InputError(f"{at}: expected an object, found {kind_of(item)}", where=document.where(at))
    line, lines = document.inside(at)
    try:
        _objects(Document(document.name, item, line, lines), 0)
    except InputError as error:
        return error
    return None


def _unread(rule: str, error: InputError, name: str, document: int) -> Finding:
    # `where` is name:line or name:line:column.
    line = error.where.removeprefix(f"{name}:").partition(":")[0]
    number = int(line) if line.isdigit() else 1
    return Finding(
        rule, Severity.ERROR, name, number, document, Path(), WorkloadRef(), error.what, remedy=error.advice.strip()
    )


def _schema(error: InputError) -> str:
    """The rule about a document that could be parsed and is wrong."""
    return OTHER_DOCUMENT if isinstance(error, OtherDocumentError) else "input/schema"


def _kind(error: InputError) -> str:
    """The rule about a document that could not be parsed."""
    if isinstance(error, OtherDocumentError):
        return OTHER_DOCUMENT
    return "input/limits" if isinstance(error, LimitError) else "input/syntax"


def _waivers(source: PodSource, document: int) -> tuple[tuple[ScopedWaiver, ...], tuple[Finding, ...]]:
    """The waivers in the annotations of the workload and of its template."""
    waivers: list[ScopedWaiver] = []
    faults: list[Finding] = []
    for place in _annotated(source.prefix):
        found = _at(source.document, place)
        if any(key.startswith(DOMAIN) for key in found):
            about = WorkloadRef(source.kind, source.view.metadata.namespace or "", source.name)
            annotated = AnnotatedObject(source.document.name, document, about)
            more, wrong = of_annotations(found, place, annotated, lambda at: _line(source.document, at))
            waivers += more
            faults += wrong
    return tuple(waivers), tuple(faults)


@lru_cache(1 << 6)
def _annotated(prefix: Path) -> tuple[Path, ...]:
    """The paths of the annotations of the Pod, or of the template, at `prefix`, and of the object around it."""
    own, steps = prefix + _METADATA, prefix.segments
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
