"""The files that identify a Pod to its containers: /etc/hostname, /etc/hosts, /etc/resolv.conf, and /dev/shm.

The kubelet writes /etc/hosts; a host-network Pod gets the host's. /etc/resolv.conf is the host's. Each is a file of
the Pod's directory, mode 0644, shared by its containers.
"""

from __future__ import annotations

import os

from msgspec import Struct

from podward.api.cri import IDMapping
from podward.runtime import syscalls

SHM_BYTES = 64 * 1024 * 1024
_HOSTS = (
    "# made by podward for this Pod",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
)
_LARGEST = 1 << 20


class HostFiles(Struct, frozen=True):
    """Paths on the host."""

    hostname: str
    hosts: str
    resolv_conf: str
    shm: str


def prepare(
    directory: str, hostname: str, *, host_network: bool, host_ipc: bool, mapping: IDMapping | None
) -> HostFiles:
    """Write the Pod's files below `directory`, and mount its /dev/shm unless the host's is shared."""
    hosts = _read("/etc/hosts") if host_network else ""
    if not hosts:
        hosts = "\n".join((*_HOSTS, f"127.0.1.1\t{hostname}", ""))
    contents = {"hostname": f"{hostname}\n", "hosts": hosts, "resolv.conf": _read("/etc/resolv.conf")}
    owner = mapping.host_id if mapping is not None else 0
    for name, content in contents.items():
        _write(f"{directory}/{name}", content.encode(), owner)
    shm = "/dev/shm"  # noqa: S108  # the host's own, for a Pod that shares its IPC namespace
    if not host_ipc:
        shm = f"{directory}/shm"
        os.mkdir(shm, 0o700)
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("shm", shm, "tmpfs", flags, f"mode=1777,size={SHM_BYTES}")
    return HostFiles(f"{directory}/hostname", f"{directory}/hosts", f"{directory}/resolv.conf", shm)


def _read(file: str) -> str:
    """The file's text, at most 1 MiB; empty where there is none."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read(_LARGEST)
    except OSError:
        return ""


def _write(file: str, content: bytes, owner: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        os.fchmod(descriptor, 0o644)
        if owner:
            os.fchown(descriptor, owner, owner)
