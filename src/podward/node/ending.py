"""Ending containers: the hook before the end, the stop signal and the time, then by force; and a Pod's sandboxes.

Specification (kubelet, `killContainer` and `killPodWithSyncResult` of pkg/kubelet/kuberuntime, in our words): the hook
runs within the time to end, and what is left of that, at least 2 seconds, is given to the container. A hook that takes
longer goes on meanwhile, and fails with its container. Containers are ended side by side, but for those that wait for
others; then the sandboxes are stopped.
"""

from __future__ import annotations

import asyncio
import time

from podward.api.core import Container
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    RemoveContainerRequest,
    RemovePodSandboxRequest,
    StopContainerRequest,
    StopPodSandboxRequest,
)
from podward.errors import RuntimeFailedError
from podward.node.parts import Parts
from podward.node.pod_state import PodState
from podward.node.seen import Look
from podward.policy.kubelet import pod_events
from podward.policy.kubelet.container_kinds import by_name
from podward.policy.kubelet.pod_actions import SHORTEST_GRACE, Kill, Removal
from podward.runtime.service import verbs

_HOOK_ENDS = 0.5
"""Seconds in which a hook that was too slow ends, once its container has."""


def field_of(state: PodState, container: str) -> str:
    """The path of a container, as events have it."""
    return pod_events.field_of(state.subject.document, container)


async def kill(parts: Parts, state: PodState, kills: tuple[Kill, ...], look: Look) -> None:
    """End these runs, each after those that it waits for. Raises RuntimeFailedError where one does not end."""
    if not kills:
        return
    over = {each.name: asyncio.Event() for each in kills}

    async def one(wanted: Kill) -> None:
        began = time.monotonic()
        for other in wanted.after:
            await over[other].wait()
        left = max(SHORTEST_GRACE, wanted.grace - int(time.monotonic() - began)) if wanted.grace else 0
        try:
            await _kill(parts, state, wanted, left, look)
        finally:
            over[wanted.name].set()

    for failure in await asyncio.gather(*map(one, kills), return_exceptions=True):
        if isinstance(failure, BaseException):
            raise failure


async def _kill(parts: Parts, state: PodState, wanted: Kill, grace: int, look: Look) -> None:
    found = by_name(state.subject.pod.spec).get(wanted.name)
    killing = pod_events.KILLING.about(why=wanted.message)
    parts.event(state.subject.document, killing, field_of(state, wanted.name))
    parts.care.terminate(state.subject.uid, wanted.name)
    began, hook = time.monotonic(), None
    try:
        if found is not None and grace > 0:
            hook = asyncio.create_task(_pre_stop(parts, state, found[1], wanted.id, look))
            await asyncio.wait({hook}, timeout=grace)
            grace = max(SHORTEST_GRACE, grace - int(time.monotonic() - began))
        answer = await parts.context.runtime.call(verbs.STOP_CONTAINER, StopContainerRequest(wanted.id, grace))
        if isinstance(answer, CriRefusal):
            raise RuntimeFailedError(f"container {wanted.name} does not end: {answer.message}")
        if hook is not None:
            await asyncio.wait({hook}, timeout=_HOOK_ENDS)
    finally:
        if hook is not None:
            hook.cancel()
    parts.care.end(state.subject.uid, wanted.name)


async def _pre_stop(parts: Parts, state: PodState, container: Container, run: str, look: Look) -> None:
    """Run the hook before the end, and tell of it where it fails."""
    if await parts.care.pre_stop(state.subject.pod, container, run, addresses_of(look)):
        event = pod_events.PRE_STOP_FAILED.about()
        parts.event(state.subject.document, event, field_of(state, container.name))


async def remove(parts: Parts, state: PodState, removals: tuple[Removal, ...]) -> None:
    """Take runs away, in this order; who still runs is ended at once."""
    for each in removals:
        if each.running:
            event = pod_events.KILLING.about(why=pod_events.AT_ONCE)
            parts.event(state.subject.document, event, field_of(state, each.name))
        await remove_run(parts, each.id)


async def remove_run(parts: Parts, run: str) -> None:
    """Take a run away. Raises RuntimeFailedError where it stays."""
    answer = await parts.context.runtime.call(verbs.REMOVE_CONTAINER, RemoveContainerRequest(run))
    if isinstance(answer, CriRefusal):
        raise RuntimeFailedError(f"container {run} cannot be removed: {answer.message}")


async def stop_sandboxes(parts: Parts, look: Look) -> None:
    """Stop the Pod's sandboxes. Raises RuntimeFailedError where one does not stop."""
    for sandbox in look.sandboxes:
        answer = await parts.context.runtime.call(verbs.STOP_POD_SANDBOX, StopPodSandboxRequest(sandbox.id))
        if isinstance(answer, CriRefusal):
            raise RuntimeFailedError(f"sandbox {sandbox.id} does not stop: {answer.message}")


async def remove_sandbox(parts: Parts, sandbox: str) -> None:
    """Take a sandbox away with its containers. Raises RuntimeFailedError where it stays."""
    answer = await parts.context.runtime.call(verbs.REMOVE_POD_SANDBOX, RemovePodSandboxRequest(sandbox))
    if isinstance(answer, CriRefusal):
        raise RuntimeFailedError(f"sandbox {sandbox} cannot be removed: {answer.message}")


def addresses_of(look: Look) -> tuple[str, ...]:
    """The addresses of the newest sandbox."""
    network = look.sandboxes[0].network if look.sandboxes else None
    if network is None or not network.ip:
        return ()
    return (network.ip, *(more.ip for more in network.additional_ips))
