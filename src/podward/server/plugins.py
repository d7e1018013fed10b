"""The admission plugins of a server: what they look up is gathered here, what they decide they decide elsewhere.

The order stands in `podward.stages.admission`: `served.MUTATING` and the validating rows of `order.STEPS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from podward.api import status
from podward.api.admission import NAMESPACES, AdmissionRequest, Operation
from podward.api.authorization import Opinion
from podward.api.core import Namespace, Pod
from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status, StatusDetails
from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.policy.pss.labels import PREFIX, Configuration, LabelledPolicy, policy_of
from podward.schema.resources import RESOURCES
from podward.schema.view import pod_view, typed_view
from podward.server import provided_namespaces
from podward.server.cache import Cache, Caches
from podward.server.catalog import Catalog, key_of, prefix_of
from podward.server.encoding import decoded
from podward.server.event_limits import NAME as EVENT_LIMITS
from podward.server.event_limits import EventLimits
from podward.server.mutating_policies import NAME as MUTATING_POLICIES
from podward.server.mutating_policies import MutatingPolicies
from podward.server.policy_facts import Authorize, PolicyFacts, nobody_knows
from podward.server.quotas import Quotas
from podward.server.request import Request
from podward.server.scope import Parts
from podward.server.validating_policies import NAME as VALIDATING_POLICIES
from podward.server.validating_policies import ValidatingPolicies
from podward.server.webhooks import versions
from podward.server.webhooks.admission import Asking, Rounds, WebhookAdmission
from podward.server.webhooks.client import Webhooks
from podward.server.webhooks.conversion import Converter
from podward.server.webhooks.services import Services
from podward.server.world import letters
from podward.stages.admission import node_restriction, node_tokens, order, pod_accounts
from podward.stages.admission.cluster import NOBODY, AdmissionFacts
from podward.stages.admission.configuration import NOT_CONFIGURED, Configured
from podward.stages.admission.served import mutated, validated
from podward.stages.admission.served_facts import Served
from podward.stages.admission.steps import Phase, Step

if TYPE_CHECKING:
    from podward.api.authorization import Authorizer
    from podward.policy.scc.policies import Policies

_LOOKED_UP = (
    "namespaces",
    "serviceaccounts",
    "priorityclasses",
    "storageclasses",
    "pods",
    "limitranges",
    "runtimeclasses",
    "csidrivers",
    *(plural for plural in node_restriction.LOOKED_UP if plural != "pods"),
    "ingressclasses",
    "configmaps",
)
_OF_PODS = ("serviceaccounts", "priorityclasses", "storageclasses", "limitranges", "runtimeclasses")
_NEEDED = {"ingresses": "ingressclasses", "priorityclasses": "priorityclasses"}
"""What plugins look up for objects of other kinds."""
_SUFFIX, _SYSTEM = 5, "kube-system"
_ATTEMPTS, _PAUSE = 20, 0.05
_ENDS = "deletionTimestamp"
_VALIDATING = tuple(step for step in order.STEPS if step.phase is Phase.VALIDATING)


class StoredObjects:
    """What is stored, for plugins to look up, from the caches of a server."""

    def __init__(self, caches: Caches) -> None:
        self._resources: dict[str, Resource] = {}
        self._caches: dict[str, Cache] = {}
        for resource in RESOURCES:
            if resource.plural in _LOOKED_UP and resource.plural not in self._caches:
                self._resources[resource.plural] = resource
                self._caches[resource.plural] = caches.of(prefix_of(resource))

    async def fresh(self, *plurals: str) -> None:
        """Wait until what these kinds' caches hold is what is stored."""
        for plural in plurals:
            await self._caches[plural].fresh()

    def get(self, plural: str, namespace: str, name: str) -> JsonObject | None:
        """The object of this name."""
        item = self._caches[plural].get(key_of(self._resources[plural], namespace, name))
        return None if item is None else decoded(item.stored)

    async def appeared(self, plural: str, namespace: str, name: str) -> None:
        """Wait a while for what a controller makes in every namespace that is there and does not end."""
        for _ in range(_ATTEMPTS):
            of = self.get("namespaces", "", namespace)
            if self.get(plural, namespace, name) is not None or of is None or member(of, "metadata").get(_ENDS):
                return
            await asyncio.sleep(_PAUSE)
            await self.fresh(plural, "namespaces")

    def all(self, plural: str, namespace: str = "") -> Iterable[JsonObject]:
        """The objects of this kind."""
        return [
            decoded(item.stored) for item in self._caches[plural].items(prefix_of(self._resources[plural], namespace))
        ]


class StoredCluster:
    """A server as the steps of `order` see it: a `podward.stages.admission.cluster.Cluster`."""

    def __init__(self, objects: StoredObjects, configuration: Configuration) -> None:
        self._objects = objects
        self._configuration = configuration

    @property
    def authorizer(self) -> Authorizer:
        """Nobody asks."""
        return NOBODY

    @property
    def configuration(self) -> Configuration:
        """Pod Security's configuration."""
        return self._configuration

    def namespace(self, name: str) -> Namespace | None:
        """The namespace."""
        found = self._objects.get("namespaces", "", name)
        return None if found is None else typed_view(found, Namespace, "Namespace")

    def pod_security(self, namespace: str) -> LabelledPolicy:
        """What the namespace's labels ask of Pods."""
        known = self.namespace(namespace)
        return policy_of(known.metadata.labels if known is not None else None, self._configuration.defaults)

    def pods(self, namespace: str) -> Iterable[Pod]:
        """The Pods that are in a namespace."""
        return [pod_view(found) for found in self._objects.all("pods", namespace)]

    def policies(self) -> Policies | None:
        """There are no SCCs but in OpenShift."""
        return None

    def has_service_account(self, namespace: str, name: str) -> bool:
        """Whether the service account exists."""
        return self._objects.get("serviceaccounts", namespace, name) is not None

    def csi_profiles(self, namespace: str) -> Mapping[str, str] | None:
        """Nobody asks."""
        del namespace
        return None


MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS = "MutatingAdmissionWebhook", "ValidatingAdmissionWebhook"


class MorePlugins(Protocol):
    """Plugins that some servers have besides, and that need more than is gathered here."""

    disabled_steps: frozenset[str]
    """Steps of `order` that are left out."""

    async def mutate(self, asked: AdmissionRequest, objects: StoredObjects) -> JsonObject | Status | None:
        """The object as they leave it, or a refusal; None where they have no say in it."""

    def refused(self, asked: AdmissionRequest) -> Status | None:
        """Why an object that no step of `order` is about is refused."""

    async def connection(self, asked: AdmissionRequest, objects: StoredObjects) -> Status | None:
        """Why a stream to an object is refused; they have no say in requests that open none."""

    async def decided(self, asked: AdmissionRequest, objects: StoredObjects, steps: tuple[Step, ...]) -> order.Admitted:
        """What these steps decide of the request."""


def _with(asked: AdmissionRequest, obj: JsonObject | None) -> AdmissionRequest:
    return asked if obj is asked.object else structs.replace(asked, object=obj)


class Plugins:
    """The plugins of a server."""

    def __init__(
        self,
        caches: Caches,
        catalog: Catalog,
        configured: Configured = NOT_CONFIGURED,
        openshift: MorePlugins | None = None,
        authorize: Authorize = nobody_knows,
    ) -> None:
        """`authorize` answers what plugins ask about callers; without it the answer is no."""
        self._publishes = configured.publishes
        self._authorize = authorize
        self._objects = StoredObjects(caches)
        self._settings = configured.plugins
        self._cluster = StoredCluster(self._objects, configured.pod_security)
        self._openshift = openshift
        self.disabled = disabled = configured.disabled
        self.webhooks = Webhooks(Services(caches))
        self.converter = Converter(self.webhooks)
        known = versions.Versions(catalog, self.converter)
        facts = PolicyFacts(caches, catalog, known, self._namespace, authorize)
        self._mutating_policies = MutatingPolicies(caches, facts)
        self._validating_policies = ValidatingPolicies(caches, facts)
        asking = Asking(self.webhooks, known, self._namespace, facts.ask_for)
        self._webhooks = WebhookAdmission(caches, asking)
        self._quotas = Quotas()
        self._event_limits = EventLimits(configured.plugins.event_limits if EVENT_LIMITS not in disabled else ())
        left_out = disabled if openshift is None else disabled | openshift.disabled_steps
        self._validating = tuple(step for step in _VALIDATING if step.name not in left_out)

    async def provide(self, asked: AdmissionRequest, parts: Parts) -> None:
        """Make the request's namespace, where the server is told to do that."""
        if provided_namespaces.NAME not in self.disabled:
            await provided_namespaces.provide(parts, asked)

    async def mutate(self, asked: AdmissionRequest, request: Request) -> JsonObject | Status | None:
        """The object as the mutating plugins leave it, or the first refusal.

        Where a policy or a webhook has changed the object, all are asked once more, but of these only who wants it.
        """
        await self._objects.fresh("namespaces")
        if asked.resource.resource in {"pods", "persistentvolumeclaims"}:
            await self._objects.fresh(*_OF_PODS)
            if pod_accounts.NAME not in self.disabled and pod_accounts.needs_default(asked):
                await self._objects.appeared("serviceaccounts", asked.namespace, pod_accounts.DEFAULT)
            if asked.subresource == "binding" or member(asked.object or {}, "spec").get("nodeName"):
                await self._objects.fresh("nodes")
        elif asked.resource.resource in _NEEDED:
            await self._objects.fresh(_NEEDED[asked.resource.resource])
        granted = False
        if node_restriction.NAME not in self.disabled and node_restriction.handles(asked):
            await self._objects.fresh(*node_restriction.LOOKED_UP)
            granted = await self._may_have_token(asked)
        rounds = (Rounds(), Rounds())
        found = await self._mutate(asked, request, rounds, granted=granted)
        if isinstance(found, Status) or not any(each.wanted for each in rounds):
            return found
        for each in rounds:
            each.again = True
        return await self._mutate(structs.replace(asked, object=found), request, rounds, granted=granted)

    async def _has_service_authority(self, asked: AdmissionRequest) -> bool:
        """Whether a Pod gets OpenShift's authority, too: with OpenShift, and where no authority is published at all."""
        if self._openshift is not None:
            return True
        if self._publishes or asked.resource.resource != "pods" or asked.operation is not Operation.CREATE:
            return False
        await self._objects.fresh("configmaps")
        places = (asked.namespace, _SYSTEM)
        return all(self._objects.get("configmaps", place, pod_accounts.ROOT) is None for place in places)

    async def _may_have_token(self, asked: AdmissionRequest) -> bool:
        """Whether a node may have tokens for the audience that it asks for."""
        if asked.object is None or not node_restriction.asks_for_token(asked):
            return False
        answer = await self._authorize(node_tokens.question(asked, asked.object))
        return answer.opinion is Opinion.ALLOW

    async def _mutate(
        self, asked: AdmissionRequest, request: Request, rounds: tuple[Rounds, Rounds], *, granted: bool
    ) -> JsonObject | Status | None:
        """`rounds` are those of the policies, and those of the webhooks."""
        with_authority = await self._has_service_authority(asked)
        served = Served(asked, self._objects, letters(_SUFFIX), granted, self._settings, with_authority)
        found = mutated(served, self.disabled)
        if MUTATING_POLICIES not in self.disabled and not isinstance(found, Status):
            found = await self._mutating_policies.mutate(_with(asked, found), rounds[0])
        if self._openshift is not None and isinstance(found, dict):
            more = await self._openshift.mutate(structs.replace(asked, object=found), self._objects)
            found = found if more is None else more
        if isinstance(found, Status) or MUTATING_WEBHOOKS in self.disabled:
            return found
        return await self._webhooks.mutate(_with(asked, found), request, rounds[1])

    async def validate(self, asked: AdmissionRequest, request: Request) -> Status | None:
        """The first refusal of the validating plugins."""
        if asked.object is not None and asked.operation is not Operation.CONNECT:
            refused = await self._validate(asked, request)
            if refused is not None:
                return refused
        elif self._openshift is not None:
            refused = await self._openshift.connection(asked, self._objects)
            if refused is not None:
                return refused
        if VALIDATING_POLICIES not in self.disabled:
            refused = await self._validating_policies.validate(asked, request)
            if refused is not None:
                return refused
        return None if VALIDATING_WEBHOOKS in self.disabled else await self._webhooks.validate(asked, request)

    async def _validate(self, asked: AdmissionRequest, request: Request) -> Status | None:
        refused = validated(Served(asked, self._objects, "", settings=self._settings), self.disabled)
        if refused is None:
            refused = self._event_limits.refused(asked)
        if refused is None and self._openshift is not None:
            refused = self._openshift.refused(asked)
        if refused is not None:
            return refused
        if not any(step.handles(asked) for step in self._validating):
            return None
        await self._objects.fresh("namespaces", "pods")
        if self._openshift is None:
            admitted = order.decide(AdmissionFacts(asked, self._cluster, asked.kind), self._validating)
        else:
            admitted = await self._openshift.decided(asked, self._objects, self._validating)
        for warning in admitted.warnings:
            request.warn(warning)
        for name, text in admitted.verdict.audit if admitted.verdict is not None else ():
            request.audit[f"{PREFIX}{name}"] = text
        return refusal_of(asked, admitted) if admitted.refused else None

    def _namespace(self, name: str) -> JsonObject | None:
        return self._objects.get("namespaces", "", name)

    async def charge(self, asked: AdmissionRequest, parts: Parts) -> Status | None:
        """Why the request does not fit into a quota; if it does, the quota is charged."""
        if "ResourceQuota" in self.disabled:
            return None
        return await self._quotas.refused(parts, asked, self._settings.quota_limits)


def refusal_of(asked: AdmissionRequest, admitted: order.Admitted) -> Status:
    """A refusal: a sentence that is whole, or what is wrong with a namespace's labels."""
    refused = admitted.decision.violations[0]
    resource = asked.resource
    if asked.resource == NAMESPACES and asked.object is not None:
        labels = member(member(asked.object, "metadata"), "labels")
        errors = policy_of({key: str(value) for key, value in labels.items()}, Configuration().defaults).errors
        if errors:
            return status.invalid(asked.kind, resource.group, asked.name, Decision(violations=errors))
    return Status(403, "Forbidden", refused.reason, StatusDetails(asked.name, resource.group, resource.resource))
