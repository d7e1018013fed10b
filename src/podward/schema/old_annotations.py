"""Annotations that mean nothing any more, or that a field replaces.

Specification: Kubernetes, pkg/api/pod warningsForPodSpecAndMeta and, for AppArmor's, the Pod registry's
applyAppArmorVersionSkew: a Pod of its own gets the field from the annotation, and the warning. An annotation for
AppArmor is not warned of where the container has the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from podward.api.core import Container, Pod, every_container
from podward.path import Key, Path, path
from podward.schema.validation.apparmor import PREFIX as APP_ARMOR_PREFIX
from podward.schema.validation.seccomp import CONTAINER_PREFIX, POD_KEY

_DEPRECATED = (
    ("scheduler.alpha.kubernetes.io/critical-pod", "v1.16", "priorityClassName"),
    ("security.alpha.kubernetes.io/sysctls", "v1.11", "sysctls"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "v1.11", "sysctls"),
)
_OLD = "alpha.kubernetes.io/"
APP_ARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'


def deprecated(annotations: Mapping[str, str | None]) -> Iterator[str]:
    """Annotations of old versions."""
    for key, version, field in _DEPRECATED:
        if key in annotations:
            yield f'metadata.annotations[{key}]: non-functional in {version}+; use the "{field}" field instead'


def pod_seccomp(pod: Pod) -> Iterator[str]:
    """The Pod's seccomp annotation without its field."""
    context = pod.spec.security_context
    if POD_KEY in (pod.metadata.annotations or {}) and (context is None or context.seccomp_profile is None):
        yield f"metadata.annotations[{POD_KEY}]: {_SECCOMP}"


def container_seccomp(pod: Pod, container: Container) -> Iterator[str]:
    """A container's seccomp annotation without its field."""
    key, context = f"{CONTAINER_PREFIX}{container.name}", container.security_context
    if key in (pod.metadata.annotations or {}) and (context is None or context.seccomp_profile is None):
        yield f"metadata.annotations[{key}]: {_SECCOMP}"


class OldAnnotation(Struct, frozen=True):
    """An annotation that somebody wrote, its place in the Pod or template, and what the API server says of it."""

    place: Path
    sentence: str


def written(pod: Pod) -> tuple[OldAnnotation, ...]:
    """All of them in a Pod as it is written."""
    annotations = pod.metadata.annotations
    every = "\n".join(annotations) if annotations else ""
    if not annotations or (_OLD not in every and APP_ARMOR_PREFIX not in every):
        return ()
    found = {name: f'non-functional in {version}+; use the "{field}" field instead'
             for name, version, field in _DEPRECATED}  # fmt: skip
    context = pod.spec.security_context
    if context is None or context.seccomp_profile is None:
        found[POD_KEY] = _SECCOMP
    for _, _, container in every_container(pod.spec):
        own = container.security_context
        if own is None or own.seccomp_profile is None:
            found[f"{CONTAINER_PREFIX}{container.name}"] = _SECCOMP
        if own is None or own.app_armor_profile is None:
            found[f"{APP_ARMOR_PREFIX}{container.name}"] = APP_ARMOR
    place = path("metadata", "annotations")
    return tuple(OldAnnotation(place / Key(name), found[name]) for name in annotations if name in found)
