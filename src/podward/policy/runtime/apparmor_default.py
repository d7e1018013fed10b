"""The AppArmor profile that a container has by default, as apparmor.d(5) writes it.

Specification (containerd 2.2 `contrib/apparmor`, Docker 29 `profiles/apparmor`, CRI-O 1.33 `crio-default`, in our
words): the three allow and deny the same, under names of their own. Everything is allowed that the kernel allows, but:
mount(2), whatever the capabilities; to write into /proc other than into processes' directories and kernel.shm*; to
write into /sys other than /sys/fs/cgroup; to read what tells of the machine's firmware, power and security. Signals
come from processes without a profile, from the OCI runtimes, and from the container's own; the latter alone trace each
other. A runtime loads its profile once, when the first container wants it, and leaves it loaded.

It includes no file of the machine: what Debian's abstractions allow is allowed here already.
"""

from __future__ import annotations

ABI = "abi/3.0"
"""The rules that it is written for, a file of /etc/apparmor.d: newer ones mediate more, and deny what is unsaid."""
PROFILES = frozenset(("cri-containerd.apparmor.d", "crio-default", "docker-default"))
"""Their names."""
_PEERS = ("unconfined", "crun", "runc")
_PROC = (
    "/proc/*",  # files of /proc itself
    "/proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/**",  # neither a process nor sys
    "/proc/sys/[^k]**",
    "/proc/sys/kernel/{?,??,[^s][^h][^m]**}",
)
_HIDDEN = ("/proc/sysrq-trigger", "/proc/mem", "/proc/kmem", "/proc/kcore")
_SYS = ("/sys/[^f]*/**", "/sys/f[^s]*/**", "/sys/fs/[^c]*/**", "/sys/fs/c[^g]*/**", "/sys/fs/cg[^r]*/**")
_HIDDEN_SYS = ("/sys/firmware/**", "/sys/devices/virtual/powercap/**", "/sys/kernel/security/**")


def text(name: str, starter: str | None, *, abi: bool) -> str:
    """The profile of this name. `starter` is the label of who ends containers, `abi` whether there is that file."""
    peers = dict.fromkeys((*_PEERS, *([starter] if starter else [])))
    rules = (
        *("network,", "capability,", "file,", "umount,", "unix,"),
        *(f'signal (receive) peer="{peer}",' for peer in peers),
        f'signal (send, receive) peer="{name}",',
        f'ptrace (trace, tracedby, read, readby) peer="{name}",',
        "deny mount,",
        *(f"deny {place} w," for place in _PROC),
        *(f"deny {place} wklx," for place in _SYS),
        *(f"deny {place} rwklx," for place in (*_HIDDEN, *_HIDDEN_SYS)),
    )
    body = "".join(f"  {rule}\n" for rule in rules)
    head = f"abi <{ABI}>,\n" if abi else ""
    return f'{head}profile "{name}" flags=(attach_disconnected, mediate_deleted) {{\n{body}}}\n'
