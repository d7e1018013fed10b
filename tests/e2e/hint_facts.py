"""What the hints look at, made from a manifest by the pipeline's own pure functions.

Images, entry files, volumes and other Pods' uids are given: nothing is read from disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from podward.api.core import Container
from podward.api.cri import IDMapping, Mount, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import EntryFile, GroupEntry, Image, ImageConfig, PasswdEntry
from podward.api.json_value import Json, JsonObject, copied_object
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.decision import Origin, Outcome, Source
from podward.documents.document import Document
from podward.documents.patching import put
from podward.documents.reader import decode_documents
from podward.path import Path
from podward.pipeline import ContainerPlan, OciFacts, PodFacts, plan_container, plan_runtime, plan_sandbox, predict
from podward.policy.hints.facts import HintFacts, VolumeFacts
from podward.policy.runtime.namespaces import NamespacePaths
from podward.schema.validation import pod as validation
from podward.schema.view import pod_view
from podward.schema.workload import PodSource, pod_sources
from podward.stages.admission.order import completed
from podward.stages.kernel import KernelFacts

RUNTIMES = ("containerd", "cri-o", "docker")
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

    image: Callable[[str], Image] = IMAGES.__getitem__
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


def _of_source(source: PodSource, world: World) -> Iterator[HintFacts]:
    raw = completed(source.raw).stored
    pod = pod_view(raw)
    if world.validated:
        assert not validation.validate(pod, raw, source.kind).violations
    userns = RANGE if pod.spec.host_users is False else None
    facts = PodFacts(pod, Place(source.document.name, source.prefix), world.node, "host", userns)
    sandbox = plan_sandbox(facts)
    assert isinstance(sandbox, Outcome), sandbox
    for field, containers in (("initContainers", pod.spec.init_containers), ("containers", pod.spec.containers)):
        for index, container in enumerate(containers or ()):
            at = source.prefix / "spec" / field / index
            place = Place(source.document.name, source.prefix, at)
            image = world.image(container.image or "")
            plan = plan_container(facts, place, container, image, _mounts(container, place))
            yield _of_container(facts, plan, field, sandbox.value, world)


def _of_container(
    facts: PodFacts, plan: ContainerPlan, field: str, sandbox: PodSandboxConfig, world: World
) -> HintFacts:
    specs = {name: _spec(facts, plan, sandbox, name) for name in RUNTIMES}
    spec = specs.pop(world.node.runtime_defaults)
    entry = world.entry(plan.image, spec.value) if spec is not None else None
    predicted = None
    if spec is not None:
        found = predict(KernelFacts(spec.value, entry, world.node, spec.decision))
        predicted = found if isinstance(found, Outcome) else None
    return HintFacts(
        pod=facts.pod,
        container=plan.container,
        kind=_kind(field, plan.container),
        place=plan.place,
        image=plan.image,
        node=world.node,
        effective=plan.effective,
        config=plan.config,
        spec=spec,
        predicted=predicted,
        entry=entry,
        image_has_writable_tmp=world.writable_tmp,
        volumes=world.volumes,
        alternatives=tuple((name, other.value) for name, other in specs.items() if other is not None),
        sysctls=tuple(sandbox.sysctls.items()),
        shared_uids=world.shared_uids,
    )


def _kind(field: str, container: Container) -> str:
    if field == "containers":
        return "regular"
    return "sidecar" if container.restart_policy == "Always" else "init"


def _spec(facts: PodFacts, plan: ContainerPlan, sandbox: PodSandboxConfig, runtime: str) -> Outcome[RuntimeSpec] | None:
    if plan.config is None:
        return None
    user = "/proc/1/ns/user" if facts.userns is not None else ""
    decision = plan_runtime(
        OciFacts(
            config=plan.config.value,
            sandbox=sandbox,
            image=plan.image,
            node=msgspec.structs.replace(facts.node, runtime_defaults=runtime),
            rootfs="/rootfs",
            origin=plan.config.decision,
            namespaces=NamespacePaths(user=user),
        )
    )
    return None if decision.refused else Outcome(decision.fold(RuntimeSpec), decision)


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
