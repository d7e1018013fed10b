"""Names that one sandbox or container has at a time, as containerd reserves them.

A reservation is a file of ROOT/cri/names, named by a digest of the name, whose content is the id of who has it. One
whose id has no record any more counts for nothing, so nobody needs to care after a crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os

from podward.api.cri import ContainerMetadata, PodSandboxMetadata
from podward.runtime.oci import write_private
from podward.runtime.service.records import ContainerRecord, Records, SandboxRecord
from podward.runtime.state import Lock


def of_sandbox(metadata: PodSandboxMetadata) -> str:
    """The name of a sandbox: what tells it from all others."""
    return "_".join((metadata.name, metadata.namespace, metadata.uid, str(metadata.attempt)))


def of_container(metadata: ContainerMetadata, pod: PodSandboxMetadata) -> str:
    """The name of a container of this Pod."""
    return "_".join((metadata.name, pod.name, pod.namespace, pod.uid, str(metadata.attempt)))


def reserve(records: Records, record: SandboxRecord | ContainerRecord, name: str) -> str:
    """Have the name for this record, which is written already; returns the id of another that has it, else empty."""
    file = _file(records, type(record), name)
    with _alone(records):
        holder = _read(file)
        if holder and holder != record.id and records.has(type(record), holder):
            return holder
        write_private(f"{file}.new", record.id.encode())
        os.replace(f"{file}.new", file)
    return ""


def release(records: Records, record: SandboxRecord | ContainerRecord, name: str) -> None:
    """Give the name back, if this record has it."""
    file = _file(records, type(record), name)
    with _alone(records), contextlib.suppress(FileNotFoundError):
        if _read(file) == record.id:
            os.unlink(file)


def forget_unknown(records: Records) -> None:
    """Remove the reservations of those that are not there any more."""
    with _alone(records):
        for name in os.listdir(f"{records.root}/names"):
            file = f"{records.root}/names/{name}"
            holder = _read(file) if name != "lock" else ""
            if name != "lock" and not any(records.has(kind, holder) for kind in (SandboxRecord, ContainerRecord)):
                os.unlink(file)


def _file(records: Records, kind: type[SandboxRecord | ContainerRecord], name: str) -> str:
    digest = hashlib.sha256(f"{kind.__name__}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{records.root}/names/{digest}"


def _read(file: str) -> str:
    try:
        with open(file, encoding="ascii") as opened:
            return opened.read(64)
    except FileNotFoundError:
        return ""


def _alone(records: Records) -> Lock:
    os.makedirs(f"{records.root}/names", mode=0o700, exist_ok=True)
    return Lock.wait(f"{records.root}/names/lock")
