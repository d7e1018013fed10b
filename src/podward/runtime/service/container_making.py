"""CreateContainer: a container with its root, its mounts and its monitor, whose process waits to be started.

Specification (CRI; containerd 2.2 `CreateContainer`, in our words). The sandbox must be ready, the image here, the name
free among the sandbox's containers. The log's path is relative to the sandbox's log directory and stays in it. What the
OCI runtime refuses (a program that is not there, a mount point that can't be made) is told when the container is
started, as containerd tells it: only then does a kubelet count it as a start that has failed.

The record is there before anything is made, and the sandbox is looked at again after it: who stops a sandbox writes so
first and looks for containers then, so one of the two sees the other.
"""

from __future__ import annotations

import os
from posixpath import normpath

import msgspec
from msgspec import Struct, structs

from podward.api.cri import ContainerConfig
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import CreateContainerRequest, CreateContainerResponse
from podward.api.cri_status import LinuxContainerUser
from podward.api.image import Image
from podward.api.node import Node
from podward.api.nri import Event
from podward.api.oci import RuntimeSpec
from podward.decision import Decision
from podward.errors import RefusedError, RuntimeFailedError
from podward.policy.kernel import exec_arguments
from podward.policy.runtime import cdi, container_requests
from podward.policy.runtime.namespaces import NamespacePaths, options, with_namespaces_of
from podward.policy.runtime.nri_adjusting import adjusted
from podward.policy.runtime.request_refusal import refusal_of
from podward.runtime import cgroup_controllers, devices, machine, mount_namespace, profiles, syscalls
from podward.runtime.container_root import IMAGE_VOLUMES, ContainerRoot, unsafe_place
from podward.runtime.images.store import StoredImage
from podward.runtime.oci import write_private
from podward.runtime.service import (
    cdi_files,
    conmon,
    container_place,
    names,
    pins,
    sandbox_parts,
    sandboxes,
)
from podward.runtime.service.container_ending import destroy, end_oci
from podward.runtime.service.container_mounts import Sources, rewritten
from podward.runtime.service.container_truth import observe
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.plugins import Question, container_view, pod_view
from podward.runtime.service.records import ContainerRecord, SandboxRecord, now
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller
from podward.stages import oci


class _Made(Struct, frozen=True):
    """What is known of a container before anything of it is made."""

    sandbox: SandboxRecord
    record: ContainerRecord
    stored: StoredImage
    image: Image
    decided: Decision
    spec: RuntimeSpec


def create(
    service: RuntimeService, request: CreateContainerRequest, _caller: Caller
) -> CreateContainerResponse | CriRefusal:
    """Make a container in a sandbox; where that fails nothing of it is left."""
    sandbox = sandboxes.find(service, request.pod_sandbox_id)
    if isinstance(sandbox, CriRefusal):
        return sandbox
    config = with_namespaces_of(sandbox.config, request.config or ContainerConfig())
    if refused := refusal_of(container_requests.check(config, sandbox.config)):
        return refused
    if not sandboxes.is_ready(sandbox):
        return _not_ready(sandbox)
    stored = service.images.resolve(config.image.image)
    with service.images.hold(stored), Sources(service.images, config.mounts, sandbox.mapping) as sources:
        made = _decide(service, sandbox, config, stored, sources)
        return made if isinstance(made, CriRefusal) else _make(service, made, sources)


def _not_ready(sandbox: SandboxRecord) -> CriRefusal:
    return CriRefusal(CriCode.FAILED_PRECONDITION, f"sandbox {sandbox.id} is not running")


# --- what it will be --------------------------------------------------------------------------------------------------


def _decide(
    service: RuntimeService, sandbox: SandboxRecord, config: ContainerConfig, stored: StoredImage, sources: Sources
) -> _Made | CriRefusal:
    log = _log_path(sandbox, config)
    if isinstance(log, CriRefusal):
        return log
    identifier, image = service.records.new_id(), service.images.load(stored)
    facts = _facts(service, sandbox, config, identifier, sources)
    if isinstance(facts, CriRefusal):
        return facts
    node, host = facts
    decided = oci.decide(oci.OciFacts(config, sandbox.config, image, node, host, Decision()))
    if (asked := cdi.names(config)) and not decided.refused:
        decided = cdi_files.inject(decided, asked)
    spec = _folded(decided)
    if isinstance(spec, CriRefusal):
        return spec
    user = spec.process.user
    record = ContainerRecord(
        id=identifier,
        sandbox=sandbox.id,
        phase=ContainerPhase.MAKING,
        config=config,
        image_id=stored.id,
        image_ref=stored.id,
        image_name=_name_of(service, stored),
        created_at=now(),
        user=LinuxContainerUser(user.uid, user.gid, tuple(sorted({user.gid, *user.additional_gids}))),
        stop_signal=image.config.stop_signal,
        mounts=sources.asked,
        bundle=container_place.bundle_of(service, sandbox, identifier),
        cgroup=host.cgroups_path,
        log_path=log,
    )
    return _Made(sandbox, record, stored, image, decided, spec)


def _facts(
    service: RuntimeService, sandbox: SandboxRecord, config: ContainerConfig, identifier: str, sources: Sources
) -> tuple[Node, oci.HostFacts] | CriRefusal:
    choice, namespaces = service.choice(sandbox.runtime_handler), _namespaces(service, sandbox, config)
    if isinstance(choice, CriRefusal):
        return choice
    if isinstance(namespaces, CriRefusal):
        return namespaces
    node, context = service.node(choice), config.linux.security_context
    bundle = container_place.bundle_of(service, sandbox, identifier)
    return node, oci.HostFacts(
        rootfs=f"{bundle}/rootfs",
        cgroups_path=sandbox_parts.container_cgroup(sandbox, identifier),
        namespaces=namespaces,
        files=sandbox_parts.files(sandbox),
        localhost_seccomp=profiles.localhost(context.seccomp, "/"),  # a kubelet has looked where the file is
        host_devices=devices.host_devices() if context.privileged else (),
        arch=machine.architecture(),
        cgroup_v2=service.cgroup_v2,
        node_hostname=os.uname().nodename,
        oom_score_adj=machine.oom_score_adj(),
        image_volumes=f"{bundle}/{IMAGE_VOLUMES}",
        mount_sources=sources.facts,
        devices=tuple(devices.nodes(asked.host_path, asked.container_path) for asked in config.devices),
        controllers=cgroup_controllers.controllers(),
        sandbox_id=sandbox.id,
    )


def _folded(decided: Decision) -> RuntimeSpec | CriRefusal:
    """The spec that was decided, or why there is none."""
    if refused := refusal_of(decided):
        return refused
    spec = decided.fold(RuntimeSpec)
    return refusal_of(exec_arguments.decide(spec.process, machine.stack_limit())) or spec


def _namespaces(
    service: RuntimeService, sandbox: SandboxRecord, config: ContainerConfig
) -> NamespacePaths | CriRefusal:
    """The sandbox's, with the process namespace of the container's target if it has one."""
    pinned = sandbox_parts.namespace_paths(sandbox)
    wanted = options(config.linux.security_context)
    if wanted.pid != "TARGET":
        return pinned
    target = service.records.find(ContainerRecord, wanted.target_id)
    if target is None or target.sandbox != sandbox.id:
        what = f"target container {wanted.target_id!r} is not in sandbox {sandbox.id}"
        return CriRefusal(CriCode.INVALID_ARGUMENT, f"invalid target container: {what}")
    seen = observe(service, target)
    if seen.phase is not ContainerPhase.RUNNING:
        what = f"container {target.id} is not running: it is {seen.phase.value}"
        return CriRefusal(CriCode.FAILED_PRECONDITION, f"invalid target container: {what}")
    return structs.replace(pinned, pid=f"/proc/{target.process.pid}/ns/pid")


def _log_path(sandbox: SandboxRecord, config: ContainerConfig) -> str | CriRefusal:
    whole = container_requests.log_path(config, sandbox.config)
    if ":" in whole:
        return CriRefusal(CriCode.INVALID_ARGUMENT, f"log path {whole!r} has a colon, at which conmon would end it")
    return whole


def _name_of(service: RuntimeService, stored: StoredImage) -> str:
    """The first tag of the image, which clients show."""
    return next((e.name for e in service.images.entries() if e.id == stored.id and e.name and "@" not in e.name), "")


# --- making it --------------------------------------------------------------------------------------------------------


def _make(service: RuntimeService, made: _Made, sources: Sources) -> CreateContainerResponse | CriRefusal:
    records, record, sandbox = service.records, made.record, made.sandbox
    name = names.of_container(record.config.metadata, sandbox.config.metadata)
    with records.add(record):
        try:
            holder = names.reserve(records, record, name)
            if holder:
                destroy(service, record)
                return CriRefusal(CriCode.ALREADY_EXISTS, f"container name {name!r} is reserved for {holder}")
            current = records.read(SandboxRecord, sandbox.id)
            if current is None or not sandboxes.is_ready(current):
                destroy(service, record)
                return _not_ready(current or sandbox)
            wanted = _adjusted(service, made, current)
            if isinstance(wanted, CriRefusal):
                destroy(service, record)
                return wanted
            made, record = wanted, wanted.record
            with pins.inside(sandbox.pin):
                record = _begin(service, made, _prepare(service, made, sources))
            record = record.became(ContainerPhase.CREATED)
            records.write(record)
        except BaseException:
            service.plugins.undo(record)
            destroy(service, record)
            raise
    service.plugins.tell_of_container(Event.POST_CREATE_CONTAINER, record)
    return CreateContainerResponse(record.id)


def _adjusted(service: RuntimeService, made: _Made, sandbox: SandboxRecord) -> _Made | CriRefusal:
    """The container as plugins want it. Its cgroup stays below its sandbox's: all that runs there is ended with it."""
    if not service.plugins:
        return made
    shown = container_view(made.record, made.spec)
    answer = service.plugins.ask(Question(Event.CREATE_CONTAINER, pod_view(sandbox), shown))
    if answer.refusal is not None or not answer.adjustments:
        return answer.refusal or made
    spec = _folded(adjusted(made.decided, answer.adjustments))
    if not isinstance(spec, CriRefusal) and not normpath(spec.linux.cgroups_path).startswith(f"{sandbox.cgroup}/"):
        what = f"cgroup {spec.linux.cgroups_path!r}, which an NRI plugin asks for, is not below {sandbox.cgroup}"
        spec = CriRefusal(CriCode.INVALID_ARGUMENT, what)
    if isinstance(spec, CriRefusal):
        service.plugins.undo(made.record)
        return spec
    record = structs.replace(made.record, cgroup=spec.linux.cgroups_path)
    return structs.replace(made, spec=spec, record=record)


def _prepare(service: RuntimeService, made: _Made, sources: Sources) -> RuntimeSpec:
    """In the pin's mount namespace: the root and everything that is mounted into it. The spec with its sources."""
    sandbox, record = made.sandbox, made.record
    container_place.expose(service, sandbox, record.id)
    root = ContainerRoot(
        record.bundle,
        made.stored.rootfs,
        made.image,
        record.config,
        made.spec.process.user,
        service.options.runtime_defaults,
        sandbox.mapping,
        sandbox.namespaces.get("user", ""),
        record.bundle,
    )
    root.make()
    places = sources.attach(f"{record.bundle}/{container_place.MOUNTS}", root.userns)
    if places and sandbox.mapping is not None:
        mount_namespace.open_way(record.bundle, next(iter(places.values())))
    spec = structs.replace(made.spec, mounts=rewritten(made.spec.mounts, places))
    if unsafe := unsafe_place(record.bundle, spec.mounts):
        raise RefusedError(unsafe, advice="have a regular file or directory there")
    return spec


def _begin(service: RuntimeService, made: _Made, spec: RuntimeSpec) -> ContainerRecord:
    """Have the OCI runtime create the container; the record with its processes, or with what the runtime said."""
    record, config = made.record, made.record.config
    write_private(f"{record.bundle}/config.json", msgspec.json.encode(spec))
    if record.log_path:
        _make_log(made.sandbox.config.log_directory, config.log_path)
    wanted = conmon.Wanted(
        record.id,
        record.bundle,
        made.sandbox.engine,
        service.oci(made.sandbox.engine).state,
        service.records.exits,
        record.log_path,
        config.tty,
        config.stdin,
        config.stdin_once,
    )
    try:
        created = conmon.create(wanted)
    except RuntimeFailedError as error:
        end_oci(service, made.sandbox, record)
        return structs.replace(record, message=str(error))
    return structs.replace(record, process=created.process, monitor=created.monitor)


def _make_log(directory: str, name: str) -> None:
    """Make the log's file, so that the monitor opens one of ours: it follows links, and the directory is a client's."""
    opened = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    resolve = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS
    try:
        os.close(syscalls.openat2(opened, name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, resolve, 0o600))
    except OSError as error:
        raise RefusedError(f"failed to create container log {name!r}: {error.strerror}", where=directory) from error
    finally:
        os.close(opened)
