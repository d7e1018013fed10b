"""One look at a Pod: its status is told, and the next steps are done; or everything of it is ended.

Specification (kubelet, `SyncPod`, `SyncTerminatingPod` and `SyncTerminatedPod` of pkg/kubelet, in our words): a status
is told before anything is done. A Pod that has ended by itself is terminated. Its volumes are there before its
containers; without network only Pods of the host's network run. What is past its active deadline, counted from its
start, fails with DeadlineExceeded.
"""

from __future__ import annotations

import time

from podward.api.cri_refusal import CriRefusal
from podward.api.json_value import JsonObject
from podward.api.pod_seen import RUNNING, PodEnding
from podward.errors import RuntimeFailedError
from podward.node import clock, ending, garbage, pod_verbs, resize_steps, seen, starting
from podward.node.parts import Parts
from podward.node.pod_state import PodState
from podward.node.pod_verbs import PlaceRequest, RemoveRequest
from podward.node.seen import Look
from podward.policy.kubelet import pod_actions, pod_cgroups, pod_events, pod_status
from podward.policy.kubelet.container_kinds import Kind, of_pod
from podward.policy.kubelet.pod_actions import PodActions
from podward.policy.kubelet.pod_phase import TERMINAL
from podward.schema.validation.raw import text

_TRY_AGAIN = 10.0
"""Seconds until a container that could not be started is tried again."""


class Ended(Exception):  # noqa: N818 - no error
    """The Pod is to be terminated: it has ended by itself, or is past its deadline."""


async def sync(parts: Parts, state: PodState) -> float | None:
    """Bring the Pod a step further; the seconds after which there is something to do again, None where there is not.

    Raises Ended, and PodwardError where a step failed.
    """
    look = await looked(parts, state.subject.uid)
    resize_steps.allocate(parts, state)
    now = state.seen(parts, look)
    status = state.tell_status(parts, now)
    if status.get("phase") in TERMINAL:
        raise Ended
    _care(parts, state, look)
    until = _deadline(state, status)
    if until is not None and until <= time.time():
        _exceed(parts, state)
        raise Ended
    await _make_place(parts, state)
    state.resize.note(state.subject.directory(parts.context.options))
    prepared = await parts.volumes.prepare(state.subject.document, state.mapping, ",".join(ending.addresses_of(look)))
    if not prepared.ready:
        return prepared.retry
    if await resize_steps.actuate(parts, state, look, now):
        return 0.0
    actions = pod_actions.decide(state.subject.pod, status, now)
    await _do(parts, state, look, actions)
    after = await looked(parts, state.subject.uid)
    _care(parts, state, after)
    state.tell_status(parts, state.seen(parts, after))
    await garbage.collect(parts, after)
    waits = [moment for moment in (actions.again, parts.images.waits_until(state.subject.uid), until) if moment]
    failed = any(start.name in state.failures for start in actions.start)
    begun = any(start.name not in state.failures for start in actions.start)
    waits += [time.time()] if actions.kill_pod or actions.remove or begun else []
    waits += [time.time() + _TRY_AGAIN] if failed else []
    return max(0.0, min(waits) - time.time()) if waits else None


async def terminate(parts: Parts, state: PodState) -> None:
    """End everything of the Pod within its time. Raises PodwardError where something goes on."""
    look = await looked(parts, state.subject.uid)
    now = state.seen(parts, look)
    if state.ending is None or not state.ending.rejected:
        state.tell_status(parts, now)
    parts.care.terminate(state.subject.uid)
    await ending.kill(parts, state, pod_actions.end(state.subject.pod, now).kill, look)
    parts.care.end(state.subject.uid)
    await ending.stop_sandboxes(parts, look)
    state.stopped = True
    state.tell_status(parts, state.seen(parts, await looked(parts, state.subject.uid)))
    parts.statuses.stopped(state.subject.uid)


async def clean(parts: Parts, state: PodState) -> None:
    """Take away what an ended Pod had here, but for its dead containers and logs, while the API has it still."""
    uid, options = state.subject.uid, parts.context.options
    left = await parts.volumes.remove(uid)
    if left:
        raise RuntimeFailedError(f"volumes of Pod {uid} are left: {'; '.join(left)}")
    request = RemoveRequest(state.subject.directory(options), state.subject.cgroup)
    answer = await parts.context.engine.call(pod_verbs.REMOVE_PLACE, request)
    if isinstance(answer, CriRefusal):
        raise RuntimeFailedError(f"the place of Pod {uid} is left: {answer.message}")
    last = parts.statuses.of(uid)
    if last is not None:
        parts.statuses.put(state.subject.document, pod_status.ended(state.subject.document, last))
    parts.images.forget(uid)
    parts.statuses.finish(uid)


async def forget(parts: Parts, state: PodState) -> None:
    """The Pod is gone from the API: its dead containers and its logs go, too."""
    uid = state.subject.uid
    for sandbox in (await looked(parts, uid)).sandboxes:
        await ending.remove_sandbox(parts, sandbox.id)
    request = RemoveRequest(state.subject.logs(parts.context.options), "")
    await parts.context.engine.call(pod_verbs.REMOVE_PLACE, request)
    parts.statuses.forget(uid)


async def looked(parts: Parts, uid: str) -> Look:
    """What the runtime has of the Pod. Raises RuntimeFailedError where it does not say."""
    found = await seen.look(parts.context.runtime, uid)
    if isinstance(found, CriRefusal):
        raise RuntimeFailedError(f"the runtime does not tell of Pod {uid}: {found.message}")
    return found


async def _do(parts: Parts, state: PodState, look: Look, actions: PodActions) -> None:
    """Do what was decided, in the order that it has."""
    subject = state.subject
    for held in actions.held:
        state.failures[held.name] = held.failure
        parts.event(subject.document, pod_events.crashed(subject.pod, held.name), ending.field_of(state, held.name))
    await ending.kill(parts, state, actions.kill, look)
    if actions.kill_pod:
        await ending.stop_sandboxes(parts, look)
    await ending.remove(parts, state, actions.remove)
    attempt = actions.attempt
    if actions.create_sandbox:
        if actions.sandbox:
            parts.event(subject.document, pod_events.SANDBOX_CHANGED.about())
        for container in subject.pod.spec.init_containers or ():
            for run in look.containers.get(container.name, ()):
                await ending.remove_run(parts, run.status.id)
        await starting.make_sandbox(parts, state, attempt)
        look = await looked(parts, subject.uid)
        state.tell_status(parts, state.seen(parts, look))
    if actions.start:
        sandbox = await starting.sandbox_of(parts, state, look)
        await starting.start_all(parts, state, sandbox, actions.start, state.seen(parts, look))


async def _make_place(parts: Parts, state: PodState) -> None:
    """Have the Pod's directory, ids and cgroup."""
    subject, spec = state.subject, state.subject.pod.spec
    if state.placed:
        return
    options, limits = parts.context.options, pod_cgroups.decide(spec)
    request = PlaceRequest(
        subject.directory(options),
        subject.cgroup,
        limits,
        spec.host_users is False and parts.node.userns_supported,
        max(options.pod_max_pids, 0),
    )
    answer = await parts.context.engine.call(pod_verbs.MAKE_PLACE, request)
    if isinstance(answer, CriRefusal):
        raise RuntimeFailedError(f"Pod {subject.uid} cannot be given a place: {answer.message}")
    state.mapping, state.cgroup, state.placed = answer.mapping, limits, True


def _care(parts: Parts, state: PodState, look: Look) -> None:
    """Have every container that runs probed, whoever has started it, and none that does not."""
    subject, addresses = state.subject, ending.addresses_of(look)
    if subject.pod.spec.host_network:
        addresses = (parts.context.identity.address,)
    for name, kind, container in of_pod(subject.pod.spec):
        run = next(iter(look.containers.get(name, ())), None)
        if run is not None and run.status.state == RUNNING and kind in {Kind.SIDECAR, Kind.REGULAR}:
            parts.care.begin(subject.document, container, run.status.id, addresses)
        else:
            parts.care.end(subject.uid, name)


def _deadline(state: PodState, status: JsonObject) -> float | None:
    """When the Pod's time is over."""
    seconds, began = state.subject.pod.spec.active_deadline_seconds, clock.seconds_of(text(status, "startTime"))
    return began + seconds if seconds is not None and began is not None else None


def _exceed(parts: Parts, state: PodState) -> None:
    event = pod_events.DEADLINE.about()
    state.ending = PodEnding(event.reason, event.message)
    parts.event(state.subject.document, event)
