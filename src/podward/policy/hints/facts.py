"""What the hints look at: the typed values of all stages about one container, and what lies on the node's disk."""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, Pod
from podward.api.cri import ContainerConfig
from podward.api.effective import EffectiveContext, Place
from podward.api.image import EntryFile, Image, PasswdEntry, UnknownImage
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.decision import Outcome


class FileFacts(Struct, frozen=True):
    """A file or directory: host ids as its mount shows them, `st_mode`, its POSIX ACL in getfacl(1)'s short form.

    On an id-mapped mount (`hostUsers: false`) an owner of 0 on disk is the first id of the Pod's range.
    """

    uid: int
    gid: int
    mode: int
    acl: str = ""


class VolumeFacts(Struct, frozen=True):
    """A volume of the Pod: `kind` is its source's field name (`emptyDir`, `hostPath`, `secret`…).

    `root` is what its top directory will be when the container starts, None where that can't be known. `default_mode`
    is the mode of the files of a secret, configMap, downwardAPI or projected volume, as written or defaulted (0644);
    None for other kinds.
    """

    name: str
    kind: str
    root: FileFacts | None = None
    default_mode: int | None = None


class HintFacts(Struct, frozen=True):
    """One container of one Pod; the later outcomes are None where an earlier stage refused, or was not asked."""

    pod: Pod
    container: Container
    kind: str
    place: Place
    image: Image | UnknownImage
    node: Node
    effective: Outcome[EffectiveContext]
    config: Outcome[ContainerConfig] | None = None
    spec: Outcome[RuntimeSpec] | None = None
    predicted: Outcome[ProcessState] | None = None
    entry: EntryFile | None = None
    image_has_writable_tmp: bool = False
    volumes: tuple[VolumeFacts, ...] = ()
    alternatives: tuple[tuple[str, RuntimeSpec], ...] = ()
    """The runtime spec under other runtimes' defaults, by their name."""
    sysctls: tuple[tuple[str, str], ...] = ()
    """The sysctls of the Pod's sandbox: the manifest's, and those that the runtime adds."""
    shared_uids: tuple[int, ...] = ()
    """Host uids that processes of other Pods on this machine run as."""

    @property
    def passwd(self) -> tuple[PasswdEntry, ...]:
        """The image's /etc/passwd; nobody in it where the image is unknown."""
        return () if isinstance(self.image, UnknownImage) else self.image.passwd
