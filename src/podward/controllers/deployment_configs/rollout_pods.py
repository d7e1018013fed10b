"""The Pods of hooks and custom strategies, on the server: what became of each, who is made, and who goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.status import Status
from podward.controllers.apps.acting import NOT_FOUND, PODS, is_taken
from podward.controllers.apps.ownership import annotations_of, is_going, labels_of, name_of, namespace_of
from podward.controllers.deployment_configs import custom, hook_manifest, hooks, rollouts
from podward.controllers.deployment_configs.hook_manifest import POD_FOR
from podward.controllers.deployment_configs.hooks import NOT_THERE, REFUSED, Seen
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from podward.api.json_value import JsonObject
    from podward.client.api import Client
    from podward.client.informer import Informer

_PASSING = frozenset((409, 429))
_BROKEN = 500
Known = dict[tuple[str, str], Seen]
_ACCOUNTS = BY_PLURAL["", "v1", "serviceaccounts"]
_BINDINGS = BY_PLURAL["rbac.authorization.k8s.io", "v1", "rolebindings"]


class RolloutPods:
    """The Pods, as one caller sees and makes them. `granting` is who gives a namespace the deployer's account."""

    def __init__(self, client: Client, pods: Informer, granting: Callable[[], Awaitable[Client]]) -> None:
        self._client = client
        self._pods = pods
        self._granting = granting

    async def seen(self, controllers: Sequence[JsonObject]) -> Known | None:
        """What has become of those that are waited for, by controller and hook; None where nobody says."""
        found: Known = {}
        for controller in controllers:
            if rollouts.is_over(controller):
                continue
            for name, surely in _names(controller):
                pod = await self._find(controller, name, surely=surely)
                if isinstance(pod, Status):
                    return None
                found[name_of(controller), name] = _seen(pod)
        return found

    async def create(self, pod: JsonObject) -> Seen | None:
        """Make a Pod; a failure where it is refused, and None where that may pass."""
        if member(pod, "spec").get("serviceAccountName") == custom.ACCOUNT and not await self._grant(namespace_of(pod)):
            return None
        answer = await self._client.create(PODS, namespace_of(pod), pod)
        if not isinstance(answer, Status) or is_taken(answer):
            return NOT_THERE
        if answer.code >= _BROKEN or answer.code in _PASSING:
            return None
        return Seen(REFUSED, answer.message)

    async def _grant(self, namespace: str) -> bool:
        """Have the account there with its rights; what was taken away from it stays so."""
        client = await self._granting()
        account: JsonObject = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": custom.ACCOUNT}}
        for resource, obj in ((_ACCOUNTS, account), (_BINDINGS, custom.deployers(namespace))):
            answer = await client.create(resource, namespace, obj)
            if isinstance(answer, Status) and not is_taken(answer):
                return False
        return True

    async def clean_up(self, controllers: Sequence[JsonObject]) -> None:
        """Delete the Pods of rollouts that were cancelled."""
        cancelled = {name_of(each) for each in controllers if rollouts.is_over(each) and rollouts.is_cancelled(each)}
        if not cancelled:
            return
        for pod in tuple(self._pods.items(namespace_of(controllers[0]))):
            if labels_of(pod).get(POD_FOR) in cancelled and not is_going(pod):
                await self._client.delete(PODS, namespace_of(pod), name_of(pod))

    async def _find(self, controller: JsonObject, name: str, *, surely: bool) -> JsonObject | Status | None:
        """The hook's Pod; with `surely` the server is asked whether there is none."""
        namespace = namespace_of(controller)
        is_hook = name != custom.DEPLOY
        pod = hook_manifest.name_of_pod(controller, name) if is_hook else f"{name_of(controller)}-{name}"
        found = self._pods.get(namespace, pod)
        if found is not None or not surely:
            return found
        answer = await self._client.get(PODS, namespace, pod)
        return None if isinstance(answer, Status) and answer.code == NOT_FOUND else answer


def _names(controller: JsonObject) -> list[tuple[str, bool]]:
    """The Pods that a rollout may wait for, and whether it has made each."""
    if custom.is_custom(controller):
        return [(custom.DEPLOY, rollouts.phase_of(controller) != rollouts.NEW)]
    begun = hooks.awaited(controller)
    return [(begun, True)] if begun else [(name, False) for name in sorted(hooks.due(controller))]


def _seen(pod: JsonObject | None) -> Seen:
    if pod is None:
        return NOT_THERE
    status = member(pod, "status")
    rollout = text(annotations_of(pod), rollouts.NAME)
    return Seen(text(status, "phase") or "Pending", text(status, "message"), rollout)
