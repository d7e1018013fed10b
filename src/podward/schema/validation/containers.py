"""The containers of a Pod, list by list; what each of their fields may be is in `table`.

Specification: Kubernetes, validateContainers, validateInitContainers, validateEphemeralContainers. Names are unique
among all containers; the later list reports a name that an earlier list has. Only a sidecar, of init containers, has
probes and hooks. An ephemeral container has no ports, resources, probes, hooks or subPaths, and attaches to a container
of another kind.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.validation import ports
from podward.schema.validation.field import NOTHING, Place, duplicate, forbidden, invalid, not_found, required
from podward.schema.validation.raw import text
from podward.schema.validation.restarts import resizing_of_ending
from podward.schema.validation.walk import Scope

_NOT_EPHEMERAL = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
_OF_SIDECARS = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_GO_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def check(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """All containers of the Pod: regular, init, ephemeral, as the server visits them here."""
    regular, list_at = objects(spec, "containers"), Place(at, "containers")
    walk, walk_regular = scope.walks["Container/common"], scope.walks["Container/regular"]
    names: set[str] = set()
    found: list[Decision] = [] if regular else [required(list_at)]
    for index, container in enumerate(regular):
        place, name = Place(list_at, index), text(container, "name")
        found.append(walk(container, scope, place))
        if name in names:
            found.append(duplicate(place / "name", name))
        names.add(name)
        found.append(walk_regular(container, scope, place))
    found.append(ports.host_ports(regular, list_at))
    if spec.get("initContainers"):
        found.append(_initial(objects(spec, "initContainers"), scope, at / "initContainers", names))
    if spec.get("ephemeralContainers"):
        found.append(_ephemeral(objects(spec, "ephemeralContainers"), scope, at / "ephemeralContainers", names))
    return merge(*found)


def is_one(spec: JsonObject) -> bool:
    """Whether `check` surely has nothing to say: there is one container, which takes no port of the host."""
    regular = objects(spec, "containers")
    return (
        len(regular) == 1
        and not spec.get("initContainers")
        and not spec.get("ephemeralContainers")
        and not any(port.get("hostPort") for port in objects(regular[0], "ports"))
    )


def _initial(containers: list[JsonObject], scope: Scope, at: Place, names: set[str]) -> Decision:
    found: list[Decision] = []
    for index, container in enumerate(containers):
        place, name = at / index, text(container, "name")
        found += [scope.check("Container/common", container, place), scope.check("Container/init", container, place)]
        if name in names:
            found.append(duplicate(place / "name", name))
        elif name:
            names.add(name)
        # The server counts the ports of each init container alone, and prints every one as the first of the list.
        found.append(ports.host_ports((container,), at))
        if container.get("restartPolicy") == "Always":
            found.append(scope.check("Container/sidecar", container, place))
            continue
        detail = "may not be set for init containers without restartPolicy=Always"
        found += [forbidden(place / name, detail) for name in _OF_SIDECARS if container.get(name) is not None]
        found.append(resizing_of_ending(container, place))
    return merge(*found)


def _ephemeral(containers: list[JsonObject], scope: Scope, at: Place, names: set[str]) -> Decision:
    lists = (objects(scope.spec, "containers"), objects(scope.spec, "initContainers"))
    others = frozenset(text(container, "name") for listed in lists for container in listed)
    names |= others
    found: list[Decision] = []
    for index, container in enumerate(containers):
        place, name = at / index, text(container, "name")
        found += [scope.check("Container/common", container, place), image(container, place)]
        if name in names:
            found.append(duplicate(place / "name", name))
        names.add(name)
        found.append(_only_debugging(container, others, place))
    return merge(*found)


def _only_debugging(container: JsonObject, others: frozenset[str], at: Place) -> Decision:
    """What an ephemeral container has beyond others, and what it must not have."""
    found: list[Decision] = []
    target, detail = text(container, "targetContainerName"), "cannot be set for an Ephemeral Container"
    if target and target not in others:
        found.append(not_found(at / "targetContainerName", target))
    for name in _NOT_EPHEMERAL:
        value = container.get(name)
        parts = member(container, "resources").values() if name == "resources" else (value,)
        if value is not None and any(part is not None for part in parts):
            found.append(forbidden(at / name, detail))
    for index, mount in enumerate(objects(container, "volumeMounts")):
        place = at / "volumeMounts" / index
        found += [forbidden(place / name, detail) for name in ("subPath", "subPathExpr") if text(mount, name)]
    return merge(*found)


def images(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """No white space around an image's name; regular containers, then init containers."""
    found: list[Decision] = []
    for name in ("containers", "initContainers"):
        for index, container in enumerate(objects(spec, name) if spec.get(name) else ()):
            written = container.get("image")
            if isinstance(written, str) and written != written.strip(_GO_SPACE):
                found.append(image(container, at / name / index))
    return merge(*found) if found else NOTHING


def image(container: JsonObject, at: Place) -> Decision:
    """The same for one container."""
    written = text(container, "image")
    if written == written.strip(_GO_SPACE):
        return NOTHING
    return invalid(at / "image", written, "must not have leading or trailing whitespace")


def not_created(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """Ephemeral containers come to a Pod that runs."""
    written = spec.get("ephemeralContainers")
    return forbidden(at / "ephemeralContainers", "cannot be set on create") if written else NOTHING


def on_the_network_of_the_node(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """With hostNetwork, the ports of regular containers are the node's."""
    if not spec.get("hostNetwork"):
        return NOTHING
    listed = enumerate(objects(spec, "containers"))
    return merge(*(ports.are_the_nodes(container, at / "containers" / index) for index, container in listed))
