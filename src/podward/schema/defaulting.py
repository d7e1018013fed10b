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
Volume sources' own defaults are in `volume_defaults`, those of resources in `resource_defaults`.
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.api.json_value import Json, JsonObject
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, Value, merge
from podward.documents.patching import applied
from podward.documents.raw_fields import member, objects
from podward.path import Path, path
from podward.schema.dropped_fields import conversion, dropped
from podward.schema.label_keys import merged
from podward.schema.pull_policy import default_pull_policy
from podward.schema.resource_defaults import container_requests, pod_resources, rounded
from podward.schema.validation import apparmor
from podward.schema.volume_defaults import volume_defaults

SOURCE = Source(Origin.DEFAULT, f"Kubernetes {KUBERNETES} defaulting")
"""Who decides what `decide_defaults` sets."""
CREATION = Source(Origin.RULE, f"Kubernetes {KUBERNETES} PrepareForCreate")
"""Who decides what `decide_creation` sets."""

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
_SPEC = path("spec")


def _default(at: Path, value: Value) -> Assignment:
    return Assignment(at, value, f"unset: {value} is the default", SOURCE)


_POD_DEFAULTS: tuple[tuple[str, Value], ...] = (
    ("dnsPolicy", "ClusterFirst"),
    ("restartPolicy", "Always"),
    ("terminationGracePeriodSeconds", 30),
    ("schedulerName", "default-scheduler"),
    ("enableServiceLinks", True),
)
_OF_PODS = tuple((name, _default(_SPEC / name, value)) for name, value in _POD_DEFAULTS)
_CONTAINER_DEFAULTS: tuple[tuple[str, Value], ...] = (
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
)
_EMPTY: tuple[Json, ...] = (None, "")
_ZERO: tuple[Json, ...] = (None, 0)
_PROBE_DEFAULTS: tuple[tuple[str, Value], ...] = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
)


def decide_defaults(raw: JsonObject) -> Decision:
    """What API defaulting sets on the Pod `raw`."""
    spec = member(raw, "spec")
    made = [assignment for name, assignment in _OF_PODS if spec.get(name) in _EMPTY]
    if spec.get("securityContext") is None:
        made.append(Assignment(_SPEC / "securityContext", {}, "unset: an empty one", SOURCE))
    shares_network = spec.get("hostNetwork") is True
    for list_name in CONTAINER_LISTS:
        for index, container in enumerate(objects(spec, list_name)):
            at = Path(("spec", list_name, index))
            made += _container(container, at)
            if list_name != "ephemeralContainers":
                made += container_requests(container, at, SOURCE)
                if shares_network:
                    made += _host_ports(container, at)
    for index, volume in enumerate(objects(spec, "volumes")):
        made += volume_defaults(volume, Path(("spec", "volumes", index)), SOURCE).assignments
    if spec.get("resources") is not None:
        made += pod_resources(spec, _SPEC, SOURCE)
        made += _rounded_resources(spec, _SPEC)
    if spec.get("overhead") is not None:
        made += rounded(spec, "overhead", _SPEC, SOURCE)
    return Decision(tuple(made))


def decide_conversion(raw: JsonObject) -> Decision:
    """What becomes of the Pod `raw`, which has been through defaulting, when the server reads it."""
    return Decision(tuple(conversion(raw)))


def decide_creation(raw: JsonObject) -> Decision:
    """What conversion and PrepareForCreate make of the Pod `raw`, which has been through defaulting."""
    made = (*conversion(raw), *dropped(raw, CONTAINER_LISTS, CREATION), *merged(raw, CREATION))
    return Decision(made) + _profiles(raw)


def _profiles(raw: JsonObject) -> Decision:
    """AppArmor profiles that stand in annotations."""
    spec = member(raw, "spec")
    if member(spec, "os").get("name") == "windows":
        return Decision()
    annotations = member(member(raw, "metadata"), "annotations")
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
    if name == annotation or apparmor.check(Profile("Localhost", name), Path()).refused:
        return None
    return {"type": "Localhost", "localhostProfile": name}


def defaulted(raw: JsonObject) -> tuple[JsonObject, Decision]:
    """The Pod after defaulting, and what was decided."""
    decision = decide_defaults(raw)
    return applied(raw, decision), decision


def converted(raw: JsonObject) -> tuple[JsonObject, Decision]:
    """The Pod as the API server reads it: after defaulting and conversion, and what was decided."""
    pod, decision = defaulted(raw)
    more = decide_conversion(pod)
    return applied(pod, more) if more.assignments else pod, decision + more


def _set(at: Path, value: Value, reason: str, source: Source = SOURCE) -> Decision:
    return Decision(assignments=(Assignment(at, value, reason, source),))


def _container(container: JsonObject, at: Path) -> list[Assignment]:
    made: list[Assignment] = []
    if container.get("imagePullPolicy") in _EMPTY:
        policy = default_pull_policy(container.get("image"))
        reason = f"unset: {policy} is the default for this image's tag"
        made.append(Assignment(at / "imagePullPolicy", policy, reason, SOURCE))
    for name, value in _CONTAINER_DEFAULTS:
        if container.get(name) in _EMPTY:
            made.append(_default(at / name, value))
    if container.get("resources") is None:
        made.append(Assignment(at / "resources", {}, "unset: no limits", SOURCE))
    else:
        made += _rounded_resources(container, at)
    made += _items(container, at)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if isinstance(probe, dict):
            made += _probe(probe, at / name)
    lifecycle = container.get("lifecycle")
    if isinstance(lifecycle, dict):
        for name in ("postStart", "preStop"):
            made += _http(member(lifecycle, name), at / "lifecycle" / name)
    return made


def _items(container: JsonObject, at: Path) -> list[Assignment]:
    made: list[Assignment] = []
    for index, port in enumerate(objects(container, "ports")):
        if port.get("protocol") in _EMPTY:
            made.append(_default(Path((*at.segments, "ports", index, "protocol")), "TCP"))
    for index, variable in enumerate(objects(container, "env")):
        origin = variable.get("valueFrom")
        if not isinstance(origin, dict):
            continue
        reference, file = origin.get("fieldRef"), origin.get("fileKeyRef")
        if isinstance(reference, dict) and reference.get("apiVersion") in _EMPTY:
            made.append(_default(Path((*at.segments, "env", index, "valueFrom", "fieldRef", "apiVersion")), "v1"))
        if isinstance(file, dict) and file.get("optional") is None:
            place = Path((*at.segments, "env", index, "valueFrom", "fileKeyRef", "optional"))
            made.append(Assignment(place, False, "unset: the file must have the key", SOURCE))
    return made


def _rounded_resources(holder: JsonObject, at: Path) -> list[Assignment]:
    resources = member(holder, "resources")
    if not resources:
        return []
    place = at / "resources"
    return rounded(resources, "limits", place, SOURCE) + rounded(resources, "requests", place, SOURCE)


def _probe(probe: JsonObject, at: Path) -> list[Assignment]:
    # Its numbers are no pointers in Go: 0 is unset.
    made = [_default(at / field, value) for field, value in _PROBE_DEFAULTS if probe.get(field) in _ZERO]
    made += _http(probe, at)
    if isinstance(probe.get("grpc"), dict) and member(probe, "grpc").get("service") is None:
        made.append(Assignment(at / "grpc" / "service", "", "unset: no service", SOURCE))
    return made


def _http(handler: JsonObject, at: Path) -> list[Assignment]:
    request = handler.get("httpGet")
    if not isinstance(request, dict):
        return []
    defaults = (("path", "/"), ("scheme", "HTTP"))
    return [_default(at / "httpGet" / name, value) for name, value in defaults if request.get(name) in _EMPTY]


def _host_ports(container: JsonObject, at: Path) -> list[Assignment]:
    reason = "hostNetwork: the containerPort"
    return [
        Assignment(at / "ports" / index / "hostPort", port.get("containerPort"), reason, SOURCE)
        for index, port in enumerate(objects(container, "ports"))
        if port.get("containerPort") and port.get("hostPort") in _ZERO
    ]
