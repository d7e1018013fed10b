"""Reading one file of a check: its workloads, its policies, and findings about what could not be read.

A bad document does not hide the other documents, and a bad file not the other files. A document of an unknown kind is
skipped, as every repository has custom resources; if it holds containers, a note says that nobody looked at them.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct, structs

from podward.access.policies import policies_among
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.json_value import Json, JsonObject, kind_of
from podward.check.waivers import DOMAIN, AnnotatedObject, ScopedWaiver, of_annotations
from podward.cli import inputs
from podward.cli.checking.files import STDIN
from podward.cli.checking.unread import OTHER_DOCUMENT, TEMPLATE, BadItem, misread, patch, rule_of, unread, unseen
from podward.documents.document import Document
from podward.documents.reader import Reading, read_all
from podward.errors import InputError, LimitError
from podward.path import Path, path
from podward.schema.known_valid import sources_if_known
from podward.schema.objects import Item, everything_in, implied, is_template
from podward.schema.pod_kinds import BUILT_IN, PodKinds
from podward.schema.strict import require_fit
from podward.schema.workload import PodSource, sources_of
from podward.stages.admission.order import by_registry

_OF_PATCHES = frozenset((OTHER_DOCUMENT, "input/schema"))
"""What is found wrong in a patch that is taken for an object."""
_SELECTING = frozenset(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"))
"""Kinds whose objects must have a selector, which patches have not."""
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
    return ManifestFile(name, (), (), (unread(rule, error, name, 0),), ())


def parse_file(content: bytes, name: str, kinds: PodKinds = BUILT_IN) -> ManifestFile:
    """Read a file with this content; `kinds` says where custom resources hold their Pods."""
    reading = read_all(content, name)
    template = _template_in(content, reading, name) if b"{{" in content else None
    if template is not None:
        return ManifestFile(name, (), (), (unread(TEMPLATE, template, name, 0),), ())
    findings = [unread(rule_of(error), error, name, 0) for error in reading.errors]
    workloads: list[FileWorkload] = []
    items: list[Item] = []
    waivers: list[ScopedWaiver] = []
    for index, document in enumerate(reading.documents):
        try:
            here = _objects(document, index, kinds)
        except InputError as error:
            good, bad = _without_bad_items(document, kinds)
            if good is None:
                findings += misread(BadItem(Path(), error), name, index)
                continue
            findings += [finding for each in bad for finding in misread(each, name, index)]
            here = _objects(good, index, kinds)
        workloads += here.workloads
        items += here.policies
        findings += here.notes
        for workload in here.workloads:
            given, faults = _waivers(workload.source, index)
            waivers += given
            findings += faults
    return ManifestFile(name, tuple(workloads), tuple(items), tuple(findings), tuple(waivers))


def as_patch(file: ManifestFile) -> ManifestFile:
    """A file that a kustomization lists as a patch: what is no whole object in it is one note, the rest is judged."""
    whole = tuple(workload for workload in file.workloads if _is_whole(workload))
    wrong = [finding for finding in file.findings if finding.rule in _OF_PATCHES and finding.severity is Severity.ERROR]
    if len(whole) == len(file.workloads) and not wrong:
        return file
    kept = tuple(finding for finding in file.findings if finding not in wrong)
    return structs.replace(file, workloads=whole, findings=(patch(file.name), *kept))


def _is_whole(workload: FileWorkload) -> bool:
    """Whether an API server would take the workload as it is."""
    source = workload.source
    if by_registry(source.raw, source.kind).refused:
        return False
    return source.kind not in _SELECTING or "selector" in _at(source.document, Path(source.prefix.segments[:-1]))


def _template_in(content: bytes, reading: Reading, name: str) -> InputError | None:
    from podward.documents.helm import template_in  # only braces need it, and a check starts often

    return template_in(content, reading, name)


class _Objects(Struct, frozen=True):
    """What a document holds: workloads, policies, and notes about what was not looked at."""

    workloads: list[FileWorkload]
    policies: tuple[Item, ...] = ()
    notes: tuple[Finding, ...] = ()


def _objects(document: Document, index: int, kinds: PodKinds) -> _Objects:
    """The objects of a document. Raises InputError where it is not one that an API server takes."""
    every = tuple(everything_in(document))
    items = tuple([item for item, holds in every if not holds])
    known = sources_if_known(document, items, kinds)
    if known is None:
        require_fit(every)
        known = tuple([(source, False) for item in items for source in sources_of(item, kinds)])
    return _Objects(
        [FileWorkload(source, index, valid) for source, valid in known],
        policies_among(items),
        tuple(unseen(items, index, kinds)),
    )


def _without_bad_items(document: Document, kinds: PodKinds) -> tuple[Document | None, list[BadItem]]:
    """A list, or a Template, with `_NOTHING` in the place of each bad item, and the bad items.

    The answer has None if the document is neither, or if something else than its items is wrong.
    """
    name, says_neither = "items", implied(document.kind, document.api_version)
    if is_template(document.kind, document.api_version.rpartition("/")[0]):
        from podward.schema.parameters import filled

        name, says_neither = "objects", ("", "")
        try:
            document = filled(document, Path())
        except InputError:
            return None, []
    listed = document.raw.get(name)
    if not isinstance(listed, list):
        return None, []
    kept: list[Json] = []
    bad: list[BadItem] = []
    for number, item in enumerate(listed):
        at = path(name, number)
        error = _fault(document, at, item, says_neither, kinds)
        kept.append(item if error is None else _NOTHING)
        bad += [BadItem(at, error)] if error is not None else []
    line, lines = document.inside(Path())
    good = Document(document.name, {**document.raw, name: kept}, line, lines)
    try:
        _objects(good, 0, kinds)
    except InputError:
        return None, []
    return good, bad


def _fault(
    document: Document, at: Path, item: Json, says_neither: tuple[str, str], kinds: PodKinds
) -> InputError | None:
    """The error of an item of a list, read as a document of its own; None if it is good.

    `says_neither` are the kind and the apiVersion of an item that says neither.
    """
    if not isinstance(item, dict):
        return InputError(f"{at}: expected an object, found {kind_of(item)}", where=document.where(at))
    line, lines = document.inside(at)
    if not item.get("kind") and not item.get("apiVersion"):
        kind, api_version = says_neither
        item = {**item, "kind": kind, "apiVersion": api_version}
    try:
        _objects(Document(document.name, item, line, lines), 0, kinds)
    except InputError as error:
        return error
    return None


def _waivers(source: PodSource, document: int) -> tuple[tuple[ScopedWaiver, ...], tuple[Finding, ...]]:
    """The waivers in the annotations of the workload and of its template."""
    waivers: list[ScopedWaiver] = []
    faults: list[Finding] = []
    for place in _annotated(source.prefix):
        found = _at(source.document, place)
        if any(key.startswith(DOMAIN) for key in found):
            about = WorkloadRef(source.kind, source.view.metadata.namespace or "", source.name)
            above = Path(place.segments[: -len(_METADATA.segments)])
            annotated = AnnotatedObject(source.document.name, document, about, place=above)
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
