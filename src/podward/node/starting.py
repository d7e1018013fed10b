"""Starting a Pod's sandbox and its containers, as was decided; what keeps one from starting is remembered and told.

Specification (kubelet, `createPodSandbox` and `startContainer` of pkg/kubelet/kuberuntime, in our words): the image is
had; the message is made, which may be refused (CreateContainerConfigError); the container is created
(CreateContainerError) and started (RunContainerError), and its hook after the start is run: where that fails the
container is ended (PostStartHookError). Each step is an event. The number of an attempt is one more than that of the
last run, or of the last log where no run is known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct, structs

from podward.api.cri import ContainerConfig
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    CreateContainerRequest,
    RunPodSandboxRequest,
    StartContainerRequest,
    StopContainerRequest,
)
from podward.api.pod_facts import PodFacts
from podward.api.pod_seen import RUNNING, Failure, PodSeen
from podward.api.status import Status
from podward.decision import Origin, Source
from podward.errors import RuntimeFailedError
from podward.node import pod_images, pod_verbs, requests
from podward.node.ending import addresses_of, field_of
from podward.node.parts import Parts
from podward.node.pod_state import PodState
from podward.node.pod_verbs import FilesAnswer, FilesRequest
from podward.node.requests import GatheredFacts, Refusal, SandboxAsked
from podward.node.seen import Look
from podward.pipeline import ContainerMounts
from podward.policy.kubelet import hooks, pod_events
from podward.policy.kubelet.container_files import ContainerFiles
from podward.policy.kubelet.container_kinds import Kind, by_name, of_pod
from podward.policy.kubelet.pod_actions import Start
from podward.policy.kubelet.pod_events import PodEvent
from podward.runtime.service import verbs
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

_VOLUMES = Source(Origin.RULE, "the node's volumes")
_RUNTIME_CLASSES = BY_PLURAL["node.k8s.io", "v1", "runtimeclasses"]


class Sandboxed(Struct, frozen=True):
    """A Pod's sandbox that is ready: its id, the message that it was asked for with, and the Pod's addresses.

    `images` are the ids of the images that the Pod's volumes are made of, by their names.
    """

    id: str
    asked: SandboxAsked
    facts: GatheredFacts
    addresses: tuple[str, ...]
    images: Mapping[str, str] = {}


async def facts_of(parts: Parts, state: PodState, addresses: tuple[str, ...]) -> GatheredFacts:
    """All that decides about the Pod. Raises RuntimeFailedError where an object can't be had now."""
    subject = state.subject
    found = await parts.volumes.objects(subject.document)
    if isinstance(found, str):
        raise RuntimeFailedError(found)
    if not subject.is_static:
        await parts.network.services_known()
    found = structs.replace(found, service_variables=parts.network.service_variables(subject.pod))
    about = PodFacts(subject.pod, subject.place, found, parts.node, ",".join(addresses))
    logs = parts.context.options.logs
    return GatheredFacts(about, logs, parts.dns_of(subject.pod).config, state.mapping, addresses)


async def sandbox_of(parts: Parts, state: PodState, look: Look) -> Sandboxed:
    """The Pod's newest sandbox, with the message that it was made by. Raises RuntimeFailedError where there is none."""
    if not look.sandboxes:
        raise RuntimeFailedError(f"Pod {state.subject.uid} has no sandbox any more")
    newest, addresses = look.sandboxes[0], addresses_of(look)
    of_pod = (parts.context.identity.address,) if state.subject.pod.spec.host_network else addresses
    facts = await facts_of(parts, state, of_pod)
    asked = requests.sandbox(facts, newest.metadata.attempt)
    if isinstance(asked, Refusal):
        raise RuntimeFailedError(asked.message)
    return Sandboxed(newest.id, asked, facts, of_pod)


async def make_sandbox(parts: Parts, state: PodState, attempt: int) -> None:
    """Have a new sandbox run. Raises RuntimeFailedError where there is none."""
    for reason, what in parts.dns_of(state.subject.pod).events:
        parts.tell(state.subject.document, "Warning", reason, what)
    facts = await facts_of(parts, state, ())
    asked = requests.sandbox(facts, attempt)
    if isinstance(asked, Refusal):
        message = asked.message
    else:
        handler = await _handler(parts, state)
        if not state.subject.pod.spec.host_network:
            await parts.network.ready()
        request = RunPodSandboxRequest(asked.config, handler)
        answer = await parts.context.runtime.call(verbs.RUN_POD_SANDBOX, request)
        if not isinstance(answer, CriRefusal):
            return
        message = pod_events.one_line(answer.message)
    event = pod_events.SANDBOX_FAILED.about(why=message)
    parts.event(state.subject.document, event)
    raise RuntimeFailedError(event.message)


async def _handler(parts: Parts, state: PodState) -> str:
    """The runtime handler that the Pod's RuntimeClass names. Raises RuntimeFailedError where there is no such class."""
    name = state.subject.pod.spec.runtime_class_name
    if not name:
        return ""
    found = await parts.context.client.get(_RUNTIME_CLASSES, "", name)
    if isinstance(found, Status):
        raise RuntimeFailedError(f'RuntimeClass "{name}" cannot be had: {found.message}')
    return text(found, "handler")


async def start_all(
    parts: Parts, state: PodState, sandbox: Sandboxed, starts: tuple[Start, ...], seen: PodSeen
) -> None:
    """Start containers in their order; after a plain init container that can't be started comes nothing."""
    pod_images.tell_of_secrets(parts, state)
    absent, images = await pod_images.of_volumes(parts, state, sandbox.asked.config)
    sandbox = structs.replace(sandbox, images=images)
    mounted = {name: container.volume_mounts or () for name, _, container in of_pod(state.subject.pod.spec)}
    for start in starts:
        if start.back_off is not None:
            state.back_offs[start.name] = start.back_off
        failure = next((absent[mount.name] for mount in mounted[start.name] if mount.name in absent), None)
        if failure is not None:
            _teller(parts, state, start.name)(pod_events.FAILED.about(why=failure.reason))
        failure = failure or await _start(parts, state, sandbox, start, seen)
        if failure is None:
            state.failures.pop(start.name, None)
            state.resize.runs(start.name)
            continue
        state.failures[start.name] = failure
        if start.kind is Kind.INIT:
            return


async def _start(parts: Parts, state: PodState, sandbox: Sandboxed, start: Start, seen: PodSeen) -> Failure | None:
    made = await _Starting(parts, state, sandbox, start, seen).config()
    if isinstance(made, Failure):
        return made
    runtime, tell = parts.context.runtime, _teller(parts, state, start.name)
    asked = CreateContainerRequest(sandbox.id, made, sandbox.asked.config)
    created = await runtime.call(verbs.CREATE_CONTAINER, asked)
    if isinstance(created, CriRefusal):
        tell(pod_events.FAILED.about(why=pod_events.one_line(created.message)))
        return Failure("CreateContainerError", pod_events.one_line(created.message))
    tell(pod_events.CREATED.about())
    run = created.container_id
    started = await runtime.call(verbs.START_CONTAINER, StartContainerRequest(run))
    if isinstance(started, CriRefusal):
        tell(pod_events.without_id(pod_events.FAILED.about(why=pod_events.one_line(started.message)), run, start.name))
        return Failure("RunContainerError", pod_events.one_line(started.message))
    tell(pod_events.STARTED.about())
    return await _begin(parts, state, sandbox, start, run)


async def _begin(parts: Parts, state: PodState, sandbox: Sandboxed, start: Start, run: str) -> Failure | None:
    """Run the hook of a container that has been started; what it said if that failed. Its probes begin later."""
    pod, container = state.subject.pod, by_name(state.subject.pod.spec)[start.name][1]
    failed = await parts.care.post_start(pod, container, run, sandbox.addresses)
    if not failed:
        return None
    tell = _teller(parts, state, start.name)
    tell(pod_events.POST_START_FAILED.about())
    tell(pod_events.KILLING.about(why="FailedPostStartHook"))
    grace = pod.spec.termination_grace_period_seconds or 0
    await parts.context.runtime.call(verbs.STOP_CONTAINER, StopContainerRequest(run, grace))
    return Failure(hooks.POST_START_FAILED, failed)


class _Starting:
    """The message about a container that is to be started now."""

    def __init__(self, parts: Parts, state: PodState, sandbox: Sandboxed, start: Start, seen: PodSeen) -> None:
        self._parts = parts
        self._state = state
        self._sandbox = sandbox
        self._start = start
        self._seen = seen
        self._container = by_name(state.subject.pod.spec)[start.name][1]
        self._tell = _teller(parts, state, start.name)

    async def config(self) -> ContainerConfig | Failure:
        """The message, or why there is none; told as an event."""
        subject, container = self._state.subject, self._container
        image = await self._parts.images.ensure(
            pod_images.wanted(
                self._parts,
                self._state,
                self._sandbox.asked.config,
                (container.image, container.image_pull_policy),
                self._tell,
            )
        )
        if isinstance(image, Failure):
            self._tell(pod_events.FAILED.about(why=image.reason))
            return image
        target = self._target()
        if isinstance(target, Refusal):
            return self._refused(target)
        number = self._start.attempt or _next_log(subject.logs(self._parts.context.options), container.name)
        files = await self._files(number)
        if isinstance(files, CriRefusal):
            return self._refused(Refusal(files.message))
        mounted = await self._parts.volumes.mounts(subject.uid, container.name, ",".join(self._sandbox.addresses))
        if mounted.refusal:
            return self._refused(Refusal(mounted.refusal))
        facts = structs.replace(
            self._sandbox.facts,
            found_image=requests.image_of(image, container.image or ""),
            found_mounts=ContainerMounts(
                tuple((pod_images.by_id(mount, self._sandbox.images), _VOLUMES) for mount in mounted.mounts)
            ),
            files=ContainerFiles(files.hosts, files.termination_log),
        )
        wanted = requests.Start(container.name, image.id, number, target, subject.deletion_grace)
        made = requests.container(facts, self._sandbox.asked, wanted)
        return self._refused(made) if isinstance(made, Refusal) else made

    def _refused(self, why: Refusal) -> Failure:
        self._tell(pod_events.FAILED.about(why=pod_events.one_line(why.message)))
        return Failure("CreateContainerConfigError", pod_events.one_line(why.message))

    def _target(self) -> str | Refusal:
        """The id of the container whose processes an ephemeral one shares."""
        name = self._container.target_container_name
        if not name:
            return ""
        run = self._seen.newest(name)
        if run is None or run.status.state != RUNNING:
            return Refusal(f'unable to find target container "{name}"')
        return run.status.id

    async def _files(self, number: int) -> FilesAnswer | CriRefusal:
        subject, options = self._state.subject, self._parts.context.options
        asked = FilesRequest(
            subject.directory(options),
            msgspec.Raw(msgspec.json.encode(subject.document)),
            self._container.name,
            number,
            subject.logs(options),
            self._sandbox.addresses,
            self._state.mapping,
        )
        return await self._parts.context.engine.call(pod_verbs.MAKE_FILES, asked)


def _teller(parts: Parts, state: PodState, container: str) -> Callable[[PodEvent], None]:
    field = field_of(state, container)
    return lambda event: parts.event(state.subject.document, event, field)


def _next_log(directory: str, container: str) -> int:
    """The number of the next log of a container of which no run is known."""
    try:
        names = os.listdir(f"{directory}/{container}")
    except FileNotFoundError:
        return 0
    numbers = [int(number) for number, dot, _ in (name.partition(".log") for name in names) if dot and number.isdigit()]
    return max(numbers) + 1 if numbers else 0
