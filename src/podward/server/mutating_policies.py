"""MutatingAdmissionPolicy: policies change an object one after the other, each what the one before has made.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy generic/policy_dispatcher.go and
mutating/dispatcher.go. What a mutation makes is read and defaulted as its kind before the next one sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct, structs

from podward.api import status
from podward.api.admission import AdmissionRequest
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.server.cache import Caches
from podward.server.policy_facts import PolicyFacts, StoredPolicies
from podward.server.webhooks.admission import Rounds
from podward.stages.admission.policies.constraints import is_exempt
from podward.stages.admission.policies.mutating import Refused, Wrong, is_meant, mutated, refusal
from podward.stages.admission.policies.policy import Binding, Mutation, Policy
from podward.stages.admission.policies.validating import Facts
from podward.stages.admission.webhooks.matching import Served

Found = TypeVar("Found")
NAME = "MutatingAdmissionPolicy"
_DELAY = (
    "not found. There can be a delay between when CustomResourceDefinitions are created and when they are available."
)


class Invocation(Struct, frozen=True):
    """A policy that is asked by one of its bindings with one of its parameters, in a version of the resource."""

    policy: Policy
    binding: Binding
    served: Served
    params: JsonObject | None

    @property
    def key(self) -> str:
        """What tells it from all others."""
        of = member(self.params, "metadata") if self.params is not None else {}
        return f"{self.policy.name}/{self.binding.name}/{of.get('namespace', '')}/{of.get('name', '')}"


class MutatingPolicies:
    """The plugin."""

    def __init__(self, caches: Caches, facts: PolicyFacts) -> None:
        self._stored = StoredPolicies(caches, NAME)
        self._facts = facts

    async def mutate(self, asked: AdmissionRequest, rounds: Rounds) -> JsonObject | Status | None:
        """The object as the policies leave it, or a refusal; None where there is no object."""
        if asked.object is None or is_exempt(asked):
            return asked.object
        bound = await self._stored.bound()
        if not bound:
            return asked.object
        if rounds.again and rounds.output != asked.object:
            rounds.changed()
        course = _Course(self._facts, asked, rounds)
        for policy, bindings in bound:
            await course.add(policy, bindings)
        found = await course.run()
        if not isinstance(found, Status):
            rounds.output = found
        return found


class _Course:
    """One request on its way through the policies."""

    def __init__(self, facts: PolicyFacts, asked: AdmissionRequest, rounds: Rounds) -> None:
        self._facts = facts
        self._versions = facts.versions
        self._own = asked
        self._asked = asked
        self._others = facts.versions.equivalents(asked)
        self._rounds = rounds
        self._invocations: list[Invocation] = []
        self._refused: list[Refused] = []

    async def add(self, policy: Policy, bindings: tuple[Binding, ...]) -> None:
        """Ask a policy by those of its bindings that are about the request."""
        facts, asked = self._facts, self._own
        served = policy.constraints.version_asked(asked, self._others, facts.namespace)
        if served is None:
            return
        wrong = served.message if isinstance(served, Status) else facts.unknown_kind(policy)
        if isinstance(served, Status) or wrong:
            self._refused.append(Refused(policy, None, Wrong(f"failed to configure policy: {wrong}", "")))
            return
        for binding in bindings:
            await self._bind(policy, binding, served)

    async def _bind(self, policy: Policy, binding: Binding, served: Served) -> None:
        facts, asked = self._facts, self._own
        if binding.constraints is not None:
            matched = binding.constraints.version_asked(asked, self._others, facts.namespace)
            if matched is None:
                return
            if isinstance(matched, Status):
                self._misconfigured(policy, binding, matched.message)
                return
        found = await facts.params(policy, binding, asked.namespace)
        if isinstance(found, str):
            self._misconfigured(policy, binding, found)
            return
        self._invocations += [Invocation(policy, binding, served, params) for params in found]

    def _misconfigured(self, policy: Policy, binding: Binding, why: str) -> None:
        self._refused.append(Refused(policy, binding, Wrong(f"failed to configure binding: {why}", "")))

    async def run(self) -> JsonObject | Status | None:
        """The object as those that were added leave it, or why it is refused."""
        for invocation in self._invocations:
            ended = await self._invoke(invocation)
            if ended is not None:
                return ended
        refused = refusal(self._own, self._refused)
        if refused is not None:
            return refused
        obj = self._asked.object
        return obj if obj is None else await self._versions.converted(self._asked, obj, self._own.api_version)

    async def _invoke(self, of: Invocation) -> Status | None:
        rounds = self._rounds
        versioned = await self._versions.asked_in(self._asked, of.served)
        if isinstance(versioned, Status):
            return versioned
        self._asked = versioned
        meant = await self._by(of, is_meant, of.policy, self._seen(of), of.params)
        if isinstance(meant, Wrong):
            self._refused.append(Refused(of.policy, of.binding, meant))
        if meant is not True or (rounds.again and of.key not in rounds.due):
            return None
        for mutation in of.policy.mutations:
            ended = await self._mutate(of, mutation)
            if ended is not None:
                return ended
        if self._asked.object != versioned.object:
            rounds.changed()
            rounds.wanted = True
        if of.policy.reinvoked:
            rounds.invoked.add(of.key)
        return None

    async def _mutate(self, of: Invocation, mutation: Mutation) -> Status | None:
        served = of.served
        kind = self._versions.type_of(served)
        if kind is None:
            return status.service_unavailable(f"Resource kind {served.api_version}, Kind={served.kind} {_DELAY}")
        made = await self._by(of, mutated, mutation, self._seen(of), of.params, kind)
        if isinstance(made, Wrong):
            self._refused.append(Refused(of.policy, of.binding, made))
            return None
        obj = self._versions.decoded_again(made, served, "Strict" if mutation.is_patch else "Ignore")
        if isinstance(obj, Status):
            return obj
        self._asked = structs.replace(self._asked, object=self._versions.with_defaults(obj, served))
        return None

    def _seen(self, of: Invocation) -> Facts:
        namespace = self._facts.namespace_of(self._own)
        return Facts(self._asked, of.served, namespace, self._facts.ask_for(self._own.user))

    async def _by(self, of: Invocation, decide: Callable[..., Found], *facts: object) -> Found:
        """What is decided: in another thread where the authorizer is asked, whose answer comes from this very loop."""
        return await asyncio.to_thread(decide, *facts) if of.policy.asks else decide(*facts)
