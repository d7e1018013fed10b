"""The devices of the Container Device Interface that a container asks for by name.

Specification (CDI 0.8 `SPEC.md`; containerd 2.2 `WithCDI`; in our words):
- A name is `vendor/class=device`. Devices are asked for in the message's `CDIDevices`, and in annotations that begin
  with `cdi.k8s.io/`, whose values are names with commas between; a name counts once.
- Of files that have a device of one name, those of the later directory count; two in one directory are a conflict, and
  the name leads to none. A name that leads to none refuses the container.
- A file's own edits come with the first of its devices, then the device's. A variable replaces that of its name, a
  device or mount that at its place; mounts are sorted by depth. A device comes with a rule for the cgroup that lets it
  be read, written and made if nothing else is said, and belongs to the container's user if nobody else is said.
- Edits of Intel RDT and of network devices are refused: what does not do them has no such device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from podward.api import cdi, oci
from podward.api.cri import ContainerConfig
from podward.api.gotext import quote
from podward.decision import Assignment, Decision, Origin, Source, Value, assign, refuse
from podward.path import Path, path
from podward.policy.runtime.mounts import depth

Item = TypeVar("Item")

FAILED = "CDI device injection failed"
PREFIX = "cdi.k8s.io/"
PLACE = path("CDIDevices")
_HOOKS = {
    "prestart": "prestart",
    "createRuntime": "create_runtime",
    "createContainer": "create_container",
    "startContainer": "start_container",
    "poststart": "poststart",
    "poststop": "poststop",
}


class SpecFile(Struct, frozen=True):
    """A file with a specification; `priority` is the place of its directory among the directories."""

    file: str
    priority: int
    spec: cdi.DeviceSpec


class Found(Struct, frozen=True):
    """The edits that a container gets, each with its file, in order; or what is wrong with the names."""

    edits: tuple[tuple[str, cdi.ContainerEdits], ...] = ()
    fault: str = ""

    @property
    def host_paths(self) -> tuple[str, ...]:
        """The device nodes of the host that must be looked at."""
        return tuple(node.host_path or node.path for _, edits in self.edits for node in edits.device_nodes)


def names(config: ContainerConfig) -> tuple[str, ...]:
    """The names of the devices that a container asks for."""
    asked = [device.name for device in config.cdi_devices]
    for key, value in config.annotations.items():
        if key.startswith(PREFIX):
            asked += [name.strip() for name in value.split(",") if name.strip()]
    return tuple(dict.fromkeys(asked))


def find(asked: tuple[str, ...], files: tuple[SpecFile, ...], broken: tuple[str, ...] = ()) -> Found:
    """The edits of these devices; `broken` are files that can't be used, and why."""
    edits: list[tuple[str, cdi.ContainerEdits]] = []
    missing, seen = [], set()
    for name in asked:
        found = _find(name, files)
        if found is None:
            missing.append(name)
            continue
        file, device = found
        if file.file not in seen:
            seen.add(file.file)
            edits.append((file.file, file.spec.container_edits))
        edits.append((file.file, device.container_edits))
    if missing:
        beside = f" ({'; '.join(broken)})" if broken else ""
        return Found(fault=f"{FAILED}: unresolvable CDI devices {', '.join(missing)}{beside}")
    unsupported = next((file for file, edit in edits if edit.intel_rdt is not None or edit.net_devices), "")
    if unsupported:
        return Found(fault=f"{FAILED}: {unsupported} asks for Intel RDT or network devices")
    return Found(tuple(edits))


def _find(name: str, files: tuple[SpecFile, ...]) -> tuple[SpecFile, cdi.Device] | None:
    kind, _, word = name.partition("=")
    of_kind = (file for file in files if file.spec.kind == kind)
    rows = [(file, device) for file in of_kind for device in file.spec.devices if device.name == word]
    if not word or not rows:
        return None
    highest = max(file.priority for file, _ in rows)
    best = [row for row in rows if row[0].priority == highest]
    return best[0] if len(best) == 1 else None


def injected(decided: Decision, found: Found, nodes: Mapping[str, oci.Device]) -> Decision:
    """The oci stage's Decision with these edits; `nodes` are the host's device nodes by their paths."""
    if found.fault:
        return decided + refuse(PLACE, "", found.fault, Source(Origin.NODE, "CDI"))
    for file, edits in found.edits:
        source = Source(Origin.NODE, file)
        spec = decided.fold(oci.RuntimeSpec)
        decided += _changes(spec, edits, source) + _devices(spec, edits, nodes, source)
    return decided


def _changes(spec: oci.RuntimeSpec, edits: cdi.ContainerEdits, source: Source) -> Decision:
    env = _with(spec.process.env, edits.env, lambda entry: entry.partition("=")[0])
    mounts = tuple(oci.Mount(m.container_path, m.type or "bind", m.host_path, m.options) for m in edits.mounts)
    merged = sorted(_with(spec.mounts, mounts, lambda mount: mount.destination), key=lambda m: depth(m.destination))
    decision = _items(path("process", "env"), spec.process.env, env, source)
    if mounts:
        decision += _items(path("mounts"), spec.mounts, merged, source)
    if gids := [gid for gid in edits.additional_gids if gid and gid not in spec.process.user.additional_gids]:
        groups = (*spec.process.user.additional_gids, *gids)
        decision += assign(path("process", "user", "additionalGids"), groups, _REASON, source)
    return decision + _hooks(spec.hooks or oci.Hooks(), edits.hooks, source)


def _hooks(had: oci.Hooks, added: tuple[cdi.Hook, ...], source: Source) -> Decision:
    decision = Decision()
    for name, field in _HOOKS.items():
        more = tuple(oci.Hook(h.path, h.args, h.env, h.timeout) for h in added if h.hook_name == name)
        if more:
            decision += assign(path("hooks", name), (*getattr(had, field), *more), _REASON, source)
    for hook in added:
        if hook.hook_name not in _HOOKS:
            decision += refuse(PLACE, hook.hook_name, f"{FAILED}: no hook {quote(hook.hook_name)}", source)
    return decision


def _devices(
    spec: oci.RuntimeSpec, edits: cdi.ContainerEdits, nodes: Mapping[str, oci.Device], source: Source
) -> Decision:
    made, rules, decision = [], [], Decision()
    for node in edits.device_nodes:
        here = node.host_path or node.path
        device = _device(node, nodes.get(here), spec.process.user)
        if device is None:
            sentence = f"{FAILED}: {quote(here)} is no device of this machine"
            decision += refuse(PLACE, here, sentence, source)
            continue
        made.append(device)
        if device.type in ("b", "c"):
            rules.append(oci.DeviceRule(True, device.type, device.major, device.minor, node.permissions or "rwm"))
    if made:
        merged = _with(spec.linux.devices, tuple(made), lambda device: device.path)
        decision += _items(path("linux", "devices"), spec.linux.devices, merged, source)
    if rules:
        place = path("linux", "resources", "devices")
        decision += assign(place, (*spec.linux.resources.devices, *rules), _REASON, source)
    return decision


def _device(node: cdi.DeviceNode, found: oci.Device | None, user: oci.User) -> oci.Device | None:
    kind, major, minor, mode = node.type, node.major, node.minor, node.file_mode
    if not kind or (not major and kind != "p"):
        if found is None or (kind and kind != found.type):
            return None
        kind, major, minor = found.type, found.major, found.minor
        mode = found.file_mode if mode is None else mode
    uid = user.uid or None if node.uid is None else node.uid
    gid = user.gid or None if node.gid is None else node.gid
    return oci.Device(node.path, kind, major, minor, mode, uid, gid)


_REASON = "a CDI device that is asked for"


def _with(had: Sequence[Item], added: Sequence[Item], name: Callable[[Item], str]) -> list[Item]:
    """The items with the added ones, each in the place of what has its name, or last."""
    merged = list(had)
    for item in added:
        places = [index for index, other in enumerate(merged) if name(other) == name(item)]
        if places:
            merged[places[-1]] = item
        else:
            merged.append(item)
    return merged


def _items(place: Path, had: Sequence[Value], merged: Sequence[Value], source: Source) -> Decision:
    """Assignments of the items that are not as they were."""
    return Decision(
        tuple(
            Assignment(place / index, item, _REASON, source)
            for index, item in enumerate(merged)
            if index >= len(had) or item != had[index]
        )
    )
