"""Seccomp profiles: their fields, their old annotations, and that both agree.

Specification: Kubernetes, validateSeccompProfileField, ValidateSeccompPodAnnotations,
validateSeccompAnnotationsAndFields. A Localhost profile is a path below the node's directory: relative, without `..`;
empty is valid. The Pod's field is compared with the Pod's annotation, a container's with its own, and nothing else.
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import container_objects, member
from podward.path import Path
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, invalid_object, required
from podward.schema.validation.internal import profile_text
from podward.schema.validation.local_path import descending
from podward.schema.validation.raw import pointer, strings, text
from podward.schema.validation.walk import Scope
from podward.schema.view import typed_view

TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
POD_KEY = "seccomp.security.alpha.kubernetes.io/pod"
CONTAINER_PREFIX = "container.seccomp.security.alpha.kubernetes.io/"
_LOCALHOST = "localhost/"


def localhost(profile: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `localhostProfile` of a `seccompProfile` of this type."""
    name, place = pointer(profile, "localhostProfile"), at / "localhostProfile"
    if name is None:
        return required(place, "must be set when seccomp type is Localhost")
    return descending(name, place)


def not_localhost(profile: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The same of another type, which has none."""
    if profile.get("type") == "Localhost":
        return NOTHING
    view, detail = typed_view(profile, Profile, "SeccompProfile"), "can only be set when seccomp type is Localhost"
    return invalid_object(at / "localhostProfile", view, profile_text(view), detail)


def check_annotations(metadata: JsonObject, at: Place) -> Decision:
    """The Pod's annotation, then the containers' in the order of their keys; `at` is where they are."""
    written = strings(metadata, "annotations")
    keys = [POD_KEY] if POD_KEY in written else []
    keys += [key for key in written if key.startswith(CONTAINER_PREFIX)]
    return merge(*(_annotation(written[key], at / key) for key in keys))


def agreement(pod: JsonObject, at: Path) -> Decision:
    """Fields and annotations that are both set must say the same; `at` is the spec."""
    written = strings(member(pod, "metadata"), "annotations")
    found = [_agree(written.get(POD_KEY), member(pod, "spec"), at)]
    for place, container in container_objects(pod, at):
        found.append(_agree(written.get(CONTAINER_PREFIX + text(container, "name")), container, place))
    return merge(*found)


def _annotation(value: str, at: Place) -> Decision:
    if value in {"runtime/default", "docker/default", "unconfined"}:
        return NOTHING
    if value.startswith(_LOCALHOST):
        return descending(value.removeprefix(_LOCALHOST), at)
    return invalid(at, value, "must be a valid seccomp profile")


def _agree(annotation: str | None, holder: JsonObject, at: Path) -> Decision:
    """Whether the profile in the security context of a Pod or a container is the annotation's."""
    profile = member(member(holder, "securityContext"), "seccompProfile")
    if annotation is None or profile.get("type") not in TYPES:
        return NOTHING
    place = at / "securityContext" / "seccompProfile"
    types = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault", "docker/default": "RuntimeDefault"}
    said = "Localhost" if annotation.startswith(_LOCALHOST) else types.get(annotation)
    if said != profile["type"]:
        return forbidden(place / "type", "seccomp type in annotation and field must match")
    if said == "Localhost" and annotation.removeprefix(_LOCALHOST) != profile.get("localhostProfile"):
        return forbidden(place / "localhostProfile", "seccomp profile in annotation and field must match")
    return NOTHING
