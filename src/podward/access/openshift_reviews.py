"""The access reviews of OpenShift's own group: whether somebody may do this, and who may do it at all.

Specification: openshift/openshift-apiserver, pkg/authorization/apis/authorization/validation and pkg/authorization/
apiserver/registry/{subject,resource}accessreview with their local forms; which review is personal, library-go,
pkg/apiserver/apiserverconfig. A review has its question in its own fields, and the answer is an object of another kind.
What is different: scopes of tokens are refused, since there are none here to be restricted by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.errors import aggregated
from podward.access.review_spec import as_object, text
from podward.api import status
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.caller import MASTERS, NOBODY, User, account_username
from podward.api.gotext import quote
from podward.schema.validation.internal import go_json
from podward.schema.validation.raw import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from podward.access.objects import Subject
    from podward.api.json_value import JsonObject
    from podward.api.status import Status

GROUP = "authorization.openshift.io"
API_VERSION = f"{GROUP}/v1"
SUBJECT_REVIEWS = frozenset(("subjectaccessreviews", "localsubjectaccessreviews"))
"""The resources whose reviews may be personal."""
_ONLY_OF_RESOURCES = (
    ("resource", "resource"), ("resourceAPIGroup", "group"), ("resourceAPIVersion", "version"),
    ("resourceName", "resourceName"), ("namespace", "namespace"),
)  # fmt: skip


def is_personal(review: JsonObject) -> bool:
    """Whether a review of a subject is about the caller: whoever may ask about himself may ask it."""
    return not text(review, "user") and not texts(review, "groups")


def as_personal(asked: Attributes) -> Attributes:
    """What authorizers are asked about a request with a personal review: the right to Kubernetes' own one."""
    return Attributes(
        asked.user, asked.verb, "authorization.k8s.io", "selfsubjectaccessreviews",
        name=asked.name, namespace=asked.namespace, version=asked.version,
    )  # fmt: skip


def refused(review: JsonObject, namespace: str) -> Status | None:
    """What is wrong with a review; `namespace` is the request's, empty for one that is in none."""
    faults = [*_faults(review), *_metadata_faults(review)]
    own = text(review, "namespace")
    if not faults and namespace and own and own != namespace:
        faults.append(("namespace", f"Invalid value: {quote(own)}: namespace must be: {namespace}"))
    if faults:
        return status.invalid_for(text(review, "kind"), GROUP, "", faults)
    if texts(review, "scopes"):
        return status.bad_request("scopes are not served here: no token has any")
    return None


def right_to_ask(review: JsonObject, caller: User) -> Attributes:
    """What else who sends a review to no namespace must be allowed, in the namespace that it is about.

    A request to a namespace was already held to the same.
    """
    local = "localresourceaccessreviews"
    if text(review, "kind") == "SubjectAccessReview":
        if is_personal(review):
            return as_personal(Attributes(caller, "create", namespace=text(review, "namespace")))
        local = "localsubjectaccessreviews"
    return Attributes(caller, "create", resource=local, namespace=text(review, "namespace"))


def question(review: JsonObject, caller: User, namespace: str) -> Attributes:
    """What a review of a subject asks the authorizers."""
    personal = is_personal(review)
    user = caller if personal else User(text(review, "user"), groups=tuple(sorted(set(texts(review, "groups")))))
    return _asked(review, user, namespace or text(review, "namespace"))


def question_of_anybody(review: JsonObject, namespace: str) -> Attributes:
    """What a review of a resource asks, of nobody in particular."""
    return _asked(review, NOBODY, namespace or text(review, "namespace"))


def answered(asked: Attributes, answer: Answer) -> JsonObject:
    """The answer to a review of a subject."""
    found = _answer("SubjectAccessReviewResponse", asked)
    found["allowed"] = answer.opinion is Opinion.ALLOW
    if answer.reason:
        found["reason"] = answer.reason
    if answer.error:
        found["evaluationError"] = answer.error
    return found


def answered_who(asked: Attributes, subjects: Iterable[tuple[Subject, str]], errors: list[str]) -> JsonObject:
    """The answer to a review of a resource: who may, by the subjects of bindings and the bindings' namespaces."""
    users: set[str] = set()
    groups = {MASTERS}
    for subject, namespace in subjects:
        name = subject.name or ""
        if subject.kind == "User":
            users.add(name)
        elif subject.kind == "Group":
            groups.add(name)
        elif within := subject.namespace or namespace:
            users.add(account_username(within, name))
    found = _answer("ResourceAccessReviewResponse", asked)
    return {
        **found,
        "users": [*sorted(users)],
        "groups": [*sorted(groups)],
        "evalutionError": aggregated(errors) if errors else "",  # as the field is spelt
    }


def _answer(kind: str, asked: Attributes) -> JsonObject:
    found: JsonObject = {"kind": kind, "apiVersion": API_VERSION}
    return {**found, "namespace": asked.namespace} if asked.namespace else found


def _asked(review: JsonObject, user: User, namespace: str) -> Attributes:
    resource, _, part = text(review, "resource").partition("/")
    outside = review.get("isNonResourceURL") is True
    return Attributes(
        user, text(review, "verb"), text(review, "resourceAPIGroup"), resource, part, text(review, "resourceName"),
        namespace, path=text(review, "path") if outside else "", version=text(review, "resourceAPIVersion"),
    )  # fmt: skip


def _faults(review: JsonObject) -> Iterator[tuple[str, str]]:
    if not text(review, "verb"):
        yield "verb", "Required value"
    if review.get("isNonResourceURL") is not True:
        if not text(review, "resource"):
            yield "resource", "Required value"
        return
    if not text(review, "path"):
        yield "path", "Required value"
    for name, told in _ONLY_OF_RESOURCES:
        if value := text(review, name):
            yield told, f"Invalid value: {quote(value)}: {told} may not be specified with non resource URLs"


def _metadata_faults(review: JsonObject) -> Iterator[tuple[str, str]]:
    metadata: JsonObject = {name: value for name, value in as_object(review.get("metadata")).items() if value}
    if metadata.keys() - {"managedFields", "namespace"}:
        yield "metadata", f"Invalid value: {go_json(metadata)}: must be empty"
