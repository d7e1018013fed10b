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
from podward.api.reader import read_all
from podward.api.workload import PodSource, pod_sources
from podward.check import waivers
from podward.check.waivers import Granted, Holder
from podward.cli import inputs, policies
from podward.cli.checking.files import STDIN
from podward.errors import InputError, LimitError
from podward.path import Path, path

_METADATA = path("metadata", "annotations")


class Sourced(Struct, frozen=True):
    """A workload and the index of its document in the file."""

    source: PodSource
    document: int


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
            sources = pod_sources(document)
            items += policies.policies_of(document)
        except InputError as error:
            findings.append(_unread("input/schema", error, name, index))
            continue
        for source in sources:
            workloads.append(Sourced(source, index))
            given, faults = _waivers(source, index)
            granted += given
            findings += faults
    return File(name, tuple(workloads), tuple(items), tuple(findings), tuple(granted))


def _unread(rule: str, error: InputError, name: str, document: int) -> Finding:
    # `where` is name:line or name:line:column.
    line = error.where.removeprefix(f"{name}:").partition(":")[0]
    number = int(line) if line.isdigit() else 1
    return Finding(
        rule, Severity.ERROR, name, number, document, Path(), Subject(), error.what, remedy=error.advice.strip()
    )


def _kind(error: InputError) -> str:
    """Whether a document is broken or only too much."""
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
