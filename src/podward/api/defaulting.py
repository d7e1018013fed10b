"""What the API server fills in when a Pod is created: API defaulting, then the registry's PrepareForCreate.

Specification: Kubernetes 1.36, pkg/apis/core/v1 defaults and the Pod registry's strategy, in this order:
- `decide_defaults`: everything that is unset gets its default. Strings that are empty count as unset. procMount and
  the fields of security contexts have no default, but a Pod without securityContext gets an empty one. A volume
  without source becomes an emptyDir. With hostNetwork, hostPort becomes containerPort, for regular and init
  containers. A resource's request becomes its limit.
- `decide_creation`: an AppArmor annotation becomes the container's field where the field is unset, the annotation
  is valid, and the Pod's own profile isn't the same. Not for Windows Pods.
Volume sources' own defaults are in `volume_defaults`.
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.api.json_value import JsonObject
from podward.api.patching import applied
from podward.api.pull_policy import default_pull_policy
from podward.api.raw_fields import member, objects
from podward.api.validation import apparmor
from podward.api.volume_defaults import volume_defaults
from podward.decision import Assignment, Decision, Origin, Source, Value, merge
from podward.errors import UsageError
from podward.path import Path, path

SOURCE = Source(Origin.DEFAULT, "Kubernetes 1.36 defaulting")
"""Who decides what `decide_defaults` sets."""
CREATION = Source(Origin.RULE, "Kubernetes 1.36 PrepareForCreate")
"""Who decides what `decide_creation` sets."""

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
_SPEC = path("spec")

_POD_DEFAULTS: tuple[tuple[str, Value], ...] = (
    ("dnsPolicy", "ClusterFirst"),
    ("restartPolicy", "Always"),
    ("terminationGracePeriodSeconds", 30),
    ("schedulerName", "default-scheduler"),
    ("enableServiceLinks", True),
)
_CONTAINER_DEFAULTS: tuple[tuple[str, Value], ...] = (
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
)
_PROBE_DEFAULTS: tuple[tuple[str, Value], ...] = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
)


def decide_defaults(raw: JsonObject) -> Decision:
    """What API defaulting sets on the Pod `raw`."""
    spec = member(raw, "spec")
    made = [_unset(spec, _SPEC, name, value, f"unset: {value} is the default") for name, value in _POD_DEFAULTS]
    if spec.get("securityContext") is None:
        made.append(_set(_SPEC / "securityContext", {}, "unset: an empty one"))
    for list_name in CONTAINER_LISTS:
        for index, container in enumerate(objects(spec, list_name)):
            at = _SPEC / list_name / index
            made.append(_container(container, at))
            if list_name != "ephemeralContainers":
                made.append(_requests(container, at))
                if spec.get("hostNetwork") is True:
                    made.append(_host_ports(container, at))
    made += [
        volume_defaults(volume, _SPEC / "volumes" / index, SOURCE)
        for index, volume in enumerate(objects(spec, "volumes"))
    ]
    return merge(*made)


def decide_creation(raw: JsonObject) -> Decision:
    """What PrepareForCreate sets on the Pod `raw`, which has been through defaulting."""
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


def created(raw: JsonObject) -> tuple[JsonObject, Decision]:
    """The Pod as the API server validates it: after defaulting and PrepareForCreate, and what was decided."""
    pod, decision = defaulted(raw)
    more = decide_creation(pod)
    return applied(pod, more) if more.assignments else pod, decision + more


def prepare(raw: JsonObject, how: str) -> JsonObject:
    """The Pod prepared as a question of `podward batch` asks: `none`, `defaults` or `create`."""
    if how == "none":
        return raw
    if how not in {"defaults", "create"}:
        raise UsageError(f"prepare: {how} is none of none, defaults, create")
    return (defaulted if how == "defaults" else created)(raw)[0]


def _set(at: Path, value: Value, reason: str, source: Source = SOURCE) -> Decision:
    return Decision(assignments=(Assignment(at, value, reason, source),))


def _unset(raw: JsonObject, at: Path, name: str, value: Value, reason: str) -> Decision:
    """`value` for the field `name` of `raw`, which is at `at`, unless it is set; an empty string is unset."""
    return _set(at / name, value, reason) if raw.get(name) in (None, "") else Decision()


def _zero(raw: JsonObject, at: Path, name: str, value: Value, reason: str) -> Decision:
    """The same for a number that is no pointer in Go: 0 is unset."""
    return _set(at / name, value, reason) if raw.get(name) in (None, 0) else Decision()


def _container(container: JsonObject, at: Path) -> Decision:
    policy = default_pull_policy(container.get("image"))
    made = [_unset(container, at, "imagePullPolicy", policy, f"unset: {policy} is the default for this image's tag")]
    made += [
        _unset(container, at, name, value, f"unset: {value} is the default") for name, value in _CONTAINER_DEFAULTS
    ]
    if container.get("resources") is None:
        made.append(_set(at / "resources", {}, "unset: no limits"))
    for index, port in enumerate(objects(container, "ports")):
        made.append(_unset(port, at / "ports" / index, "protocol", "TCP", "unset: TCP is the default"))
    for index, variable in enumerate(objects(container, "env")):
        reference = member(variable, "valueFrom").get("fieldRef")
        if isinstance(reference, dict):
            place = at / "env" / index / "valueFrom" / "fieldRef"
            made.append(_unset(reference, place, "apiVersion", "v1", "unset: v1 is the default"))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if isinstance(probe, dict):
            made += [
                _zero(probe, at / name, field, value, f"unset: {value} is the default")
                for field, value in _PROBE_DEFAULTS
            ]
            made.append(_http(probe, at / name))
            if isinstance(probe.get("grpc"), dict) and member(probe, "grpc").get("service") is None:
                made.append(_set(at / name / "grpc" / "service", "", "unset: no service"))
    for name in ("postStart", "preStop"):
        made.append(_http(member(member(container, "lifecycle"), name), at / "lifecycle" / name))
    return merge(*made)


def _http(handler: JsonObject, at: Path) -> Decision:
    request = handler.get("httpGet")
    if not isinstance(request, dict):
        return Decision()
    return _unset(request, at / "httpGet", "path", "/", "unset: / is the default") + _unset(
        request, at / "httpGet", "scheme", "HTTP", "unset: HTTP is the default"
    )


def _requests(container: JsonObject, at: Path) -> Decision:
    resources = member(container, "resources")
    requests = member(resources, "requests")
    return merge(
        *(
            _set(at / "resources" / "requests" / name, limit, "unset: the limit")
            for name, limit in member(resources, "limits").items()
            if name not in requests
        )
    )


def _host_ports(container: JsonObject, at: Path) -> Decision:
    return merge(
        *(
            _zero(port, at / "ports" / index, "hostPort", port.get("containerPort"), "hostNetwork: the containerPort")
            for index, port in enumerate(objects(container, "ports"))
            if port.get("containerPort")
        )
    )
