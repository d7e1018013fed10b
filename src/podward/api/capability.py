"""The names of capabilities and their bits.

capabilities(7), `include/uapi/linux/capability.h` of Linux 5.9 and later (CAP_LAST_CAP is 40). Masks are those that
`/proc/PID/status` prints.
"""

from __future__ import annotations

from collections.abc import Iterable

NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
"""Names by bit number."""

FULL = (1 << len(NAMES)) - 1
BITS = {name: 1 << number for number, name in enumerate(NAMES)}
CAP_LAST = len(NAMES) - 1

CAP_DAC_OVERRIDE = BITS["CAP_DAC_OVERRIDE"]
CAP_SETUID = BITS["CAP_SETUID"]
CAP_SETPCAP = BITS["CAP_SETPCAP"]
CAP_NET_RAW = BITS["CAP_NET_RAW"]
CAP_MAC_ADMIN = BITS["CAP_MAC_ADMIN"]
CAP_SYS_RESOURCE = BITS["CAP_SYS_RESOURCE"]


def mask(names: Iterable[str]) -> int:
    """The mask of these capabilities; a name that is no capability is ignored."""
    bits = 0
    for name in names:
        bits |= BITS.get(name, 0)
    return bits


def names(bits: int) -> tuple[str, ...]:
    """The names of the capabilities in this mask, lowest bit first; bits without a name are ignored."""
    return tuple(name for number, name in enumerate(NAMES) if bits >> number & 1)


def listed(bits: int) -> str:
    """The capabilities in this mask as text: "CAP_CHOWN, CAP_KILL"; "none" for 0."""
    return ", ".join(names(bits)) or "none"
