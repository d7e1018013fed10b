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
_SIOCBRADDBR, _SIOCBRDELBR = 0x89A0, 0x89A1
_IFF_UP = 1


def first_address(subnet: str) -> str:
    """The first address of a subnet: its gateway, as host-local has it."""
    network, _, _ = subnet.partition("/")
    return f"{network.rpartition('.')[0]}.{int(network.rpartition('.')[2]) + 1}"


def give_address(name: str, address: str, mask: str) -> None:
    """Give a device of this network namespace its IPv4 address, and bring it up."""
    with _endpoint() as endpoint:
        for request, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, mask)):
            packed = struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(endpoint, request, packed)
        _set_up(endpoint, name, up=True)


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
