"""Containers: names, images, and everything in them, in the server's order.

Specification: Kubernetes, validateContainers, validateInitContainers, validateEphemeralContainers,
validateContainerCommon. Names are labels and unique among all containers; the later list reports a name that an
earlier list has. Only a sidecar, of init containers, has probes and hooks. An ephemeral container has no ports,
resources, probes, hooks or subPaths, and attaches to a container of another kind.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, PodSpec
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation import mounts, policies, ports, security_context
from podward.schema.validation.field import duplicate, forbidden, invalid, not_found, required, unsupported
from podward.schema.validation.names import label, label_faults
from podward.schema.validation.raw import text

_NOT_EPHEMERAL = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
_OF_SIDECARS = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_SET_OF_SIDECARS = frozenset(_OF_SIDECARS)
_MESSAGES = ("File", "FallbackToLogsOnError")
_GO_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


class Context(Struct, frozen=True):
    """What all containers of a Pod are judged by.

    `spec`: the raw Pod's. `volumes`: those that are valid, by name. `claims`: the names of device claims.
    """

    spec: JsonObject
    volumes: dict[str, JsonObject]
    claims: frozenset[str]
    host_users: bool
    allow_privileged: bool


def check(spec: PodSpec, context: Context, at: Path) -> Decision:
    """All containers of the Pod: regular, init, ephemeral, as the server visits them here."""
    found: list[Decision] = []
    if not spec.containers:
        found.append(required(at / "containers"))
    raws = objects(context.spec, "containers")
    names: set[str] = set()
    list_at = at / "containers"
    for index, container in enumerate(spec.containers or ()):
        found.append(_regular(container, raws[index], context, list_at / index, names))
    found.append(ports.host_ports(spec.containers or (), list_at))
    if spec.init_containers:
        raws = objects(context.spec, "initContainers")
        for index, container in enumerate(spec.init_containers):
            found.append(_init(container, raws[index], context, at / "initContainers" / index, names))
    if spec.ephemeral_containers:
        found.append(_all_ephemeral(spec, context, at / "ephemeralContainers", names))
    return merge(*found)


def _all_ephemeral(spec: PodSpec, context: Context, at: Path, names: set[str]) -> Decision:
    found: list[Decision] = []
    raws = objects(context.spec, "ephemeralContainers")
    others = frozenset(c.name for c in (*(spec.containers or ()), *(spec.init_containers or ())))
    names |= others
    for index, container in enumerate(spec.ephemeral_containers or ()):
        found.append(_ephemeral(container, raws[index], context, at / index, names))
        found.append(_only_debugging(raws[index], others, at / index))
    return merge(*found)


def check_images(spec: PodSpec, at: Path) -> Decision:
    """No white space around an image's name; regular containers, then init containers."""
    found: list[Decision] = []
    for name, containers in (("containers", spec.containers), ("initContainers", spec.init_containers)):
        for index, container in enumerate(containers or ()):
            if _is_padded(container.image or ""):
                found.append(_image(container, at / name / index))
    return merge(*found) if found else Decision()


def check_host_network(spec: PodSpec, at: Path) -> Decision:
    """With hostNetwork, a container's port is the host's port."""
    if not spec.host_network:
        return Decision()
    detail = "must match `containerPort` when `hostNetwork` is true"
    return merge(
        *(
            invalid(at / "containers" / index / "ports" / number / "hostPort", port.host_port or 0, detail)
            for index, container in enumerate(spec.containers or ())
            for number, port in enumerate(container.ports or ())
            if (port.host_port or 0) != (port.container_port or 0)
        )
    )


def _common(container: Container, raw: JsonObject, context: Context, at: Path) -> Decision:
    found: list[Decision] = []
    if not container.name or label_faults(container.name):
        found.append(label(container.name, at / "name") if container.name else required(at / "name"))
    if not container.image:
        found.append(required(at / "image"))
    messages = text(raw, "terminationMessagePolicy")
    if messages not in _MESSAGES:
        place = at / "terminationMessagePolicy"
        found.append(unsupported(place, messages, _MESSAGES) if messages else required(place))
    if container.ports:
        found.append(ports.check(container.ports, at / "ports"))
    if raw.get("env") or raw.get("envFrom"):
        from podward.schema.validation.environment import check as check_environment

        found.append(check_environment(raw, at))
    if container.volume_mounts or raw.get("volumeDevices"):
        found.append(_storage(container, raw, context, at))
    if container.image_pull_policy not in policies.PULL:
        found.append(policies.image_pull(container.image_pull_policy, at / "imagePullPolicy"))
    if raw.get("resources"):
        from podward.schema.validation.resources import check as check_resources

        found.append(check_resources(member(raw, "resources"), context.claims, at / "resources"))
    if raw.get("resizePolicy"):
        from podward.schema.validation import resizing

        found.append(resizing.check(raw, text(context.spec, "restartPolicy"), at / "resizePolicy"))
    found.append(_security(container, context, at))
    return merge(*found)


def _security(container: Container, context: Context, at: Path) -> Decision:
    own = container.security_context
    if own is None or security_context.surely_sound(own):
        return Decision()
    return security_context.of_container(
        own, at / "securityContext", host_users=context.host_users, allow_privileged=context.allow_privileged
    )


def _storage(container: Container, raw: JsonObject, context: Context, at: Path) -> Decision:
    devices: dict[str, str] = {}
    if raw.get("volumeDevices"):
        devices = {text(device, "name"): text(device, "devicePath") for device in objects(raw, "volumeDevices")}
    found = mounts.check(container, context.volumes, devices, at / "volumeMounts")
    if not devices:
        return found
    from podward.schema.validation.devices import check as check_devices

    return found + check_devices(raw, context.volumes, at / "volumeDevices")


def _regular(container: Container, raw: JsonObject, context: Context, at: Path, names: set[str]) -> Decision:
    found = _common(container, raw, context, at)
    if container.name in names:
        found += duplicate(at / "name", container.name)
    names.add(container.name)
    return found + _hooks(raw, context, at) + _restarts(raw, at)


def _init(container: Container, raw: JsonObject, context: Context, at: Path, names: set[str]) -> Decision:
    found = [_common(container, raw, context, at)]
    if raw.get("restartPolicyRules") or raw.get("restartPolicy") is not None:
        from podward.schema.validation import restarts

        found.append(restarts.check_init(raw, at))
    if container.name in names:
        found.append(duplicate(at / "name", container.name))
    elif container.name:
        names.add(container.name)
    # The server counts the ports of each init container alone, and prints every one as the first of the list.
    found.append(ports.host_ports((container,), Path(at.segments[:-1])))
    if container.restart_policy == "Always":
        return merge(*found, _hooks(raw, context, at))
    detail = "may not be set for init containers without restartPolicy=Always"
    found += [forbidden(at / name, detail) for name in _OF_SIDECARS if raw.get(name) is not None]
    if raw.get("resizePolicy"):
        from podward.schema.validation import resizing

        found.append(resizing.check_init(raw, at / "resizePolicy"))
    return merge(*found)


def _ephemeral(container: Container, raw: JsonObject, context: Context, at: Path, names: set[str]) -> Decision:
    found = [_common(container, raw, context, at), _image(container, at)]
    if container.name in names:
        found.append(duplicate(at / "name", container.name))
    names.add(container.name)
    return merge(*found)


def _only_debugging(raw: JsonObject, others: frozenset[str], at: Path) -> Decision:
    """What an ephemeral container has beyond others, and what it must not have."""
    found: list[Decision] = []
    target = text(raw, "targetContainerName")
    if target and target not in others:
        found.append(not_found(at / "targetContainerName", target))
    for name in _NOT_EPHEMERAL:
        value = raw.get(name)
        empty = value is None or (name == "resources" and not any(part is not None for part in _parts(raw)))
        if not empty:
            found.append(forbidden(at / name, "cannot be set for an Ephemeral Container"))
    for index, mount in enumerate(objects(raw, "volumeMounts")):
        for name in ("subPath", "subPathExpr"):
            if text(mount, name):
                detail = "cannot be set for an Ephemeral Container"
                found.append(forbidden(at / "volumeMounts" / index / name, detail))
    return merge(*found)


def _parts(raw: JsonObject) -> tuple[object, ...]:
    return tuple(member(raw, "resources").values())


def _hooks(raw: JsonObject, context: Context, at: Path) -> Decision:
    if _SET_OF_SIDECARS.isdisjoint(raw):
        return Decision()
    from podward.schema.validation.handlers import check as check_handlers

    return check_handlers(raw, context.spec, at)


def _restarts(raw: JsonObject, at: Path) -> Decision:
    if raw.get("restartPolicy") is None and not raw.get("restartPolicyRules"):
        return Decision()
    from podward.schema.validation import restarts

    return restarts.check(raw, at)


def _image(container: Container, at: Path) -> Decision:
    image = container.image or ""
    if not _is_padded(image):
        return Decision()
    return invalid(at / "image", image, "must not have leading or trailing whitespace")


def _is_padded(image: str) -> bool:
    return image != image.strip(_GO_SPACE)
