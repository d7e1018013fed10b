"""Which SCC would admit a Pod? PodSecurityPolicySubjectReview, SelfSubjectReview and Review ask, and store nothing.

What is refused and how it is answered is `schema/openshift/pod_reviews`; which SCCs fit, `policy/scc/reviews`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api import status
from podward.api.caller import User, service_account
from podward.api.core import Namespace
from podward.api.gotext import quote
from podward.api.status import Status
from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.policy.scc import reviews
from podward.policy.scc.policies import Policies
from podward.schema.openshift import pod_reviews
from podward.schema.openshift.constraints import GROUP, PLURAL
from podward.schema.resources import BY_KIND
from podward.schema.scc.reading import scc_view
from podward.schema.validation.raw import text, texts
from podward.schema.view import pod_view, typed_view
from podward.server import decoding, registry
from podward.server.encoding import decoded
from podward.server.openshift.answers import Answers
from podward.server.options import write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.routes import scope_of
from podward.server.verbs.writing import mutated

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.scope import Scope

_PREFIX = f"/registry/{GROUP}/{PLURAL}/"


async def handle(scope: Scope, request: Request) -> Answer:
    """Answer the review in the body."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    review = registry.placed(sent, request.info.namespace)
    if isinstance(review, Status):
        return review
    admitted = await mutated(scope, request, review, None, options)
    if isinstance(admitted, Status):
        return admitted
    refused = pod_reviews.refused(review)
    if refused.violations:
        return status.invalid(scope.resource.kind, "", "", refused)
    asking = await _Asking.of(scope, request, review)
    accounts = scope.resource.kind == "PodSecurityPolicyReview"
    answer = await (asking.for_accounts() if accounts else asking.for_subjects(_subjects(scope, request, review)))
    return answer if isinstance(answer, Status) else document_reply(request, 201, answer)


def _subjects(scope: Scope, request: Request, review: JsonObject) -> list[User]:
    """Whom a review is about: a user of any name, or the caller; and the template's service account."""
    found = []
    if scope.resource.kind == "PodSecurityPolicySelfSubjectReview":
        found.append(request.user)
    else:
        spec = member(review, "spec")
        name, groups = text(spec, "user"), tuple(texts(spec, "groups"))
        if name or groups:
            found.append(User(name, groups=groups))
    account = pod_reviews.account_of(review)
    return [*found, service_account(request.info.namespace, account)] if account else found


class _Asking:
    """A review that is being answered."""

    def __init__(self, scope: Scope, request: Request, review: JsonObject, sccs: dict[str, JsonObject]) -> None:
        self._scope = scope
        self._name = request.info.namespace
        self._review = review
        self._sccs = sccs
        self._policies = Policies([scc_view(raw) for raw in sccs.values()], ())
        self._pod = pod_view(pod_reviews.pod_of(review))
        self._namespace: Namespace | None = None

    @classmethod
    async def of(cls, scope: Scope, request: Request, review: JsonObject) -> _Asking:
        """With the SCCs and the namespace as they are now."""
        cache, namespaces = scope.parts.caches.of(_PREFIX), scope_of(scope.parts, BY_KIND["v1", "Namespace"])
        await cache.fresh()
        sccs = {
            str(member(raw, "metadata").get("name")): raw
            for raw in (decoded(item.stored) for item in cache.items(_PREFIX))
        }
        made = cls(scope, request, review, sccs)
        stored = await scope.parts.store.get(namespaces.key("", request.info.namespace))
        if stored is not None:
            made._namespace = typed_view(decoded(stored), Namespace, "Namespace")
        return made

    async def for_subjects(self, users: list[User]) -> JsonObject | Status:
        """The first SCC that would admit the Pod."""
        found = await self._tried(users)
        if isinstance(found, str):
            return status.internal_error(found)
        failed = False
        for each in found:
            if each.allows:
                return pod_reviews.answered(self._review, self._status(each), failed=failed)
            failed = True
        return pod_reviews.answered(self._review, None, failed=failed)

    async def for_accounts(self) -> JsonObject | Status:
        """Every SCC that would admit the Pod, for each service account."""
        named = texts(member(self._review, "spec"), "serviceAccountNames")
        accounts = list(named) or [pod_reviews.account_of(self._review) or "default"]
        scope = scope_of(self._scope.parts, BY_KIND["v1", "ServiceAccount"])
        errors, statuses = [], []
        for account in accounts:
            if await self._scope.parts.store.get(scope.key(self._name, account)) is None:
                missing = f"serviceaccount {quote(account)} not found"
                errors.append(f"unable to retrieve ServiceAccount {account}: {missing}")
                continue
            found = await self._tried([service_account(self._name, account)])
            if isinstance(found, str):
                whose = f"SecurityContextConstraints provider for ServiceAccount {account}"
                errors.append(f"unable to create {whose}: {found}")
            else:
                statuses += [(account, self._status(each)) for each in found if each.allows]
        if errors:
            return status.bad_request(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
        return pod_reviews.answered_for_accounts(self._review, statuses)

    async def _tried(self, users: list[User]) -> list[reviews.Tried] | str:
        answers = Answers(self._scope.parts.authorizer.authorize)
        prepared = await answers.decided(
            lambda: reviews.usable(self._policies, self._namespace, self._name, users, answers)
        )
        return prepared if isinstance(prepared, str) else list(reviews.tried(prepared, self._pod))

    def _status(self, tried: reviews.Tried) -> JsonObject:
        decision = Decision(tried.decision.assignments)
        return pod_reviews.allowed_by(self._review, self._sccs[tried.name], decision)
