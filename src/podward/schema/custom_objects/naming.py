"""The status of a CustomResourceDefinition: the names that are accepted, and whether it is established.

Specification: apiextensions-apiserver pkg/controller/status naming_controller.go and pkg/controller/establish: names
that no other definition of the group has are accepted, each on its own; once all of the first are, the definition is
established for good.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_NAMES = ("plural", "singular", "shortNames", "kind", "listKind", "categories")


class Condition(Struct, frozen=True):
    """A condition of a definition."""

    type: str
    holds: bool
    reason: str
    message: str


def named(definition: JsonObject, others: Iterable[JsonObject], now: str) -> JsonObject:
    """The definition with the status that it has beside the other ones."""
    if is_protected(definition):
        definition = with_condition(definition, approval(definition), now)
    spec, status = member(definition, "spec"), member(definition, "status")
    wanted, before = member(spec, "names"), member(status, "acceptedNames")
    if before == wanted and condition(definition, "Established").get("status") == "True":
        return definition
    resources, kinds = _taken(others, str(spec.get("group")))
    accepted: JsonObject = dict(before)
    reason, message = "NoConflicts", "no conflicts found"
    for name in ("plural", "singular", "shortNames", "kind", "listKind"):
        used = kinds if name in ("kind", "listKind") else resources
        had = texts(before, name) if name == "shortNames" else [text(before, name)]
        asked = texts(wanted, name) if name == "shortNames" else [text(wanted, name)]
        faults = [f"{quote(each)} is already in use" for each in asked if each and each not in had and each in used]
        if faults:
            listed = list(dict.fromkeys(faults))
            reason = f"{name[0].upper()}{name[1:]}Conflict"
            message = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
        else:
            _put(accepted, name, wanted.get(name))
    _put(accepted, "categories", wanted.get("categories"))
    accepted = {name: accepted[name] for name in _NAMES if name in accepted}
    good = reason == "NoConflicts"
    made = with_condition(definition, Condition("NamesAccepted", good, reason, message), now)
    if condition(definition, "Established").get("status") != "True":
        if good:
            told = ("InitialNamesAccepted", "the initial names have been accepted")
        else:
            told = ("NotAccepted", "not all names are accepted")
        made = with_condition(made, Condition("Established", good, *told), now)
    return {**made, "status": {**member(made, "status"), "acceptedNames": accepted}}


_APPROVED = "api-approved.kubernetes.io"
_PROTECTED = ("k8s.io", "kubernetes.io")
_POLICY = "KubernetesAPIApprovalPolicyConformant"
_NEEDED = f'protected groups must have approval annotation "{_APPROVED}"'
_PROPOSAL = "see https://github.com/kubernetes/enhancements/pull/1111"


def is_protected(definition: JsonObject) -> bool:
    """Whether the group is one of Kubernetes' own, which needs an approval."""
    group = text(member(definition, "spec"), "group")
    return any(group == own or group.endswith(f".{own}") for own in _PROTECTED)


def approval(definition: JsonObject) -> Condition:
    """Whether an API of such a group is approved, and what is said of that."""
    written = text(member(member(definition, "metadata"), "annotations"), _APPROVED)
    if not written:
        return Condition(_POLICY, False, "MissingAnnotation", f"{_NEEDED}, {_PROPOSAL}")
    if written.startswith("unapproved"):
        return Condition(_POLICY, False, "UnapprovedAnnotation", f"not approved: {quote(written)}")
    if "://" in written:
        return Condition(_POLICY, True, "ApprovedAnnotation", f"approved in {written}")
    why = f'{_NEEDED} with either a URL or a reason starting with "unapproved", {_PROPOSAL}'
    return Condition(_POLICY, False, "InvalidAnnotation", why)


def _put(names: JsonObject, name: str, value: Json) -> None:
    if value is None:
        names.pop(name, None)
    else:
        names[name] = value


def _taken(others: Iterable[JsonObject], group: str) -> tuple[set[str], set[str]]:
    """The names of resources, and of kinds, that others of the group have."""
    resources, kinds = set[str](), set[str]()
    for other in others:
        if member(other, "spec").get("group") != group:
            continue
        names = member(member(other, "status"), "acceptedNames")
        resources.update((text(names, "plural"), text(names, "singular"), *texts(names, "shortNames")))
        kinds.update((text(names, "kind"), text(names, "listKind")))
    return resources, kinds


def condition(definition: JsonObject, kind: str) -> JsonObject:
    """The condition of this type; empty where there is none."""
    found = objects(member(definition, "status"), "conditions")
    return next((each for each in found if each.get("type") == kind), {})


def with_condition(definition: JsonObject, of: Condition, now: str) -> JsonObject:
    """The definition with this condition."""
    state, old = "True" if of.holds else "False", condition(definition, of.type)
    since = old.get("lastTransitionTime") if old.get("status") == state else now
    new: JsonObject = {
        "type": of.type,
        "status": state,
        "lastTransitionTime": since,
        "reason": of.reason,
        "message": of.message,
    }
    status = member(definition, "status")
    kept: list[Json] = [new if each is old else each for each in objects(status, "conditions")]
    return {**definition, "status": {**status, "conditions": kept if old else [*kept, new]}}


def ending(definition: JsonObject, now: str) -> JsonObject:
    """The definition as one that goes as soon as its objects are gone."""
    metadata = member(definition, "metadata")
    finalizers: list[Json] = [*texts(metadata, "finalizers")]
    if FINALIZER not in finalizers:
        finalizers.append(FINALIZER)
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    marked = with_condition(definition, Condition("Terminating", True, "InstanceDeletionPending", message), now)
    return {**marked, "metadata": {**metadata, "finalizers": finalizers, "deletionTimestamp": now}}


def emptied(definition: JsonObject) -> JsonObject:
    """The definition of which no object is left."""
    metadata = member(definition, "metadata")
    left: list[Json] = [name for name in texts(metadata, "finalizers") if name != FINALIZER]
    kept = {name: value for name, value in metadata.items() if name != "finalizers"}
    return {**definition, "metadata": {**kept, "finalizers": left} if left else kept}
