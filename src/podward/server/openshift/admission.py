"""OpenShift's admission plugins in the server: the facts that they need, from its caches and its authorizers.

What is decided, and in which order, is `podward.stages.admission`: `order.STEPS` for Pods, `openshift` for SCCs. SCCs
that cannot be read admit no Pod.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import structs

from podward.api import status
from podward.api.admission import PODS, AdmissionRequest, Operation
from podward.policy.pss.inline_volumes import PROFILE
from podward.policy.pss.labels import OPENSHIFTS, Configuration
from podward.policy.scc.policies import LatestPolicies, Policies
from podward.schema.openshift.constraints import GROUP, PLURAL
from podward.schema.scc.reading import scc_view
from podward.server.cache import Caches, Item
from podward.server.encoding import decoded
from podward.server.openshift.answers import Answers, Authorize
from podward.server.plugins import StoredCluster, StoredObjects, refusal_of
from podward.stages.admission import openshift, order
from podward.stages.admission.cluster import AdmissionFacts
from podward.stages.admission.steps import Phase, Step, writes_pod

if TYPE_CHECKING:
    from podward.api.authorization import Authorizer
    from podward.api.json_value import JsonObject
    from podward.api.scc import SecurityContextConstraints
    from podward.api.status import Status
    from podward.server.openshift.namespace_ranges import NamespaceRanges

_PREFIX = f"/registry/{GROUP}/{PLURAL}/"
_CHOOSING = tuple(step for step in order.STEPS if step.name == order.SCC and step.phase is Phase.MUTATING)
_STEP_NAMES = {openshift.ADMISSION: order.SCC, openshift.INLINE_VOLUMES: order.INLINE_VOLUMES}


class Constraints:
    """The SCCs that are stored, ready to be applied; each is read once."""

    def __init__(self, caches: Caches) -> None:
        self._cache = caches.of(_PREFIX)
        self._views: dict[str, tuple[Item, SecurityContextConstraints]] = {}
        self._latest = LatestPolicies()

    async def fresh(self) -> None:
        """Wait until these are those that are stored."""
        await self._cache.fresh()

    def policies(self) -> Policies:
        """All of them together."""
        views: dict[str, tuple[Item, SecurityContextConstraints]] = {}
        for item in self._cache.items(_PREFIX):
            known = self._views.get(item.stored.key)
            if known is None or known[0] is not item:
                known = item, scc_view(decoded(item.stored))
            views[item.stored.key] = known
        self._views = views
        return self._latest.of([view for _, view in views.values()])


class OpenShiftCluster(StoredCluster):
    """A server as the steps of `order` see it in one request."""

    def __init__(
        self, objects: StoredObjects, standards: Configuration, constraints: Constraints, authorizer: Authorizer
    ) -> None:
        super().__init__(objects, standards)
        self._constraints = constraints
        self._authorizer = authorizer

    @property
    def authorizer(self) -> Authorizer:
        """The server's authorizers."""
        return self._authorizer

    def policies(self) -> Policies:
        """The SCCs."""
        return self._constraints.policies()

    def csi_profiles(self, namespace: str) -> Mapping[str, str]:
        """What the labels of CSIDrivers say about inline volumes."""
        del namespace
        found = {}
        for driver in self._objects.all("csidrivers"):
            metadata = driver.get("metadata")
            labels = metadata.get("labels") if isinstance(metadata, dict) else None
            profile = labels.get(PROFILE) if isinstance(labels, dict) else None
            if isinstance(profile, str) and isinstance(metadata, dict):
                found[str(metadata.get("name"))] = profile
        return found


class OpenShiftPlugins:
    """OpenShift's own plugins of a server."""

    def __init__(
        self, caches: Caches, authorize: Authorize, disabled: frozenset[str], standards: Configuration = OPENSHIFTS
    ) -> None:
        """`standards` is Pod Security's configuration."""
        self._standards = standards
        self.constraints = Constraints(caches)
        self._authorize = authorize
        self._disabled = disabled
        self.disabled_steps = frozenset(step for name, step in _STEP_NAMES.items() if name in disabled)
        self.ranges: NamespaceRanges | None = None
        """Who gives ranges to a namespace that has none yet; None until the server has started."""

    async def mutate(self, asked: AdmissionRequest, objects: StoredObjects) -> JsonObject | Status | None:
        """The object as these plugins leave it; None where they have no say in it."""
        if openshift.concerns_constraints(asked):
            return None if openshift.DEFAULTING in self._disabled else openshift.completed(asked.object or {})
        if not writes_pod(asked) or openshift.ADMISSION in self._disabled:
            return None
        await self._give_ranges(asked.namespace, objects)
        admitted = await self.decided(asked, objects, _CHOOSING)
        return refusal_of(asked, admitted) if admitted.refused else admitted.stored

    async def decided(self, asked: AdmissionRequest, objects: StoredObjects, steps: tuple[Step, ...]) -> order.Admitted:
        """What these steps decide."""
        if asked.resource == PODS:
            await self.constraints.fresh()
            await objects.fresh("csidrivers")
        answers = Answers(self._authorize)
        cluster = OpenShiftCluster(objects, self._standards, self.constraints, answers)
        facts = AdmissionFacts(asked, cluster, asked.kind, says_namespace=True)
        return await answers.decided(lambda: order.decide(facts, steps))

    async def connection(self, asked: AdmissionRequest, objects: StoredObjects) -> Status | None:
        """Why nobody may run a program in a Pod, or attach to it, that he could not create."""
        if openshift.EXEC in self._disabled or not openshift.reaches_into_pod(asked):
            return None
        await objects.fresh("namespaces", "pods")
        pod = objects.get("pods", asked.namespace, asked.name)
        if pod is None:
            return status.not_found(PODS, asked.name)
        created = structs.replace(asked, operation=Operation.CREATE, object=pod, old_object=None, subresource="")
        admitted = await self.decided(created, objects, _CHOOSING)
        return openshift.exceeds(asked, refusal_of(created, admitted).message) if admitted.refused else None

    def refused(self, asked: AdmissionRequest) -> Status | None:
        """What is wrong with an SCC."""
        if openshift.VALIDATION in self._disabled or not openshift.concerns_constraints(asked):
            return None
        return openshift.refused(asked)

    async def _give_ranges(self, name: str, objects: StoredObjects) -> None:
        """A Pod that comes right after its namespace does not have to wait for its ranges."""
        namespace = objects.get("namespaces", "", name)
        if self.ranges is not None and namespace is not None and self.ranges.lacks(namespace):
            await self.ranges.give(name)
            await objects.fresh("namespaces")
