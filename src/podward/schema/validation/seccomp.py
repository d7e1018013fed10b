"""Seccomp profiles: their fields, their old annotations, and that both agree.

Specification: Kubernetes, validateSeccompProfileField, ValidateSeccompPodAnnotations,
validateSeccompAnnotationsAndFields. A Localhost profile is a path below the node's directory: relative, without `..`;
empty is valid. The Pod's field is compared with the Pod's annotation, a container's with its own, and nothing else.
"""

from __future__ import annotations

from podward.api.core import Container, ObjectMeta, PodSpec, Profile
from podward.decision import Decision, merge
from podward.path import Path, path
from podward.schema.validation.field import forbidden, invalid, invalid_object, required, unsupported
from podward.schema.validation.internal import profile_text
from podward.schema.validation.local_path import descending

TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
POD_KEY = "seccomp.security.alpha.kubernetes.io/pod"
CONTAINER_PREFIX = "container.seccomp.security.alpha.kubernetes.io/"
_LOCALHOST = "localhost/"


def check(profile: Profile | None, at: Path) -> Decision:
    """A `seccompProfile` field."""
    if profile is None:
        return Decision()
    found = Decision()
    if not profile.type:
        found = required(at / "type", "type is required when seccompProfile is set")
    elif profile.type not in TYPES:
        found = unsupported(at / "type", profile.type, TYPES)
    place = at / "localhostProfile"
    if profile.type == "Localhost":
        if profile.localhost_profile is None:
            return found + required(place, "must be set when seccomp type is Localhost")
        return found + descending(profile.localhost_profile, place)
    if profile.localhost_profile is not None:
        text = profile_text(profile)
        return found + invalid_object(place, profile, text, "can only be set when seccomp type is Localhost")
    return found


def check_annotations(metadata: ObjectMeta) -> Decision:
    """The Pod's annotation, then the containers' in the order of their keys."""
    annotations = metadata.annotations or {}
    keys = [POD_KEY] if POD_KEY in annotations else []
    keys += sorted(key for key in annotations if key.startswith(CONTAINER_PREFIX))
    return merge(*(_annotation(annotations[key] or "", path("metadata", "annotations", key)) for key in keys))


def check_agreement(metadata: ObjectMeta, spec: PodSpec, containers: tuple[tuple[Path, Container], ...]) -> Decision:
    """Fields and annotations that are both set must say the same."""
    annotations = metadata.annotations or {}
    profile = spec.security_context.seccomp_profile if spec.security_context else None
    found = [_agree(annotations.get(POD_KEY), profile, path("spec", "securityContext", "seccompProfile"))]
    for at, container in containers:
        own = container.security_context.seccomp_profile if container.security_context else None
        annotation = annotations.get(CONTAINER_PREFIX + container.name)
        found.append(_agree(annotation, own, at / "securityContext" / "seccompProfile"))
    return merge(*found)


def _annotation(value: str, at: Path) -> Decision:
    if value in {"runtime/default", "docker/default", "unconfined"}:
        return Decision()
    if value.startswith(_LOCALHOST):
        return descending(value.removeprefix(_LOCALHOST), at)
    return invalid(at, value, "must be a valid seccomp profile")


def _agree(annotation: str | None, profile: Profile | None, at: Path) -> Decision:
    if annotation is None or profile is None or profile.type not in TYPES:
        return Decision()
    types = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault", "docker/default": "RuntimeDefault"}
    said = "Localhost" if annotation.startswith(_LOCALHOST) else types.get(annotation)
    if said != profile.type:
        return forbidden(at / "type", "seccomp type in annotation and field must match")
    if said == "Localhost" and annotation.removeprefix(_LOCALHOST) != profile.localhost_profile:
        return forbidden(at / "localhostProfile", "seccomp profile in annotation and field must match")
    return Decision()
