"""APIServices.

Specification: Kubernetes, kube-aggregator pkg/apis/apiregistration/validation and its strategy. One is called after
its version and group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import object_meta
from podward.schema.strategies.kind import keeping, without
from podward.schema.strategies.names import NameRule, host_faults, segment_faults
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, keeping_spec
from podward.schema.validation.field import ROOT, each, invalid, required, unsupported
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, text
from podward.schema.validation.values import PORT

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.schema.strategies.strategy import Validate, ValidateUpdate

_HIGHEST_GROUP, _HIGHEST_VERSION = 20000, 1000


def _service(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    group, version = text(spec, "group"), text(spec, "version")
    wanted = f"{version}.{group}"

    def faults(name: str) -> tuple[str, ...]:
        wrong = segment_faults(name)
        if wrong or name == wanted:
            return wrong
        return (f'must be `spec.version+"."+spec.group`: "{wanted}"',)

    found = [object_meta.any_new(NameRule(faults), namespaced=False)(obj)]
    if not group and version != "v1":
        found.append(required(SPEC / "group", "only v1 may have an empty group and it better be legacy kube"))
    if group:
        found.append(each(SPEC / "group", group, subdomain_faults(group)))
    found.append(each(SPEC / "version", version, host_faults(version)))
    for name, most in (("groupPriorityMinimum", _HIGHEST_GROUP), ("versionPriority", _HIGHEST_VERSION)):
        if not 0 < number(spec, name) <= most:
            found.append(invalid(SPEC / name, number(spec, name), f"must be positive and less than {most}"))
    return merge(*found, _backend(spec))


def _backend(spec: JsonObject) -> Decision:
    service, bundle, found = spec.get("service"), text(spec, "caBundle"), []
    insecure = spec.get("insecureSkipTLSVerify") is True
    if not isinstance(service, dict):
        if bundle:
            size = len(bundle.rstrip("=")) * 3 // 4
            found.append(invalid(SPEC / "caBundle", f"{size} bytes", "local APIServices may not have a caBundle"))
        if insecure:
            detail = "local APIServices may not have insecureSkipTLSVerify"
            found.append(invalid(SPEC / "insecureSkipTLSVerify", True, detail))
        return merge(*found)
    found += [required(SPEC / "service" / name) for name in ("namespace", "name") if not text(service, name)]
    port = number(service, "port")
    if not PORT.is_sound(port):
        detail = "port is not valid: must be between 1 and 65535, inclusive"
        found.append(invalid(SPEC / "service" / "port", port, detail))
    if insecure and bundle:
        found.append(invalid(SPEC / "insecureSkipTLSVerify", True, "may not be true if caBundle is present"))
    return merge(*found)


def _status(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    known = ("True", "False", "Unknown")
    for index, condition in enumerate(objects(member(obj, "status"), "conditions")):
        status = text(condition, "status")
        if status not in known:
            found.append(unsupported(ROOT / "status" / "conditions" / index / "status", status, known))
    return merge(*found)


def _both(validate: Validate) -> ValidateUpdate:
    return lambda obj, old: object_meta.any_changed(obj, old) + validate(obj)


API_SERVICE = Strategy(
    validate=_service,
    validate_update=_both(_service),
    prepare_for_create=without("status"),
    prepare_for_update=keeping("status"),
    allow_unconditional_update=False,
    namespaced=False,
)
API_SERVICE_STATUS = Strategy(
    validate_update=_both(_status),
    prepare_for_update=keeping_spec(),
    allow_unconditional_update=False,
    namespaced=False,
)
