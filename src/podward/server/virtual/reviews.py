"""Reviews: who am I, who bears this token, may somebody do this, what may I do. They are asked and never stored.

Specification: Kubernetes, pkg/registry/authentication and pkg/registry/authorization. What they mean is
`podward.access.access_reviews` and `identity_reviews`.
"""

from __future__ import annotations

from podward.access import access_reviews, identity_reviews
from podward.access.authentication import Credentials
from podward.api.json_value import JsonObject
from podward.api.status import Status, invalid
from podward.documents.raw_fields import member
from podward.server import decoding, registry
from podward.server.options import write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs.create import wiped
from podward.server.verbs.writing import admitted, managed


async def handle(scope: Scope, request: Request) -> Answer:
    """Answer the review in the body."""
    if request.accepted.as_kind == "Table":
        of = scope.group_resource
        return Status(406, "NotAcceptable", f"the resource {of} does not support being converted to a Table")
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    placed = registry.placed(wiped(sent), request.info.namespace if scope.resource.namespaced else "")
    if isinstance(placed, Status):
        return placed
    reviewed = await admitted(scope, request, managed(scope, request.manager(options.manager), None, placed), options)
    if isinstance(reviewed, Status):
        return reviewed
    answered = await _answered(scope, request, reviewed)
    return answered if isinstance(answered, Status) else document_reply(request, 201, answered)


async def _answered(scope: Scope, request: Request, review: JsonObject) -> JsonObject | Status:
    kind = scope.resource.kind
    if kind == "SelfSubjectReview":
        return identity_reviews.self_review(review, request.user, scope.parts.clock.now())
    if kind == "TokenReview":
        return await _token(scope, review)
    if kind == "SelfSubjectRulesReview":
        namespace = access_reviews.namespace_of_rules(review)
        if isinstance(namespace, Status):
            return namespace
        known = scope.parts.authorizer.known_rules(request.user, namespace)
        bare = {**review, "metadata": _without_managers(review)}
        return access_reviews.rules_review(bare, known)
    faults = scope.strategy.validate(review)
    if faults.violations:
        return invalid("", scope.resource.group, "", faults)  # the real server leaves the kind empty, too
    asked = access_reviews.question(kind, review, request.user, request.info.namespace)
    if isinstance(asked, Status):
        return asked
    answer = await scope.parts.authorizer.authorize(asked.attributes)
    return access_reviews.answered(review, asked, answer)


async def _token(scope: Scope, review: JsonObject) -> JsonObject | Status:
    asked = identity_reviews.asked_token(review, scope.parts.tokens.audiences)
    if isinstance(asked, Status):
        return asked
    token, audiences = asked
    outcome = await scope.parts.authenticator.authenticate(Credentials(f"Bearer {token}"), audiences)
    return identity_reviews.token_review(review, outcome, audiences)


def _without_managers(review: JsonObject) -> JsonObject:
    return {name: value for name, value in member(review, "metadata").items() if name != "managedFields"}
