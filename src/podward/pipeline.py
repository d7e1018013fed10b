"""The stages in order: from a Pod and the facts around it to the container that runs and the process that will be.

    effective   what the kubelet makes of the manifest and the image's user
    cri         what it asks the runtime for
    oci         what the runtime writes for the OCI runtime
    kernel      what the process will be once it has executed its entry

Each stage is a pure function from facts to a Decision. Here they are strung together: a stage's Decision is folded
into the typed value that the next one reads, and kept beside it, so that whoever explains can follow a value back to
the line that decided it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.core import Container, Pod
from podward.api.cri import ContainerConfig, IDMapping, Mount, PodSandboxConfig
from podward.api.effective import EffectiveContext, Place
from podward.api.image import Image
from podward.api.node import Node
from podward.api.process import ProcessState
from podward.decision import Assignment, Decision, Origin, Outcome, Source, Violation
from podward.policy.kubelet import user
from podward.policy.runtime import defaults, sandbox
from podward.stages import cri, effective, oci
from podward.stages.oci import OciFacts

if TYPE_CHECKING:
    from podward.stages.kernel import KernelFacts

__all__ = [
    "ContainerPlan",
    "OciFacts",
    "PodFacts",
    "admit",
    "attributed",
    "in_order",
    "plan_container",
    "plan_runtime",
    "plan_sandbox",
    "predict",
]


_SECURITY = "securityContext"


class PodFacts(Struct, frozen=True):
    """A Pod as the node has it: the manifest, this machine, and what the node has set aside for the Pod."""

    pod: Pod
    place: Place
    node: Node
    hostname: str
    userns: IDMapping | None = None


class ContainerPlan(Struct, frozen=True):
    """Two stages' outcomes about one container: its effective context and its CRI message.

    `effective.decision` holds the refusals; a refused container has no `config`.
    """

    container: Container
    place: Place
    image: Image
    effective: Outcome[EffectiveContext]
    config: Outcome[ContainerConfig] | None
    refusals: Decision


def admit(facts: PodFacts) -> Decision:
    """What this node refuses about the Pod as a whole."""
    return effective.admit(facts.pod, facts.place, facts.node)


def plan_sandbox(facts: PodFacts) -> Outcome[PodSandboxConfig] | Decision:
    """The sandbox's CRI message with what the runtime adds to it, or the Decision that refuses it."""
    decision = cri.decide_sandbox(
        cri.SandboxFacts(facts.pod, facts.place, facts.node, facts.hostname, userns=facts.userns)
    )
    if decision.refused:
        return decision
    decision += sandbox.decide_sysctls(
        facts.node.runtime_defaults,
        defaults.load(facts.node.runtime_defaults).source,
        frozenset(decision.fold(PodSandboxConfig).sysctls),
        host_network=bool(facts.pod.spec.host_network),
        user_namespace=facts.userns is not None,
    )
    return Outcome(decision.fold(PodSandboxConfig), decision)


def plan_context(facts: PodFacts, place: Place, container: Container, image: Image) -> Outcome[EffectiveContext]:
    """What the kubelet computes about a container: its context, and in the Decision whether it may start."""
    decided = effective.decide(
        effective.EffectiveFacts(
            pod=facts.pod,
            container=container,
            place=place,
            image=user.image_user(user.parse_image_user(image.config.user)),
            image_name=image.name,
            node=facts.node,
            userns=facts.userns,
        )
    )
    return Outcome(decided.fold(EffectiveContext), decided)


def plan_container(
    facts: PodFacts, place: Place, container: Container, image: Image, mounts: tuple[tuple[Mount, Source], ...]
) -> ContainerPlan:
    """The kubelet's part: what it asks the runtime for, or why it refuses to."""
    context = plan_context(facts, place, container, image)
    if context.decision.refused:
        return ContainerPlan(container, place, image, context, None, Decision(violations=context.decision.violations))
    asked = cri.decide_container(cri.ContainerFacts(facts.pod, container, place, context, facts.node, mounts))
    if asked.refused:
        return ContainerPlan(container, place, image, context, None, Decision(violations=asked.violations))
    return ContainerPlan(container, place, image, context, Outcome(asked.fold(ContainerConfig), asked), Decision())


def plan_runtime(facts: OciFacts) -> Decision:
    """The container runtime's part: a Decision that folds into the whole runtime spec, or refuses."""
    return oci.decide(facts)


def predict(facts: KernelFacts) -> Outcome[ProcessState] | Decision:
    """The state that the process will have once it has executed its entry, or the Decision that says why it can't."""
    from podward.stages import kernel  # most runs predict nothing, and start-up counts

    decision = kernel.decide(facts)
    return decision if decision.refused else Outcome(decision.fold(ProcessState), decision)


def attributed(decision: Decision, admitted: Decision) -> Decision:
    """The Decision of a later stage with what it took for the manifest's own words traced to who wrote them.

    A stage reads the Pod as it is stored: what admission put there looks like the manifest. `admitted` is admission's
    Decision, its places in the manifest; whoever decided there is whom the later value is owed to. Of an object in a
    security context that is the manifest's in part, what admission put into it counts: the manifest does not show it.
    """

    def owner(source: Source) -> Source:
        place = source.path
        if source.origin is not Origin.MANIFEST or place is None:
            return source
        found = admitted.assignment(place)
        if found is None and _SECURITY in place.segments[:-1]:
            found = next((a for a in reversed(admitted.assignments) if a.path.startswith(place)), None)
        return found.source if found is not None else source

    return Decision(
        tuple(Assignment(a.path, a.value, a.reason, owner(a.source)) for a in decision.assignments),
        tuple(Violation(v.path, v.value, v.reason, owner(v.source)) for v in decision.violations),
    )


def in_order(pod: Pod, place: Place) -> tuple[tuple[str, Place, Container], ...]:
    """The containers as they start, each with its kind and place.

    First the init containers (`init`, or `sidecar` with a restart policy of their own), then the regular ones.
    """
    spec, base = pod.spec, place.pod / "spec"
    rows = []
    for field, containers in (("initContainers", spec.init_containers), ("containers", spec.containers)):
        for index, container in enumerate(containers or ()):
            kind = "regular"
            if field == "initContainers":
                kind = "sidecar" if container.restart_policy == "Always" else "init"
            rows.append((kind, Place(place.document, place.pod, base / field / index), container))
    return tuple(rows)
