"""What the values of a plain Pod must have to do with each other, so that validation finds nothing in it.

Specification: the rules of `api.validation`, each taken a little too strictly rather than a little too loosely. Asked
are only yes and no, of whole containers at once where that is quicker; who wants to know what is wrong asks validation.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from podward.api.godecode.quantity import QuantityError, parse
from podward.api.plain.parts import (
    Amounts,
    PlainContainer,
    PlainHook,
    PlainItem,
    PlainMeta,
    PlainMount,
    PlainPort,
    PlainProbe,
    PlainRequest,
    PlainResources,
    PlainSecurityContext,
    PlainSpec,
    PlainToleration,
    PlainVariable,
    PlainVariables,
    PlainVolume,
)
from podward.api.schema_fit import fits
from podward.api.schema_scalars import is_quantity
from podward.api.validation.labels import key_faults, value_faults
from podward.api.validation.names import label_faults, subdomain_faults
from podward.api.validation.ports import name_faults
from podward.path import path

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_SPEAKING = (
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
    "kubernetes.io/config.mirror",
    "controller.kubernetes.io/pod-deletion-cost",
)
"""What annotations begin with that mean something to validation, to defaulting or to a policy."""
_MOST_ANNOTATED = 64 * 1024
"""Characters of all annotations; the server takes 256 KiB."""
_LONGEST_KEY = 253
_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
_GRACE = 30
_ALL_BUT_ONE = 4  # of five kinds of volumes
_AT = path("spec")
_REPLACING = frozenset(("Deployment", "StatefulSet", "DaemonSet"))
_JOBS = frozenset(("Job", "CronJob"))


def is_sound(spec: PlainSpec, metadata: PlainMeta | None, kind: str, claims: frozenset[str]) -> bool:
    """Whether nothing can be said against the Pod; `claims` are the volumes that a StatefulSet makes."""
    names = _volumes(spec.volumes or (), claims)
    return (
        names is not None
        and (metadata is None or _is_meta(metadata))
        and _is_whole(spec, kind)
        and _are_containers(spec, names)
        and (not spec.tolerations or all(map(_is_tolerable, spec.tolerations)))
        and (spec.affinity is None or _is_affine(spec.affinity))
        and (not spec.topology_spread_constraints or _is_spread(spec.topology_spread_constraints))
    )


# --- the Pod ----------------------------------------------------------------------------------------------------------


def _is_meta(metadata: PlainMeta) -> bool:
    return (not metadata.labels or _are_labels(metadata.labels)) and (
        not metadata.annotations or _are_annotations(metadata.annotations)
    )


def _are_labels(labels: dict[str, str]) -> bool:
    for key, value in labels.items():  # noqa: SIM110  # a generator would cost each workload
        if key_faults(key) or value_faults(value):
            return False
    return True


def _are_annotations(annotations: dict[str, str]) -> bool:
    size = 0
    for key, value in annotations.items():
        if key.startswith(_SPEAKING) or key_faults(key.lower()):
            return False
        size += len(key) + len(value)
    return size <= _MOST_ANNOTATED


def _is_whole(spec: PlainSpec, kind: str) -> bool:
    """The fields of the Pod itself."""
    policy = spec.restart_policy
    if kind in _REPLACING:
        restarts = policy in {None, "Always"}
    else:
        restarts = kind not in _JOBS or policy in {"OnFailure", "Never"}
    return (
        restarts
        and not (spec.share_process_namespace and spec.host_pid)
        and not (spec.service_account_name and subdomain_faults(spec.service_account_name))
        and not (spec.service_account and subdomain_faults(spec.service_account))
        and not (spec.priority_class_name and subdomain_faults(spec.priority_class_name))
        and (not spec.node_selector or _are_labels(spec.node_selector))
    )


def _is_tolerable(toleration: PlainToleration) -> bool:
    if toleration.key:
        if key_faults(toleration.key):
            return False
    elif toleration.operator != "Exists":
        return False
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        return False
    value = toleration.value
    return not value or (toleration.operator != "Exists" and not value_faults(value))


def _is_affine(affinity: JsonObject) -> bool:
    from podward.api.validation.affinity import check

    return fits(affinity, "Affinity") and not check(affinity, _AT).refused


def _is_spread(constraints: tuple[JsonObject, ...]) -> bool:
    from podward.api.validation.topology import check

    fitting = all(fits(constraint, "TopologySpreadConstraint") for constraint in constraints)
    return fitting and not check({"topologySpreadConstraints": list(constraints)}, _AT).refused


# --- volumes ----------------------------------------------------------------------------------------------------------


def _volumes(volumes: tuple[PlainVolume, ...], claims: frozenset[str]) -> frozenset[str] | None:
    """The names of all volumes; None if something can be said against one."""
    names = {volume.name for volume in volumes}
    if len(names) < len(volumes) or not names.isdisjoint(claims):
        return None
    if not all(map(_is_volume, volumes)):
        return None
    return claims | names if claims else frozenset(names)


def _is_volume(volume: PlainVolume) -> bool:
    if label_faults(volume.name):
        return False
    empty, config, secret = volume.empty_dir, volume.config_map, volume.secret
    claim, host = volume.persistent_volume_claim, volume.host_path
    if (empty, config, secret, claim, host).count(None) != _ALL_BUT_ONE:
        return False
    if config is not None:
        sound = bool(config.name) and _are_items(config.items)
    elif secret is not None:
        sound = bool(secret.secret_name) and _are_items(secret.items)
    elif claim is not None:
        sound = bool(claim.claim_name)
    elif host is not None:
        sound = bool(host.path) and ".." not in host.path
    else:
        sound = empty is not None and (empty.size_limit is None or _units(empty.size_limit) is not None)
    return sound


def _are_items(items: tuple[PlainItem, ...] | None) -> bool:
    return not items or all(bool(item.key) and _is_inside(item.path) for item in items)


def _is_inside(place: str) -> bool:
    """Whether a path surely stays below where it begins."""
    return bool(place) and not place.startswith("/") and ".." not in place


# --- containers -------------------------------------------------------------------------------------------------------


def _are_containers(spec: PlainSpec, volumes: frozenset[str]) -> bool:
    regular, initial = spec.containers, spec.init_containers or ()
    names = {container.name for container in regular}
    names.update([container.name for container in initial])
    if len(names) < len(regular) + len(initial):
        return False
    grace = spec.termination_grace_period_seconds
    grace = _GRACE if grace is None else grace
    for container in regular:
        if not _is_container(container, volumes) or not _has_hooks(container, grace):
            return False
    for container in initial:
        if not _is_container(container, volumes) or _is_watched(container):
            return False
    ports = [port for container in regular for port in container.ports or ()]
    ports_of_all = ports + [port for container in initial for port in container.ports or ()]
    # With hostNetwork each port becomes one of the node's: that is for defaulting to do.
    return not ports_of_all or (not spec.host_network and _are_free(ports) and _are_free(ports_of_all))


def _are_free(ports: list[PlainPort]) -> bool:
    """Whether no port of the node is taken twice."""
    taken = [(port.protocol or "TCP", port.host_port) for port in ports if port.host_port]
    return len(taken) < 2 or len(set(taken)) == len(taken)  # one can't be there twice


def _is_watched(container: PlainContainer) -> bool:
    """Whether the container has what an init container must not have."""
    watched = (container.liveness_probe, container.readiness_probe, container.startup_probe, container.lifecycle)
    return watched != (None, None, None, None)


def _is_container(container: PlainContainer, volumes: frozenset[str]) -> bool:
    image, context = container.image, container.security_context
    return (
        not label_faults(container.name)
        and image != ""
        and not image[0].isspace()
        and not image[-1].isspace()
        and (not container.env or _are_variables(container.env))
        and (not container.env_from or all(map(_is_source, container.env_from)))
        and (not container.ports or _are_ports(container.ports))
        and (not container.volume_mounts or _are_mounts(container.volume_mounts, volumes))
        and (container.resources is None or _are_resources(container.resources))
        and (context is None or context.allow_privilege_escalation is not False or _does_not_escalate(context))
    )


def _does_not_escalate(context: PlainSecurityContext) -> bool:
    added = context.capabilities.add if context.capabilities is not None else None
    return not context.privileged and not (added and "CAP_SYS_ADMIN" in added)


def _are_variables(variables: tuple[PlainVariable, ...]) -> bool:
    names = [variable.name for variable in variables]
    text = "".join(names)
    if "" in names or "=" in text or not (text.isascii() and text.isprintable()):
        return False
    for variable in variables:  # noqa: SIM110  # as above
        if variable.value_from is not None and not _has_one_source(variable):
            return False
    return True


def _has_one_source(variable: PlainVariable) -> bool:
    source = variable.value_from
    if source is None or variable.value:
        return False
    secret, config, own, resource = (
        source.secret_key_ref,
        source.config_map_key_ref,
        source.field_ref,
        source.resource_field_ref,
    )
    if (secret, config, own, resource).count(None) != len(("config", "own", "resource")):
        return False
    reference = secret or config
    return reference is None or _is_key(reference.name, reference.key)


@lru_cache(1 << 11)
def _is_key(name: str, key: str) -> bool:
    """Whether this is a key of an object of this name; remembered, because containers share their objects."""
    fits_in = 0 < len(key) <= _LONGEST_KEY and _KEY_CHARACTERS.issuperset(key)
    return not subdomain_faults(name) and fits_in and key != "." and not key.startswith("..")


def _is_source(source: PlainVariables) -> bool:
    config, secret, prefix = source.config_map_ref, source.secret_ref, source.prefix
    if prefix and ("=" in prefix or not (prefix.isascii() and prefix.isprintable())):
        return False
    if (config is None) == (secret is None):
        return False
    reference = config or secret
    return reference is not None and not subdomain_faults(reference.name)


def _are_ports(ports: tuple[PlainPort, ...]) -> bool:
    names: list[str] = []
    for port in ports:
        if port.name:
            if name_faults(port.name) or port.name in names:
                return False
            names.append(port.name)
    return True


def _are_mounts(mounts: tuple[PlainMount, ...], volumes: frozenset[str]) -> bool:
    places: set[str] = set()
    for mount in mounts:
        if mount.name not in volumes or not mount.mount_path or (mount.sub_path and not _is_inside(mount.sub_path)):
            return False
        places.add(mount.mount_path)
    return len(places) == len(mounts)


def _are_resources(resources: PlainResources) -> bool:
    limits: Amounts = resources.limits or {}
    for name, limit in limits.items():
        most = _units(limit)
        if most is None:
            return False
        request = resources.requests.get(name) if resources.requests else None
        if request is not None and ((least := _units(request)) is None or least > most):
            return False
    return not resources.requests or None not in map(_units, resources.requests.values())


@lru_cache(1 << 10)
def _units(amount: str | int) -> int | None:
    """What the amount comes to, in billionths; None if it is none that is sound. The same few stand everywhere."""
    if not is_quantity(amount):
        return None
    try:
        units = parse(str(amount)).units
    except QuantityError:
        return None
    return units if units >= 0 else None


# --- probes and hooks -------------------------------------------------------------------------------------------------


def _has_hooks(container: PlainContainer, grace: int) -> bool:
    """Whether its probes and hooks, if any, are sound."""
    probes: Iterable[PlainProbe | None] = (
        container.liveness_probe,
        container.readiness_probe,
        container.startup_probe,
    )
    for probe in probes:
        if probe is not None and not _is_probe(probe):
            return False
    hooks = container.lifecycle
    return hooks is None or (_is_hook(hooks.post_start, grace) and _is_hook(hooks.pre_stop, grace))


def _is_probe(probe: PlainProbe) -> bool:
    command, request, connection = probe.exec, probe.http_get, probe.tcp_socket
    if request is not None:
        return command is None and connection is None and _is_request(request)
    if connection is not None:
        return command is None and _is_port(connection.port)
    return command is not None


def _is_request(request: PlainRequest) -> bool:
    return _is_port(request.port)


def _is_port(port: int | str) -> bool:
    return type(port) is int or not name_faults(str(port))


def _is_hook(hook: PlainHook | None, grace: int) -> bool:
    if hook is None:
        return True
    if hook.exec is not None:
        return hook.sleep is None
    return hook.sleep is not None and hook.sleep.seconds <= grace
