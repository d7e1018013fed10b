"""`podward explain --running`: a kept Pod as it was decided and predicted, and what the kernel says of it now."""

from __future__ import annotations

import argparse

import msgspec

from podward.api.explanation import ContainerExplanation
from podward.api.oci import RuntimeSpec
from podward.api.referenced_objects import ReferencedObjects
from podward.cli import explaining, subjects
from podward.decision import Unknown
from podward.documents.document import Document
from podward.documents.reader import decode_documents
from podward.errors import InputError, UsageError
from podward.render.explain.rows import ExplainedPod
from podward.runtime import device_list, kept, proc, userns
from podward.runtime.state import State, state_root
from podward.schema.workload import PodSource, pod_sources

_NOT_KEPT = ReferencedObjects(
    others=Unknown("what Secrets and ConfigMaps held when the Pod began is not kept", "look into it: `podward exec`")
)


def explained(word: str, args: argparse.Namespace) -> tuple[ExplainedPod, ...]:
    """The kept Pods of this id or name. The observed values are those of this moment; a process that is gone has none.

    Raises UsageError where there is no such Pod.
    """
    pods = kept.find(kept.every(State(state_root())), word)
    return tuple(_explained(pod, args) for pod in pods)


def _explained(pod: kept.Kept, args: argparse.Namespace) -> ExplainedPod:
    record = pod.record
    document = _document(record)
    source = _source(document, record)
    options = record.options
    words = argparse.Namespace(
        **{
            **vars(args),
            "runtime": record.runtime.kind,
            "runtime_defaults": options.runtime_defaults,
            "seccomp_default": options.seccomp_default,
            "seccomp_root": options.seccomp_root,
            "allowed_unsafe_sysctls": options.allowed_unsafe_sysctls,
        }
    )
    subject = msgspec.structs.replace(
        subjects.subject(source, _NOT_KEPT), userns=userns.of(State(state_root()), pod.id)
    )
    whole = explaining.dry_run(words).explain(subject)
    alive = set(kept.living(record))
    known = {container.name: container for container in record.containers}
    containers: tuple[ContainerExplanation, ...] = tuple(
        _observed(container, known[container.name], alive) if container.name in known else container
        for container in whole.containers
    )
    return ExplainedPod(msgspec.structs.replace(whole, containers=containers), document)


def _document(record: kept.Record) -> Document:
    """The manifest as it was read; with its lines where the file still says the same."""
    raw = msgspec.json.decode(record.document, type=dict)
    try:
        with open(record.manifest, "rb") as file:
            found = decode_documents(file.read(), record.manifest)
    except (OSError, InputError):
        found = ()
    return next((document for document in found if document.raw == raw), Document(record.manifest, raw))


def _source(document: Document, record: kept.Record) -> PodSource:
    for source in pod_sources(document):
        if (source.view.metadata.name or "pod") == record.name:
            return source
    raise UsageError(f"the kept Pod {record.name} is not in its manifest", where=record.manifest)


def _observed(container: ContainerExplanation, known: kept.Container, alive: set[int]) -> ContainerExplanation:
    predicted = known.predicted or container.predicted
    if known.process.pid not in alive:
        return msgspec.structs.replace(container, predicted=predicted)
    with open(f"{known.bundle}/config.json", "rb") as file:
        spec = msgspec.json.decode(file.read(), type=RuntimeSpec)
    devices = device_list.open_devices(known.process.pid, known.bundle)
    observed = proc.read_state(known.process.pid, spec, devices)
    return msgspec.structs.replace(container, predicted=predicted, observed=observed)
