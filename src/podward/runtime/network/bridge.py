"""Network devices by ioctl(2): the address of our bridge, its end, and a stand-in for a container's device.

netdevice(7), and linux/sockios.h for the bridge's calls.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator

from podward.runtime import syscalls

_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_SIOCSIFADDR, _SIOCSIFNETMASK = 0x8916, 0x891C
_SIOCGIFHWADDR, _SIOCSIFHWADDR = 0x8927, 0x8924
_SIOCBRADDBR, _SIOCBRDELBR = 0x89A0, 0x89A1
_IFF_UP = 1


def first_address(subnet: str) -> str:
    """The first address of a subnet: its gateway, as host-local has it."""
    network, _, _ = subnet.partition("/")
    return f"{network.rpartition('.')[0]}.{int(network.rpartition('.')[2]) + 1}"


def mask_of(subnet: str) -> str:
    """The mask of a subnet, as four numbers."""
    length = int(subnet.partition("/")[2])
    return socket.inet_ntoa(struct.pack("!I", (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF))


def give_address(name: str, address: str, mask: str) -> None:
    """Give a device of this network namespace its IPv4 address, and bring it up."""
    with _endpoint() as endpoint:
        for request, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, mask)):
            packed = struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(endpoint, request, packed)
        _set_up(endpoint, name, up=True)


def make(name: str) -> None:
    """Make a bridge; one that is there is fine."""
    with _endpoint() as endpoint, contextlib.suppress(FileExistsError):
        fcntl.ioctl(endpoint, _SIOCBRADDBR, _text(name))


def settle(name: str) -> None:
    """Give our bridge the settings of its own that Pods need; the machine's are left as they are.

    What comes from Pods is passed on, whatever the machine does with what comes from elsewhere; answers from this
    machine's loopback addresses may go there, for ports of the node; packets between Pods pass netfilter where the
    kernel has the module for that; and it keeps its hardware address when devices come and go, which Pods remember.
    """
    with _endpoint() as endpoint:
        had = fcntl.ioctl(endpoint, _SIOCGIFHWADDR, struct.pack("16s24x", name.encode()))
        fcntl.ioctl(endpoint, _SIOCSIFHWADDR, had)
    _write(f"/proc/sys/net/ipv4/conf/{name}/forwarding", "1")
    _write(f"/proc/sys/net/ipv4/conf/{name}/route_localnet", "1")
    if passes_netfilter():
        _write(f"/sys/class/net/{name}/bridge/nf_call_iptables", "1")


def passes_netfilter() -> bool:
    """Whether the kernel can have packets within a bridge pass netfilter: the module br_netfilter is there."""
    return os.path.isdir("/proc/sys/net/bridge")


def _write(file: str, value: str) -> None:
    """Write a setting of the device. Where /proc or /sys is read-only it stays as it is."""
    with contextlib.suppress(OSError), open(file, "w", encoding="ascii") as opened:
        opened.write(value)


def identity(name: str) -> str:
    """What tells this bridge from one of the same name that was there before; empty where there is none."""
    try:
        with open(f"/sys/class/net/{name}/ifindex", encoding="ascii") as file:
            number = file.read().strip()
    except FileNotFoundError:
        return ""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return f"{number} {file.read().strip()}"


def has_ports(name: str) -> bool:
    """Whether something is attached to the bridge; a bridge that is not there has none."""
    try:
        return bool(os.listdir(f"/sys/class/net/{name}/brif"))
    except FileNotFoundError:
        return False


def remove(name: str) -> None:
    """Take the bridge away; one that is not there is fine."""
    with _endpoint() as endpoint:
        try:
            _set_up(endpoint, name, up=False)
            fcntl.ioctl(endpoint, _SIOCBRDELBR, struct.pack("16s", name.encode()))
        except OSError as error:
            if error.errno not in (errno.ENODEV, errno.ENXIO):
                raise


@contextlib.contextmanager
def stand_in(name: str, address: str) -> Iterator[str]:
    """The path of a network namespace that has a device of this name and address, for as long as the context lasts.

    A plugin removes what it made outside of a container's namespace only where it finds the device inside. After a
    `kill -9` the namespace is gone with its device: this one is shown in its place.
    """
    ready, told = os.pipe2(os.O_CLOEXEC)
    waiting, ended = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        try:
            os.close(ready)
            os.close(ended)
            syscalls.die_with_parent()
            syscalls.unshare(syscalls.CLONE_NEWNET)
            with _endpoint() as endpoint:
                fcntl.ioctl(endpoint, _SIOCBRADDBR, _text(name))
            if address:
                give_address(name, address, "255.255.255.0")
            os.write(told, b"1")
            os.read(waiting, 1)
        finally:
            os._exit(0)
    os.close(told)
    os.close(waiting)
    try:
        os.read(ready, 1)
        yield f"/proc/{child}/ns/net"
    finally:
        os.close(ready)
        os.close(ended)
        os.waitpid(child, 0)


def _text(name: str) -> bytes:
    return name.encode() + b"\0"


@contextlib.contextmanager
def _endpoint() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        yield endpoint


def _set_up(endpoint: socket.socket, name: str, *, up: bool) -> None:
    answer = fcntl.ioctl(endpoint, _SIOCGIFFLAGS, struct.pack("16sH22x", name.encode(), 0))
    (flags,) = struct.unpack_from("H", answer, 16)
    flags = flags | _IFF_UP if up else flags & ~_IFF_UP
    fcntl.ioctl(endpoint, _SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags))
