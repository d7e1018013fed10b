"""Annotations that mean nothing any more, or that a field replaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podward.api.core import Container, Pod
from podward.schema.validation.seccomp import CONTAINER_PREFIX, POD_KEY

_DEPRECATED = (
    ("scheduler.alpha.kubernetes.io/critical-pod", "v1.16", "priorityClassName"),
    ("security.alpha.kubernetes.io/sysctls", "v1.11", "sysctls"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "v1.11", "sysctls"),
)
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
