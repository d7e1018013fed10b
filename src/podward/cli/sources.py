"""The Pods that documents bring about, for commands that need at least one."""

from __future__ import annotations

from podward.documents.document import Document
from podward.errors import InputError
from podward.schema.workload import PodSource, pod_sources


def pods_of(documents: tuple[Document, ...]) -> tuple[PodSource, ...]:
    """Every Pod of the documents; raises InputError where there is none."""
    sources = tuple(source for document in documents for source in pod_sources(document))
    if not sources:
        kinds = ", ".join(sorted({document.kind for document in documents}))
        advice = "podward takes Pods, and the Pods of workload kinds"
        raise InputError(f"no Pod in it, only {kinds}", where=documents[0].name, advice=advice)
    return sources
