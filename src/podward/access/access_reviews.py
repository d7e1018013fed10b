"""Asking whether somebody may do something: SubjectAccessReview, its local and its self form, and the rules review.

Specification: Kubernetes, pkg/registry/authorization. The answer is the object's status. What is valid, is for
`schema.strategies.access_reviews` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.errors import aggregated
from podward.access.review_spec import as_object, attributes_of, text, user_of
from podward.api import status
from podward.api.authorization import Attributes, Opinion

if TYPE_CHECKING:
    from podward.access.known_rules import KnownRules
    from podward.api.authorization import Answer
    from podward.api.caller import User
    from podward.api.json_value import Json, JsonObject
    from podward.api.status import Status

_LOCAL = "LocalSubjectAccessReview"


class Question(Struct, frozen=True):
    """What a review asks, and what of it could not be understood."""

    attributes: Attributes
    errors: tuple[str, ...] = ()


def question(kind: str, raw: JsonObject, caller: User, namespace: str) -> Question | Status:
    """What the valid review of this kind asks about, or why it may not be asked. `namespace` is the request's."""
    spec = as_object(raw.get("spec"))
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
