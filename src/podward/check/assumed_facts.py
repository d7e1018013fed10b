"""What the stages are told of a Pod of which there is nothing but the manifest.

The image and its entry are unknown. The node is taken for one like most: its root has every capability, and nothing on
it is allowed or set up for this Pod; nobody asks it here what it refuses. Where a question is about any ordinary
program, `OrdinaryProgram` answers it.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import msgspec

from podward.api.capability import FULL
from podward.api.core import Container, Pod
from podward.api.cri import ContainerConfig, IDMapping, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import EntryFile, Image, ImageConfig, UnknownImage
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.referenced_objects import ReferencedObjects
from podward.decision import Decision, Unknown
from podward.pipeline import ContainerMounts
from podward.stages.oci import HostFacts

if TYPE_CHECKING:
    from podward.stages.kernel import ExecutionFacts

NODE = Node(capabilities=FULL)
_RANGE = IDMapping(0, 1 << 16, 1 << 16)
"""Ids of the node for a Pod with a user namespace of its own: which ones makes no difference here."""
_NOT_LOOKED_AT = Unknown("the image is not looked at", "`podward explain` looks at it")
_NO_OBJECT_IS_KNOWN = ReferencedObjects(others=Unknown("only the manifest is looked at", "`podward explain --with`"))
_ORDINARY = EntryFile("/entry", stat.S_IFREG | 0o755, 0, 0)


class AssumedFacts:
    """The facts about one Pod, as `pipeline.NodeFacts` asks for them."""

    def __init__(self, pod: Pod, place: Place) -> None:
        self.pod = pod
        self.place = place
        self.node = NODE
        self.objects = _NO_OBJECT_IS_KNOWN
        self.addresses: tuple[str, ...] = ()

    def id_range(self) -> IDMapping:
        """Some range."""
        return _RANGE

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        """Nothing is known about them."""
        del sandbox, userns
        return Decision()

    def image(self, container: Container) -> Image | UnknownImage:
        """Its name."""
        return UnknownImage(container.image or "", _NOT_LOOKED_AT)

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """None: who the process is does not depend on them."""
        del container, place
        return ContainerMounts()

    def host(self, config: ContainerConfig) -> HostFacts:
        """A root, and nothing else that a host has."""
        del config
        return HostFacts("/rootfs")

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        """Nothing about the entry file."""
        from podward.stages.kernel import ExecutionFacts  # few manifests come so far

        del container, spec
        return ExecutionFacts(_NOT_LOOKED_AT)


class OrdinaryProgram(AssumedFacts):
    """The same of a container whose image has one program, without capabilities or set-user-ID bit, and no user."""

    def image(self, container: Container) -> Image:
        """The image of the program."""
        return Image(container.image or "", "", ImageConfig(cmd=(_ORDINARY.path,)))

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        """The program."""
        return msgspec.structs.replace(super().execution(container, spec), entry=_ORDINARY)
