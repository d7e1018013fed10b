"""Admission policies, which are expressions, and their bindings.

Specification: Kubernetes, pkg/apis/admissionregistration/validation and the strategies in
pkg/registry/admissionregistration. Every expression must compile, and yield what its place wants.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import conditions as status_conditions
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.admission_rules import (
    FAILURE_POLICIES,
    REINVOCATION,
    conditions,
    known,
    match_resources,
    selector,
)
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import (
    first_generation,
    keeping_status,
    new_without_status,
    next_generation,
)
from podward.schema.strategies.names import host_faults, segment_faults
from podward.schema.strategies.object_meta import keeping_all_but_status
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    duplicate,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
    unsupported,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import pointer, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.schema.cel.admission import AdmissionScope
    from podward.schema.cel.environment import Expression, Uncompilable

_REASONS, _ACTIONS = ("Forbidden", "Invalid", "RequestEntityTooLarge"), ("Audit", "Deny", "Warn")
_PATCHES, _MUTATED = ("ApplyConfiguration", "JSONPatch"), ("*", "CONNECT", "CREATE", "UPDATE")
_NOT_FOUND = ("Deny", "Allow")
_MOST_AUDITED, _LONGEST_AUDITED = 20, 5 * 1024
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED = frozenset(
    ("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
     "let", "loop", "package", "namespace", "return", "var", "void", "while")
)  # fmt: skip
_BOOL, _STRING, _STRING_OR_NULL = ("bool",), ("string",), ("string", "null_type")
_MADE = {"JSONPatch": ("list(JSONPatch)",), "ApplyConfiguration": ("Object",)}
_NONE = "validations or auditAnnotations must contain at least one item"


# --- what both policies have ------------------------------------------------------------------------------------------


def _asked(spec: JsonObject) -> Decision:
    found = [known(spec, "failurePolicy", FAILURE_POLICIES, SPEC, needed=True)]
    kind, asked = spec.get("paramKind"), spec.get("matchConstraints")
    if isinstance(kind, dict):
        found.append(_parameter_kind(kind, SPEC / "paramKind"))
    place = SPEC / "matchConstraints"
    if not isinstance(asked, dict):
        return merge(*found, required(place))
    found.append(match_resources(asked, place))
    return merge(*found) if asked.get("resourceRules") else merge(*found, required(place / "resourceRules"))


def _parameter_kind(of: JsonObject, at: Place) -> Decision:
    written, kind, place = text(of, "apiVersion"), text(of, "kind"), at / "apiVersion"
    found = [_version(written, place) if written else required(place)]
    if not kind:
        found.append(required(at / "kind"))
    elif faults := host_faults(kind.lower()):
        detail = "may have mixed case, but should otherwise match: " + ",".join(faults)
        found.append(invalid(at / "kind", kind, detail))
    return merge(*found)


def _version(written: str, at: Place) -> Decision:
    if written.count("/") > 1:
        return invalid(at, written, f"unexpected GroupVersion string: {written}")
    group, _, version = written.rpartition("/")
    found = NOTHING
    if group and (faults := subdomain_faults(group)):
        found = invalid(at, group, ",".join(faults))
    if not version:
        return found + invalid(at, written, "version must be specified")
    faults = host_faults(version)
    return found + invalid(at, version, ",".join(faults)) if faults else found


def _match_conditions(spec: JsonObject, before: JsonObject | None) -> Decision:
    if before is not None and all(same(spec.get(name), before.get(name)) for name in ("paramKind", "matchConditions")):
        return NOTHING
    return conditions(spec, SPEC / "matchConditions", params=spec.get("paramKind") is not None)


def _variables(spec: JsonObject, scope: AdmissionScope) -> Decision:
    found: list[Decision] = []
    for index, variable in enumerate(objects(spec, "variables")):
        name, place = text(variable, "name"), SPEC / "variables" / index
        if not name.strip():
            found.append(required(place / "name", "name is not specified"))
        elif name in _RESERVED or not _IDENTIFIER.fullmatch(name):
            found.append(invalid(place / "name", name, "must be a valid CEL identifier"))
        written = text(variable, "expression")
        if not written.strip():
            found.append(required(place / "expression", "expression is not specified"))
        else:
            wrong = scope.define(name, written)
            found += [invalid(place / "expression", written, wrong.reason)] if wrong is not None else []
    return merge(*found)


def _scope_of(spec: JsonObject) -> AdmissionScope:
    """What the expressions of a policy may speak of, before its variables are defined."""
    from podward.schema.cel.admission import AdmissionScope  # few objects have expressions, and the library takes 5 ms

    composed = bool(spec.get("variables") or spec.get("mutations"))
    return AdmissionScope(params=spec.get("paramKind") is not None, composed=composed)


def _uncompilable(found: Expression | Uncompilable, written: str, at: Place) -> Decision:
    reason = getattr(found, "reason", "")
    return invalid(at, written, reason) if reason else NOTHING


# --- policies that validate -------------------------------------------------------------------------------------------


def _policy(obj: JsonObject, old: JsonObject | None) -> Decision:
    spec = member(obj, "spec")
    found = [_META(obj), _asked(spec), _match_conditions(spec, None if old is None else member(old, "spec"))]
    scope = _scope_of(spec)
    found.append(_variables(spec, scope))
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        return merge(*found, *[required(SPEC / name, _NONE) for name in ("validations", "auditAnnotations")])
    for index, validation in enumerate(objects(spec, "validations")):
        found.append(_validation(validation, scope, SPEC / "validations" / index))
    return merge(*found, _annotations(obj, spec, scope))


def _validation(validation: JsonObject, scope: AdmissionScope, at: Place) -> Decision:
    found: list[Decision] = []
    told, message, written = (text(validation, name) for name in ("messageExpression", "message", "expression"))
    if not written.strip():
        found.append(required(at / "expression", "expression is not specified"))
    else:
        found.append(_uncompilable(scope.compile(written, _BOOL), written, at / "expression"))
    if told and not told.strip():
        found.append(invalid(at / "messageExpression", told, "must be non-empty if specified"))
    elif told:
        compiled = scope.compile(told, _STRING, authorizer=False)
        found.append(_uncompilable(compiled, told, at / "messageExpression"))
    if message and not message.strip():
        found.append(invalid(at / "message", message, "must be non-empty if specified"))
    elif not {"\n", "\r"}.isdisjoint(message.strip()):
        found.append(invalid(at / "message", message, "must not contain line breaks"))
    return merge(*found, known(validation, "reason", _REASONS, at))


def _annotations(obj: JsonObject, spec: JsonObject, scope: AdmissionScope) -> Decision:
    written, place, name = (
        objects(spec, "auditAnnotations"),
        SPEC / "auditAnnotations",
        text(member(obj, "metadata"), "name"),
    )
    found: list[Decision] = []
    if len(written) > _MOST_AUDITED:
        shown: Json = [{"Key": text(one, "key"), "ValueExpression": text(one, "valueExpression")} for one in written]
        found.append(invalid_value(place, shown, f"must not have more than {_MOST_AUDITED} auditAnnotations"))
    seen: set[str] = set()
    for index, annotation in enumerate(written):
        key, at = text(annotation, "key"), place / index
        whole = f"{name}/{key}"
        unnamed = invalid(at / "key", key, "requires metadata.name be non-empty")
        found.append(each(at / "key", whole, key_faults(whole)) if name else unnamed)
        expression = text(annotation, "valueExpression").strip()
        if not expression:
            found.append(required(at / "valueExpression", "valueExpression is not specified"))
        elif len(expression.encode()) > _LONGEST_AUDITED:
            found.append(required(at / "valueExpression", f"must not exceed {_LONGEST_AUDITED} bytes in length"))
        else:
            compiled = scope.compile(expression, _STRING_OR_NULL)
            found.append(_uncompilable(compiled, text(annotation, "valueExpression"), at / "valueExpression"))
        if key in seen:
            found.append(duplicate(at / "key", key))
        seen.add(key)
    return merge(*found)


def _status(obj: JsonObject, _old: JsonObject) -> Decision:
    status, place = member(obj, "status"), ROOT / "status" / "typeChecking" / "expressionWarnings"
    found: list[Decision] = []
    for index, warning in enumerate(objects(member(status, "typeChecking"), "expressionWarnings")):
        if not text(warning, "warning"):
            found.append(required(place / index / "warning"))
        if not text(warning, "fieldRef").strip():
            found.append(required(place / index / "fieldRef"))
    return merge(*found, status_conditions.check(status, ROOT / "status" / "conditions"))


_META = object_meta.any_new(names.SUBDOMAIN, namespaced=False)
VALIDATING = Strategy(
    validate=lambda obj: _policy(obj, None),
    validate_update=_policy,
    prepare_for_create=new_without_status,
    prepare_for_update=keeping_status,
    allow_unconditional_update=False,
    namespaced=False,
)
VALIDATING_STATUS = Strategy(
    validate_update=_status,
    prepare_for_update=keeping_all_but_status,
    allow_unconditional_update=False,
    namespaced=False,
)


# --- policies that change ---------------------------------------------------------------------------------------------


def _mutating(obj: JsonObject, old: JsonObject | None) -> Decision:
    spec = member(obj, "spec")
    found = [_META(obj), _asked(spec), _operations(spec, "matchConstraints")]
    scope = _scope_of(spec)
    found += [_match_conditions(spec, None if old is None else member(old, "spec")), _variables(spec, scope)]
    if not spec.get("mutations"):
        found.append(required(SPEC / "mutations", "mutations must contain at least one item"))
    for index, mutation in enumerate(objects(spec, "mutations")):
        found.append(_mutation(mutation, scope, SPEC / "mutations" / index))
    policy = text(spec, "reinvocationPolicy")
    if policy in REINVOCATION:
        return merge(*found)
    at = SPEC / "reinvocationPolicy"
    return merge(*found, unsupported(at, policy, REINVOCATION) if policy else required(at))


def _operations(spec: JsonObject, of: str) -> Decision:
    """Nothing is changed of what is deleted."""
    place, found = SPEC / of / "resourceRules" / "operations", list[Decision]()
    for asked in objects(member(spec, of), "resourceRules"):
        wrong = [operation for operation in texts(asked, "operations") if operation not in _MUTATED]
        found += [unsupported(place, operation, _MUTATED) for operation in wrong]
    return merge(*found)


def _mutation(mutation: JsonObject, scope: AdmissionScope, at: Place) -> Decision:
    kind = text(mutation, "patchType")
    if kind not in _PATCHES:
        return unsupported(at / "patchType", kind, _PATCHES) if kind else required(at / "patchType")
    mine, other = ("jsonPatch", "applyConfiguration") if kind == "JSONPatch" else ("applyConfiguration", "jsonPatch")
    found: list[Decision] = []
    patch = mutation.get(mine)
    if not isinstance(patch, dict):
        found.append(required(at / mine, f"must be specified when patchType is {kind}"))
    elif written := text(patch, "expression").strip():
        found.append(_uncompilable(scope.compile(written, _MADE[kind]), written, at / mine / "expression"))
    else:
        found.append(required(at / mine / "expression"))
    if mutation.get(other) is not None:
        found.append(invalid(at / other, f"{{{other}}}", f"must not be specified when patchType is {kind}"))
    return merge(*found)


MUTATING = Strategy(
    validate=lambda obj: _mutating(obj, None),
    validate_update=_mutating,
    prepare_for_create=first_generation,
    prepare_for_update=next_generation,
    allow_unconditional_update=False,
    namespaced=False,
)


# --- bindings ---------------------------------------------------------------------------------------------------------


def _binding(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    name, place = text(spec, "policyName"), SPEC / "policyName"
    found = [_META(obj), each(place, name, subdomain_faults(name)) if name else required(place)]
    reference, matched = spec.get("paramRef"), spec.get("matchResources")
    if isinstance(reference, dict):
        found.append(_parameter(reference, SPEC / "paramRef"))
    if isinstance(matched, dict):
        found.append(match_resources(matched, SPEC / "matchResources"))
    return merge(*found)


def _parameter(of: JsonObject, at: Place) -> Decision:
    name, chosen, found = text(of, "name"), of.get("selector"), []
    both = bool(name) and chosen is not None
    if name:
        found.append(each(at / "name", name, segment_faults(name)))
    if both:
        found.append(forbidden(at / "name", "name and selector are mutually exclusive"))
    found.append(selector(of, "selector", at))
    if both:
        found.append(forbidden(at / "selector", "name and selector are mutually exclusive"))
    if not name and chosen is None:
        found.append(required(at, "one of name or selector must be specified"))
    action, place = pointer(of, "parameterNotFoundAction"), at / "parameterNotFoundAction"
    if action in _NOT_FOUND:
        return merge(*found)
    return merge(*found, unsupported(place, action, _NOT_FOUND) if action else required(place))


def _actions(obj: JsonObject) -> Decision:
    written, place, found = texts(member(obj, "spec"), "validationActions"), SPEC / "validationActions", []
    for index, action in enumerate(written):
        if action not in _ACTIONS:
            found.append(unsupported(place / index, action, _ACTIONS))
        if action in written[:index]:
            found.append(duplicate(place / index, action))
    if {"Deny", "Warn"}.issubset(written):
        shown: Json = [*written]
        detail = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response"
            " and headers serves no purpose)"
        )
        found.append(invalid_value(place, shown, detail))
    return merge(*found) if written else required(place, "at least one validation action is required")


def _validating_binding(obj: JsonObject) -> Decision:
    return _binding(obj) + _actions(obj)


VALIDATING_BINDING = Strategy(
    validate=_validating_binding,
    validate_update=lambda obj, _old: _validating_binding(obj),
    prepare_for_create=first_generation,
    prepare_for_update=next_generation,
    allow_unconditional_update=False,
    namespaced=False,
)


def _mutating_binding(obj: JsonObject) -> Decision:
    return _binding(obj) + _operations(member(obj, "spec"), "matchResources")


MUTATING_BINDING = Strategy(
    validate=_mutating_binding,
    validate_update=lambda obj, _old: _mutating_binding(obj),
    prepare_for_create=first_generation,
    prepare_for_update=next_generation,
    allow_unconditional_update=False,
    namespaced=False,
)
