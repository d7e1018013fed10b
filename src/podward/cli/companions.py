"""The files of the input that a command about the Pods of one file needs too, as they are typed again in a suggestion.

A file without Pods is named beside the Pods' own, as it was. One that has Pods too is named by `--with`: the objects
that Pods refer to are read from it, and its own Pods are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.documents.document import Document
    from podward.schema.workload import PodSource


class Companions(Struct, frozen=True):
    """Files as a command line names them: those without Pods, which of these have policies, and those with Pods."""

    without_pods: tuple[str, ...] = ()
    with_policies: tuple[str, ...] = ()
    with_pods: tuple[str, ...] = ()


def companions(documents: Sequence[Document], pods: Sequence[PodSource]) -> Companions:
    """The files of the input whose objects decide about Pods of other files."""
    if len({document.name for document in documents}) < 2:
        return Companions()  # most inputs, and what follows is to be imported
    from podward.access.policies import policies_of
    from podward.schema.referenced_objects import holds_any

    with_pods = {source.document.name for source in pods}
    others = [document for document in documents if document.name not in with_pods]
    policies = [document for document in others if policies_of(document)]
    return Companions(
        _names([document for document in others if document in policies or holds_any(document)]),
        _names(policies),
        _names([document for document in documents if document.name in with_pods and holds_any(document)]),
    )


def typed(name: str) -> str:
    """A document's name as it is typed."""
    from podward.cli import inputs

    return "-" if name == inputs.STDIN else name


def _names(documents: list[Document]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(typed(document.name) for document in documents))
