"""Specifications of the Container Device Interface (CDI 0.8): what a container gets with a device.

Files of the node, below /etc/cdi and /var/run/cdi, have them in JSON or YAML.
"""

from __future__ import annotations

from msgspec import Struct, field


class Part(Struct, frozen=True, rename="camel"):
    """Base of all parts of a specification."""


class DeviceNode(Part, frozen=True):
    """A device node; what is not said is as the node of the host has it."""

    path: str
    host_path: str = ""
    type: str = ""
    major: int = 0
    minor: int = 0
    file_mode: int | None = None
    permissions: str = ""
    uid: int | None = None
    gid: int | None = None


class Mount(Part, frozen=True):
    """A mount of a path of the host."""

    host_path: str
    container_path: str
    options: tuple[str, ...] = ()
    type: str = ""


class Hook(Part, frozen=True):
    """A program of the host that the OCI runtime runs; `hook_name` is a member of the runtime spec's hooks."""

    hook_name: str
    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int | None = None


class ContainerEdits(Part, frozen=True):
    """What is changed of a container. `intel_rdt` and `net_devices` are not supported."""

    env: tuple[str, ...] = ()
    device_nodes: tuple[DeviceNode, ...] = ()
    mounts: tuple[Mount, ...] = ()
    hooks: tuple[Hook, ...] = ()
    additional_gids: tuple[int, ...] = field(default=(), name="additionalGids")
    intel_rdt: dict[str, str | bool] | None = None
    net_devices: tuple[dict[str, str], ...] = ()


class Device(Part, frozen=True):
    """A device by its name in its class."""

    name: str
    container_edits: ContainerEdits = ContainerEdits()


class DeviceSpec(Part, frozen=True):
    """A file: devices of a `kind` (`vendor.com/class`), and what is changed with any of them."""

    kind: str
    cdi_version: str = ""
    devices: tuple[Device, ...] = ()
    container_edits: ContainerEdits = ContainerEdits()
