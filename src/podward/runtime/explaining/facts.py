"""What the stages are told of a Pod that is explained: its images and volumes are looked at, and nothing is made.

The entry file is looked for in the image's unpacked files, through the mounts that the container would have. What only
exists once a Pod runs (its namespaces, files and volumes) has a placeholder path below `volumes.POD`.
"""

from __future__ import annotations

import os
import stat
from itertools import takewhile

import msgspec

from podward.api.core import Container
from podward.api.cri import ContainerConfig, IDMapping, NamespaceOption, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import EntryFile, Image, UnknownImage
from podward.api.oci import RuntimeSpec
from podward.api.pod_facts import PodFacts
from podward.api.process import MountState
from podward.decision import Decision, Unknown
from podward.pipeline import ContainerMounts, in_order
from podward.policy.hints.facts import VolumeFacts
from podward.policy.kernel.mount_points import MountPoint
from podward.policy.kubelet.container_files import ContainerFiles
from podward.policy.kubelet.volume_paths import executable_cure
from podward.policy.runtime.mounts import SandboxFiles
from podward.policy.runtime.namespaces import NamespacePaths
from podward.runtime import profiles
from podward.runtime.entry import asked_by, planned_entry
from podward.runtime.explaining.images import ImageFacts
from podward.runtime.explaining.machine import ExplainingMachine
from podward.runtime.explaining.mount_points import MountedContainer, missing
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.explaining.volumes import POD, DryVolumes, shift
from podward.stages.kernel import ExecutionFacts
from podward.stages.oci import HostFacts

IMAGE_VOLUMES = f"{POD}/image-volumes"
"""Where the volumes of an image would be."""
_ORDINARY = EntryFile("", stat.S_IFREG | 0o755, 0, 0)


class DryFacts:
    """The facts about one Pod, as `pipeline.NodeFacts` asks for them."""

    def __init__(self, machine: ExplainingMachine, subject: PodToExplain) -> None:
        self.pod = subject.pod
        self.place = subject.place
        self.node = machine.node
        self.objects = subject.objects
        self._defaults = subject.defaults.at(subject.place.pod)
        self._about = PodFacts(subject.pod, subject.place, subject.objects, machine.node)
        self.addresses: tuple[str, ...] = ()
        self._machine = machine
        self._range = subject.userns
        self._userns: IDMapping | None = None
        self._namespaces = NamespacePaths()
        self._volumes = DryVolumes(self._about, None)

    def id_range(self) -> IDMapping:
        """The range of a Pod that runs, else the one that would be next."""
        return self._range or self._machine.next_range()

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        """What the Pod's volumes would be."""
        spec = self.pod.spec
        own = {
            "user": userns is not None,
            "ipc": not spec.host_ipc,
            "net": not spec.host_network,
            "uts": bool(sandbox.hostname),
            "pid": bool(spec.share_process_namespace) and not spec.host_pid,
        }
        self._userns = userns
        self._namespaces = NamespacePaths(**{name: f"{POD}/ns/{name}" for name, has in own.items() if has})
        self._volumes = DryVolumes(self._about, userns, self._machine.images.root_of)
        return self._volumes.prepare().after(self._defaults)

    def image(self, container: Container) -> Image | UnknownImage:
        """The image, if it is here; raises NodeError where the images can't be read, ImageError for no image's name."""
        found = self._found(container)
        return found if isinstance(found, UnknownImage) else found.image

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """What would be mounted."""
        files = ContainerFiles(f"{POD}/hosts", f"{POD}/containers/{container.name}/termination-log")
        return msgspec.structs.replace(self._volumes.mounts(container, place), files=files)

    def host(self, config: ContainerConfig) -> HostFacts:
        """Placeholders for what only a running Pod has, and this machine's own facts."""
        context = config.linux.security_context
        return HostFacts(
            rootfs=f"{POD}/rootfs",
            cgroups_path=f"/podward-POD-{config.metadata.name}",
            namespaces=self._namespaces_of(context.namespace_options),
            files=_files(shared=bool(self.pod.spec.host_ipc)),
            localhost_seccomp=profiles.localhost(context.seccomp, self.node.seccomp_root),
            host_devices=self._machine.devices() if context.privileged else (),
            arch=self._machine.architecture,
            cgroup_v2=self._machine.cgroup_v2,
            node_hostname=self._machine.hostname,
            oom_score_adj=self._machine.inherited.oom_score_adj,
            image_volumes=IMAGE_VOLUMES,
            controllers=self._machine.controllers,
        )

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        """The entry file as the image has it, and the flags of what would be mounted."""
        stand_ins = {**self._volumes.stand_ins, **self._image_volumes(container, spec)}
        return ExecutionFacts(
            entry=self._entry(container, spec),
            source_flags=self._machine.source_flags(spec, stand_ins),
            locked=self._machine.locked_sources(spec, stand_ins),
            cgroup_v2=self._machine.has_cgroup2,
            inherited=self._machine.inherited,
            missing_mount_points=self._missing_mount_points(container, spec),
        )

    # --- what only hints look at ----------------------------------------------------------------------------------

    def volume_facts(self) -> tuple[VolumeFacts, ...]:
        """The Pod's volumes, with what their roots would be."""
        return self._volumes.facts

    def writable_tmp(self, container: Container) -> bool:
        """Whether the container's image has a /tmp that everybody may write."""
        found = self._found(container)
        return not isinstance(found, UnknownImage) and found.writable_tmp()

    # --- how it is found out --------------------------------------------------------------------------------------

    def _namespaces_of(self, options: NamespaceOption | None) -> NamespacePaths:
        """The Pod's, with the process namespace of the container's target if it has one."""
        if options is None or options.pid != "TARGET":
            return self._namespaces
        return msgspec.structs.replace(self._namespaces, pid=f"{POD}/containers/{options.target_id}/ns/pid")

    def _found(self, container: Container) -> ImageFacts | UnknownImage:
        return self._machine.images.find(container.image or "")

    def _image_volumes(self, container: Container, spec: RuntimeSpec) -> dict[str, str | MountState]:
        """What stands for the image's volumes: a new mount over what the image has there, or a directory beside it."""
        image = self._found(container)
        own = [mount for mount in spec.mounts if mount.source.startswith(f"{IMAGE_VOLUMES}/")]
        mounted = {m.source for m in own if isinstance(image, UnknownImage) or image.has(m.destination)}
        return {m.source: MountState(m.source) if m.source in mounted else "" for m in own}

    def _missing_mount_points(self, container: Container, spec: RuntimeSpec) -> tuple[MountPoint, ...]:
        """The mount points that volumes lack when the container starts."""
        image = self._found(container)
        root = "" if isinstance(image, UnknownImage) else image.root
        rows = takewhile(lambda row: row[2].name != container.name, in_order(self.pod, self.place))
        earlier = tuple(other for _, _, other in rows)
        return missing(MountedContainer(container, spec, root, earlier, self.node.runtime), self._volumes)

    def _entry(self, container: Container, spec: RuntimeSpec) -> EntryFile | Unknown | None:
        """The entry file as the host will see it in the container.

        A file of an emptyDir, or of an object that is missing, can't be known yet: an ordinary program of root's is
        assumed there.
        """
        image = self._found(container)
        if isinstance(image, UnknownImage):
            return image.unknown
        word, search, cwd = asked_by(spec.process)
        mounts = tuple(
            (m.destination, self._volumes.on_disk(m.source) if os.path.isabs(m.source) else "")
            for m in spec.mounts
            if not m.source.startswith(f"{IMAGE_VOLUMES}/")  # what is in it is what the image has there
        )
        found = image.entry(word, search, cwd, mounts)
        named = os.path.normpath(os.path.join(cwd, word))
        if found is None and "/" in word:
            planned = self._volumes.planned_file(container, named)
            if planned is not None:
                found = planned_entry(named, planned, lambda path: image.entry(path, "", cwd, mounts))
                found = msgspec.structs.replace(found, cure=executable_cure(self.pod, container, named))
            elif self._volumes.holds(container, named):
                found = msgspec.structs.replace(_ORDINARY, path=named)
        return found if found is None or self._userns is None else shifted(found, self._userns)


def shifted(file: EntryFile, mapping: IDMapping) -> EntryFile:
    """The file as an id-mapped mount shows it: its ids, its interpreters', and who its capabilities belong to."""
    owned, below = file.capabilities, file.interpreter
    if owned is not None and owned.root_uid is not None:
        owned = msgspec.structs.replace(owned, root_uid=shift(owned.root_uid, mapping))
    return msgspec.structs.replace(
        file,
        uid=shift(file.uid, mapping),
        gid=shift(file.gid, mapping),
        capabilities=owned,
        interpreter=shifted(below, mapping) if below is not None else None,
    )


def _files(*, shared: bool) -> SandboxFiles:
    """The Pod's files, where they would be; `shared` is the host's IPC namespace, with its /dev/shm."""
    shm = "/dev/shm" if shared else f"{POD}/shm"  # noqa: S108  # the host's own
    return SandboxFiles(hostname=f"{POD}/hostname", resolv_conf=f"{POD}/resolv.conf", shm=shm)
