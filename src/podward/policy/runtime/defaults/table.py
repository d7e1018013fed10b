"""The table of a runtime's defaults, and the entries that the tables share (runtime-tools' and containerd's spec)."""

from __future__ import annotations

from msgspec import Struct

from podward.api.oci import DeviceRule, Mount
from podward.decision import Source

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The first variable of the environment in all three runtimes."""

PROC = Mount("/proc", "proc", "proc", ("nosuid", "noexec", "nodev"))
DEV = Mount("/dev", "tmpfs", "tmpfs", ("nosuid", "strictatime", "mode=755", "size=65536k"))
DEVPTS_GROUP = 5
"""Debian's group `tty`, to which terminals belong."""
PTS = Mount(
    "/dev/pts",
    "devpts",
    "devpts",
    ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", f"gid={DEVPTS_GROUP}"),
)
SHM = Mount("/dev/shm", "tmpfs", "shm", ("nosuid", "noexec", "nodev", "mode=1777", "size=65536k"))  # noqa: S108  # a path in the container
MQUEUE = Mount("/dev/mqueue", "mqueue", "mqueue", ("nosuid", "noexec", "nodev"))
SYS = Mount("/sys", "sysfs", "sysfs", ("nosuid", "noexec", "nodev", "ro"))
CGROUP = Mount("/sys/fs/cgroup", "cgroup", "cgroup", ("nosuid", "noexec", "nodev", "relatime", "ro"))

DENY_ALL = DeviceRule(allow=False, access="rwm")
ALLOW_ALL = DeviceRule(allow=True, access="rwm")


class Defaults(Struct, frozen=True, gc=False):
    """The values that a runtime gives a container if the CRI message sets none.

    `capabilities` have the `CAP_` prefix. `mounts` are those of an unprivileged container and `namespaces` the kinds
    that a container has of its own (except cgroup and user), both in the spec's order. The runtime adds `masked_paths`
    to those of the message.
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
