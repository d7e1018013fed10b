"""CreateContainer: a container with its root, its mounts and its monitor, whose process waits to be started.

Specification (CRI; containerd 2.2 `CreateContainer`, in our words). The sandbox must be ready, the image here, the name
free among the sandbox's containers. What the OCI runtime refuses (a program that is not there, a mount point that can't
be made) is told when the container is started, as containerd tells it: only then does a kubelet count it as a start
that has failed.

The record is there before anything is made, and the sandbox is looked at again after it: who stops a sandbox writes so
first and looks for containers then, so one of the two sees the other.
"""

from __future__ import annotations

import os
from posixpath import normpath

import msgspec
from msgspec import structs

from podward.api.cri import ContainerConfig
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import CreateContainerRequest, CreateContainerResponse
from podward.api.nri import Event
from podward.api.oci import RuntimeSpec
from podward.errors import RefusedError, RuntimeFailedError
from podward.policy.runtime import container_requests
from podward.policy.runtime.namespaces import with_namespaces_of
from podward.policy.runtime.nri_adjusting import adjusted
from podward.policy.runtime.request_refusal import refusal_of
from podward.runtime import apparmor, mount_namespace, syscalls
from podward.runtime.container_root import ContainerRoot, unsafe_place
from podward.runtime.oci import write_private
from podward.runtime.service import conmon, container_place, names, pins, sandboxes
from podward.runtime.service.container_deciding import Made, decide, folded
from podward.runtime.service.container_ending import destroy, end_oci
from podward.runtime.service.container_mounts import Sources, rewritten
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.plugins import Question, container_view, pod_view
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller


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
        made = decide(service, sandbox, config, stored, sources)
        return made if isinstance(made, CriRefusal) else _make(service, made, sources)


def _not_ready(sandbox: SandboxRecord) -> CriRefusal:
    return CriRefusal(CriCode.FAILED_PRECONDITION, f"sandbox {sandbox.id} is not running")


def _make(service: RuntimeService, made: Made, sources: Sources) -> CreateContainerResponse | CriRefusal:
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
            destroy(service, made.record)  # in the making: whoever works at it is looked for
            raise
    service.plugins.tell_of_container(Event.POST_CREATE_CONTAINER, record)
    return CreateContainerResponse(record.id)


def _adjusted(service: RuntimeService, made: Made, sandbox: SandboxRecord) -> Made | CriRefusal:
    """The container as plugins want it. Its cgroup stays below its sandbox's: all that runs there is ended with it."""
    if not service.plugins:
        return made
    shown = container_view(made.record, made.spec)
    answer = service.plugins.ask(Question(Event.CREATE_CONTAINER, pod_view(sandbox), shown))
    if answer.refusal is not None or not answer.adjustments:
        return answer.refusal or made
    spec = folded(adjusted(made.decided, answer.adjustments))
    if not isinstance(spec, CriRefusal) and not normpath(spec.linux.cgroups_path).startswith(f"{sandbox.cgroup}/"):
        what = f"cgroup {spec.linux.cgroups_path!r}, which an NRI plugin asks for, is not below {sandbox.cgroup}"
        spec = CriRefusal(CriCode.INVALID_ARGUMENT, what)
    if isinstance(spec, CriRefusal):
        service.plugins.undo(made.record)
        return spec
    record = structs.replace(made.record, cgroup=spec.linux.cgroups_path)
    return structs.replace(made, spec=spec, record=record)


def _prepare(service: RuntimeService, made: Made, sources: Sources) -> RuntimeSpec:
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


def _begin(service: RuntimeService, made: Made, spec: RuntimeSpec) -> ContainerRecord:
    """Have the OCI runtime create the container; the record with its processes, or with what the runtime said."""
    record, config = made.record, made.record.config
    apparmor.ensure(spec.process.apparmor_profile)
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
