"""What admission is asked about: groups, versions, resources, operations; and conditions on requests.

Specification: Kubernetes, pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.strategies.names import segment_faults
from podward.schema.validation.field import (
    NOTHING,
    Place,
    duplicate,
    each,
    invalid,
    invalid_value,
    required,
    too_many,
    unsupported,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.raw import pointer, text, texts
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.schema.cel.admission import AdmissionScope

OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
FAILURE_POLICIES, MATCH_POLICIES, REINVOCATION = ("Fail", "Ignore"), ("Equivalent", "Exact"), ("IfNeeded", "Never")
_SCOPES = ("*", "Cluster", "Namespaced")
_MOST_CONDITIONS = 64


def known(of: JsonObject, name: str, words: Sequence[str], at: Place, *, needed: bool = False) -> Decision:
    """Refuse a word that is none of these; `needed`, also none."""
    value = pointer(of, name)
    if value is None:
        return required(at / name) if needed else NOTHING
    return NOTHING if value in words else unsupported(at / name, value, words)


def selector(of: JsonObject, name: str, at: Place, *, needed: bool = False) -> Decision:
    """What is wrong with a label selector."""
    value = of.get(name)
    if not isinstance(value, dict):
        return required(at / name) if needed else NOTHING
    return WALKS["LabelSelector"](value, Scope(WALKS, "", of), at / name)


def rule(of: JsonObject, at: Place) -> Decision:
    """What is wrong with a rule with its operations."""
    operations, groups, versions = (texts(of, name) for name in ("operations", "apiGroups", "apiVersions"))
    found = [_alone(operations, at / "operations", "operations")]
    for index, operation in enumerate(operations):
        if operation not in OPERATIONS:
            found.append(unsupported(at / "operations" / index, operation, OPERATIONS))
    found += [_alone(groups, at / "apiGroups", "API groups"), _alone(versions, at / "apiVersions", "API versions")]
    found += [required(at / "apiVersions" / index) for index, version in enumerate(versions) if not version]
    found += [_resources(texts(of, "resources"), at / "resources"), known(of, "scope", _SCOPES, at)]
    return merge(*found)


def _alone(values: list[str], at: Place, what: str) -> Decision:
    if not values:
        return required(at)
    if len(values) < 2 or "*" not in values:
        return NOTHING
    shown: Json = [*values]
    return invalid_value(at, shown, f"if '*' is present, must not specify other {what}")


def _resources(written: list[str], at: Place) -> Decision:
    found = [] if written else [required(at)]
    whole: set[str] = set()
    everywhere: set[str] = set()
    plain = False
    for index, name in enumerate(written):
        if not name:
            found.append(required(at / index))
            continue
        resource, slash, subresource = name.partition("/")
        if not slash:
            plain = name != "*"
            continue
        if resource in whole:
            found.append(invalid(at / index, name, f"if '{resource}/*' is present, must not specify {name}"))
        if subresource in everywhere:
            found.append(invalid(at / index, name, f"if '*/{subresource}' is present, must not specify {name}"))
        if subresource == "*":
            whole.add(resource)
        if resource == "*":
            everywhere.add(subresource)
    return merge(*found, _wildcards(written, at, plain=plain))


def _wildcards(written: list[str], at: Place, *, plain: bool) -> Decision:
    shown: Json = [*written]
    found = NOTHING
    if len(written) > 1 and "*/*" in written:
        found = invalid_value(at, shown, "if '*/*' is present, must not specify other resources")
    if plain and "*" in written:
        detail = "if '*' is present, must not specify other resources without subresources"
        found += invalid_value(at, shown, detail)
    return found


def match_resources(of: JsonObject, at: Place) -> Decision:
    """What a policy is asked about."""
    found = [known(of, "matchPolicy", MATCH_POLICIES, at, needed=True)]
    found += [selector(of, name, at, needed=True) for name in ("namespaceSelector", "objectSelector")]
    for name in ("resourceRules", "excludeResourceRules"):
        found += [_named_rule(each_one, at / name / index) for index, each_one in enumerate(objects(of, name))]
    return merge(*found)


def _named_rule(of: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    written = texts(of, "resourceNames")
    for index, name in enumerate(written):
        found.append(each(at / "resourceNames" / index, name, segment_faults(name)))
        if name in written[:index]:
            found.append(duplicate(at / "resourceNames" / index, name))
    return merge(*found, rule(of, at))


def conditions(of: JsonObject, at: Place, *, params: bool = False) -> Decision:
    """The conditions under which requests are asked about; `at` is where they are, `params` whether there are some."""
    written, found = objects(of, "matchConditions"), []
    scope = _scope(params=params) if written else None
    if len(written) > _MOST_CONDITIONS:
        found.append(too_many(at, len(written), _MOST_CONDITIONS))
    seen: set[str] = set()
    for index, condition in enumerate(written):
        name, place = text(condition, "name"), at / index
        expression = text(condition, "expression").strip()
        if not expression:
            found.append(required(place / "expression"))
        elif scope is not None and (wrong := getattr(scope.compile(expression, ("bool",)), "reason", "")):
            found.append(invalid(place / "expression", expression, wrong))
        found.append(each(place / "name", name, key_faults(name)) if name else required(place / "name"))
        if name in seen:
            found.append(duplicate(place / "name", name))
        if name:
            seen.add(name)
    return merge(*found)


def _scope(*, params: bool) -> AdmissionScope:
    from podward.schema.cel.admission import AdmissionScope  # few objects have expressions; the library takes 5 ms

    return AdmissionScope(params=params)
