"""The lifecycle hooks of containers.

Specification (kubelet, pkg/kubelet/lifecycle handlers.go, in our words): a hook has no timeout of its own; the one
before the end has the time that the container has to end, and whoever ends the container waits no longer. Any answer
over HTTP is good. What failed is told as a message; whether that matters, and what the event says, is its caller's
affair.

Not done: what is asked by HTTPS and answered in the clear is not asked again by HTTP.
"""

from __future__ import annotations

from podward.api.core import Container, Handler, Pod
from podward.node.handlers import Handlers
from podward.policy.kubelet import hooks
from podward.policy.kubelet.probes import Result
from podward.runtime.network_checks import LIFECYCLE, Asked


class Hooks:
    """Runs hooks."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    async def post_start(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """The hook after the start; what went wrong, or ""."""
        hook = container.lifecycle.post_start if container.lifecycle is not None else None
        return await self._run(pod, container, hook, run, addresses)

    async def pre_stop(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """The hook before the end; what went wrong, or ""."""
        hook = container.lifecycle.pre_stop if container.lifecycle is not None else None
        return await self._run(pod, container, hook, run, addresses)

    async def _run(
        self, pod: Pod, container: Container, hook: Handler | None, run: str, addresses: tuple[str, ...]
    ) -> str:
        if hook is None:
            return ""
        asked = Asked(container, addresses[0] if addresses else "", float("inf"), LIFECYCLE)
        answer = await self._handlers.do(hook, asked, run)
        if answer.result is Result.SUCCESS:
            return ""
        return hooks.failed(pod, container, hook, answer.error, answer.said)
