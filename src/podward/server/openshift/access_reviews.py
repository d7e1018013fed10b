"""OpenShift's own access reviews: asked by `oc login` and `oc policy who-can`, and never stored.

What they mean is `podward.access.openshift_reviews`. Who may be told is decided twice, as in OpenShift: by the request,
and, where that is to no namespace, by the namespace that the review is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access import openshift_reviews
from podward.access.forbidden import forbidden
from podward.api.authorization import Opinion
from podward.api.status import Status
from podward.schema.bodies import Expected, Undecodable, decode_body, media_of
from podward.server import decoding, registry
from podward.server.chain import attributes_of
from podward.server.options import write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.verbs.writing import admitted

if TYPE_CHECKING:
    from podward.api.authorization import Attributes
    from podward.server.scope import Scope


async def handle(scope: Scope, request: Request) -> Answer:
    """Answer the review in the body."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    namespace = request.info.namespace if scope.resource.namespaced else ""
    placed = registry.placed(sent, namespace)
    if isinstance(placed, Status):
        return placed
    review = await admitted(scope, request, placed, options)
    if isinstance(review, Status):
        return review
    refused = openshift_reviews.refused(review, namespace)
    if refused is not None:
        return refused
    authorizer = scope.parts.authorizer
    if not namespace:
        needed = openshift_reviews.right_to_ask(review, request.user)
        may = await authorizer.authorize(needed)
        if may.opinion is not Opinion.ALLOW:
            return forbidden(needed, may.reason)
    if scope.resource.plural in openshift_reviews.SUBJECT_REVIEWS:
        asked = openshift_reviews.question(review, request.user, namespace)
        return document_reply(request, 201, openshift_reviews.answered(asked, await authorizer.authorize(asked)))
    asked = openshift_reviews.question_of_anybody(review, namespace)
    subjects, errors = authorizer.rbac.subjects_of(asked)
    return document_reply(request, 201, openshift_reviews.answered_who(asked, subjects, errors))


async def asked_of(request: Request) -> Attributes:
    """What authorizers are asked about a request; of one with a personal review, the right to ask about oneself."""
    asked, info = attributes_of(request), request.info
    is_review = info.group == openshift_reviews.GROUP and info.resource in openshift_reviews.SUBJECT_REVIEWS
    if not is_review or info.verb != "create" or info.subresource:
        return asked
    body = await request.body()

    async def again() -> bytes | Status:
        return body

    request.body = again
    media = media_of(request.headers.get("Content-Type", ""))
    if isinstance(body, Status) or media is None or media == "protobuf":
        return asked
    kind = "LocalSubjectAccessReview" if info.namespace else "SubjectAccessReview"
    expected = Expected(openshift_reviews.API_VERSION, kind)
    found = await decoding.aside(body, lambda: decode_body(body, media, expected, "Ignore"))
    if isinstance(found, Undecodable) or not openshift_reviews.is_personal(found.object):
        return asked
    return openshift_reviews.as_personal(asked)
