"""What a Pod's containers share, made from the message of RunPodSandbox: namespaces, files below /etc, /dev/shm.

`podward run` and the CRI service make it by the same function. What differs is who holds it: the process that runs the
Pod, in whose mount namespace all is mounted, or the pin of a sandbox that outlives its makers
(`podward.runtime.service.pins`).
"""

from __future__ import annotations

import os

from podward.api.cri import IDMapping, PodSandboxConfig
from podward.policy.runtime.mounts import SandboxFiles
from podward.policy.runtime.namespaces import NamespacePaths, of_sandbox
from podward.runtime import hostfiles, namespaces, pause, syscalls
from podward.runtime.oci import OciRuntime
from podward.runtime.state import PodDirectory


def make(work: str, config: PodSandboxConfig, mapping: IDMapping | None) -> dict[str, str]:
    """Make namespaces and files below `work`, in this process's mount namespace; returns the namespaces by kind.

    Raises RuntimeFailedError with the step that failed.
    """
    made = namespaces.make(_wanted(config, mapping), f"{work}/ns")
    hostfiles.prepare(work, config, mapping)
    return made


def _wanted(config: PodSandboxConfig, mapping: IDMapping | None) -> namespaces.Wanted:
    """On the host's network a sandbox has the host's UTS namespace, too, as with containerd."""
    modes = of_sandbox(config)
    own_network = modes.network != "NODE"
    return namespaces.Wanted(
        ipc=modes.ipc != "NODE",
        net=own_network,
        hostname=(config.hostname or os.uname().nodename) if own_network else "",
        mapping=mapping,
        sysctls=tuple(config.linux.sysctls.items()),
    )


class Sandbox:
    """A Pod's sandbox that this process holds; `end` takes it away."""

    def __init__(self, directory: PodDirectory, config: PodSandboxConfig, mapping: IDMapping | None) -> None:
        self.config = config
        self.mapping = mapping
        self._directory = directory
        self._pause: pause.Pause | None = None
        self._namespaces = make(directory.work, config, mapping)

    def share_processes(self, runtime: OciRuntime) -> None:
        """Start the pause process, whose pid namespace the containers join from now on."""
        directory = self._directory
        place = pause.Place(directory.work, directory.container(pause.NAME), f"{directory.id}-{pause.NAME}")
        self._pause = pause.start(runtime, place, self._namespaces, self.mapping)
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
        return hostfiles.paths(self._directory.work, self.config)

    @property
    def hosts(self) -> str:
        """The Pod's /etc/hosts on the host, for who writes it."""
        return f"{self._directory.work}/hosts"

    def end(self) -> None:
        """End the pause process and unmount what was mounted."""
        if self._pause is not None:
            self._pause.end()
        for name in (*(f"ns/{kind}" for kind in self._namespaces), "shm"):
            syscalls.unmount_if_mounted(f"{self._directory.work}/{name}")
