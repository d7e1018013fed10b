"""ValidatingAdmissionPolicy: which policies are asked about a request, and what comes of it.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy generic/policy_dispatcher.go and
validating/dispatcher.go. What a binding says becomes of a denial: a refusal, a warning, an annotation of the audit log.
A policy is in effect as soon as its creation is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import Struct

from podward.api.admission import AdmissionRequest
from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User, service_account
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status, StatusCause, StatusDetails
from podward.documents.raw_fields import member
from podward.schema.cel.authorizing import Question, Verdict
from podward.schema.resources import BY_KIND
from podward.schema.strategies.selectors import selects
from podward.server.cache import Caches
from podward.server.catalog import Catalog, key_of, prefix_of
from podward.server.encoding import decoded
from podward.server.request import Request
from podward.server.webhooks.versions import Versions
from podward.stages.admission.policies import validating
from podward.stages.admission.policies.constraints import is_exempt
from podward.stages.admission.policies.policy import Binding, Policy, bindings_of, policy_of
from podward.stages.admission.policies.validating import Denial, Facts
from podward.stages.admission.webhooks.matching import FindNamespace, Served

NAME = "ValidatingAdmissionPolicy"
_GROUP = "admissionregistration.k8s.io/v1"
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
_LONGEST_ANNOTATION = 10 * 1024
_FAILURE = "validation.policy.admission.k8s.io/validation_failure"
_NO_PARAMS = "no params found for policy binding with `Deny` parameterNotFoundAction"

Authorize = Callable[[Attributes], Awaitable[Answer]]


async def nobody_knows(_wanted: Attributes) -> Answer:
    """No opinion."""
    return NO_OPINION


class StoredPolicies:
    """The policies and their bindings, compiled when they are first needed after a change."""

    def __init__(self, caches: Caches) -> None:
        kinds = [BY_KIND[_GROUP, kind] for kind in (NAME, f"{NAME}Binding")]
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
        found: list[tuple[Policy, tuple[Binding, ...]]] = []
        for item in self._policies.items(self._policies.prefix):
            name = item.stored.key.rpartition("/")[2]
            bindings = self._bound.get(name)
            if bindings:
                found.append((self._policy(name, item.stored.value, decoded(item.stored)), bindings))
        return found

    def _policy(self, name: str, version: bytes, stored: JsonObject) -> Policy:
        known = self._compiled.get(name)
        if known is None or known[0] != version:
            self._compiled[name] = known = (version, policy_of(stored))
        return known[1]


class _Refused(Struct, frozen=True):
    """A denial that refuses, and whose it is; no binding where the policy itself cannot be asked."""

    policy: Policy
    binding: Binding | None
    denial: Denial

    @property
    def message(self) -> str:
        bound = f" with binding '{self.binding.name}'" if self.binding is not None else ""
        return f"{NAME} '{self.policy.name}'{bound} denied request: {self.denial.message}"


class _Asking(Struct, frozen=True):
    """A request that policies are asked about, and the equivalents of its resource."""

    asked: AdmissionRequest
    others: Sequence[Served]
    request: Request


class PolicyAdmission:
    """The plugin."""

    def __init__(
        self, caches: Caches, catalog: Catalog, versions: Versions, namespace: FindNamespace, authorize: Authorize
    ) -> None:
        self._stored = StoredPolicies(caches)
        self._caches = caches
        self._catalog = catalog
        self._versions = versions
        self._namespace = namespace
        self._authorize = authorize

    async def validate(self, asked: AdmissionRequest, request: Request) -> Status | None:
        """The first refusal of the policies."""
        if is_exempt(asked):
            return None
        bound = await self._stored.bound()
        if not bound:
            return None
        asking = _Asking(asked, self._versions.equivalents(asked), request)
        refused: list[_Refused] = []
        for policy, bindings in bound:
            served = policy.constraints.version_asked(asked, asking.others, self._namespace)
            if isinstance(served, Status):
                refused += _misconfigured(policy, None, served.message)
            elif served is not None:
                annotations: dict[str, list[str]] = {}
                for binding in bindings:
                    refused += await self._bound(policy, binding, served, asking, annotations)
                for key, values in annotations.items():
                    request.audit[f"{policy.name}/{key}"] = ", ".join(values)
        return _status(asked, refused) if refused else None

    async def _bound(
        self, policy: Policy, binding: Binding, served: Served, asking: _Asking, annotations: dict[str, list[str]]
    ) -> list[_Refused]:
        """What a policy refuses by way of a binding; `annotations` are added to."""
        asked = asking.asked
        if binding.constraints is not None:
            matched = binding.constraints.version_asked(asked, asking.others, self._namespace)
            if isinstance(matched, Status):
                return _misconfigured(policy, binding, matched.message)
            if matched is None:
                return []
        params = await self._params(policy, binding, asked.namespace)
        if isinstance(params, str):
            return _misconfigured(policy, binding, params)
        versioned = await self._versions.asked_in(asked, served)
        if isinstance(versioned, Status):
            return _misconfigured(policy, binding, f"failed to convert object version: {versioned.message}")
        facts = Facts(versioned, served, self._of(asked), self.ask_for(asked.user))
        refused: list[_Refused] = []
        for param in params:
            # An expression that asks the authorizer waits for its answer, which comes from this very loop.
            by = asyncio.to_thread if policy.asks else _here
            found = await by(validating.opinion, policy, facts, param)
            refused += [_Refused(policy, binding, Denial(0, why)) for why in found.broken]
            for denial in found.denials:
                refused += _acted(policy, binding, denial, asking.request)
            for key, value in found.annotations:
                _add(annotations.setdefault(key, []), value)
        return refused

    def _of(self, asked: AdmissionRequest) -> JsonObject | None:
        is_namespace = asked.kind == "Namespace" and asked.api_version == "v1"
        return None if is_namespace or not asked.namespace else self._namespace(asked.namespace)

    async def _params(self, policy: Policy, binding: Binding, namespace: str) -> list[JsonObject | None] | str:
        """The objects that the policy is evaluated with, one after the other; or why there are none."""
        kind, wanted = policy.param_kind, binding.parameters
        if kind is None or wanted is None:
            return [None]
        resource = self._resource(*kind)
        if resource is None:
            return f"paramKind kind `&ParamKind{{APIVersion:{kind[0]},Kind:{kind[1]},}}` not known"
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
            found = [decoded(item.stored)] if item is not None else []
        elif wanted.selector is not None:
            stored = [decoded(item.stored) for item in cache.items(prefix_of(resource, of))]
            found = [obj for obj in stored if selects(wanted.selector, member(member(obj, "metadata"), "labels"))]
        return _NO_PARAMS if not found and wanted.required else found

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
    return Attributes(
        user, question.verb, question.group, question.resource, question.subresource, question.name,
        question.namespace, version="*",
    )  # fmt: skip


async def _here(decide: Callable[..., validating.Opinion], *facts: object) -> validating.Opinion:
    return decide(*facts)


def _misconfigured(policy: Policy, binding: Binding | None, why: str) -> list[_Refused]:
    if policy.ignores_failures:
        return []
    what = "policy" if binding is None else "binding"
    return [_Refused(policy, binding, Denial(0, f"failed to configure {what}: {why}"))]


def _acted(policy: Policy, binding: Binding, denial: Denial, request: Request) -> list[_Refused]:
    """What becomes of a denial."""
    refused: list[_Refused] = []
    for action in binding.actions:
        if action == "Deny":
            refused.append(_Refused(policy, binding, denial))
        elif action == "Audit":
            request.audit[_FAILURE] = _failure(policy, binding, denial)
        elif action == "Warn":
            request.warn(
                f"Validation failed for {NAME} '{policy.name}' with binding '{binding.name}': {denial.message}"
            )
    return refused


def _failure(policy: Policy, binding: Binding, denial: Denial) -> str:
    told = {
        "message": denial.message,
        "policy": policy.name,
        "binding": binding.name,
        "expressionIndex": denial.index,
        "validationActions": binding.actions,
    }
    return msgspec.json.encode([told]).decode()


def _add(values: list[str], value: str) -> None:
    short = value.encode()[:_LONGEST_ANNOTATION].decode(errors="ignore")
    if short not in values:
        values.append(short)


def _status(asked: AdmissionRequest, refused: list[_Refused]) -> Status:
    """The refusal, in the words of the first denial."""
    first = refused[0]
    name = asked.told_name
    reason, cause = first.denial.reason, StatusCause(message=first.message)
    return Status(
        _CODES.get(reason, 422),
        reason,
        f"{asked.resource} {quote(name)} is forbidden: {first.message}",
        StatusDetails(name, asked.resource.group, asked.resource.resource, causes=(cause,)),
    )
