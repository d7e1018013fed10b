"""LimitRanger: what containers get where they say nothing, and what they may ask for at most and at least.

Specification: Kubernetes, plugin/pkg/admission/limitranger. An update of a Pod is not looked at: its resources change
through `resize`, which is. Of a Pod as a whole, the sum of its containers counts, or one init container that is larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from podward.api.json_value import Json, JsonObject
from podward.api.quantity import Quantity, QuantityError, parse
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.validation.pod_resources import in_all
from podward.stages.admission.served_facts import Served, refused

_ANNOTATION = "kubernetes.io/limit-ranger"
_CLAIMS = "persistentvolumeclaims"
Amounts = Mapping[str, Quantity]


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with the defaults of all ranges of its namespace; a claim as it is."""
    if asked.request.resource.resource == _CLAIMS:
        return obj
    for limit_range in _ranges(asked):
        obj = _with_defaults(limit_range, obj)
    return obj


def validate(asked: Served, obj: JsonObject) -> Status | None:
    """Why a range does not let the object be."""
    old = asked.request.old_object
    if old is not None and member(old, "metadata").get("deletionTimestamp") is not None:
        return None
    judge = _claim_faults if asked.request.resource.resource == _CLAIMS else _pod_faults
    for limit_range in _ranges(asked):
        faults = [fault for item in objects(member(limit_range, "spec"), "limits") for fault in judge(item, obj)]
        if faults:
            once = list(dict.fromkeys(faults))
            return refused(asked, obj, once[0] if len(once) == 1 else f"[{', '.join(once)}]")
    return None


def _ranges(asked: Served) -> Iterable[JsonObject]:
    return asked.objects.all("limitranges", asked.request.namespace)


def _with_defaults(limit_range: JsonObject, pod: JsonObject) -> JsonObject:
    defaults: dict[str, JsonObject] = {"limits": {}, "requests": {}}
    for item in objects(member(limit_range, "spec"), "limits"):
        if item.get("type") == "Container":
            defaults["limits"].update(member(item, "default"))
            defaults["requests"].update(member(item, "defaultRequest"))
    told: list[str] = []
    spec = dict(member(pod, "spec"))
    for field, word in (("containers", "container"), ("initContainers", "init container")):
        if field in spec:
            made: list[Json] = [_filled(each, defaults, word, told) for each in objects(spec, field)]
            spec[field] = made
    if not told:
        return pod
    of = member(pod, "metadata")
    annotations: JsonObject = {**member(of, "annotations"), _ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}"}
    return {**pod, "metadata": {**of, "annotations": annotations}, "spec": spec}


def _filled(container: JsonObject, defaults: Mapping[str, JsonObject], word: str, told: list[str]) -> JsonObject:
    resources = member(container, "resources")
    made = dict(resources)
    for kind, singular in (("requests", "request"), ("limits", "limit")):
        missing = {name: value for name, value in defaults[kind].items() if name not in member(resources, kind)}
        if missing:
            made[kind] = {**member(resources, kind), **missing}
            told.append(f"{', '.join(sorted(missing))} {singular} for {word} {container.get('name')}")
    return {**container, "resources": made}


def _amounts(raw: JsonObject) -> dict[str, Quantity]:
    found = {}
    for name, value in raw.items():
        try:
            found[name] = parse(str(value))
        except QuantityError:
            continue  # validation has refused it, or will
    return found


def _pod_faults(item: JsonObject, pod: JsonObject) -> list[str]:
    spec = member(pod, "spec")
    if item.get("type") == "Container":
        faults = []
        for field in ("containers", "initContainers"):
            for container in objects(spec, field):
                resources = member(container, "resources")
                faults += _constraints(
                    item, _amounts(member(resources, "requests")), _amounts(member(resources, "limits"))
                )
        return faults
    if item.get("type") == "Pod":
        return _constraints(item, in_all(spec, "requests"), in_all(spec, "limits"))
    return []


def _claim_faults(item: JsonObject, claim: JsonObject) -> list[str]:
    if item.get("type") != "PersistentVolumeClaim":
        return []
    requests = _amounts(member(member(member(claim, "spec"), "resources"), "requests"))
    least, most = _amounts(member(item, "min")), _amounts(member(item, "max"))
    faults = [
        fault for name, bound in least.items() if (fault := _below("PersistentVolumeClaim", name, bound, requests, {}))
    ]
    for name, bound in most.items():
        asked = requests.get(name)
        if asked is not None and asked.value > bound.value:
            faults.append(f"maximum {name} usage per PersistentVolumeClaim is {bound}, but request is {asked}")
    return faults


def _constraints(item: JsonObject, requests: Amounts, limits: Amounts) -> list[str]:
    of = str(item.get("type"))
    checks: tuple[tuple[str, Callable[[str, str, Quantity, Amounts, Amounts], str]], ...] = (
        ("min", _below), ("max", _above), ("maxLimitRequestRatio", _ratio),
    )  # fmt: skip
    return [
        fault
        for field, check in checks
        for name, bound in sorted(_amounts(member(item, field)).items())
        if (fault := check(of, name, bound, requests, limits))
    ]


def _below(of: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    sentence = f"minimum {name} usage per {of} is {bound}"
    request, limit = requests.get(name), limits.get(name)
    if request is None:
        return f"{sentence}.  No request is specified"
    if request.milli_value < bound.milli_value:
        return f"{sentence}, but request is {request}"
    return f"{sentence}, but limit is {limit}" if limit is not None and limit.milli_value < bound.milli_value else ""


def _above(of: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    sentence = f"maximum {name} usage per {of} is {bound}"
    request, limit = requests.get(name), limits.get(name)
    if limit is None:
        return f"{sentence}.  No limit is specified"
    if limit.milli_value > bound.milli_value:
        return f"{sentence}, but limit is {limit}"
    too_much = request is not None and request.milli_value > bound.milli_value
    return f"{sentence}, but request is {request}" if too_much else ""


def _ratio(of: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    sentence = f"{name} max limit to request ratio per {of} is {bound}"
    request, limit = requests.get(name), limits.get(name)
    if request is None or request.milli_value == 0:
        return f"{sentence}, but no request is specified or request is 0"
    if limit is None or limit.milli_value == 0:
        return f"{sentence}, but no limit is specified or limit is 0"
    observed = limit.milli_value / request.milli_value
    return f"{sentence}, but provided ratio is {observed:f}" if observed * 1000 > bound.milli_value else ""
