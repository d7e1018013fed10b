"""What the stages are told of a Pod that is being run: what they ask for is made, and is there when they know of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.api.core import Container
from podward.api.cri import ContainerConfig, IDMapping, NamespaceOption, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import EntryFile, Image
from podward.api.oci import RuntimeSpec
from podward.api.pod_facts import PodFacts
from podward.decision import Decision
from podward.errors import RefusedError
from podward.pipeline import ContainerMounts, ContainerPlan
from podward.policy.kubelet import dns, port_mappings
from podward.policy.kubelet.container_files import ContainerFiles
from podward.policy.kubelet.volume_paths import executable_cure
from podward.policy.runtime.namespaces import NamespacePaths
from podward.runtime import (
    cgroup_controllers,
    cgroups,
    container_files,
    container_root,
    devices,
    hostfiles,
    machine,
    mount_namespace,
    profiles,
    syscalls,
    userns,
)
from podward.runtime.container_root import ContainerRoot
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.images.store import StoredImage
from podward.runtime.options import Machine
from podward.runtime.sandbox import Sandbox
from podward.runtime.state import Lock, PodDirectory
from podward.runtime.volumes import PodVolumes, remove_tree
from podward.runtime.volumes.request import VolumeNode
from podward.stages.oci import HostFacts

if TYPE_CHECKING:
    from podward.stages.kernel import ExecutionFacts


class Attempt(Struct, frozen=True):
    """One start of a container. `id` is the container's for the OCI runtime; `directory` has bundle, overlay and logs.

    `lasting_directory` is the same directory by the path that it has for everybody, also once we are gone.
    """

    number: int
    id: str
    directory: str
    lasting_directory: str

    @property
    def rootfs(self) -> str:
        """The container's root."""
        return f"{self.directory}/rootfs"

    @property
    def image_volumes(self) -> str:
        """The directory that holds the volumes of its image."""
        return f"{self.directory}/{container_root.IMAGE_VOLUMES}"


class LiveFacts:
    """The facts about one Pod, as `pipeline.NodeFacts` asks for them; `remove` takes away what was made for them."""

    def __init__(self, here: Machine, directory: PodDirectory, subject: PodToExplain) -> None:
        self.pod = subject.pod
        self.place = subject.place
        self.node = here.node
        self.objects = subject.objects
        self._machine = here
        self._directory = directory
        self._sandbox: Sandbox | None = None
        self._volumes: PodVolumes | None = None
        self._held: list[Lock] = []
        self._images: dict[str, tuple[StoredImage, Image]] = {}
        self._attempts: dict[str, int] = {}
        self.addresses: tuple[str, ...] = ()
        self._pids: dict[str, int] = {}

    # --- what the stages ask for ----------------------------------------------------------------------------------

    def id_range(self) -> IDMapping:
        """A range that nobody else has, and the Pod's directory where its user namespace reaches it."""
        mapping = userns.allocate(self._machine.state, self._directory)
        self._directory.work = mount_namespace.expose(self._directory.path)
        return mapping

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        """Make the sandbox and the volumes. The Decision says how, and why one can't be made."""
        spec, sandbox = self.pod.spec, self.asked_for(sandbox)
        self._sandbox = made = Sandbox(self._directory, sandbox, userns)
        if self._machine.cni_conf_dir and made.namespaces.net:
            from podward.runtime.network import pod as network  # it costs start-up time

            networks = self._machine.state, self._machine.cni_conf_dir
            self.addresses = network.attach(*networks, self._directory.path, sandbox, made.namespaces.net)
        node = VolumeNode(made.user_namespace, userns, self._image_root)
        about = PodFacts(self.pod, self.place, self.objects, self.node, ",".join(self.addresses))
        self._volumes = PodVolumes(self._directory.work, about, node=node)
        decided = self._volumes.prepare()
        if not decided.refused and spec.share_process_namespace and not spec.host_pid:
            made.share_processes(self._machine.runtime)
        return decided

    def asked_for(self, sandbox: PodSandboxConfig) -> PodSandboxConfig:
        """The message about the sandbox with what this machine's files say of names, and with the Pod's ports."""
        spec = self.pod.spec
        of_node = hostfiles.read(hostfiles.NODE_RESOLV_CONF) if spec.dns_config else ""
        return structs.replace(
            sandbox, dns_config=dns.config_for(spec, of_node), port_mappings=port_mappings.of_pod(spec)
        )

    def image(self, container: Container) -> Image:
        """The image, which stays here as long as the Pod. Raises ImageError for one that is not here."""
        if container.name not in self._images:
            images = self._machine.images
            stored = images.resolve(container.image or "")
            self._held.append(images.hold(stored))
            self._images[container.name] = stored, images.load(stored)
        return self._images[container.name][1]

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """What is mounted into the container; its subPaths and the kubelet's files are made before each start."""
        sandbox, volumes = self._made()
        files = ContainerFiles(sandbox.hosts, self._log(container.name))
        return structs.replace(volumes.mounts(container, place), files=files)

    def host(self, config: ContainerConfig) -> HostFacts:
        """What the container's current attempt finds."""
        context, attempt, here = config.linux.security_context, self.attempt(config.metadata.name), self._machine
        sandbox = self._made()[0]
        return HostFacts(
            rootfs=attempt.rootfs,
            cgroups_path=cgroups.name(attempt.id),
            namespaces=self._namespaces(sandbox, context.namespace_options),
            files=sandbox.files,
            localhost_seccomp=profiles.localhost(context.seccomp, here.node.seccomp_root),
            host_devices=devices.host_devices() if context.privileged else (),
            arch=machine.architecture(),
            cgroup_v2=here.cgroup_v2,
            node_hostname=os.uname().nodename,
            oom_score_adj=machine.oom_score_adj(),
            image_volumes=attempt.image_volumes,
            controllers=cgroup_controllers.controllers(),
        )

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        """What is there now, just before the container is created."""
        from podward.policy.kernel import mount_points as points
        from podward.runtime import entry, mount_points, proc  # most runs predict nothing, and start-up counts
        from podward.stages.kernel import ExecutionFacts

        root = spec.root.path
        mounts = tuple((m.destination, m.source if os.path.isabs(m.source) else "") for m in spec.mounts)
        below = points.held(spec.mounts, mount_points.places(root, mounts))
        missing = tuple(p for p in below if mount_points.lacks(spec.mounts[p.holder].source, p.inside))
        return ExecutionFacts(
            entry=self._entry(container, entry.find_entry(root, *entry.asked_by(spec.process), mounts)),
            source_flags=proc.source_flags(spec, root),
            locked=proc.locked_sources(spec),
            cgroup_v2=proc.cgroup_v2(),
            inherited=proc.inherited(),
            missing_mount_points=missing,
        )

    def _entry(self, container: Container, found: EntryFile | None) -> EntryFile | None:
        if found is None:
            return None
        return structs.replace(found, cure=executable_cure(self.pod, container, found.path))

    def reached_from(self) -> tuple[str, str]:
        """The network namespace from which the Pod's ports are reached, empty for our own, and the address there."""
        return ("", self.addresses[0]) if self.addresses else (self.network(), "127.0.0.1")

    def network(self) -> str:
        """The path of the Pod's network namespace in our mount namespace; empty where it uses the host's."""
        return self._made()[0].namespaces.net

    # --- a container's attempts -----------------------------------------------------------------------------------

    def attempt(self, container: str) -> Attempt:
        """The container's current attempt; before the first one, what stands for it."""
        number = self._attempts.get(container, -1)
        pod, at = self._directory, f"containers/{container}/{number}"
        return Attempt(number, f"{pod.id}-{container}-{number}", f"{pod.work}/{at}", f"{pod.path}/{at}")

    def next_attempt(self, container: str) -> Attempt:
        """A new attempt with a directory of its own."""
        self._attempts[container] = self._attempts.get(container, -1) + 1
        attempt = self.attempt(container)
        os.mkdir(f"{self._directory.container(container)}/{attempt.number}", 0o700)
        return attempt

    def log_file(self, container: str) -> str:
        """Where what the current attempt prints is kept; of those before it, the last one's stays."""
        directory, number = f"{self._directory.path}/logs/{container}", self.attempt(container).number
        os.makedirs(directory, mode=0o700, exist_ok=True)
        for name in os.listdir(directory):
            if int(name.partition(".")[0]) < number - 1:
                os.unlink(f"{directory}/{name}")
        return f"{directory}/{number}.log"

    def note_process(self, container: str, pid: int) -> None:
        """The container's process: an ephemeral container may share its namespace. 0 once it has ended."""
        self._pids[container] = pid

    def set_aside(self, plan: ContainerPlan) -> None:
        """Mount what the container's current attempt needs: its subPaths and its root.

        Raises RefusedError where a subPath can't be bound, NodeError where this machine can't.
        """
        sandbox, volumes = self._made()
        attached = volumes.attach(plan.container.name)
        if attached.refused:
            raise RefusedError(attached.violations[0].reason)
        attempt = self.attempt(plan.container.name)
        container_files.write_hosts(sandbox.hosts, self.pod, self.addresses, sandbox.mapping)
        container_files.make_termination_log(self._log(plan.container.name), sandbox.mapping)
        if sandbox.mapping is not None and plan.config is not None:
            mounted = (mount.host_path for mount in plan.config.value.mounts)
            for target in (attempt.rootfs, sandbox.files.shm, *mounted):
                mount_namespace.open_way(self._directory.work, target)
        self._root(plan, attempt, sandbox).make()

    def _root(self, plan: ContainerPlan, attempt: Attempt, sandbox: Sandbox) -> ContainerRoot:
        if plan.config is None or plan.spec is None:
            raise ValueError(f"container {plan.container.name} has not come so far")
        stored, image = self._images[plan.container.name]
        return ContainerRoot(
            attempt.directory,
            stored.rootfs,
            image,
            plan.config.value,
            plan.spec.value.process.user,
            self.node.runtime_defaults,
            sandbox.mapping,
            sandbox.user_namespace,
            self._directory.work,
        )

    def _namespaces(self, sandbox: Sandbox, options: NamespaceOption | None) -> NamespacePaths:
        """The Pod's, with the process namespace of the container's target if it has one: nowhere unless that runs."""
        if options is None or options.pid != "TARGET":
            return sandbox.namespaces
        pid = self._pids.get(options.target_id, 0)
        return structs.replace(sandbox.namespaces, pid=f"/proc/{pid}/ns/pid")

    def _image_root(self, name: str) -> str:
        """The unpacked files of an image that is a volume, which stays here as long as the Pod. Raises ImageError."""
        stored = self._machine.images.resolve(name)
        self._held.append(self._machine.images.hold(stored))
        return stored.rootfs

    def _log(self, container: str) -> str:
        """Where the container's termination log is, at every attempt."""
        return f"{self._directory.work}/containers/{container}/termination-log"

    def discard(self, container: str) -> None:
        """Unmount and remove what the current attempt has; nothing in it is followed or crossed."""
        attempt = self.attempt(container)
        if attempt.number >= 0:
            container_root.unmount(attempt.directory)
            remove_tree(attempt.directory)

    # --- the end --------------------------------------------------------------------------------------------------

    def image_ids(self) -> tuple[str, ...]:
        """The images that the Pod holds, each once."""
        return tuple(dict.fromkeys(stored.id for stored, _ in self._images.values()))

    def remove(self) -> None:
        """Take the network away, end the sandbox and take the volumes away."""
        if self.addresses:
            from podward.runtime.network import pod as network

            network.detach(self._machine.state, self._directory.path)
        if self._sandbox is not None:
            self._sandbox.end()
        if self._volumes is not None:
            self._volumes.remove()
        if self._directory.work != self._directory.path:
            syscalls.unmount_if_mounted(self._directory.work)

    def release(self) -> None:
        """Let the images go."""
        for lock in self._held:
            lock.release()

    def _made(self) -> tuple[Sandbox, PodVolumes]:
        if self._sandbox is None or self._volumes is None:
            raise ValueError("the Pod's sandbox is asked for before it is made")
        return self._sandbox, self._volumes
