"""The node's stages in order: from a Pod and the facts around it to the process that will be.

    node        what the kubelet refuses about the Pod as a whole
    sandbox     what it asks the runtime for about the Pod
    volumes     what is mounted for the Pod
    effective   what the kubelet makes of the manifest and the image's user; for each container from here on
    cri         what it asks the runtime for about the container
    oci         what the runtime writes for the OCI runtime
    kernel      what the process will be once it has executed its entry

Each stage is a pure function from facts to a Decision. Here they are strung together, and nowhere else: a stage's
Decision is folded into the typed value that the next one reads, and kept beside it, so that whoever explains can follow
a value back to the line that decided it. A refusal ends what comes after it: for the container that was refused, or for
the whole Pod; one that only waits for something (`AwaitedViolation`) does not. A fact that nobody knows ends nothing:
it is a value, `Unknown`, in the places that depend on it.

The facts come from a `NodeFacts`, asked in this order. There are three: of a Pod that is being run
(`runtime.live_facts`), of a Pod that is explained (`runtime.explaining.facts`), and of a manifest alone
(`check.assumed_facts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, structs

from podward.api.core import Container, Pod, every_container
from podward.api.cri import ContainerConfig, IDMapping, Mount, PodSandboxConfig
from podward.api.effective import EffectiveContext, ImageUser, Place
from podward.api.explanation import Stage
from podward.api.image import ASSUMED, EntryFile, Image, UnknownImage
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.api.referenced_objects import ReferencedObjects
from podward.decision import Decision, Origin, Outcome, Source, Unknown
from podward.policy.kubelet import user
from podward.policy.kubelet.container_files import ContainerFiles
from podward.policy.runtime import defaults, sandbox, without_root
from podward.stages import cri, effective, oci
from podward.stages.oci import HostFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.stages.kernel import ExecutionFacts


class ContainerMounts(Struct, frozen=True):
    """A container's mounts with who asked for each, or the Decision that refuses the container.

    `files` are those that the kubelet mounts besides.
    """

    mounts: tuple[tuple[Mount, Source], ...] = ()
    decision: Decision = Decision()
    files: ContainerFiles = ContainerFiles()


class NodeFacts(Protocol):
    """What the node knows about one Pod, as the stages ask for it.

    A question is asked only where no stage before it has refused. So who runs the Pod can make what is asked for at
    that moment: the id range is set aside, the volumes are mounted, the image is held.
    """

    @property
    def pod(self) -> Pod:
        """The Pod as it is stored."""

    @property
    def place(self) -> Place:
        """Where the Pod is written."""

    @property
    def node(self) -> Node:
        """The machine that it is to run on."""

    @property
    def objects(self) -> ReferencedObjects:
        """The objects that the Pod refers to by name."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The Pod's addresses, once its sandbox is there; none for one that has the loopback device alone."""

    def id_range(self) -> IDMapping:
        """The ids that are kept for the Pod; asked for a Pod that gets a user namespace of its own."""

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        """The Pod's volumes in this sandbox, and why they are as they are, or what refuses the Pod."""

    def image(self, container: Container) -> Image | UnknownImage:
        """The container's image, or why nobody knows it."""

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """The container's mounts, or what refuses it."""

    def host(self, config: ContainerConfig) -> HostFacts:
        """What the host has ready for the container of this name."""

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        """What the kernel will find when the container's process executes its entry."""


class _Walked(Struct, kw_only=True):
    """What the stages have said so far: their Decisions, in the order in which they were asked."""

    stages: tuple[Stage, ...] = ()

    @property
    def refusals(self) -> Decision:
        """What was refused, without what was decided beside it."""
        return Decision(violations=tuple(v for stage in self.stages for v in stage.decision.violations))

    def passes(self, stage: str, decision: Decision) -> bool:
        """Note what the stage says; whether the next one is to be asked."""
        self.stages = (*self.stages, Stage(stage, decision))
        return not decision.final


class PodPlan(_Walked, kw_only=True):
    """A Pod on its way through the stages; a Pod that is refused as a whole has no containers."""

    userns: IDMapping | None = None
    sandbox: PodSandboxConfig | None = None
    containers: tuple[ContainerPlan, ...] = ()


class ContainerPlan(_Walked, kw_only=True):
    """One container on its way through the stages.

    `kind` is `init`, `sidecar`, `regular` or `ephemeral`; `userns` and `sandbox` are its Pod's. The values after
    `mounts` are folded from the stages' Decisions, and None where a stage refused or was not asked. What is unknown has
    its type's default in them; there is no `predicted` state that is known in part.
    """

    kind: str
    place: Place
    container: Container
    image: Image | UnknownImage
    userns: IDMapping | None = None
    sandbox: PodSandboxConfig | None = None
    mounts: tuple[tuple[Mount, Source], ...] = ()
    files: ContainerFiles = ContainerFiles()
    effective: Outcome[EffectiveContext] | None = None
    config: Outcome[ContainerConfig] | None = None
    spec: Outcome[RuntimeSpec] | None = None
    entry: EntryFile | Unknown | None = None
    predicted: Outcome[ProcessState] | None = None


# --- the whole way ----------------------------------------------------------------------------------------------------


def plan_pod(facts: NodeFacts) -> PodPlan:
    """What must be known before anything starts: all about the Pod, its containers as far as the runtime spec."""
    return _walk(facts, "oci")


def plan_requests(facts: NodeFacts) -> PodPlan:
    """What a kubelet asks a CRI runtime for: all about the Pod, its containers as far as the CRI's messages."""
    return _walk(facts, "cri")


def predict_pod(facts: NodeFacts) -> PodPlan:
    """All about the Pod, its containers as far as what their processes will be."""
    return _walk(facts, "kernel")


def _walk(facts: NodeFacts, last: str) -> PodPlan:
    plan = PodPlan()
    if admit(facts, plan) and plan_sandbox(facts, plan) and _volumes(facts, plan):
        plan.containers = tuple(plan_container(facts, plan, row, last) for row in in_order(facts.pod, facts.place))
    return plan


def plan_container(
    facts: NodeFacts, pod: PodPlan, row: tuple[str, Place, Container], last: str = "kernel"
) -> ContainerPlan:
    """One container of the Pod, a row of `in_order`, no farther than the stage `last`; without a sandbox than `cri`."""
    kind, place, container = row
    image = facts.image(container)
    plan = ContainerPlan(
        kind=kind, place=place, container=container, image=image, userns=pod.userns, sandbox=pod.sandbox
    )
    for name, passes in _CONTAINER_STAGES.items():
        if not passes(facts, plan) or name == last:
            break
    return plan


def in_order(pod: Pod, place: Place) -> tuple[tuple[str, Place, Container], ...]:
    """The containers as they start, each with its kind and place.

    First the init containers (`init`, or `sidecar` with a restart policy of their own), then the regular ones, then the
    ephemeral ones, which are added to a Pod that runs.
    """
    spec, base = pod.spec, place.pod / "spec"
    rows = []
    for field, index, container in every_container(spec):
        kind = _KINDS[field]
        if kind == "init" and container.restart_policy == "Always":
            kind = "sidecar"
        rows.append((kind, Place(place.document, place.pod, base / field / index), container))
    return tuple(rows)


_KINDS = {"initContainers": "init", "containers": "regular", "ephemeralContainers": "ephemeral"}


# --- about the Pod: whether the next stage is to be asked -------------------------------------------------------------


def admit(facts: NodeFacts, plan: PodPlan) -> bool:
    """What the kubelet refuses about the Pod as a whole."""
    return plan.passes("node", effective.admit(facts.pod, facts.place, facts.node))


def plan_sandbox(facts: NodeFacts, plan: PodPlan) -> bool:
    """The Pod's user namespace, and the CRI message about its sandbox with what the runtime adds to it."""
    plan.userns = user_namespace(facts)
    decided = _sandbox(facts, plan.userns)
    if not decided.refused:
        plan.sandbox = decided.fold(PodSandboxConfig)
    return plan.passes("sandbox", decided)


def _volumes(facts: NodeFacts, plan: PodPlan) -> bool:
    """What is there to be mounted."""
    return plan.sandbox is not None and plan.passes("volumes", facts.volumes(plan.sandbox, plan.userns))


def user_namespace(facts: NodeFacts) -> IDMapping | None:
    """The ids of the Pod's own user namespace; None where it has none."""
    wanted = facts.pod.spec.host_users is False and facts.node.userns_supported
    return facts.id_range() if wanted else None


def _sandbox(facts: NodeFacts, userns: IDMapping | None) -> Decision:
    decision = cri.decide_sandbox(cri.SandboxFacts(facts.pod, facts.place, facts.node, userns=userns))
    decision += _volume_group(facts)
    if decision.refused:
        return decision
    return decision + sandbox.decide_sysctls(
        facts.node.runtime_defaults,
        defaults.load(facts.node.runtime_defaults).source,
        frozenset(decision.fold(PodSandboxConfig).linux.sysctls),
        host_network=bool(facts.pod.spec.host_network),
        user_namespace=userns is not None or facts.node.in_user_namespace,
    )


def _volume_group(facts: NodeFacts) -> Decision:
    """The refusal of a fsGroup that can't be given to files here."""
    context = facts.pod.spec.security_context
    if not facts.node.in_user_namespace or context is None or context.fs_group is None:
        return Decision()
    place = facts.place.pod / "spec" / "securityContext" / "fsGroup"
    source = Source(Origin.MANIFEST, facts.place.document, place)
    return without_root.decide_id(place, "gid", context.fs_group, facts.node, source)


# --- about a container: whether the next stage is to be asked ---------------------------------------------------------


def _mounts(facts: NodeFacts, plan: ContainerPlan) -> bool:
    """What is mounted: told with the cri stage, which carries it. Only a refusal is told here."""
    attached = facts.mounts(plan.container, plan.place)
    plan.mounts, plan.files = attached.mounts, attached.files
    refused = attached.decision.violations
    return not refused or plan.passes("volumes", Decision(violations=refused))


def _effective(facts: NodeFacts, plan: ContainerPlan) -> bool:
    """What the kubelet computes: the container's context, and whether it may start."""
    image, name = _image_user(plan.image)
    decided = effective.decide(
        effective.EffectiveFacts(
            pod=facts.pod,
            container=plan.container,
            place=plan.place,
            image=image,
            image_name=name,
            node=facts.node,
            userns=plan.userns,
            target=plan.container.target_container_name or "",
        )
    )
    plan.effective = Outcome(decided.fold(EffectiveContext), decided)
    return plan.passes("effective", decided)


def _image_user(image: Image | UnknownImage) -> tuple[ImageUser | Unknown, str]:
    """The image's user, with the name of who says so."""
    if not isinstance(image, UnknownImage):
        return user.of_image(image.config.user), image.name
    if image.assumed is None:
        return image.unknown, image.name
    return user.of_image(image.assumed.user), ASSUMED


def _cri(facts: NodeFacts, plan: ContainerPlan) -> bool:
    """What the kubelet asks the runtime for."""
    if plan.effective is None:
        return False
    asked = cri.decide_container(
        cri.ContainerFacts(
            facts.pod,
            plan.container,
            plan.place,
            plan.effective,
            facts.node,
            plan.mounts,
            plan.files,
            facts.objects,
            ",".join(facts.addresses),
        )
    )
    if asked.final:
        return plan.passes("cri", Decision(violations=asked.violations))
    plan.config = Outcome(asked.fold(ContainerConfig), asked)
    return plan.passes("cri", asked)


def _oci(facts: NodeFacts, plan: ContainerPlan) -> bool:
    """What the runtime writes."""
    spec = runtime_spec(facts, plan)
    if isinstance(spec, Decision):
        return plan.passes("oci", spec)
    plan.spec = spec
    return plan.passes("oci", spec.decision)


def _kernel(facts: NodeFacts, plan: ContainerPlan) -> bool:
    """What the process will be."""
    if plan.spec is None:
        return False
    execution = facts.execution(plan.container, plan.spec.value)
    plan.entry = execution.entry
    predicted = _predicted(facts, plan.spec, execution)
    if isinstance(predicted, Decision):
        return plan.passes("kernel", predicted)
    plan.predicted = predicted
    return plan.passes("kernel", predicted.decision)


_CONTAINER_STAGES: dict[str, Callable[[NodeFacts, ContainerPlan], bool]] = {
    "volumes": _mounts,
    "effective": _effective,
    "cri": _cri,
    "oci": _oci,
    "kernel": _kernel,
}


# --- the last two stages alone: a container that is started again is asked about again --------------------------------


def predict_running(spec: RuntimeSpec, node: Node, execution: ExecutionFacts) -> Decision:
    """What a process was once it had executed its entry, of the runtime spec that a container was started with."""
    from podward.stages import kernel  # most runs predict nothing, and start-up counts

    return kernel.decide(kernel.KernelFacts(spec, node, execution, Decision()))


def runtime_spec(facts: NodeFacts, plan: ContainerPlan) -> Outcome[RuntimeSpec] | Decision:
    """What the runtime writes for a container that the kubelet does not refuse, or the Decision that refuses it."""
    decided = oci.decide(_oci_facts(facts, plan))
    return decided if decided.refused else Outcome(decided.fold(RuntimeSpec), decided)


def predict(facts: NodeFacts, plan: ContainerPlan, spec: Outcome[RuntimeSpec]) -> Outcome[ProcessState] | Decision:
    """The state that the process will have once it has executed its entry.

    Or the Decision that says why it can't, or that does not know all of it.
    """
    return _predicted(facts, spec, facts.execution(plan.container, spec.value))


def other_runtimes(facts: NodeFacts, plan: ContainerPlan) -> tuple[tuple[str, RuntimeSpec], ...]:
    """The runtime spec under the other runtimes' defaults, where they do not refuse the container."""
    about, node, found = _oci_facts(facts, plan), facts.node, []
    for name in defaults.NAMES:
        if name != node.runtime_defaults:
            decided = oci.decide(structs.replace(about, node=structs.replace(node, runtime_defaults=name)))
            if not decided.refused:
                found.append((name, decided.fold(RuntimeSpec)))
    return tuple(found)


def _oci_facts(facts: NodeFacts, plan: ContainerPlan) -> oci.OciFacts:
    if plan.config is None or plan.sandbox is None:
        raise ValueError(f"container {plan.container.name} has not come so far")
    config = plan.config.value
    return oci.OciFacts(config, plan.sandbox, plan.image, facts.node, facts.host(config), plan.config.decision)


def _predicted(
    facts: NodeFacts, spec: Outcome[RuntimeSpec], execution: ExecutionFacts
) -> Outcome[ProcessState] | Decision:
    from podward.stages import kernel  # most runs predict nothing, and start-up counts

    decision = kernel.decide(kernel.KernelFacts(spec.value, facts.node, execution, spec.decision))
    known = not decision.refused and not decision.unknowns
    return Outcome(decision.fold(ProcessState), decision) if known else decision
