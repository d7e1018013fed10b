"""What the node does about containers that run: probes, hooks at the beginning and the end, and whom it sees there."""

from __future__ import annotations

from collections.abc import Callable

from podward.api.core import Container, Pod
from podward.api.json_value import JsonObject
from podward.node.handlers import Handlers
from podward.node.hooks import Hooks
from podward.node.identities import Identities
from podward.node.probes import Probed, Probes, Tell, Verdicts
from podward.node.runtime import Runtime


class ContainerCare:
    """Probes and hooks of the node's containers, and their identities."""

    def __init__(
        self, runtime: Runtime, tell: Tell, changed: Callable[[str], None], identities: Identities | None = None
    ) -> None:
        """`changed` is told the uid of a Pod about which the probes have something new to say."""
        self._identities = identities
        self._handlers = Handlers(runtime)
        self._probes = Probes(self._handlers, tell, changed)
        self._hooks = Hooks(self._handlers)

    async def close(self) -> None:
        """Do nothing more."""
        if self._identities is not None:
            await self._identities.close()
        await self._probes.close()
        self._handlers.close()

    def verdicts(self, uid: str, container: str, run: str) -> Verdicts:
        """What the probes say of this run."""
        return self._probes.verdicts(uid, container, run)

    def begin(self, document: JsonObject, container: Container, run: str, addresses: tuple[str, ...]) -> None:
        """The container runs, begun by us or by a node before us: have it probed, and watch who it is."""
        if self._identities is not None:
            self._identities.begin(document, container.name, run)
        self._probes.begin(Probed(document, container, run, addresses[0] if addresses else ""))

    def terminate(self, uid: str, container: str = "") -> None:
        """A container is being ended, or the whole Pod: only whether it is ready is asked any more."""
        self._probes.terminate(uid, container)

    def end(self, uid: str, container: str = "") -> None:
        """Probe a container no more; without a name, no container of the Pod."""
        self._probes.end(uid, container)
        if self._identities is not None:
            self._identities.end(uid, container)

    async def post_start(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """The hook after the start; what went wrong, or ""."""
        return await self._hooks.post_start(pod, container, run, addresses)

    async def pre_stop(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """The hook before the end; what went wrong, or ""."""
        return await self._hooks.pre_stop(pod, container, run, addresses)
