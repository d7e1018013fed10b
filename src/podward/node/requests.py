"""What the node asks the CRI runtime for: the messages of a Pod's sandbox and of a container.

They are planned as for every Pod: `pipeline` says what a kubelet decides. Here stand the facts that it asks for, all of
them gathered before, and what a kubelet adds that is the node's own: names, logs, the cgroup, name servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward import pipeline
from podward.api.core import Container, Pod, every_container
from podward.api.cri import (
    ContainerConfig,
    ContainerMetadata,
    DNSConfig,
    IDMapping,
    ImageSpec,
    PodSandboxConfig,
)
from podward.api.effective import Place
from podward.api.image import Image, ImageConfig, UnknownImage
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import ReferencedObjects
from podward.decision import Decision, Unknown
from podward.pipeline import ContainerMounts, PodPlan, in_order, plan_container, plan_sandbox
from podward.policy.kubelet import cri_names, pod_cgroups, port_mappings
from podward.policy.kubelet.container_files import ContainerFiles

if TYPE_CHECKING:
    from podward.api import cri_status
    from podward.stages.kernel import ExecutionFacts
    from podward.stages.oci import HostFacts

_UNASKED = Unknown("the image is not looked at here", "it is the runtime's")


class Refusal(Struct, frozen=True):
    """Why something is not asked for: the reason in the kubelet's words."""

    message: str


class SandboxAsked(Struct, frozen=True):
    """What is decided about a Pod as a whole."""

    config: PodSandboxConfig
    plan: PodPlan


class GatheredFacts(Struct, frozen=True):
    """What the node has gathered about a Pod, and about the container that is to be started.

    `logs` is the directory of all logs, `mapping` the ids of the Pod's user namespace.
    """

    about: PodFacts
    logs: str
    dns: DNSConfig | None = None
    mapping: IDMapping | None = None
    addresses: tuple[str, ...] = ()
    found_image: Image | None = None
    found_mounts: ContainerMounts = ContainerMounts()
    files: ContainerFiles = ContainerFiles()

    @property
    def pod(self) -> Pod:
        """The Pod as it is stored."""
        return self.about.pod

    @property
    def place(self) -> Place:
        """Where the Pod is written."""
        return self.about.place

    @property
    def node(self) -> Node:
        """The machine."""
        return self.about.node

    @property
    def objects(self) -> ReferencedObjects:
        """The objects that the Pod refers to."""
        return self.about.objects

    def id_range(self) -> IDMapping:
        """The ids that are kept for the Pod."""
        if self.mapping is None:
            raise ValueError("ids are asked for before they are set aside")
        return self.mapping

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        """The volumes are there before a plan is made."""
        del self, sandbox, userns
        return Decision()

    def image(self, container: Container) -> Image | UnknownImage:
        """The image, as the runtime tells of it."""
        return self.found_image or UnknownImage(container.image or "", _UNASKED)

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """The container's mounts, which have been made."""
        del container, place
        return structs.replace(self.found_mounts, files=self.files)

    def host(self, config: ContainerConfig) -> HostFacts:
        """Not asked for: the plan ends with the CRI's messages."""
        raise NotImplementedError

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        """Not asked for."""
        raise NotImplementedError


def image_of(found: cri_status.Image, name: str) -> Image:
    """What the stages read of an image that the runtime has told of."""
    user = str(found.uid) if found.uid is not None else found.username
    return Image(name, found.id, ImageConfig(user=user))


def admit(facts: GatheredFacts) -> Refusal | None:
    """Why the node does not take the Pod at all."""
    plan = PodPlan()
    return None if pipeline.admit(facts, plan) else Refusal(plan.refusals.violations[0].reason)


def sandbox(facts: GatheredFacts, attempt: int) -> SandboxAsked | Refusal:
    """The message about the Pod's sandbox, the one after `attempt` others."""
    plan, pod = PodPlan(), facts.pod
    if not plan_sandbox(facts, plan) or plan.sandbox is None:
        return Refusal(plan.refusals.violations[0].reason)
    config = plan.sandbox
    linux = structs.replace(
        config.linux,
        cgroup_parent=pod_cgroups.path(pod.spec, pod.metadata.uid or ""),
        resources=pod_cgroups.decide(pod.spec),
    )
    config = structs.replace(
        config,
        metadata=structs.replace(config.metadata, attempt=attempt),
        labels=cri_names.sandbox_labels(pod),
        annotations=cri_names.sandbox_annotations(pod),
        log_directory=f"{facts.logs}/{cri_names.log_directory(pod)}",
        dns_config=facts.dns,
        port_mappings=port_mappings.of_pod(pod.spec),
        linux=linux,
    )
    plan.sandbox = config
    return SandboxAsked(config, plan)


class Start(Struct, frozen=True):
    """A container that is to be started: its image's id, how often it was before, and whom it targets."""

    name: str
    image_ref: str
    restarts: int
    target: str = ""
    deletion_grace: int | None = None


def container(facts: GatheredFacts, asked: SandboxAsked, start: Start) -> ContainerConfig | Refusal:
    """The message about a container, or why the kubelet refuses it."""
    pod = facts.pod
    row = next((row for row in in_order(pod, facts.place) if row[2].name == start.name), None)
    if row is None:
        return Refusal(f"the Pod has no container {start.name}")
    plan = plan_container(facts, structs.replace(asked.plan), row, "cri")
    if plan.refusals.refused or plan.config is None:
        return Refusal(_reason(plan.refusals))
    config, written = plan.config.value, row[2]
    stop = written.lifecycle.stop_signal if written.lifecycle is not None else None
    return structs.replace(
        _with_target(config, start.target),
        metadata=ContainerMetadata(start.name, start.restarts),
        image=ImageSpec(start.image_ref, user_specified_image=written.image or ""),
        labels=cri_names.container_labels(pod, written),
        annotations=cri_names.container_annotations(pod, written, start.restarts, start.deletion_grace),
        log_path=cri_names.log_path(start.name, start.restarts),
        stdin_once=bool(written.stdin_once),
        stop_signal=stop or config.stop_signal,
    )


def written(pod: Pod, name: str) -> Container | None:
    """The container of this name."""
    return next((found for _, _, found in every_container(pod.spec) if found.name == name), None)


def _reason(refused: Decision) -> str:
    """The first reason, without the word that the waiting state has already."""
    return refused.violations[0].reason.removeprefix("CreateContainerConfigError: ") if refused.violations else ""


def _with_target(config: ContainerConfig, target: str) -> ContainerConfig:
    """The message with the id of the container whose processes it shares, in place of its name."""
    options = config.linux.security_context.namespace_options
    if options is None or options.pid != "TARGET":
        return config
    context = structs.replace(
        config.linux.security_context, namespace_options=structs.replace(options, target_id=target)
    )
    return structs.replace(config, linux=structs.replace(config.linux, security_context=context))
