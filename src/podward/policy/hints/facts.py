"""The facts for hints, the paths of fields in the user's document, and the sources of values.

The facts are the results of all stages about one container, and facts about files and processes of this machine.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, Pod
from podward.api.cri import ContainerConfig
from podward.api.effective import EffectiveContext, Place
from podward.api.image import EntryFile, Image, PasswdEntry, UnknownImage
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.decision import Decision, Origin, Outcome, Source
from podward.path import Path


class FileFacts(Struct, frozen=True):
    """A file or directory: its ids on the host as its mount shows them, `st_mode`, and its ACL in getfacl's short form.

    On an id-mapped mount (`hostUsers: false`) a file that belongs to 0 on disk has the first id of the Pod's range.
    """

    uid: int
    gid: int
    mode: int
    acl: str = ""


class VolumeFacts(Struct, frozen=True):
    """A volume of the Pod: `kind` is the field name of its source (`emptyDir`, `hostPath`, `secret`…).

    `root` is the top directory at the start of the container, None if it is not known. `files` are those that the
    kubelet makes, by their paths: of Secrets, ConfigMaps, the downward API and projections.
    """

    name: str
    kind: str
    root: FileFacts | None = None
    files: tuple[tuple[str, FileFacts], ...] = ()


class HintFacts(Struct, frozen=True):
    """The facts about one container of one Pod.

    A stage's outcome is None if an earlier stage refused the container, or if the stage was not asked.
    """

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
    """The runtime specs with the defaults of other runtimes, by the runtime's name."""
    sysctls: tuple[tuple[str, str], ...] = ()
    """The sysctls of the Pod's sandbox, from the manifest and the runtime."""
    shared_uids: tuple[int, ...] = ()
    """The host uids of other Pods' processes on this machine."""

    @property
    def passwd(self) -> tuple[PasswdEntry, ...]:
        """The entries of the image's /etc/passwd; none if the image is unknown."""
        return () if isinstance(self.image, UnknownImage) else self.image.passwd


def container_field(facts: HintFacts, *steps: str | int) -> Path:
    """The path of a field of the container: `spec.template.spec.containers[0].image` in a Deployment."""
    return facts.place.container + Path(steps)


def pod_field(facts: HintFacts, *steps: str | int) -> Path:
    """The path of a field of the Pod's `spec`."""
    return facts.place.pod / "spec" + Path(steps)


def manifest_source(facts: HintFacts, field: Path) -> Source:
    """The source that names this field of the manifest."""
    return Source(Origin.MANIFEST, facts.place.document, field)


def source_of(decision: Decision, field: Path, otherwise: Source) -> Source:
    """The source of a field in a stage's Decision; `otherwise` if no assignment sets it."""
    found = decision.assignment(field)
    return found.source if found is not None else otherwise


def user_source(facts: HintFacts) -> Source:
    """The source of the uid or user name that the kubelet sends: a field of the manifest, or the image's config."""
    image = Source(Origin.IMAGE, facts.image.name, Path(("config", "User")))
    named = Path(("runAsUsername",)) if facts.effective.value.run_as_username else Path(("runAsUser",))
    return source_of(facts.effective.decision, named, image)


def user_field(facts: HintFacts) -> Path:
    """The field of the manifest that decides the user: runAsUser of Pod or container, else the container's image."""
    source = user_source(facts)
    if source.origin is Origin.MANIFEST and source.path is not None:
        return source.path
    return container_field(facts, "image")
