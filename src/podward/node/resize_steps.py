"""The steps by which a Pod gets other resources: admitted beside the others, its cgroup, its containers."""

from __future__ import annotations

from msgspec import structs

from podward.api.cri import LinuxContainerResources
from podward.api.cri_refusal import CriRefusal
from podward.api.pod_seen import PodSeen, ResizeTold
from podward.errors import RuntimeFailedError
from podward.node import ending, pod_verbs, resize
from podward.node.parts import Parts
from podward.node.pod_state import PodState
from podward.node.pod_verbs import CgroupRequest
from podward.node.resize import DEFERRED, ERROR, IN_PROGRESS, PENDING
from podward.node.seen import Look
from podward.node.subject import Subject
from podward.policy.kubelet import pod_actions, pod_cgroups, pod_events, resizing
from podward.policy.kubelet.pod_actions import Kill
from podward.policy.kubelet.resizing import Change
from podward.runtime.service import verbs


def allocate(parts: Parts, state: PodState) -> None:
    """Give the Pod what it asks for, if it asks for something else than it has and the node has room for that."""
    known = state.resize
    if not resizing.is_pending(known.wanted, known.allocation):
        known.pending = None
        return
    refused = parts.admit(Subject.of(known.wanted))
    if refused is None:
        known.give()
        state.subject = Subject.of(known.given)
        _tell(parts, state, pod_events.RESIZE_STARTED, resizing.summary(known.wanted))
        return
    before = known.pending
    known.pending = ResizeTold(PENDING, known.generation, DEFERRED, refused.message)
    if before is None or before.generation != known.generation:
        what = resizing.summary(known.wanted, refused.message)
        parts.event(state.subject.document, pod_events.RESIZE_DEFERRED.about(why=refused.reason, what=what))


async def actuate(parts: Parts, state: PodState, look: Look, now: PodSeen) -> bool:
    """Have the Pod's containers run with what they were given; whether one was ended for that.

    Raises RuntimeFailedError where something is refused: it is told, and tried again.
    """
    known, subject = state.resize, state.subject
    if known.progress is None:
        return False
    found = resizing.changes(subject.pod, known.actuated, now)
    again = tuple(change for change in found if change.again)
    try:
        await _change(parts, state, tuple(change for change in found if not change.again))
    except RuntimeFailedError as error:
        _fail(parts, state, error.what)
        raise
    if again:
        grace = pod_actions.grace_of(subject.pod, now)
        kills = tuple(
            Kill(change.name, change.run, f"Container {change.name} resize requires restart", grace) for change in again
        )
        await ending.kill(parts, state, kills, look)
    for change in found:
        known.runs(change.name)
    known.progress = None
    _tell(parts, state, pod_events.RESIZE_COMPLETED, resizing.summary(subject.document))
    return bool(again)


async def _change(parts: Parts, state: PodState, changes: tuple[Change, ...]) -> None:
    """The Pod's cgroup first becomes as large as both before and after need it, and in the end what it shall be."""
    wanted = pod_cgroups.decide(state.subject.pod.spec)
    before = pod_cgroups.decide(Subject.of(resizing.given(state.subject.document, state.resize.actuated)).pod.spec)
    await _limit(parts, state, _larger(before, wanted), wanted.memory_limit_in_bytes)
    for change in changes:
        request = resize.update_request(state.resize, parts.node, change.name, change.run)
        if request is None:
            continue
        answer = await parts.context.runtime.call(verbs.UPDATE_CONTAINER_RESOURCES, request)
        if isinstance(answer, CriRefusal):
            raise RuntimeFailedError(answer.message)
    await _limit(parts, state, wanted, wanted.memory_limit_in_bytes)


async def _limit(parts: Parts, state: PodState, limits: LinuxContainerResources, must_fit: int) -> None:
    request = CgroupRequest(state.subject.cgroup, limits, must_fit)
    answer = await parts.context.engine.call(pod_verbs.LIMIT_CGROUP, request)
    if isinstance(answer, CriRefusal):
        raise RuntimeFailedError(answer.message)
    state.cgroup = limits


def _larger(one: LinuxContainerResources, other: LinuxContainerResources) -> LinuxContainerResources:
    """The limits that keep neither from what it may take; 0 is no limit."""

    def most(first: int, second: int) -> int:
        return max(first, second) if first and second else 0

    return structs.replace(
        other,
        cpu_shares=max(one.cpu_shares, other.cpu_shares),
        cpu_quota=most(one.cpu_quota, other.cpu_quota),
        memory_limit_in_bytes=most(one.memory_limit_in_bytes, other.memory_limit_in_bytes),
    )


def _fail(parts: Parts, state: PodState, message: str) -> None:
    told = ResizeTold(IN_PROGRESS, state.resize.generation, ERROR, message)
    if told != state.resize.progress:
        state.resize.progress = told
        _tell(parts, state, pod_events.RESIZE_FAILED, resizing.summary(state.subject.document, message))


def _tell(parts: Parts, state: PodState, row: pod_events.Row, what: str) -> None:
    parts.event(state.subject.document, row.about(what=what))
