"""Ingresses and IngressClasses.

Specification: Kubernetes, pkg/apis/networking/validation and the strategies in pkg/registry/networking. A backend is a
Service's port or another object, not both. What is stored may stay: names of Secrets, and rules of hosts with a
wildcard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import path
from podward.schema.strategies import ip, names, object_meta
from podward.schema.strategies.kind import (
    changes,
    first_generation,
    in_order,
    keeping_status,
    new_without_status,
    next_generation,
)
from podward.schema.strategies.names import segment_faults
from podward.schema.strategies.paths import domain_prefixed
from podward.schema.strategies.services import host_name
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, keeping_spec
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    refused,
    required,
    too_long,
    unsupported,
    unsupported_text,
)
from podward.schema.validation.names import is_subdomain, label_faults, subdomain_faults
from podward.schema.validation.ports import name_faults
from podward.schema.validation.raw import number, pointer, text, texts
from podward.schema.validation.values import PORT

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_CLASS = "kubernetes.io/ingress.class"
_LONGEST_HOST, _LONGEST_CONTROLLER = 253, 250
_WILDCARD_RULE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower"
    " case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used"
    " for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_TYPES, _SCOPES = ("Exact", "ImplementationSpecific", "Prefix"), ("Cluster", "Namespace")
_SEQUENCES, _ENDS = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
_ABSOLUTE = "must be an absolute path"


def wildcard_faults(host: str) -> tuple[str, ...]:
    """What keeps a host from being all those of a domain."""
    faults = (f"must be no more than {_LONGEST_HOST} characters",) if len(host.encode()) > _LONGEST_HOST else ()
    return faults if host.startswith("*.") and is_subdomain(host[2:]) else (*faults, _WILDCARD_RULE)


def _host_faults(host: str) -> tuple[str, ...]:
    return wildcard_faults(host) if "*" in host else subdomain_faults(host)


def _spec(obj: JsonObject, old: JsonObject | None) -> Decision:
    spec, before = member(obj, "spec"), {} if old is None else member(old, "spec")
    rules, backend = objects(spec, "rules"), spec.get("defaultBackend")
    found: list[Decision] = []
    if not rules and backend is None:
        found.append(invalid_value(SPEC, spec.get("rules"), "either `defaultBackend` or `rules` must be specified"))
    if isinstance(backend, dict):
        found.append(_backend(backend, SPEC / "defaultBackend"))
    lenient = any("*" in text(rule, "host") and _rule_value(rule, SPEC).refused for rule in objects(before, "rules"))
    for index, rule in enumerate(rules):
        found.append(_rule(rule, SPEC / "rules" / index, lenient="*" if lenient else ""))
    found.append(_tls(spec, before))
    name = pointer(spec, "ingressClassName")
    if name is not None:
        found.append(each(SPEC / "ingressClassName", name, subdomain_faults(name)))
    return merge(*found)


def _tls(spec: JsonObject, before: JsonObject) -> Decision:
    lenient = any(_secret_faults(tls) for tls in objects(before, "tls"))
    found: list[Decision] = []
    for index, tls in enumerate(objects(spec, "tls")):
        place = SPEC / "tls" / index
        found += [
            each(place / "hosts" / number_of, host, faults)
            for number_of, host in enumerate(texts(tls, "hosts"))
            if (faults := _host_faults(host))
        ]
        if not lenient:
            found.append(each(place / "secretName", text(tls, "secretName"), _secret_faults(tls)))
    return merge(*found)


def _secret_faults(tls: JsonObject) -> tuple[str, ...]:
    name = text(tls, "secretName")
    return subdomain_faults(name) if name else ()


def _rule(rule: JsonObject, at: Place, *, lenient: str) -> Decision:
    """A rule; where a stored one is wrong, hosts with the character `lenient` have any."""
    host, found = text(rule, "host"), NOTHING
    if host:
        if ip.parsed(host) is not None:
            found = invalid(at / "host", host, "must be a DNS name, not an IP address")
        found += each(at / "host", host, _host_faults(host))
    return found if lenient and lenient in host else found + _rule_value(rule, at)


def _rule_value(rule: JsonObject, at: Place) -> Decision:
    http = rule.get("http")
    if not isinstance(http, dict):
        return NOTHING
    place, paths = at / "http" / "paths", objects(http, "paths")
    if not paths:
        return required(place)
    return merge(*[_path(one, place / index) for index, one in enumerate(paths)])


def _path(one: JsonObject, at: Place) -> Decision:
    kind, written, place, found = pointer(one, "pathType"), text(one, "path"), at / "path", NOTHING
    if kind is None:
        return required(at / "pathType", "pathType must be specified")
    if kind in {"Exact", "Prefix"}:
        if not written.startswith("/"):
            found = invalid(place, written, _ABSOLUTE)
        wrong = [f"must not contain '{sequence}'" for sequence in _SEQUENCES if sequence in written]
        wrong += [f"cannot end with '{end}'" for end in _ENDS if written.endswith(end)]
        found += each(place, written, wrong)
    elif kind == "ImplementationSpecific":
        if written and not written.startswith("/"):
            found = invalid(place, written, _ABSOLUTE)
    else:
        found = unsupported(at / "pathType", kind, _TYPES)
    return found + _backend(member(one, "backend"), at / "backend")


def _backend(backend: JsonObject, at: Place) -> Decision:
    resource, service = backend.get("resource"), backend.get("service")
    if isinstance(resource, dict):
        if service is not None:
            return invalid(at, "", "cannot set both resource and service backends")
        return _reference(resource, at / "resource")
    if not isinstance(service, dict):
        return invalid(at, "", "resource or service backend is required")
    name, place = text(service, "name"), at / "service" / "name"
    found = each(place, name, label_faults(name)) if name else required(place)
    return found + _port(member(service, "port"), at)


def _port(port: JsonObject, at: Place) -> Decision:
    name, value = text(port, "name"), number(port, "number")
    if name and value:
        return invalid(at, "", "cannot set both port name & port number")
    place = at / "service" / "port"
    if name:
        return each(place / "name", name, name_faults(name))
    if value:
        return refused(place / "number", value, PORT.reasons(value))
    return required(at, "port name or number is required")


def _reference(reference: JsonObject, at: Place) -> Decision:
    group = pointer(reference, "apiGroup")
    found = [] if group is None else [each(at / "apiGroup", group, subdomain_faults(group))]
    for name in ("kind", "name"):
        value = text(reference, name)
        found.append(each(at / name, value, segment_faults(value)) if value else required(at / name))
    return merge(*found)


def _class_agrees(obj: JsonObject) -> Decision:
    annotations, name = member(member(obj, "metadata"), "annotations"), member(obj, "spec").get("ingressClassName")
    written = annotations.get(_CLASS)
    if written is None or name is None or written == name:
        return NOTHING
    detail = "must match `ingressClassName` when both are specified"
    return invalid(ROOT / "annotations" / _CLASS, text(annotations, _CLASS), detail)


def _status(obj: JsonObject, old: JsonObject) -> Decision:
    now, before = (member(member(each_one, "status"), "loadBalancer") for each_one in (obj, old))
    stored = [text(one, "ip") for one in objects(before, "ingress")]
    found: list[Decision] = []
    for index, one in enumerate(objects(now, "ingress")):
        place, value, host = (
            ROOT / "status" / "loadBalancer" / "ingress" / index,
            text(one, "ip"),
            text(one, "hostname"),
        )
        if value:
            found.append(ip.address(value, place / "ip", stored))
        if host:
            found.append(host_name(host, place / "hostname"))
    return merge(*found)


def _warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    of, spec = member(obj, "metadata"), member(obj, "spec")
    if old is not None or _CLASS not in member(of, "annotations") or spec.get("ingressClassName") is not None:
        return ()
    return (f"annotation \"{_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead",)


def _status_warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    found: list[str] = []
    for index, one in enumerate(objects(member(member(obj, "status"), "loadBalancer"), "ingress")):
        if text(one, "ip"):
            found += ip.warned(text(one, "ip"), path("status", "loadBalancer", "ingress", index))
    return tuple(found)


_META = object_meta.new(names.SUBDOMAIN, namespaced=True)
INGRESS = Strategy(
    validate=in_order(_META, lambda obj: _spec(obj, None), _class_agrees),
    validate_update=changes(object_meta.changed, lambda obj, _old: _META(obj), _spec),
    prepare_for_create=new_without_status,
    prepare_for_update=keeping_status,
    warnings=_warnings,
)
INGRESS_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _status),
    prepare_for_update=keeping_spec(),
    warnings=_status_warnings,
)


def _class(obj: JsonObject) -> Decision:
    spec, place = member(obj, "spec"), SPEC / "controller"
    controller, parameters, found = text(spec, "controller"), spec.get("parameters"), NOTHING
    if len(controller.encode()) > _LONGEST_CONTROLLER:
        found = too_long(place, "", _LONGEST_CONTROLLER)
    found += domain_prefixed(controller, place)
    return found + _parameters(parameters, SPEC / "parameters") if isinstance(parameters, dict) else found


def _parameters(parameters: JsonObject, at: Place) -> Decision:
    found, scope = _reference(parameters, at), pointer(parameters, "scope")
    namespace, place = pointer(parameters, "namespace"), at / "namespace"
    if scope is None:
        return found + required(at / "scope")
    if scope not in _SCOPES:
        return found + unsupported_text(at / "scope", scope, _SCOPES)
    if scope == "Cluster":
        return found if namespace is None else found + forbidden(place, "`parameters.scope` is set to 'Cluster'")
    if namespace is None:
        return found + required(place, "`parameters.scope` is set to 'Namespace'")
    return found + each(place, namespace, label_faults(namespace))


def _same_controller(obj: JsonObject, old: JsonObject) -> Decision:
    now = text(member(obj, "spec"), "controller")
    if now == text(member(old, "spec"), "controller"):
        return NOTHING
    return invalid(SPEC / "controller", now, "field is immutable")


_NEW_CLASS = in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _class)
INGRESS_CLASS = Strategy(
    validate=_NEW_CLASS,
    validate_update=changes(object_meta.changed, _same_controller, lambda obj, _old: _NEW_CLASS(obj)),
    prepare_for_create=first_generation,
    prepare_for_update=next_generation,
    namespaced=False,
)
