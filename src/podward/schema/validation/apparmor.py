"""AppArmor profiles: their fields, their old annotations, and that both agree.

Specification: Kubernetes, ValidateAppArmorProfileField, ValidateAppArmorPodAnnotations,
validateAppArmorAnnotationsAndFieldsMatchOnCreate. Each container's annotation is compared with the profile that holds
for it, its own or else the Pod's, and refused under the container's path; not for Windows Pods.
"""

from __future__ import annotations

from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import container_objects, member
from podward.path import Key, Path
from podward.schema.validation.field import (
    NOTHING,
    At,
    Place,
    forbidden,
    invalid,
    invalid_value,
    required,
    too_long,
    unsupported,
)
from podward.schema.validation.raw import pointer, strings, text
from podward.schema.validation.walk import Scope

TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
PREFIX = "container.apparmor.security.beta.kubernetes.io/"
_LOCALHOST = "localhost/"
_LONGEST = 4095  # PATH_MAX - 1
_GO_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def check(profile: JsonObject, _scope: Scope, at: Place) -> Decision:
    """An `appArmorProfile` field."""
    kind, name = text(profile, "type"), pointer(profile, "localhostProfile")
    if kind == "Localhost":
        return localhost(name, at / "localhostProfile")
    if not kind:
        return required(at / "type", "type is required when appArmorProfile is set")
    if kind not in TYPES:
        return unsupported(at / "type", kind, TYPES)
    if name is None:
        return NOTHING
    # To the server this value is a pointer, which it prints as JSON.
    return invalid_value(at / "localhostProfile", name, "can only be set when AppArmor type is Localhost")


def localhost(name: str | None, at: At) -> Decision:
    """The `localhostProfile` of a profile that must have one."""
    missing = "must be set when AppArmor type is Localhost"
    if name is None:
        return required(at, missing)
    found = NOTHING
    if name.strip(_GO_SPACE) != name:
        found = invalid(at, name, "must not be padded with whitespace")
    elif not name:
        found = required(at, missing)
    return found + too_long(at, name, _LONGEST) if len(name.encode()) > _LONGEST else found


def check_annotations(pod: JsonObject, at: Place) -> Decision:
    """The annotations, in the order of their keys; `at` is where they are."""
    names = {text(container, "name") for _, container in container_objects(pod, Path())}
    found: list[Decision] = []
    for key, value in strings(member(pod, "metadata"), "annotations").items():
        if not key.startswith(PREFIX):
            continue
        place = at / Key(key)
        name = key.removeprefix(PREFIX)
        if name not in names:
            found.append(invalid(place, name, "container not found"))
        if value not in {"", "runtime/default", "unconfined"} and not value.startswith(_LOCALHOST):
            found.append(invalid(place, value, f"invalid AppArmor profile name: {quote(value)}"))
    return merge(*found)


def agreement(pod: JsonObject, at: Path) -> Decision:
    """Fields and annotations that are both set must say the same; `at` is the spec."""
    spec = member(pod, "spec")
    if member(spec, "os").get("name") == "windows":
        return NOTHING
    written = strings(member(pod, "metadata"), "annotations")
    pods = member(spec, "securityContext").get("appArmorProfile")
    found: list[Decision] = []
    for place, container in container_objects(pod, at):
        own = member(container, "securityContext").get("appArmorProfile")
        annotation = written.get(PREFIX + text(container, "name"))
        found.append(_agree(annotation, pods if own is None else own, place / "securityContext" / "appArmorProfile"))
    return merge(*found)


def _agree(annotation: str | None, profile: Json, at: Path) -> Decision:
    if annotation is None or not isinstance(profile, dict) or profile.get("type") not in TYPES:
        return NOTHING
    types = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}
    said = "Localhost" if annotation.startswith(_LOCALHOST) else types.get(annotation)
    if said != profile["type"]:
        return forbidden(at / "type", "apparmor type in annotation and field must match")
    if said == "Localhost" and annotation.removeprefix(_LOCALHOST) != profile.get("localhostProfile"):
        return forbidden(at / "localhostProfile", "apparmor profile in annotation and field must match")
    return NOTHING
