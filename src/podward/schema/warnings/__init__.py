"""What the API server warns about when it accepts a new Pod, in its words and order.

Specification: Kubernetes, the Pod registry's WarningsOnCreate and pkg/api/pod warningsForPodSpecAndMeta.
"""

from __future__ import annotations

from podward.api.core import Pod
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.schema import old_annotations
from podward.schema.validation.names import label_faults
from podward.schema.warnings import (
    addresses,
    containers,
    overlaps,
    ports,
    scheduling,
    volumes,
)


def on_create(
    pod: Pod, raw: JsonObject, about: containers.About = old_annotations.container_seccomp
) -> tuple[str, ...]:
    """The warnings about a valid Pod, defaulted; `raw` is the same with what the view leaves out.

    `about` speaks of the annotations of one container: there are more of those in templates.
    """
    spec, written = member(raw, "spec"), pod.metadata.annotations or {}
    return (
        *_name(pod.metadata.name or ""),
        *scheduling.node_labels(spec),
        *old_annotations.deprecated(written),
        *volumes.deprecated(spec),
        *overlaps.paths(spec),
        *addresses.duplicates(spec),
        *volumes.pull_secrets(spec),
        *containers.overhead(spec),
        *old_annotations.pod_seccomp(pod),
        *containers.each(pod, raw, about),
        *ports.conflicts(pod.spec),
        *ports.names(pod.spec),
        *scheduling.grace(spec),
        *scheduling.no_selector(spec),
        *addresses.forms(spec),
    )


def _name(name: str) -> tuple[str, ...]:
    faults = label_faults(name) if name else ()  # a template needs none
    if not faults:
        return ()
    sentence = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
    return (f"metadata.name: {sentence}: [{' '.join(faults)}]",)
