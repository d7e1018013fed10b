"""What the hints look at, made from a manifest by the pipeline's own pure functions.

Images, entry files, volumes and other Pods' uids are given: nothing is read from disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from podward.api.core import Container, Pod
from podward.api.cri import ContainerConfig, IDMapping, Mount, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import EntryFile, GroupEntry, Image, ImageConfig, PasswdEntry, UnknownImage
from podward.api.json_value import Json, JsonObject, copied_object
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.referenced_objects import NO_OBJECTS
from podward.decision import Decision, Origin, Source
from podward.documents.document import Document
from podward.documents.patching import put
from podward.documents.reader import decode_documents
from podward.path import Path
from podward.pipeline import ContainerMounts, PodPlan, in_order, other_runtimes, plan_container, plan_sandbox
from podward.policy.hints.facts import HintFacts, VolumeFacts
from podward.policy.runtime.namespaces import NamespacePaths
from podward.schema.validation import pod as validation
from podward.schema.view import pod_view
from podward.schema.workload import PodSource, pod_sources
from podward.stages.admission.order import completed
from podward.stages.kernel import ExecutionFacts
from podward.stages.oci import HostFacts

NODE = Node(capabilities=(1 << 41) - 1, kernel="6.18.0", memory=1 << 30)
RANGE = IDMapping(0, 200000, 65536)
TRUE = EntryFile("/bin/true", 0o100755, 0, 0)

PASSWD = (
    PasswdEntry("root", 0, 0, "/root", 1),
    PasswdEntry("www-data", 33, 33, "/var/www", 3),
    PasswdEntry("user-defined-in-image", 1000, 1000, "/home/user-defined-in-image", 5),
)
GROUP = (
    GroupEntry("root", 0, (), 1),
    GroupEntry("www-data", 33, (), 3),
    GroupEntry("group-defined-in-image", 50000, ("user-defined-in-image",), 6),
)
IMAGES = {
    "busybox:root": Image("busybox:root", "sha256:1", ImageConfig(), PASSWD[:2], GROUP[:2]),
    "busybox:1000": Image("busybox:1000", "sha256:2", ImageConfig(user="1000"), PASSWD[:2], GROUP[:2]),
    "busybox:www-data": Image("busybox:www-data", "sha256:3", ImageConfig(user="www-data"), PASSWD[:2], GROUP[:2]),
    "agnhost": Image("agnhost", "sha256:4", ImageConfig(), PASSWD, GROUP),
}
"""As the example images are."""


class World(NamedTuple):
    """What is there beside the manifest: the facts that the runtime room gathers."""

    image: Callable[[str], Image | UnknownImage] = IMAGES.__getitem__
    entry: Callable[[Image, RuntimeSpec], EntryFile | None] = lambda _image, _spec: TRUE
    node: Node = NODE
    volumes: tuple[VolumeFacts, ...] = ()
    shared_uids: tuple[int, ...] = ()
    writable_tmp: bool = True
    validated: bool = True


def sources(text: str, name: str = "pod.yaml") -> tuple[PodSource, ...]:
    return tuple(source for document in decode_documents(text.encode(), name) for source in pod_sources(document))


def facts_of(text: str, world: World | None = None, name: str = "pod.yaml") -> tuple[HintFacts, ...]:
    """The facts about every container of every Pod in `text`."""
    return tuple(
        facts for source in sources(text, name) for facts in _of_source(source, world if world is not None else World())
    )


class WorldFacts:
    """What a world says to the stages."""

    def __init__(self, world: World, pod: Pod, place: Place) -> None:
        self.pod = pod
        self.place = place
        self.node = world.node
        self.objects = NO_OBJECTS
        self.addresses: tuple[str, ...] = ()
        self._world = world

    def id_range(self) -> IDMapping:
        return RANGE

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        del sandbox, userns
        return Decision()

    def image(self, container: Container) -> Image | UnknownImage:
        return self._world.image(container.image or "")

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        return ContainerMounts(_mounts(container, place))

    def host(self, config: ContainerConfig) -> HostFacts:
        own = self.pod.spec.host_users is False
        del config
        return HostFacts("/rootfs", namespaces=NamespacePaths(user="/proc/1/ns/user" if own else ""))

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        image = self.image(container)
        return ExecutionFacts(image.unknown if isinstance(image, UnknownImage) else self._world.entry(image, spec))


def _of_source(source: PodSource, world: World) -> Iterator[HintFacts]:
    raw = completed(source.raw).stored
    pod = pod_view(raw)
    if world.validated:
        assert not validation.validate(pod, raw, source.kind).violations
    facts, shared = WorldFacts(world, pod, Place(source.document.name, source.prefix)), PodPlan()
    assert plan_sandbox(facts, shared), shared.refusals  # what a node refuses before it is not asked
    for row in in_order(pod, facts.place):
        plan = plan_container(facts, shared, row)
        assert plan.effective is not None
        assert plan.sandbox is not None
        yield HintFacts(
            pod=pod,
            container=plan.container,
            kind=plan.kind,
            place=plan.place,
            image=plan.image,
            node=world.node,
            effective=plan.effective,
            config=plan.config,
            spec=plan.spec,
            predicted=plan.predicted,
            entry=plan.entry if isinstance(plan.entry, EntryFile) else None,
            image_has_writable_tmp=world.writable_tmp,
            volumes=world.volumes,
            alternatives=other_runtimes(facts, plan) if plan.config is not None else (),
            sysctls=tuple(plan.sandbox.linux.sysctls.items()),
            shared_uids=world.shared_uids,
        )


def _mounts(container: Container, place: Place) -> tuple[tuple[Mount, Source], ...]:
    return tuple(
        (
            Mount(mount.mount_path, f"/volumes/{mount.name}", readonly=bool(mount.read_only)),
            Source(Origin.MANIFEST, place.document, place.container / "volumeMounts" / index),
        )
        for index, mount in enumerate(container.volume_mounts or ())
    )


def changed(document: Document, changes: Iterable[tuple[Path, Json]]) -> JsonObject:
    """A copy of the document with these changes made, in order; a change to nothing takes the field away."""
    raw = copied_object(document.raw)
    for field, value in changes:
        if value is None:
            remove(raw, field)
        else:
            put(raw, field, value)
    return raw


def remove(raw: JsonObject, field: Path) -> None:
    node = raw
    for segment in field.segments[:-1]:
        node = node[segment]  # type: ignore[index, assignment]  # a hint's path leads to what the document has
    del node[field.segments[-1]]  # type: ignore[arg-type]  # as above
