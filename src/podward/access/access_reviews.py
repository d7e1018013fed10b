"""Asking whether somebody may do something: SubjectAccessReview, its local and its self form, and the rules review.

Specification: Kubernetes, pkg/apis/authorization/validation, pkg/registry/authorization. The answer is the object's
status. The kind in an error is empty, as the real server leaves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.errors import aggregated
from podward.access.review_spec import as_object, attributes_of, text, user_of
from podward.api import status
from podward.api.authorization import Attributes, Opinion
from podward.api.gotext import quote
from podward.schema.validation.internal import go_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.access.known_rules import KnownRules
    from podward.api.authorization import Answer
    from podward.api.caller import User
    from podward.api.json_value import Json, JsonObject
    from podward.api.status import Status

_GROUP = "authorization.k8s.io"
_LOCAL = "LocalSubjectAccessReview"
_RESOURCE = "spec.resourceAttributes"
_LISTING, _BARE = ("In", "NotIn"), ("Exists", "DoesNotExist")


class Question(Struct, frozen=True):
    """What a review asks, and what of it could not be understood."""

    attributes: Attributes
    errors: tuple[str, ...] = ()


def question(kind: str, raw: JsonObject, caller: User, namespace: str) -> Question | Status:
    """What the review of this kind asks about, or why it may not be asked. `namespace` is the request's."""
    spec = as_object(raw.get("spec"))
    faults = [*_faults(kind, spec), *_metadata_faults(kind, raw, spec)]
    if faults:
        return status.invalid_for("", _GROUP, "", faults)
    if kind == _LOCAL and namespace != text(as_object(raw.get("metadata")), "namespace"):
        return status.bad_request(f"spec.resourceAttributes.namespace must match namespace: {namespace}")
    wanted, errors = attributes_of(spec, caller if kind.startswith("Self") else user_of(spec))
    return Question(wanted, errors)


def answered(raw: JsonObject, asked: Question, answer: Answer) -> JsonObject:
    """The review with its status."""
    found: JsonObject = {"allowed": answer.opinion is Opinion.ALLOW}
    if answer.opinion is Opinion.DENY:
        found["denied"] = True
    if answer.reason:
        found["reason"] = answer.reason
    if errors := [error for error in (answer.error, *asked.errors) if error]:
        found["evaluationError"] = "; ".join(errors)
    return {**raw, "status": found}


def rules_review(raw: JsonObject, known: KnownRules) -> JsonObject:
    """A SelfSubjectRulesReview with its status: the rules that hold for the caller in the namespace that it names."""
    of_resources: list[Json] = []
    of_urls: list[Json] = []
    for rule in known.rules:
        words: dict[str, tuple[str, ...]] = {"verbs": rule.verbs or ()}
        if rule.resources:
            named = {"apiGroups": rule.api_groups, "resources": rule.resources, "resourceNames": rule.resource_names}
            of_resources.append(_listed({**words, **{name: found or () for name, found in named.items()}}))
        if rule.non_resource_urls:
            of_urls.append(_listed({**words, "nonResourceURLs": rule.non_resource_urls}))
    found: JsonObject = {"resourceRules": of_resources, "nonResourceRules": of_urls, "incomplete": known.incomplete}
    if known.errors:
        found["evaluationError"] = aggregated(known.errors)
    return {**raw, "spec": {}, "status": found}


def namespace_of_rules(raw: JsonObject) -> str | Status:
    """The namespace that a SelfSubjectRulesReview asks about."""
    return text(as_object(raw.get("spec")), "namespace") or status.bad_request("no namespace on request")


def _listed(words: dict[str, tuple[str, ...]]) -> JsonObject:
    return {name: list(found) for name, found in words.items() if found}


def _faults(kind: str, spec: JsonObject) -> Iterator[tuple[str, str]]:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and other is not None:
        path, verb = text(as_object(other), "path"), text(as_object(other), "verb")
        value = go_json({"Path": path, "Verb": verb})
        detail = "cannot be specified in combination with resourceAttributes"
        yield "spec.nonResourceAttributes", f"Invalid value: {value}: {detail}"
    if resource is None and other is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield _RESOURCE, f"Invalid value: null: {detail}"
    if not kind.startswith("Self") and not spec.get("user") and not spec.get("groups"):
        yield "spec.user", 'Invalid value: "": at least one of user or group must be specified'
    for name in ("fieldSelector", "labelSelector"):
        selector = as_object(resource).get(name)
        if isinstance(selector, dict):
            yield from _selector_faults(selector, f"{_RESOURCE}.{name}")


def _selector_faults(selector: JsonObject, at: str) -> Iterator[tuple[str, str]]:
    raw, requirements = text(selector, "rawSelector"), selector.get("requirements")
    if raw and requirements:
        yield (
            f"{at}.rawSelector",
            f"Invalid value: {quote(raw)}: may not specified at the same time as requirements",
        )
    if not raw and not requirements:
        yield (
            f"{at}.requirements",
            f"Required value: when {at} is specified, requirements or rawSelector is required",
        )
    for index, each in enumerate(requirements if isinstance(requirements, list) else ()):
        requirement, place = as_object(each), f"{at}.requirements[{index}]"
        operator, values = text(requirement, "operator"), requirement.get("values")
        if operator in _LISTING and not values:
            yield f"{place}.values", "Required value: must be specified when `operator` is 'In' or 'NotIn'"
        if operator in _BARE and values:
            yield (
                f"{place}.values",
                "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )
        if not requirement.get("key"):
            yield f"{place}.key", "Required value: must be specified"


def _metadata_faults(kind: str, raw: JsonObject, spec: JsonObject) -> Iterator[tuple[str, str]]:
    metadata: JsonObject = {name: value for name, value in as_object(raw.get("metadata")).items() if value}
    allowed = {"managedFields", "namespace"} if kind == _LOCAL else {"managedFields"}
    if metadata.keys() - allowed:
        detail = "must be empty except for namespace" if kind == _LOCAL else "must be empty"
        yield "metadata", f"Invalid value: {go_json(metadata)}: {detail}"
    if kind != _LOCAL:
        return
    asked = spec.get("resourceAttributes")
    if isinstance(asked, dict) and text(asked, "namespace") != text(metadata, "namespace"):
        value = quote(text(asked, "namespace"))
        yield f"{_RESOURCE}.namespace", f"Invalid value: {value}: must match metadata.namespace"
    if isinstance(other := spec.get("nonResourceAttributes"), dict):
        value = go_json({"Path": text(other, "path"), "Verb": text(other, "verb")})
        yield "spec.nonResourceAttributes", f"Invalid value: {value}: disallowed on this kind of request"
