"""MutatingAdmissionWebhook and ValidatingAdmissionWebhook: who is asked about a request, and what comes of it.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/webhook mutating and validating. The mutating ones are
asked one after the other, each about what the one before has made; the validating ones at the same time. One that
cannot be asked refuses the request, unless its configuration says to ignore that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct, structs

from podward.api import status
from podward.api.admission import AdmissionRequest
from podward.api.caller import User
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.schema.cel.authorizing import Ask
from podward.schema.malformed import Malformed
from podward.schema.patches.json_patch import json_patched
from podward.schema.resources import BY_KIND
from podward.server.cache import Caches
from podward.server.catalog import prefix_of
from podward.server.encoding import decoded
from podward.server.request import Request
from podward.server.webhooks.calling import Broken, annotate, ask
from podward.server.webhooks.client import Webhooks
from podward.server.webhooks.versions import Versions
from podward.stages.admission.webhooks.conditions import hold
from podward.stages.admission.webhooks.hooks import Hook, hooks_of
from podward.stages.admission.webhooks.matching import FindNamespace, Invocation, Served, is_exempt, version_asked
from podward.stages.admission.webhooks.reviews import Verdict

_GROUP = "admissionregistration.k8s.io/v1"
_MUTATION, _PATCH = "mutation.webhook.admission.k8s.io/", "patch.webhook.admission.k8s.io/"
_VALIDATION = "validating.webhook.admission.k8s.io/"
_OPEN = "failed-open."


class Configurations:
    """The webhooks of the stored configurations of one kind."""

    def __init__(self, caches: Caches, kind: str) -> None:
        resource: Resource = BY_KIND[_GROUP, kind]
        self._cache = caches.of(prefix_of(resource))
        self._hooks: tuple[Hook, ...] | None = None
        self._cache.listeners.append(lambda _event: self._forget())

    def _forget(self) -> None:
        self._hooks = None

    async def hooks(self) -> tuple[Hook, ...]:
        """All of them, in the order in which they are asked."""
        await self._cache.fresh()
        if self._hooks is None:
            self._hooks = hooks_of(decoded(item.stored) for item in self._cache.items(self._cache.prefix))
        return self._hooks


class Rounds(Struct):
    """What is remembered of a request while its mutating plugins are asked, at most twice."""

    again: bool = False
    """Whether this is the second time."""
    wanted: bool = False
    """Whether something was changed, so that there is a second time."""
    invoked: set[str] = msgspec.field(default_factory=set)
    """The webhooks that want to see what was changed after them."""
    due: set[str] = msgspec.field(default_factory=set)
    """Those of them that are asked again."""
    output: JsonObject | None = None
    """The object as the webhooks left it."""

    def changed(self) -> None:
        """Something was changed: who was asked before is asked again."""
        self.due |= self.invoked
        self.invoked = set()


class Asking(Struct, frozen=True):
    """What both plugins need to ask webhooks; `ask_for` answers what their conditions ask of the authorizer."""

    webhooks: Webhooks
    versions: Versions
    namespace: FindNamespace
    ask_for: Callable[[User], Ask]

    async def invocation(
        self, hook: Hook, asked: AdmissionRequest, others: Sequence[Served]
    ) -> Invocation | Status | None:
        """The webhook's invocation; None where it is not asked; or why the request is refused without it."""
        served = version_asked(hook, asked, others, self.namespace)
        if served is None or isinstance(served, Status):
            return served
        versioned = await self.versions.asked_in(asked, served)
        if isinstance(versioned, Status):
            return versioned
        found = Invocation(hook, versioned, served)
        if not hook.conditions:
            return found
        if hook.asks:  # its answer comes from this very loop
            held = await asyncio.to_thread(hold, found, self.ask_for(asked.user))
        else:
            held = hold(found, None)
        return held if isinstance(held, Status) else found if held else None


class WebhookAdmission:
    """Both plugins."""

    def __init__(self, caches: Caches, asking: Asking) -> None:
        self._mutating = Configurations(caches, "MutatingWebhookConfiguration")
        self._validating = Configurations(caches, "ValidatingWebhookConfiguration")
        self._asking = asking

    async def mutate(self, asked: AdmissionRequest, request: Request, rounds: Rounds) -> JsonObject | Status | None:
        """The object as the mutating webhooks leave it, or the first refusal; None where there is no object."""
        hooks = await self._mutating.hooks()
        if not hooks or is_exempt(asked):
            return asked.object
        if rounds.again and rounds.output != asked.object:
            rounds.changed()
        found = await _Mutation(self._asking, asked, request, rounds).run(hooks)
        if not isinstance(found, Status):
            rounds.output = found
        return found

    async def validate(self, asked: AdmissionRequest, request: Request) -> Status | None:
        """The first refusal of the validating webhooks."""
        hooks = await self._validating.hooks()
        if not hooks or is_exempt(asked):
            return None
        relevant = await self._relevant(asked, hooks)
        if isinstance(relevant, Status):
            return relevant
        results: list[Status | None] = [None] * len(relevant)

        async def one(index: int) -> None:
            results[index] = await self._validated(index, relevant[index], request)

        async with asyncio.TaskGroup() as group:
            for index in range(len(relevant)):
                group.create_task(one(index))
        return next((found for found in results if found is not None), None)

    async def _relevant(self, asked: AdmissionRequest, hooks: Sequence[Hook]) -> list[Invocation] | Status:
        others = self._asking.versions.equivalents(asked)
        found: list[Invocation] = []
        for hook in hooks:
            invocation = await self._asking.invocation(hook, asked, others)
            if isinstance(invocation, Status):
                return invocation
            if invocation is not None:
                found.append(invocation)
        return found

    async def _validated(self, index: int, of: Invocation, request: Request) -> Status | None:
        found, hook = await ask(self._asking.webhooks, of, request, mutating=False), of.hook
        if isinstance(found, Verdict):
            return found.refused
        if isinstance(found, Broken) and hook.ignores_failures:
            annotate(request, f"{_OPEN}{_VALIDATION}round_0_index_{index}", hook.name)
            return None
        return status.internal_error(found.why) if isinstance(found, Broken) else found


class _Mutation:
    """One request on its way through the mutating webhooks."""

    def __init__(self, asking: Asking, asked: AdmissionRequest, request: Request, rounds: Rounds) -> None:
        self._asking = asking
        self._versions = asking.versions
        self._own = asked.api_version
        self._asked = asked
        self._request = request
        self._rounds = rounds

    async def run(self, hooks: Sequence[Hook]) -> JsonObject | Status | None:
        others, rounds = self._versions.equivalents(self._asked), self._rounds
        for index, hook in enumerate(hooks):
            invocation = await self._asking.invocation(hook, self._asked, others)
            if isinstance(invocation, Status):
                return invocation
            if invocation is None or (rounds.again and hook.uid not in rounds.due):
                continue
            self._asked = invocation.asked
            refused = await self._ask(index, invocation)
            if refused is not None:
                return refused
        obj = self._asked.object
        return obj if obj is None else await self._versions.converted(self._asked, obj, self._own)

    async def _ask(self, index: int, of: Invocation) -> Status | None:
        rounds, request, hook, served = self._rounds, self._request, of.hook, of.served
        place = f"round_{int(rounds.again)}_index_{index}"
        found = await ask(self._asking.webhooks, of, request, mutating=True)
        changed = await self._patch(hook, found, served, place) if isinstance(found, Verdict) else False
        annotate(request, _MUTATION + place, _note(hook, mutated=changed is True))
        if changed is True:
            rounds.changed()
            rounds.wanted = True
        if hook.reinvoked:
            rounds.invoked.add(hook.uid)
        if isinstance(changed, Status):
            return changed
        if isinstance(found, Broken) and hook.ignores_failures:
            annotate(request, f"{_OPEN}{_MUTATION}{place}", hook.name)
            return None
        if isinstance(found, Broken):
            return status.internal_error(found.why)
        return found.refused if isinstance(found, Verdict) else found

    async def _patch(self, hook: Hook, verdict: Verdict, served: Served, place: str) -> bool | Status:
        """Apply a patch: whether it changed anything, or why it cannot be applied."""
        if verdict.refused is not None or not verdict.patch:
            return False
        before = self._asked.object
        if before is None:
            why = "attempted to modify the object, which is not supported for this operation"
            return status.internal_error(f"admission webhook {quote(hook.name)} {why}")
        made = json_patched(before, [*verdict.patch])
        if isinstance(made, Malformed):
            return status.internal_error(made.message)
        obj = self._versions.decoded_again(made, served)
        if isinstance(obj, Status):
            return obj
        self._request.audit_of_bodies[_PATCH + place] = _note(hook, patch=[*verdict.patch], patchType="JSONPatch")
        self._asked = structs.replace(self._asked, object=self._versions.with_defaults(obj, served))
        return obj != before


def _note(hook: Hook, **more: object) -> str:
    return msgspec.json.encode({"configuration": hook.configuration, "webhook": hook.name, **more}).decode()
