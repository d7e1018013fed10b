"""The Pods of the files that a command is given, and what could not be read of these."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.cli import inputs, terminal
from podward.documents.document import Document
from podward.documents.reader import read_all
from podward.errors import InputError, PodwardError, TemplateError
from podward.path import path
from podward.schema.objects import objects_of
from podward.schema.pod_kinds import ARGO, BUILT_IN, WORKFLOWS, PodKinds, holds_containers, is_known, with_rows
from podward.schema.workload import PodSource, pod_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class GivenPods(Struct):
    """What files hold: their documents, the Pods of these, and what could not be read."""

    documents: list[Document]
    pods: list[PodSource]
    errors: list[PodwardError]


def every_pod(names: list[str], namespace: str = "") -> GivenPods:
    """The Pods of these files, as `documents` and `pods_of`: a bad file or document hides none of the others.

    Raises InputError where there is neither a Pod nor an error.
    """
    given = GivenPods([], [], [])
    for name in names:
        try:
            for file in inputs.files_of(name):
                _read_into(given, file)
        except InputError as error:
            given.errors.append(error)
    if not given.documents and not given.errors:
        raise InputError("no document found", where=", ".join(names), advice=inputs.POD_ADVICE)
    kinds = _kinds(given.documents)
    for document in tuple(given.documents):
        try:
            given.pods += (_in_namespace(source, namespace) for source in pod_sources(document, kinds))
            given.errors += _unapplied(document)
        except InputError as error:
            given.errors.append(error)
            given.documents.remove(document)
    if not given.pods and not given.errors:
        raise _no_pod(given.documents)
    return given


def _read_into(given: GivenPods, file: str) -> None:
    """Read the documents of a file; of a template of Helm there are none, and one error."""
    shown = inputs.STDIN if file == "-" else file
    try:
        content = inputs.content_of(file)
    except InputError as error:
        given.errors.append(error)
        return
    try:
        given.documents += inputs.decoded(content, shown)
    except TemplateError as error:
        given.errors.append(error)
    except InputError:
        found = read_all(content, shown)
        given.documents += found.documents
        given.errors += found.errors


def _unapplied(document: Document) -> Iterator[InputError]:
    """An error for each patch of a workflow's Pods that could not be applied: they are not what Argo makes of them."""
    for item in objects_of(document):
        if item.group == ARGO and item.kind in WORKFLOWS:
            from podward.schema.workflows import unapplied

            for place, why in unapplied(item.raw, WORKFLOWS[item.kind]):
                yield InputError(f"{_UNPATCHED}: {why}", where=item.where(place), advice=_PLAIN)


_UNPATCHED = "the Pods are told without what podSpecPatch makes of them"
_PLAIN = "write it without expressions and directives, as plain fields of a Pod's spec"


def _kinds(documents: Iterable[Document]) -> PodKinds:
    """Where custom resources hold their Pods; a configuration is looked for only where the table does not know one."""
    for document in documents:
        group = document.api_version.rpartition("/")[0]
        if "." in group and not is_known(group, document.kind, BUILT_IN) and holds_containers(document.raw):
            from podward.cli.checking import settings

            configured = settings.find(os.getcwd())
            return with_rows(configured.pod_kinds) if configured is not None else BUILT_IN
    return BUILT_IN


def _no_pod(documents: Sequence[Document]) -> InputError:
    kinds = ", ".join(sorted({document.kind for document in documents}))
    advice = "podward takes Pods, and the Pods of workload kinds"
    return InputError(f"no Pod in it, only {kinds}", where=documents[0].name, advice=advice)


def pods_of(documents: tuple[Document, ...], namespace: str = "") -> tuple[PodSource, ...]:
    """Every Pod of the documents, also the Pods of workloads. Raises InputError if there is none.

    `namespace` is that of what names none; of what names another one a note on standard error says so.
    """
    kinds = _kinds(documents)
    sources = tuple(source for document in documents for source in pod_sources(document, kinds))
    for unpatched in (error for document in documents for error in _unapplied(document)):
        terminal.say(f"warning: {unpatched.where}: {unpatched.what}")
    if not sources:
        raise _no_pod(documents)
    return tuple(_in_namespace(source, namespace) for source in sources)


def _in_namespace(source: PodSource, namespace: str) -> PodSource:
    if not namespace:
        return source
    if not source.says_namespace:
        return source.in_namespace(namespace)
    written = source.view.metadata.namespace
    if written != namespace:
        where = source.where(path("metadata", "namespace"))
        note = (
            f"{where}: {source.kind} {source.name} stays in namespace {written}: -n {namespace} is for what names none"
        )
        terminal.say(f"note: {note}")
    return source
