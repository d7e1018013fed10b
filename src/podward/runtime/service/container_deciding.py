"""What a container will be, decided before anything of it is made: its runtime spec, and its record.

Where a container's message asks for another's processes, that one must run in the same sandbox. The log's path may have
no colon: conmon would end it there.
"""

from __future__ import annotations

import os

from msgspec import Struct, structs

from podward.api.cri import ContainerConfig
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_status import LinuxContainerUser
from podward.api.image import Image
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.decision import Decision
from podward.policy.kernel import exec_arguments
from podward.policy.runtime import cdi, container_requests
from podward.policy.runtime.namespaces import NamespacePaths, options
from podward.policy.runtime.request_refusal import refusal_of
from podward.runtime import cgroup_controllers, devices, machine, profiles
from podward.runtime.container_root import IMAGE_VOLUMES
from podward.runtime.images.store import StoredImage
from podward.runtime.service import cdi_files, container_place, sandbox_parts
from podward.runtime.service.container_mounts import Sources
from podward.runtime.service.container_truth import observe
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord, SandboxRecord, now
from podward.runtime.service.runtime_service import RuntimeService
from podward.stages import oci


class Made(Struct, frozen=True):
    """What is known of a container before anything of it is made."""

    sandbox: SandboxRecord
    record: ContainerRecord
    stored: StoredImage
    image: Image
    decided: Decision
    spec: RuntimeSpec


def decide(
    service: RuntimeService, sandbox: SandboxRecord, config: ContainerConfig, stored: StoredImage, sources: Sources
) -> Made | CriRefusal:
    """The container, or why it is refused."""
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
    spec = folded(decided)
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
    return Made(sandbox, record, stored, image, decided, spec)


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


def folded(decided: Decision) -> RuntimeSpec | CriRefusal:
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
