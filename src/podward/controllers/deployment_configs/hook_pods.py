"""The Pods of hooks on the server: what has become of each, and who is made and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.status import Status
from podward.controllers.apps.acting import NOT_FOUND, PODS, is_taken
from podward.controllers.apps.ownership import is_going, labels_of, name_of, namespace_of
from podward.controllers.deployment_configs import hook_manifest, hooks, rollouts
from podward.controllers.deployment_configs.hook_manifest import POD_FOR
from podward.controllers.deployment_configs.hooks import FAILED, NOT_THERE, Seen
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import JsonObject
    from podward.client.api import Client
    from podward.client.informer import Informer

_PASSING = frozenset((409, 429))
_BROKEN = 500
Hooks = dict[tuple[str, str], Seen]


class HookPods:
    """The Pods of hooks, as one caller sees and makes them."""

    def __init__(self, client: Client, pods: Informer) -> None:
        self._client = client
        self._pods = pods

    async def seen(self, controllers: Sequence[JsonObject]) -> Hooks | None:
        """What has become of the hooks that are waited for, by controller and name; None where nobody says."""
        found: Hooks = {}
        for controller in controllers:
            if rollouts.is_over(controller):
                continue
            name = hooks.awaited(controller)
            for each in (name,) if name else sorted(hooks.due(controller)):
                pod = await self._find(controller, each, surely=bool(name))
                if isinstance(pod, Status):
                    return None
                found[name_of(controller), each] = _seen(pod)
        return found

    async def create(self, pod: JsonObject) -> Seen | None:
        """Make the Pod of a hook; a failure where it is refused, and None where that may pass."""
        answer = await self._client.create(PODS, namespace_of(pod), pod)
        if not isinstance(answer, Status) or is_taken(answer):
            return NOT_THERE
        if answer.code >= _BROKEN or answer.code in _PASSING:
            return None
        controller = str(labels_of(pod)[POD_FOR])
        return Seen(FAILED, f"couldn't create lifecycle pod for {controller}: {answer.message}")

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
        namespace, pod = namespace_of(controller), hook_manifest.name_of_pod(controller, name)
        found = self._pods.get(namespace, pod)
        if found is not None or not surely:
            return found
        answer = await self._client.get(PODS, namespace, pod)
        return None if isinstance(answer, Status) and answer.code == NOT_FOUND else answer


def _seen(pod: JsonObject | None) -> Seen:
    if pod is None:
        return NOT_THERE
    status = member(pod, "status")
    return Seen(text(status, "phase") or "Pending", text(status, "message"))
