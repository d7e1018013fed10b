"""What the stages are told of a Pod of which there is nothing but the manifest: assumptions that hold on most nodes.

The image's user is taken for one that is not root, and its entry for a program without capabilities of its own. What a
node refuses, and what lies in volumes, is not asked about.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from podward.api.capability import FULL
from podward.api.core import Container, Pod
from podward.api.cri import ContainerConfig, IDMapping, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import EntryFile, Image, ImageConfig
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.decision import Decision
from podward.pipeline import ContainerMounts
from podward.stages.oci import HostFacts

if TYPE_CHECKING:
    from podward.stages.kernel import ExecutionFacts

NODE = Node(capabilities=FULL)
_RANGE = IDMapping(0, 1 << 16, 1 << 16)
"""Ids of the node for a Pod with a user namespace of its own: which ones makes no difference here."""
_SOMEBODY = ImageConfig(user="1000:1000", cmd=("/entry",))
_ORDINARY = EntryFile("/entry", stat.S_IFREG | 0o755, 0, 0)


class AssumedFacts:
    """The facts about one Pod, as `pipeline.NodeFacts` asks for them."""

    def __init__(self, pod: Pod, place: Place) -> None:
        self.pod = pod
        self.place = place
        self.node = NODE
        self.hostname = ""

    def id_range(self) -> IDMapping:
        """Some range."""
        return _RANGE

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        """Nothing is known about them."""
        del sandbox, userns
        return Decision()

    def image(self, container: Container) -> Image:
        """An image whose user is not root."""
        return Image(container.image or "", "", _SOMEBODY)

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """None: who the process is does not depend on them."""
        del container, place
        return ContainerMounts()

    def host(self, config: ContainerConfig) -> HostFacts:
        """A root, and nothing else that a host has."""
        del config
        return HostFacts("/rootfs")

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        """An ordinary program."""
        from podward.stages.kernel import ExecutionFacts  # few manifests come so far

        del container, spec
        return ExecutionFacts(_ORDINARY)
