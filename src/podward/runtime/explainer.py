"""Explaining Pods without running them: the facts of the stages, gathered from the image store and this machine.

Nothing is made on disk, mounted or started. The entry file is looked for in the image's unpacked files, through the
mounts that the container would have. What only exists once a Pod runs (its namespaces, files and volumes) has a
placeholder path below `dryvolumes.POD`. Facts about an image or a mount are read once, however many Pods ask.
"""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct

from podward.api.core import Pod
from podward.api.cri import IDMapping, PodSandboxConfig
from podward.api.effective import Place
from podward.api.explanation import AdmissionExplanation, ContainerExplanation, PodExplanation, Stage
from podward.api.image import EntryFile
from podward.api.node import Node
from podward.api.oci import Device, RuntimeSpec
from podward.api.process import MountState
from podward.decision import Decision, Outcome
from podward.path import Path
from podward.pipeline import ContainerPlan, OciFacts, PodFacts, admit, attributed, in_order, plan_sandbox
from podward.policy.runtime.mounts import SandboxFiles
from podward.policy.runtime.namespaces import NamespacePaths
from podward.runtime import devices, proc, profiles, userns
from podward.runtime.drycontainer import DryContainer, PodContext
from podward.runtime.dryfacts import ImageFacts, Images, state_of, uids_of_others
from podward.runtime.dryvolumes import POD, DryVolumes
from podward.stages import kernel

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_SHM = MountState("", nosuid=True, nodev=True, noexec=True)
"""The Pod's /dev/shm, as `hostfiles.prepare` mounts it."""


class PodToExplain(Struct, frozen=True):
    """A Pod to explain: as the API server would store it, and what was decided on the way there.

    `userns` is the range of a Pod that runs already; another Pod gets the one that would be next. `admitted` is what
    the API server's admission decided, its places in the document, and `admission` how it came to that; None where
    nobody asked it.
    """

    pod: Pod
    place: Place
    hostname: str
    kind: str
    name: str
    defaults: Decision
    userns: IDMapping | None = None
    admitted: Decision | None = None
    admission: AdmissionExplanation | None = None


class Explainer:
    """Explains Pods on one machine.

    `root` is the state directory: its images are read, and its kept Pods; nothing of it has to be there.
    `cgroup_v2` is whether the OCI runtime finds a pure cgroup2 hierarchy.
    """

    def __init__(self, node: Node, root: str, *, cgroup_v2: bool) -> None:
        self.node = node
        self._cgroup_v2 = cgroup_v2
        self._root = root
        self._images = Images(root)
        self._taken: set[int] | None = None
        self._flags: dict[tuple[tuple[str, str], ...], tuple[MountState, ...]] = {}
        self._devices: tuple[Device, ...] | None = None
        self._inherited = proc.inherited()
        self._has_cgroup2 = proc.cgroup_v2()
        self._uname = os.uname()
        self._shared: tuple[int, ...] | None = None

    def explain(self, subject: PodToExplain) -> PodExplanation:
        """Every stage's Decision about the Pod and its containers; those after a refusal are missing."""
        if subject.admitted is None:
            return self._on_node(subject)
        if subject.admitted.refused:
            return _refused(subject, subject.admitted)
        return _with_admission(self._on_node(subject), subject.admitted, subject.admission)

    def _on_node(self, subject: PodToExplain) -> PodExplanation:
        pod, place = subject.pod, subject.place
        mapping = subject.userns
        if mapping is None and pod.spec.host_users is False and self.node.userns_supported:
            mapping = self._range()
        facts = PodFacts(pod, place, self.node, subject.hostname, mapping)
        stages = [Stage("defaults", subject.defaults.at(place.pod)), Stage("node", admit(facts))]
        containers: tuple[ContainerExplanation, ...] = ()
        if not stages[-1].decision.refused:
            sandbox = plan_sandbox(facts)
            stages.append(Stage("sandbox", sandbox.decision if isinstance(sandbox, Outcome) else sandbox))
            if isinstance(sandbox, Outcome):
                volumes = DryVolumes(pod, place, mapping)
                stages.append(Stage("volumes", volumes.prepare()))
                around = PodContext(facts, sandbox.value, volumes)
                if not stages[-1].decision.refused:
                    containers = tuple(
                        DryContainer(self, around, kind, at, container).explain()
                        for kind, at, container in in_order(pod, place)
                    )
        namespace = pod.metadata.namespace or "default"
        return PodExplanation(
            subject.name, namespace, subject.kind, place.document, place.pod, tuple(stages), containers
        )

    # --- facts that containers ask for ----------------------------------------------------------------------------

    def image(self, name: str) -> ImageFacts:
        """What is known of an image; raises ImageError where it is not here, NodeError where it can't be read."""
        return self._images.find(name)

    def oci_facts(self, plan: ContainerPlan, sandbox: PodSandboxConfig, facts: PodFacts, rootfs: str) -> OciFacts:
        """What the runtime would know; the plan must not be refused."""
        config = plan.config
        if config is None:
            raise ValueError("a refused container has no runtime spec")
        context, spec, node = config.value.security_context, facts.pod.spec, self.node
        own = {
            "user": facts.userns is not None,
            "ipc": not spec.host_ipc,
            "net": not spec.host_network,
            "uts": not spec.host_network and bool(sandbox.hostname),
            "pid": bool(spec.share_process_namespace) and not spec.host_pid,
        }
        if context.privileged and self._devices is None:
            self._devices = devices.host_devices()
        return OciFacts(
            config=config.value,
            sandbox=sandbox,
            image=plan.image,
            node=node,
            rootfs=rootfs,
            origin=config.decision,
            cgroups_path=f"/podward-POD-{plan.container.name}",
            namespaces=NamespacePaths(**{name: f"{POD}/ns/{name}" for name, has in own.items() if has}),
            files=_files(shared=bool(spec.host_ipc)),
            localhost_seccomp=profiles.localhost(context.seccomp, node.seccomp_root),
            host_devices=(self._devices or ()) if context.privileged else (),
            arch=_ARCHITECTURES.get(self._uname.machine, self._uname.machine),
            cgroup_v2=self._cgroup_v2,
            node_hostname=self._uname.nodename,
            oom_score_adj=self._inherited.oom_score_adj,
        )

    def kernel_facts(
        self, spec: Outcome[RuntimeSpec], found: EntryFile | None, volumes: DryVolumes
    ) -> kernel.KernelFacts:
        """What the kernel stage would know."""
        return kernel.KernelFacts(
            spec=spec.value,
            entry=found,
            node=self.node,
            origin=spec.decision,
            source_flags=(MountState("/"), *self._source_flags(spec.value, volumes)),
            cgroup_v2=self._has_cgroup2,
            inherited=self._inherited,
        )

    def shared_uids(self) -> tuple[int, ...]:
        """Host uids of the processes of kept Pods."""
        if self._shared is None:
            self._shared = uids_of_others(self._root)
        return self._shared

    def _source_flags(self, spec: RuntimeSpec, volumes: DryVolumes) -> tuple[MountState, ...]:
        """The flags of the mounts that bind mounts would come from; the container's own root is a new overlay."""
        known: list[MountState] = []
        asked: list[tuple[str, str]] = []
        for mount in spec.mounts:
            if not os.path.isabs(mount.source):
                continue
            stand_in = volumes.stand_ins.get(mount.source, "" if mount.source.startswith(f"{POD}/") else mount.source)
            if mount.source == f"{POD}/shm":
                stand_in = _SHM
            if isinstance(stand_in, MountState):
                known.append(msgspec.structs.replace(stand_in, destination=mount.destination))
            else:
                asked.append((mount.destination, stand_in or self._root))
        key = tuple(asked)
        if key not in self._flags:
            sources = dict(asked)
            shadows = tuple(
                msgspec.structs.replace(mount, source=sources[mount.destination])
                for mount in spec.mounts
                if mount.destination in sources
            )
            shadow = msgspec.structs.replace(spec, mounts=shadows)
            self._flags[key] = tuple(f for f in proc.source_flags(shadow, self._root) if f.destination != "/")
        return (*known, *self._flags[key])

    def _range(self) -> IDMapping:
        """The range that the next Pod with a user namespace would be given."""
        if self._taken is None:
            self._taken = userns.taken(state_of(self._root))
        slot = userns.lowest_free(self._taken)
        self._taken.add(slot)
        return userns.range_of(slot)


def _refused(subject: PodToExplain, admitted: Decision) -> PodExplanation:
    """A Pod that admission refused: nothing comes after it."""
    namespace = subject.pod.metadata.namespace or "default"
    stages = (Stage("defaults", subject.defaults.at(subject.place.pod)), Stage("admission", admitted))
    place = subject.place
    return PodExplanation(
        subject.name, namespace, subject.kind, place.document, place.pod, stages, (), subject.admission
    )


def _with_admission(pod: PodExplanation, admitted: Decision, admission: AdmissionExplanation | None) -> PodExplanation:
    """The explanation with the admission stage before all others, and what they owe to it traced to it."""
    whole = tuple(a for a in admitted.assignments if _owner(a.path, pod) is None)
    about_containers = [a for a in whole if "securityContext" in a.path.segments]
    containers = []
    for container in pod.containers:
        own = [a for a in admitted.assignments if a.path.startswith(container.place)]
        first = Stage("admission", Decision((*about_containers, *own)))
        later = tuple(Stage(stage.name, attributed(stage.decision, admitted)) for stage in container.stages)
        containers.append(msgspec.structs.replace(container, stages=(first, *later)))
    later = tuple(Stage(stage.name, attributed(stage.decision, admitted)) for stage in pod.stages[1:])
    said = tuple(a for a in whole if "securityContext" not in a.path.segments)
    stages = (pod.stages[0], Stage("admission", Decision(said)), *later)
    return msgspec.structs.replace(pod, stages=stages, containers=tuple(containers), admission=admission)


def _owner(place: Path, pod: PodExplanation) -> ContainerExplanation | None:
    """The container that a place of the document is in."""
    return next((container for container in pod.containers if place.startswith(container.place)), None)


def _files(*, shared: bool) -> SandboxFiles:
    """The Pod's files, where they would be; `shared` is the host's IPC namespace, with its /dev/shm."""
    shm = "/dev/shm" if shared else f"{POD}/shm"  # noqa: S108  # the host's own
    return SandboxFiles(f"{POD}/hostname", f"{POD}/hosts", f"{POD}/resolv.conf", shm)
