"""What a kubelet writes for a container: the Pod's /etc/hosts, and the container's termination log.

What is in /etc/hosts is for `policy.kubelet.container_files` to say. Both are owned by the root of the Pod's user
namespace.
"""

from __future__ import annotations

import contextlib
import os

from podward.api.core import Pod
from podward.api.cri import IDMapping
from podward.policy.kubelet import container_files
from podward.runtime import hostfiles

ADDRESS = "127.0.1.1"
"""The address of a Pod whose network is the loopback device alone."""


def write_hosts(file: str, pod: Pod, addresses: tuple[str, ...], mapping: IDMapping | None) -> None:
    """Write the Pod's /etc/hosts, over what its containers may have made of it."""
    of_node = hostfiles.read(container_files.HOSTS) if pod.spec.host_network else ""
    text = container_files.hosts_text(pod, addresses or (ADDRESS,), of_node)
    hostfiles.write(file, text.encode(), container_files.HOSTS_MODE, mapping)


def make_termination_log(file: str, mapping: IDMapping | None) -> None:
    """An empty file in the place of the one that an earlier start had."""
    os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(file)
    hostfiles.write(file, b"", container_files.LOG_MODE, mapping)
