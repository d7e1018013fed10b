"""AppArmor profiles: their fields, their old annotations, and that both agree.

Specification: Kubernetes, ValidateAppArmorProfileField, ValidateAppArmorPodAnnotations,
validateAppArmorAnnotationsAndFieldsMatchOnCreate. Each container's annotation is compared with the profile that holds
for it, its own or else the Pod's, and refused under the container's path; not for Windows Pods.
"""

from __future__ import annotations

from podward.api.core import Container, ObjectMeta, PodSpec, Profile
from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.path import Key, Path, path
from podward.schema.validation.field import (
    forbidden,
    invalid,
    invalid_object,
    required,
    too_long,
    unsupported,
)
from podward.schema.validation.internal import go_json

TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
PREFIX = "container.apparmor.security.beta.kubernetes.io/"
_LOCALHOST = "localhost/"
_LONGEST = 4095  # PATH_MAX - 1
_GO_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def check(profile: Profile | None, at: Path) -> Decision:
    """An `appArmorProfile` field."""
    if profile is None:
        return Decision()
    if profile.type == "Localhost":
        return _localhost(profile.localhost_profile, at / "localhostProfile")
    if not profile.type:
        return required(at / "type", "type is required when appArmorProfile is set")
    if profile.type not in TYPES:
        return unsupported(at / "type", profile.type, TYPES)
    if profile.localhost_profile is not None:
        # To the server this value is a pointer, which it prints as JSON.
        text = go_json(profile.localhost_profile)
        detail = "can only be set when AppArmor type is Localhost"
        return invalid_object(at / "localhostProfile", profile.localhost_profile, text, detail)
    return Decision()


def check_annotations(metadata: ObjectMeta, names: frozenset[str]) -> Decision:
    """The annotations, in the order of their keys; `names` are those of the Pod's containers."""
    found: list[Decision] = []
    for key, value in sorted((metadata.annotations or {}).items()):
        if not key.startswith(PREFIX):
            continue
        at = path("metadata", "annotations") / Key(key)
        name = key.removeprefix(PREFIX)
        if name not in names:
            found.append(invalid(at, name, "container not found"))
        if value not in {None, "", "runtime/default", "unconfined"} and not (value or "").startswith(_LOCALHOST):
            found.append(invalid(at, value or "", f"invalid AppArmor profile name: {quote(value or '')}"))
    return merge(*found)


def check_agreement(metadata: ObjectMeta, spec: PodSpec, containers: tuple[tuple[Path, Container], ...]) -> Decision:
    """Fields and annotations that are both set must say the same."""
    if spec.os is not None and spec.os.name == "windows":
        return Decision()
    annotations = metadata.annotations or {}
    pod_profile = spec.security_context.app_armor_profile if spec.security_context else None
    found: list[Decision] = []
    for at, container in containers:
        own = container.security_context.app_armor_profile if container.security_context else None
        annotation = annotations.get(PREFIX + container.name)
        found.append(_agree(annotation, own or pod_profile, at / "securityContext" / "appArmorProfile"))
    return merge(*found)


def _localhost(name: str | None, at: Path) -> Decision:
    missing = required(at, "must be set when AppArmor type is Localhost")
    if name is None:
        return missing
    found = Decision()
    if name.strip(_GO_SPACE) != name:
        found = invalid(at, name, "must not be padded with whitespace")
    elif not name:
        found = missing
    return found + too_long(at, name, _LONGEST) if len(name.encode()) > _LONGEST else found


def _agree(annotation: str | None, profile: Profile | None, at: Path) -> Decision:
    if annotation is None or profile is None or profile.type not in TYPES:
        return Decision()
    types = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}
    said = "Localhost" if annotation.startswith(_LOCALHOST) else types.get(annotation)
    if said != profile.type:
        return forbidden(at / "type", "apparmor type in annotation and field must match")
    if said == "Localhost" and annotation.removeprefix(_LOCALHOST) != profile.localhost_profile:
        return forbidden(at / "localhostProfile", "apparmor profile in annotation and field must match")
    return Decision()
