"""The shape of a runtime's table of defaults."""

from __future__ import annotations

from msgspec import Struct

from podward.api.oci import DeviceRule, Mount
from podward.decision import Source

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What all three start the environment with."""


class Defaults(Struct, frozen=True, gc=False):
    """What a runtime gives a container where the CRI message is silent.

    `capabilities` carry their `CAP_` prefix. `mounts` are those of an unprivileged container, in the spec's order;
    `namespaces` the kinds that a container has of its own, in the spec's order, without cgroup and user.
    `masked_paths` are added to those that the message asks for.
    """

    name: str
    source: Source
    capabilities: tuple[str, ...]
    mounts: tuple[Mount, ...]
    device_rules: tuple[DeviceRule, ...]
    namespaces: tuple[str, ...]
    environment: tuple[str, ...]
    apparmor_profile: str
    masked_paths: tuple[str, ...] = ()
