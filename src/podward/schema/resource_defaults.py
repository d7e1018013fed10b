"""The defaults of resources: Kubernetes, SetDefaults_Pod and SetDefaults_ResourceList.

- Every amount is rounded up to thousandths.
- A container's request becomes its limit where it is unset.
- The Pod's own resources, where they say anything: a limit of huge pages becomes what the containers may have
  together, unless the Pod requests such pages. Then, if there is any limit, a request of cpu or memory becomes what the
  containers request together, and any other becomes the limit. Sums are made of amounts that are not rounded yet.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.quantity import QuantityError, parse
from podward.decision import Assignment, Source
from podward.documents.raw_fields import member
from podward.path import Path

_FINER = frozenset(".nueE")
"""An amount that is no number of thousandths has one of these characters."""
_HUGE_PAGES = "hugepages-"


def container_requests(container: JsonObject, at: Path, source: Source) -> list[Assignment]:
    """The requests of a container that has limits alone."""
    resources = member(container, "resources")
    limits = member(resources, "limits")
    if not limits:
        return []
    requests, place = member(resources, "requests"), at / "resources" / "requests"
    return [
        Assignment(place / name, _thousandths(limit), "unset: the limit", source)
        for name, limit in limits.items()
        if name not in requests
    ]


def pod_resources(spec: JsonObject, at: Path, source: Source) -> list[Assignment]:
    """What the Pod as a whole may have and requests; `at` is the spec."""
    resources = member(spec, "resources")
    limits, requests = dict(member(resources, "limits")), member(resources, "requests")
    if not limits and not requests:
        return []
    from podward.schema.validation.pod_resources import is_known, together

    place, made, sums = at / "resources", [], "unset: what the containers have together"
    for name, total in together(spec, "limits").items():
        if name.startswith(_HUGE_PAGES) and name not in requests and name not in limits:
            limits[name] = str(total)
            made.append(Assignment(place / "limits" / name, _thousandths(limits[name]), sums, source))
    wanted: dict[str, Json] = {}
    for name, total in together(spec, "requests").items() if limits else ():
        if is_known(name) and not name.startswith(_HUGE_PAGES) and name not in requests:
            wanted[name] = str(total)
            made.append(Assignment(place / "requests" / name, _thousandths(wanted[name]), sums, source))
    for name, limit in limits.items():
        if is_known(name) and name not in requests and name not in wanted:
            made.append(Assignment(place / "requests" / name, _thousandths(limit), "unset: the limit", source))
    return made


def rounded(holder: JsonObject, name: str, at: Path, source: Source) -> list[Assignment]:
    """The amounts under `name` of `holder` that are no numbers of thousandths."""
    made: list[Assignment] = []
    for resource, written in member(holder, name).items():
        up = _thousandths(written)
        if up is not written:
            made.append(Assignment(at / name / resource, up, "rounded up to thousandths", source))
    return made


def _thousandths(written: Json) -> Json:
    """The amount rounded up; as it is written where that changes nothing, or where it is none."""
    text = str(written)
    if _FINER.isdisjoint(text):
        return written
    try:
        exact = parse(text)
    except QuantityError:
        return written
    up = exact.rounded_to_milli()
    return written if up is exact else str(up)
