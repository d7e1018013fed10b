"""The files that a sandbox's containers share: /etc/hostname, /etc/resolv.conf, /dev/shm.

Each is a file of the sandbox's directory, owned by the root of its user namespace.
"""

from __future__ import annotations

import os

from podward.api.cri import IDMapping, PodSandboxConfig
from podward.policy.runtime import resolv_conf
from podward.policy.runtime.mounts import SHM, SandboxFiles
from podward.policy.runtime.namespaces import of_sandbox
from podward.runtime import syscalls

SHM_BYTES = 64 * 1024 * 1024
NODE_HOSTS, NODE_RESOLV_CONF = "/etc/hosts", "/etc/resolv.conf"
_LARGEST = 1 << 20


def prepare(directory: str, config: PodSandboxConfig, mapping: IDMapping | None) -> SandboxFiles:
    """Write the files below `directory`, and mount the sandbox's /dev/shm unless the host's is shared."""
    hostname = config.hostname or os.uname().nodename
    write(f"{directory}/hostname", f"{hostname}\n".encode(), 0o644, mapping)
    resolvers = resolv_conf.text(config.dns_config, read(NODE_RESOLV_CONF) if config.dns_config is None else "")
    write(f"{directory}/resolv.conf", resolvers.encode(), 0o644, mapping)
    made = paths(directory, config)
    if made.shm != SHM:
        os.mkdir(made.shm, 0o700)
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("shm", made.shm, "tmpfs", flags, f"mode=1777,size={SHM_BYTES}")
    return made


def paths(directory: str, config: PodSandboxConfig) -> SandboxFiles:
    """Where `prepare` has made the files."""
    shm = SHM if of_sandbox(config).ipc == "NODE" else f"{directory}/shm"
    return SandboxFiles(hostname=f"{directory}/hostname", resolv_conf=f"{directory}/resolv.conf", shm=shm)


def read(file: str) -> str:
    """The file's text, at most 1 MiB; empty where there is none."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read(_LARGEST)
    except OSError:
        return ""


def write(file: str, content: bytes, mode: int, mapping: IDMapping | None) -> None:
    """Write a file of our own directory, where nobody else makes links."""
    owner = mapping.host_id if mapping is not None else 0
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        os.fchmod(descriptor, mode)
        if owner:
            os.fchown(descriptor, owner, owner)
