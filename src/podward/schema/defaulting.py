"""What the API server fills in when a Pod is created: API defaulting, and the registry's PrepareForCreate.

Specification: Kubernetes, pkg/apis/core/v1 defaults and the Pod registry's strategy:
- `decide_defaults`: everything that is unset gets its default. Strings that are empty count as unset. procMount and
  the fields of security contexts have no default, but a Pod without securityContext gets an empty one. A volume
  without source becomes an emptyDir. With hostNetwork, hostPort becomes containerPort, for regular and init
  containers. A resource's request becomes its limit.
- `decide_conversion`: what can't be said of a Pod inside the server: see `dropped_fields`.
- `decide_creation`: the same, and fields behind feature gates that are off are gone; selectors get the expressions of
  their label keys; an AppArmor annotation becomes the container's field where the field is unset, the annotation is
  valid, and the Pod's own profile isn't the same. That not for Windows Pods.
What is set where, by type, is in `default_table`.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject, copied_object
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, Value, merge
from podward.documents.patching import applied
from podward.documents.raw_fields import member, objects
from podward.path import Path, path
from podward.schema.default_table import with_defaults
from podward.schema.dropped_fields import conversion, dropped
from podward.schema.filling import Told
from podward.schema.label_keys import merged
from podward.schema.validation import apparmor

SOURCE = Source(Origin.DEFAULT, f"Kubernetes {KUBERNETES} defaulting")
"""Who decides what `decide_defaults` sets."""
CREATION = Source(Origin.RULE, f"Kubernetes {KUBERNETES} PrepareForCreate")
"""Who decides what `decide_creation` sets."""

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
_SPEC = path("spec")
_AT = (None, "spec")


def decide_defaults(raw: JsonObject) -> Decision:
    """What API defaulting sets on the Pod `raw`."""
    told = Told(SOURCE)
    with_defaults(member(raw, "spec"), _AT, told)
    return Decision(tuple(told.made))


def decide_conversion(raw: JsonObject) -> Decision:
    """What becomes of the Pod `raw`, which has been through defaulting, when the server reads it."""
    return Decision(tuple(conversion(raw)))


def decide_creation(raw: JsonObject) -> Decision:
    """What conversion and PrepareForCreate make of the Pod `raw`, which has been through defaulting."""
    made = (*conversion(raw), *dropped(raw, CONTAINER_LISTS, CREATION), *merged(raw, CREATION))
    return Decision(made) + _profiles(raw)


def _profiles(raw: JsonObject) -> Decision:
    """AppArmor profiles that stand in annotations."""
    annotations = member(member(raw, "metadata"), "annotations")
    if not any(name.startswith(apparmor.PREFIX) for name in annotations):
        return Decision()
    spec = member(raw, "spec")
    if member(spec, "os").get("name") == "windows":
        return Decision()
    pod_profile = member(spec, "securityContext").get("appArmorProfile")
    made: list[Decision] = []
    for list_name in CONTAINER_LISTS:
        for index, container in enumerate(objects(spec, list_name)):
            annotation = annotations.get(f"{apparmor.PREFIX}{container.get('name')}")
            profile = apparmor_profile(annotation) if isinstance(annotation, str) else None
            if profile is None or member(container, "securityContext").get("appArmorProfile") is not None:
                continue
            if pod_profile != profile:
                at = _SPEC / list_name / index / "securityContext" / "appArmorProfile"
                made.append(_set(at, profile, f"the annotation says {annotation}", CREATION))
    return merge(*made)


def apparmor_profile(annotation: str) -> dict[str, str] | None:
    """The field that means the same as the AppArmor annotation's value; None if that field would not be valid."""
    if annotation == "unconfined":
        return {"type": "Unconfined"}
    if annotation == "runtime/default":
        return {"type": "RuntimeDefault"}
    name = annotation.removeprefix("localhost/")
    if name == annotation or apparmor.localhost(name, Path()).refused:
        return None
    return {"type": "Localhost", "localhostProfile": name}


def defaulted(raw: JsonObject) -> tuple[JsonObject, Decision]:
    """The Pod after defaulting, and what was decided."""
    told = Told(SOURCE)
    spec = with_defaults(member(raw, "spec"), _AT, told)
    return {**copied_object(raw), "spec": copied_object(spec)}, Decision(tuple(told.made))


def converted(raw: JsonObject) -> tuple[JsonObject, Decision]:
    """The Pod as the API server reads it: after defaulting and conversion, and what was decided."""
    pod, decision = defaulted(raw)
    more = decide_conversion(pod)
    return applied(pod, more) if more.assignments else pod, decision + more


def _set(at: Path, value: Value, reason: str, source: Source) -> Decision:
    return Decision(assignments=(Assignment(at, value, reason, source),))
