"""What a Pod's containers share: namespaces, files below /etc, /dev/shm, and a pause process if it needs one."""

from __future__ import annotations

import os

from podward.api.core import Pod
from podward.api.cri import IDMapping, PodSandboxConfig
from podward.policy.runtime.mounts import SandboxFiles
from podward.policy.runtime.namespaces import NamespacePaths
from podward.runtime import hostfiles, namespaces, pause, syscalls
from podward.runtime.oci import OciRuntime
from podward.runtime.state import PodDirectory


class Sandbox:
    """A Pod's sandbox, made at once; `end` takes it away."""

    def __init__(self, directory: PodDirectory, pod: Pod, config: PodSandboxConfig, mapping: IDMapping | None) -> None:
        spec = pod.spec
        self.config = config
        self.mapping = mapping
        self._pod = pod
        self._directory = directory
        self._pause: pause.Pause | None = None
        self.addresses: tuple[str, ...] = ()
        """The Pod's own, once it has a network beside the loopback device."""
        wanted = namespaces.Wanted(
            ipc=not spec.host_ipc,
            net=not spec.host_network,
            hostname=config.hostname,
            mapping=mapping,
            sysctls=tuple(config.linux.sysctls.items()),
        )
        self._namespaces = namespaces.make(wanted, f"{directory.work}/ns")
        self._files = hostfiles.prepare(directory.work, pod, config.hostname or os.uname().nodename, mapping)

    def write_container_files(self, termination_log: str) -> None:
        """Write what the kubelet writes when it creates a container: /etc/hosts anew, and an empty termination log."""
        hostfiles.write_hosts(self.hosts, self._pod, self.addresses, self.mapping)
        hostfiles.make_termination_log(termination_log, self.mapping)

    def share_processes(self, runtime: OciRuntime) -> None:
        """Start the pause process, whose pid namespace the containers join from now on."""
        self._pause = pause.start(runtime, self._directory, self._namespaces, self.mapping)
        self._namespaces["pid"] = f"/proc/{self._pause.pid}/ns/pid"

    @property
    def user_namespace(self) -> str:
        """The path of the Pod's pinned user namespace; empty where it has none."""
        return self._namespaces.get("user", "")

    @property
    def namespaces(self) -> NamespacePaths:
        """Where the namespaces are pinned."""
        return NamespacePaths(**self._namespaces)

    @property
    def files(self) -> SandboxFiles:
        """The files on the host that the runtime adds to each container."""
        made = self._files
        return SandboxFiles(hostname=made.hostname, resolv_conf=made.resolv_conf, shm=made.shm)

    @property
    def hosts(self) -> str:
        """The Pod's /etc/hosts on the host."""
        return f"{self._directory.work}/hosts"

    def end(self) -> None:
        """End the pause process and unmount what was mounted."""
        if self._pause is not None:
            self._pause.end()
        for name in (*(f"ns/{kind}" for kind in self._namespaces), "shm"):
            syscalls.unmount_if_mounted(f"{self._directory.work}/{name}")
