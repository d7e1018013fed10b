"""NetworkPolicies are stored, and not enforced: nobody is to believe that they are."""

from __future__ import annotations

from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, Informers
from podward.schema.resources import BY_PLURAL

POLICIES = BY_PLURAL["networking.k8s.io", "v1", "networkpolicies"]
REASON = "NotEnforced"
MESSAGE = "this node does not enforce NetworkPolicies: Pods that this one is about are reached as without it"


class PolicyNotices:
    """Tells of each NetworkPolicy once, in an Event, that it is not enforced."""

    def __init__(self, recorder: Recorder, informers: Informers) -> None:
        self._recorder = recorder
        self._informer = informers.of(POLICIES)
        self._informer.listeners.append(self._heard)

    async def start(self, client: Client) -> None:
        """Follow them, where the node may: a cluster's own node role does not let it."""
        if not isinstance(await client.list(POLICIES), Status):
            self._informer.start()

    def close(self) -> None:
        """Tell no more."""
        self._informer.listeners.remove(self._heard)

    def _heard(self, change: Change) -> None:
        if change.old is None and change.new is not None:
            self._recorder.event(change.new, "Warning", REASON, MESSAGE)
