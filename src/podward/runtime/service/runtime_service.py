"""What every verb of the runtime service is given: the directories, the machine, and the OCI runtimes by handler.

It is made once, before the engine is forked; a worker has it as it was then. All that changes is on disk.
"""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct, structs

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.errors import NodeError
from podward.policy.runtime import defaults
from podward.runtime import machine, probe
from podward.runtime.cgroups import Cgroups
from podward.runtime.images.pulling import DEFAULT_REGISTRIES, Registries
from podward.runtime.images.service import ImageService
from podward.runtime.images.store import ImageStore, StoredImageFacts
from podward.runtime.oci import Engine, OciRuntime
from podward.runtime.probe import RuntimeChoice
from podward.runtime.service.plugins import SOCKET, Plugins
from podward.runtime.service.records import ContainerRecord, Records, SandboxRecord
from podward.runtime.state import Lock, State

MOUNT_SETATTR = (5, 12)
"""The first kernel with mount_setattr(2)."""
HANDLERS = ("crun", "runc", "runsc", "kata")
"""The names that a RuntimeClass may give; the empty one is the default."""


class ServiceOptions(Struct, frozen=True):
    """How the service is configured.

    `default_handler` is the one of Pods that name none: a handler, or `auto` for the first that is here.
    `pinned_images` are patterns of names (`*` stands for anything) that a kubelet is asked not to collect.
    `runtime_defaults` are those of the CRI runtime that is imitated. Pods get a network of their own as the files in
    `cni_conf_dir` say, else one of ours; where it is empty they have the loopback device alone.
    `nri` has plugins asked, which the front listens for.
    """

    default_handler: str = probe.AUTO
    runtime_defaults: str = "containerd"
    cni_conf_dir: str = "/etc/cni/net.d"
    registries: Registries = DEFAULT_REGISTRIES
    pinned_images: tuple[str, ...] = ()
    nri: bool = False


class RuntimeService:
    """The service's ground. Make it where the machine's own mounts are seen."""

    def __init__(self, root: str, options: ServiceOptions) -> None:
        self.options = options
        self.state = State(root)
        self.records = Records(root)
        self.images = ImageStore(root, self._images_in_use)
        os.makedirs(self.images.directory, mode=0o700, exist_ok=True)  # a kubelet looks for its disk before any pull
        self.image_service = ImageService(self.images, options.registries, options.pinned_images)
        self.plugins = Plugins(self.records, f"{self.records.root}/{SOCKET}" if options.nri else "")
        self.cgroups = Cgroups.here()
        self.cgroup_layout = probe.cgroup_layout()[0]
        """`v2`, `v1`, `hybrid` or `none`."""
        self._choices: dict[str, RuntimeChoice | CriRefusal] = {}

    def _images_in_use(self) -> frozenset[str]:
        """The ids of the images that containers were made of, which stay until those are removed."""
        return frozenset(record.image_id for record in self.records.every(ContainerRecord))

    @property
    def cgroup_v2(self) -> bool:
        """Whether the OCI runtime finds a pure cgroup2 hierarchy."""
        return self.cgroup_layout == "v2"

    def serve_alone(self) -> Lock:
        """A lock that whoever serves with this state directory holds while it lives, but for its engine and workers.

        Take it when these have been forked. Raises NodeError where another has it.
        """
        file = f"{self.records.root}/server.lock"
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        lock = Lock.attempt(file)
        if lock is None:
            advice = "end it, or choose another --data-dir"
            raise NodeError("another CRI service runs on this state directory", where=self.state.root, advice=advice)
        return lock

    def choose_all(self) -> None:
        """Look for every handler's program and load the defaults now, so that no worker has to.

        msgspec looks at each type once, too.
        """
        for kind in (SandboxRecord, ContainerRecord, RuntimeSpec, StoredImageFacts):
            msgspec.json.Decoder(kind)
        defaults.load(self.options.runtime_defaults)
        for handler in ("", *HANDLERS):
            self.choice(handler)

    def choice(self, handler: str) -> RuntimeChoice | CriRefusal:
        """The OCI runtime of a handler, or why there is none."""
        if handler not in self._choices:
            self._choices[handler] = self._choose(handler)
        return self._choices[handler]

    def _choose(self, handler: str) -> RuntimeChoice | CriRefusal:
        if handler and handler not in HANDLERS:
            known = ", ".join(HANDLERS)
            return CriRefusal(
                CriCode.INVALID_ARGUMENT, f"there is no runtime handler {handler!r}: it is one of {known}"
            )
        if handler == "kata":
            sentence = "runtime handler kata needs virtual machines, which this runtime does not start: choose another"
            return CriRefusal(CriCode.FAILED_PRECONDITION, sentence)
        try:
            return probe.choose(handler or self.options.default_handler, self.state.root)
        except NodeError as error:
            return CriRefusal(CriCode.FAILED_PRECONDITION, f"runtime handler {handler!r}: {error}")

    def node(self, choice: RuntimeChoice) -> Node:
        """The facts about this machine that decide a container of this OCI runtime."""
        return structs.replace(
            machine.gather(choice.kind, self.options.runtime_defaults),
            recursive_read_only=self.recursive_read_only(choice),
        )

    def recursive_read_only(self, choice: RuntimeChoice) -> bool:
        """Whether mounts can be read-only at every depth: the service makes them so, whatever the OCI runtime can.

        Docker asks it of the OCI runtime, and for files of its own, too.
        """
        if self.options.runtime_defaults == "docker":
            return choice.recursive_read_only
        release = os.uname().release.split("-")[0].split(".")
        kernel = tuple(int(part) for part in release[:2] if part.isdigit())
        return choice.kind != probe.SANDBOXED and kernel >= MOUNT_SETATTR

    def oci(self, engine: Engine) -> OciRuntime:
        """The driver of the OCI runtime that has a sandbox's containers."""
        return OciRuntime(engine, f"{self.state.oci}/{engine.kind}", self.cgroups)
