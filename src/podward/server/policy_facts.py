"""What a server's policies are asked with: the stored policies, their parameters, the authorizer.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy generic/policy_source.go and
generic/policy_dispatcher.go, CollectParams. A policy is in effect as soon as its creation is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from podward.access.asked_selectors import with_selectors
from podward.api.admission import AdmissionRequest
from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User, service_account
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.documents.raw_fields import member
from podward.schema.cel.authorizing import Question, Verdict
from podward.schema.resources import BY_KIND
from podward.schema.strategies.selectors import selects
from podward.schema.versions import in_version
from podward.server.cache import Caches, Item
from podward.server.catalog import Catalog, key_of, prefix_of
from podward.server.encoding import decoded
from podward.server.webhooks.versions import Versions
from podward.stages.admission.policies.policy import Binding, Policy, bindings_of, policy_of
from podward.stages.admission.webhooks.matching import FindNamespace

_GROUP = "admissionregistration.k8s.io/v1"
_NO_PARAMS = "no params found for policy binding with `Deny` parameterNotFoundAction"

Authorize = Callable[[Attributes], Awaitable[Answer]]


async def nobody_knows(_wanted: Attributes) -> Answer:
    """No opinion."""
    return NO_OPINION


class StoredPolicies:
    """The policies of a kind and their bindings, compiled when they are first needed after a change."""

    def __init__(self, caches: Caches, kind: str) -> None:
        kinds = [BY_KIND[_GROUP, each] for each in (kind, f"{kind}Binding")]
        self._policies, self._bindings = (caches.of(prefix_of(resource)) for resource in kinds)
        self._bound: dict[str, tuple[Binding, ...]] | None = None
        self._compiled: dict[str, tuple[bytes, Policy]] = {}
        self._bindings.listeners.append(lambda _event: self._forget())

    def _forget(self) -> None:
        self._bound = None

    async def bound(self) -> list[tuple[Policy, tuple[Binding, ...]]]:
        """Every policy that has a binding, in the order of their names."""
        await self._bindings.fresh()
        if self._bound is None:
            stored = [decoded(item.stored) for item in self._bindings.items(self._bindings.prefix)]
            self._bound = bindings_of(stored)
        if not self._bound:
            return []
        await self._policies.fresh()
        before, self._compiled = self._compiled, {}  # so that those which are gone are forgotten
        found: list[tuple[Policy, tuple[Binding, ...]]] = []
        for item in self._policies.items(self._policies.prefix):
            name, version = item.stored.key.rpartition("/")[2], item.stored.value
            bindings = self._bound.get(name)
            if bindings:
                known = before.get(name)
                if known is None or known[0] != version:
                    known = (version, policy_of(decoded(item.stored)))
                self._compiled[name] = known
                found.append((known[1], bindings))
        return found


class PolicyFacts:
    """What policies look up. `versions` and `namespace` are for matching requests."""

    def __init__(
        self, caches: Caches, catalog: Catalog, versions: Versions, namespace: FindNamespace, authorize: Authorize
    ) -> None:
        self._caches = caches
        self._catalog = catalog
        self.versions = versions
        self.namespace = namespace
        self._authorize = authorize

    def namespace_of(self, asked: AdmissionRequest) -> JsonObject | None:
        """The namespace that a request is in."""
        is_namespace = asked.kind == "Namespace" and asked.api_version == "v1"
        return None if is_namespace or not asked.namespace else self.namespace(asked.namespace)

    async def params(self, policy: Policy, binding: Binding, namespace: str) -> list[JsonObject | None] | str:
        """The objects that the policy is evaluated with, one after the other; or why there are none."""
        kind, wanted = policy.param_kind, binding.parameters
        if kind is None or wanted is None:
            return [None]
        resource = self._resource(*kind)
        if resource is None:
            return self.unknown_kind(policy)
        if wanted.namespace and not resource.namespaced:
            return "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
        of = (wanted.namespace or namespace) if resource.namespaced else ""
        if resource.namespaced and not of:
            return "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        cache = self._caches.of(prefix_of(resource))
        await cache.fresh()
        found: list[JsonObject | None] = []
        if wanted.name:
            item = cache.get(key_of(resource, of, wanted.name))
            found = [self._stored(resource, item)] if item is not None else []
        elif wanted.selector is not None:
            stored = [self._stored(resource, item) for item in cache.items(prefix_of(resource, of))]
            found = [obj for obj in stored if selects(wanted.selector, member(member(obj, "metadata"), "labels"))]
        return _NO_PARAMS if not found and wanted.required else found

    def _stored(self, resource: Resource, item: Item) -> JsonObject:
        """A stored object in the version of this resource."""
        obj = decoded(item.stored)
        if obj.get("apiVersion") == resource.api_version:
            return obj
        if self._catalog.custom(resource) is not None:
            return {**obj, "apiVersion": resource.api_version}
        return in_version(obj, GroupVersion.parse(resource.api_version))

    def unknown_kind(self, policy: Policy) -> str:
        """What is wrong with the kind of a policy's parameters; empty where it is served, or where there is none."""
        if policy.param_kind is None or self._resource(*policy.param_kind) is not None:
            return ""
        of = GroupVersion.parse(policy.param_kind[0])
        kind = f"{of.group}/{of.version}, Kind={policy.param_kind[1]}"
        return f"failed to find resource referenced by paramKind: '{kind}'"

    def _resource(self, api_version: str, kind: str) -> Resource | None:
        for resource in self._catalog.all():
            if resource.kind == kind and resource.api_version == api_version:
                return resource
        return None

    def ask_for(self, user: User) -> Callable[[Question], Verdict]:
        """Answers expressions, which are evaluated in another thread, from the server's own authorizers."""
        loop = asyncio.get_running_loop()

        async def answered(question: Question) -> Answer:
            return await self._authorize(_attributes(question, user))

        def ask(question: Question) -> Verdict:
            try:
                answer = asyncio.run_coroutine_threadsafe(answered(question), loop).result(_PATIENCE)
            except Exception as error:  # noqa: BLE001 - whoever cannot be asked allows nothing
                return Verdict(error=str(error) or type(error).__name__)
            return Verdict(answer.opinion is Opinion.ALLOW, answer.reason, answer.error)

        return ask


_PATIENCE = 10.0
"""Seconds for an authorizer to answer an expression."""


def _attributes(question: Question, user: User) -> Attributes:
    if question.account:
        namespace, _, name = question.account.partition("/")
        user = service_account(namespace, name)
    if question.path:
        return Attributes(user, question.verb, path=question.path)
    wanted = Attributes(
        user, question.verb, question.group, question.resource, question.subresource, question.name,
        question.namespace, version="*",
    )  # fmt: skip
    return with_selectors(wanted, question.field_selector, question.label_selector)
