"""The resources that a container's status tells: those that were given to it, and those that it has.

Specification (kubelet, `convertContainerStatusResources`, `toKubeContainerResources`, KEP-1287, in our words): both are
those of the specification. Of a container that runs, CPU and the memory limit are what the runtime reports, in the
units of cgroups read back: shares as 1000/1024 millicores, rounded up, a quota by its period; but not where what was
given and what is there are both at the smallest that cgroups know (2 shares, 10 millicores).
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri import LinuxContainerResources
from podward.api.json_value import Json, JsonObject, copied_object
from podward.api.pod_seen import RUNNING, ContainerRun
from podward.api.quantity import Quantity, parse
from podward.documents.raw_fields import member
from podward.policy.kubelet.resources import LEAST_SHARES, SHARES_PER_CPU

_LEAST_LIMIT = 10
_MILLI = 1000


class _Reported(Struct, frozen=True):
    """What the runtime reports, in millicores and bytes; 0 is nothing."""

    cpu_request: int
    cpu_limit: int
    memory_limit: int


def told(container: JsonObject, run: ContainerRun) -> JsonObject:
    """`allocatedResources` and `resources` of the status; `container` is as the document has it."""
    given = copied_object(member(container, "resources"))
    made: JsonObject = {"resources": given}
    requests, limits = member(given, "requests"), member(given, "limits")
    if requests:
        made["allocatedResources"] = copied_object(requests)
    linux = run.status.resources.linux if run.status.resources is not None else None
    if run.status.state == RUNNING and linux is not None:
        report(requests or {}, limits or {}, linux)
    return made


def report(requests: JsonObject, limits: JsonObject, linux: LinuxContainerResources) -> None:
    """Set what is there in place of what was given."""
    found = _reported(linux)
    _report_cpu(limits, found.cpu_limit, _LEAST_LIMIT)
    if found.memory_limit:
        limits["memory"] = _same_or(limits.get("memory"), Quantity(found.memory_limit * 10**9, "binary"))
    _report_cpu(requests, found.cpu_request, LEAST_SHARES)


def _reported(linux: LinuxContainerResources) -> _Reported:
    return _Reported(
        -(-linux.cpu_shares * _MILLI // SHARES_PER_CPU),
        linux.cpu_quota * _MILLI // linux.cpu_period if linux.cpu_quota > 0 and linux.cpu_period else 0,
        linux.memory_limit_in_bytes,
    )


def _report_cpu(amounts: JsonObject, millicores: int, least: int) -> None:
    given = amounts.get("cpu")
    if millicores and (millicores > least or _quantity(given).milli_value > least):
        amounts["cpu"] = _same_or(given, parse(f"{millicores}m"))


def _same_or(given: Json, found: Quantity) -> Json:
    """What is given, where the same is found: however it is written."""
    return given if given is not None and _quantity(given).units == found.units else str(found)


def _quantity(written: Json) -> Quantity:
    return parse(str(written)) if isinstance(written, str | int | float) else Quantity(0)
