"""What the node tells of its machine, read from /proc, /sys and /etc."""

from __future__ import annotations

import contextlib
import os
import socket

from podward.policy.kubelet.node_object import MachineInfo
from podward.runtime import hostfiles, machine

_UNITS = ((1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki"))
_ANYWHERE = "192.0.2.1"
"""An address of documentation (RFC 5737): nothing is sent there, the kernel is asked which way it would be."""


def gather(root: str) -> MachineInfo:
    """The machine; `root` is on the file system that holds what Pods write."""
    disk = os.statvfs(root)
    return MachineInfo(
        architecture=machine.architecture(),
        kernel=os.uname().release,
        os_image=_os_image(),
        machine_id=_line("/etc/machine-id"),
        system_uuid=_line("/sys/class/dmi/id/product_uuid") or _line("/etc/machine-id"),
        boot_id=_line("/proc/sys/kernel/random/boot_id"),
        cpus=len(os.sched_getaffinity(0)),
        memory=machine.memory(),
        ephemeral_storage=disk.f_blocks * disk.f_frsize,
        swap=_swap(),
        hugepages=_hugepages(),
    )


def own_address() -> str:
    """The address by which this machine would reach others; the loopback's where it reaches nobody."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect((_ANYWHERE, 9))
        address: str = asked.getsockname()[0]
        return address
    return "127.0.0.1"


def _line(file: str) -> str:
    return hostfiles.read(file).partition("\n")[0].strip()


def _os_image() -> str:
    for line in hostfiles.read("/etc/os-release").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip("\"'")
    return "Linux"


def _swap() -> int:
    for line in hostfiles.read("/proc/meminfo").splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0] == "SwapTotal:":
            return int(fields[1]) * 1024
    return 0


def _hugepages() -> dict[str, int]:
    """Bytes of huge pages by their size, as quantities are written: `2Mi`."""
    found = {}
    home = "/sys/kernel/mm/hugepages"
    for name in os.listdir(home) if os.path.isdir(home) else ():
        size = int(name.removeprefix("hugepages-").removesuffix("kB")) * 1024
        count = _line(f"{home}/{name}/nr_hugepages")
        unit, suffix = next((unit, suffix) for unit, suffix in _UNITS if size >= unit)
        found[f"{size // unit}{suffix}"] = size * int(count or 0)
    return found
