"""The Pod's files that its containers share: /etc/hostname, /etc/hosts, /etc/resolv.conf, /dev/shm; termination logs.

What is in /etc/hosts and /etc/resolv.conf is for `policy.kubelet.container_files` and `dns` to say. Each is a file of
the Pod's directory, owned by the root of the Pod's user namespace.
"""

from __future__ import annotations

import contextlib
import os

from msgspec import Struct

from podward.api.core import Pod
from podward.api.cri import IDMapping
from podward.policy.kubelet import container_files, dns
from podward.runtime import syscalls

SHM_BYTES = 64 * 1024 * 1024
ADDRESS = "127.0.1.1"
"""The address of a Pod whose network is the loopback device alone."""
_LARGEST = 1 << 20


class HostFiles(Struct, frozen=True):
    """Paths on the host."""

    hostname: str
    resolv_conf: str
    shm: str


def prepare(directory: str, pod: Pod, hostname: str, mapping: IDMapping | None) -> HostFiles:
    """Write the Pod's files below `directory`, and mount its /dev/shm unless the host's is shared."""
    contents = {"hostname": f"{hostname}\n", "resolv.conf": dns.resolv_conf(pod.spec, _read("/etc/resolv.conf"))}
    for name, content in contents.items():
        _write(f"{directory}/{name}", content.encode(), 0o644, mapping)
    shm = "/dev/shm"  # noqa: S108  # the host's own, for a Pod that shares its IPC namespace
    if not pod.spec.host_ipc:
        shm = f"{directory}/shm"
        os.mkdir(shm, 0o700)
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("shm", shm, "tmpfs", flags, f"mode=1777,size={SHM_BYTES}")
    return HostFiles(f"{directory}/hostname", f"{directory}/resolv.conf", shm)


def write_hosts(file: str, pod: Pod, addresses: tuple[str, ...], mapping: IDMapping | None) -> None:
    """Write the Pod's /etc/hosts, over what its containers may have made of it."""
    of_node = _read(container_files.HOSTS) if pod.spec.host_network else ""
    text = container_files.hosts_text(pod, addresses or (ADDRESS,), of_node)
    _write(file, text.encode(), container_files.HOSTS_MODE, mapping)


def make_termination_log(file: str, mapping: IDMapping | None) -> None:
    """An empty file in the place of the one that an earlier start had."""
    os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(file)
    _write(file, b"", container_files.LOG_MODE, mapping)


def _read(file: str) -> str:
    """The file's text, at most 1 MiB; empty where there is none."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read(_LARGEST)
    except OSError:
        return ""


def _write(file: str, content: bytes, mode: int, mapping: IDMapping | None) -> None:
    """Write a file of our own directory, where nobody else makes links."""
    owner = mapping.host_id if mapping is not None else 0
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        os.fchmod(descriptor, mode)
        if owner:
            os.fchown(descriptor, owner, owner)
