"""What a Pod's status tells of its containers, as those read it who know the Pod only by what was told."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text

_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def rows(pod: JsonObject) -> Iterator[JsonObject]:
    """All of them, in the order in which one is looked for by its name."""
    status = member(pod, "status")
    return (row for kind in _STATUSES for row in objects(status, kind))


def running(pod: JsonObject) -> Iterator[JsonObject]:
    """Those that run."""
    return (row for row in rows(pod) if "running" in member(row, "state"))


def since(row: JsonObject) -> str:
    """When one that runs has begun; empty where that is not told."""
    return text(member(member(row, "state"), "running"), "startedAt")


def bare_id(written: str) -> str:
    """The id of a container without the name of the runtime that stands before it."""
    return written.rpartition("://")[2]


def id_of(row: JsonObject) -> str:
    """The id of the container, as the runtime knows it."""
    return bare_id(text(row, "containerID"))
