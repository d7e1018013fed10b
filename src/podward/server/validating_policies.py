"""ValidatingAdmissionPolicy: which policies are asked about a request, and what comes of it.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy generic/policy_dispatcher.go and
validating/dispatcher.go. What a binding says becomes of a denial: a refusal, a warning, an annotation of the audit log.
A policy is in effect as soon as its creation is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from podward.api.admission import AdmissionRequest
from podward.api.gotext import quote
from podward.api.status import Status, StatusCause, StatusDetails
from podward.server.cache import Caches
from podward.server.policy_facts import PolicyFacts, StoredPolicies
from podward.server.request import Request
from podward.stages.admission.policies import validating
from podward.stages.admission.policies.constraints import is_exempt
from podward.stages.admission.policies.policy import Binding, Policy
from podward.stages.admission.policies.validating import Denial, Facts
from podward.stages.admission.webhooks.matching import Served

NAME = "ValidatingAdmissionPolicy"
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
_LONGEST_ANNOTATION = 10 * 1024
_FAILURE = "validation.policy.admission.k8s.io/validation_failure"


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


async def _here(decide: Callable[..., validating.Opinion], *facts: object) -> validating.Opinion:
    return decide(*facts)


class ValidatingPolicies:
    """The plugin."""

    def __init__(self, caches: Caches, facts: PolicyFacts) -> None:
        self._stored = StoredPolicies(caches, NAME)
        self._facts = facts

    async def validate(self, asked: AdmissionRequest, request: Request) -> Status | None:
        """The first refusal of the policies."""
        if is_exempt(asked):
            return None
        bound = await self._stored.bound()
        if not bound:
            return None
        asking = _Asking(asked, self._facts.versions.equivalents(asked), request)
        refused: list[_Refused] = []
        for policy, bindings in bound:
            served = policy.constraints.version_asked(asked, asking.others, self._facts.namespace)
            if isinstance(served, Status):
                refused += _misconfigured(policy, None, served.message)
            elif served is not None and (unknown := self._facts.unknown_kind(policy)):
                refused += _misconfigured(policy, None, unknown)
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
            matched = binding.constraints.version_asked(asked, asking.others, self._facts.namespace)
            if isinstance(matched, Status):
                return _misconfigured(policy, binding, matched.message)
            if matched is None:
                return []
        params = await self._facts.params(policy, binding, asked.namespace)
        if isinstance(params, str):
            return _misconfigured(policy, binding, params)
        versioned = await self._facts.versions.asked_in(asked, served)
        if isinstance(versioned, Status):
            return _misconfigured(policy, binding, f"failed to convert object version: {versioned.message}")
        facts = Facts(versioned, served, self._facts.namespace_of(asked), self._facts.ask_for(asked.user))
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
