"""What the API server takes away from a new Pod, or overrides, before it validates it.

Specification: Kubernetes with its default feature gates.
- Conversion: a negative grace period becomes 1; annotations that init containers once were written in are gone.
- PrepareForCreate: a `metadata.generation` that is given becomes 1. Fields behind gates that are off are gone: a
  container's stop signal, with its `lifecycle` if that says nothing else; the scheduling group; a projected volume's
  trust bundles and certificates, whose sources stay and are empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Origin, Source
from podward.documents.raw_fields import member, objects
from podward.path import Key, Path, path

CONVERSION = Source(Origin.RULE, f"Kubernetes {KUBERNETES} conversion")
"""Who decides what `conversion` sets."""

_GRACE = path("spec", "terminationGracePeriodSeconds")
_GENERATION = path("metadata", "generation")
OLD_INIT_CONTAINERS = (
    "pod.beta.kubernetes.io/init-containers", "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses", "pod.alpha.kubernetes.io/init-container-statuses",
)  # fmt: skip


def conversion(raw: JsonObject) -> Iterator[Assignment]:
    """What becomes of the Pod on its way into the server, after defaulting."""
    annotations = member(member(raw, "metadata"), "annotations")
    if annotations:
        for key in OLD_INIT_CONTAINERS:
            if key in annotations:
                place = path("metadata", "annotations", Key(key))
                yield Assignment(place, None, "dropped: init containers have fields", CONVERSION)
    grace = member(raw, "spec").get("terminationGracePeriodSeconds")
    if type(grace) is int and grace < 0:
        yield Assignment(_GRACE, 1, "a negative one counts as 1", CONVERSION)


def dropped(raw: JsonObject, containers: tuple[str, ...], source: Source) -> Iterator[Assignment]:
    """What the registry takes away or overrides; `containers` are the lists of containers."""
    if member(raw, "metadata").get("generation") not in (None, 0, 1):
        yield Assignment(_GENERATION, 1, "a new object", source)
    spec = member(raw, "spec")
    for index, volume in enumerate(objects(spec, "volumes")):
        if volume.get("projected") is None:
            continue
        for number, projection in enumerate(objects(member(volume, "projected"), "sources")):
            place = path("spec", "volumes", index, "projected", "sources", number)
            yield from _gone(projection, "clusterTrustBundle", place, "ClusterTrustBundleProjection", source)
            yield from _gone(projection, "podCertificate", place, "PodCertificateRequest", source)
    yield from _gone(spec, "schedulingGroup", path("spec"), "GenericWorkload", source)
    for list_name in containers:
        for index, container in enumerate(objects(spec, list_name)):
            lifecycle = container.get("lifecycle")
            if not isinstance(lifecycle, dict) or lifecycle.get("stopSignal") is None:
                continue
            place = path("spec", list_name, index)
            if lifecycle.get("postStart") is None and lifecycle.get("preStop") is None:
                yield from _gone(container, "lifecycle", place, "ContainerStopSignals", source)
            else:
                yield from _gone(lifecycle, "stopSignal", place / "lifecycle", "ContainerStopSignals", source)


def _gone(holder: JsonObject, name: str, at: Path, gate: str, source: Source) -> Iterator[Assignment]:
    if holder.get(name) is not None:
        yield Assignment(at / name, None, f"dropped: the feature gate {gate} is off", source)
