"""PodSecurityPolicyReview and its kin: what is refused, whom they ask about, and how they are answered.

Specification: openshift/openshift-apiserver, pkg/security: validation, and the REST storages of the three reviews. The
reason of an SCC that did not fit stays where a later one does; the completed template is told only where it names a
service account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.patching import overlaid
from podward.documents.raw_fields import member
from podward.schema.strategies import names, templates
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import ROOT, Place, each, invalid, invalid_value, required
from podward.schema.validation.raw import text, texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_CANNOT = "CantAssignSecurityContextConstraintProvider"


def template_of(review: JsonObject) -> JsonObject:
    """The template that a review is about."""
    return member(member(review, "spec"), "template")


def account_of(review: JsonObject) -> str:
    """The service account that the template names; empty for none."""
    return text(member(template_of(review), "spec"), "serviceAccountName")


def refused(review: JsonObject) -> Decision:
    """What is wrong with a review."""
    spec, found = member(review, "spec"), [templates.check(template_of(review), SPEC / "template")]
    if review.get("kind") == "PodSecurityPolicySubjectReview":
        if not text(spec, "user") and not texts(spec, "groups") and not account_of(review):
            detail = "at least one of user, groups or serviceAccountName must be specified"
            found.append(required(SPEC / "user", detail))
    elif review.get("kind") == "PodSecurityPolicyReview":
        for index, name in enumerate(texts(spec, "serviceAccountNames")):
            at = SPEC / "serviceAccountNames" / index
            found.append(each(at, name, names.SUBDOMAIN.whole(name)) if name else invalid(at, name, ""))
    metadata: JsonObject = {name: value for name, value in member(review, "metadata").items() if value is not None}
    if metadata.keys() - {"namespace", "managedFields"}:
        found.append(invalid_value(Place(ROOT, "metadata"), metadata, "must be empty"))
    return merge(*found)


def pod_of(review: JsonObject) -> JsonObject:
    """A Pod of the template; it has nothing but a spec."""
    return {"spec": member(template_of(review), "spec")}


def allowed_by(review: JsonObject, scc: JsonObject, decision: Decision) -> JsonObject:
    """The status that says which SCC would admit the Pod, and what it would set."""
    metadata = member(scc, "metadata")
    reference: JsonObject = {
        "kind": "SecurityContextConstraints",
        "name": metadata.get("name"),
        "uid": metadata.get("uid"),
        "apiVersion": "security.openshift.io/v1",
        "resourceVersion": metadata.get("resourceVersion"),
    }
    made = member(overlaid(pod_of(review), decision), "spec") if account_of(review) else _EMPTY_SPEC
    return {"allowedBy": reference, "template": {"metadata": {}, "spec": made}}


_EMPTY_SPEC: JsonObject = {"containers": None}


def answered(review: JsonObject, status: JsonObject | None, *, failed: bool) -> JsonObject:
    """The review with the answer; `failed` is whether an SCC before the one that admits, if any, did not fit."""
    found: JsonObject = dict(status) if status is not None else {"template": {"metadata": {}, "spec": _EMPTY_SPEC}}
    if failed:
        found["reason"] = _CANNOT
    return {**review, "status": found}


def answered_for_accounts(review: JsonObject, statuses: list[tuple[str, JsonObject]]) -> JsonObject:
    """The review with an answer for each service account and SCC that would admit its Pod."""
    listed: list[Json] = [{**status, "name": account} for account, status in statuses]
    return {**review, "status": {"allowedServiceAccounts": listed or None}}
