"""Trials of the kernel's features, in a child process with its own mount namespace.

Nothing remains of a trial: its mounts vanish with the child's namespace, and its files are below a directory that the
caller removes.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from podward.api.cri import IDMapping
from podward.runtime import namespaces, syscalls, userns

_MAPPING = IDMapping(0, 1 << 30, 65536)
_LARGEST = 4096


def attempt(act: Callable[[], None]) -> str:
    """Call `act` in a child process; returns the text of its error, empty if there is none."""
    read, write = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        _in_child(act, write)
    os.close(write)
    try:
        said = b""
        while chunk := os.read(read, _LARGEST):
            said += chunk
    finally:
        os.close(read)
        os.waitpid(child, 0)
    text = said.decode("utf-8", "replace")
    return "" if text == "done" else text.removeprefix("failed: ") or "the trial died"


def _in_child(act: Callable[[], None], write: int) -> None:
    """Call `act` and end the process. This never returns: a forked child must not return into its parent's code."""
    said = "the trial died"
    try:
        act()
        said = "done"
    except OSError as error:
        said = f"failed: {error.strerror or error}"
    except BaseException as error:  # noqa: BLE001  # the parent must hear of any error
        said = f"failed: {error}"
    finally:
        os.write(write, said.encode()[:_LARGEST])
        os._exit(0)


def mount_namespace() -> None:
    """Make a private mount namespace."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_SLAVE, "")


def user_namespace(directory: str) -> Callable[[], None]:
    """Make a user namespace with a map of 65536 ids."""

    def act() -> None:
        mount_namespace()
        there = userns.slots()
        mapping = there.range_of(there.numbers[0]) if there.base and there.numbers else _MAPPING
        namespaces.make(namespaces.Wanted(ipc=False, net=False, hostname="", mapping=mapping), f"{directory}/ns")

    return act


def network_namespace(directory: str) -> Callable[[], None]:
    """Make a network namespace with its loopback device up."""

    def act() -> None:
        mount_namespace()
        namespaces.make(namespaces.Wanted(ipc=True, net=True, hostname=""), f"{directory}/net-ns")

    return act


def idmapped_mount(directory: str, *, memory: bool) -> Callable[[], None]:
    """Make an id-mapped mount of a directory or of a tmpfs (`memory`); its root must get the first id of the range."""

    def act() -> None:
        mount_namespace()
        source, target = f"{directory}/source", f"{directory}/target"
        os.makedirs(source, exist_ok=True)
        os.makedirs(target, exist_ok=True)
        if memory:
            syscalls.mount("tmpfs", source, "tmpfs", 0, "")
        wanted = namespaces.Wanted(ipc=False, net=False, hostname="", mapping=_MAPPING)
        made = namespaces.make(wanted, f"{directory}/map-ns-{int(memory)}")
        syscalls.idmapped_bind(source, target, made["user"])
        if os.stat(target).st_uid != _MAPPING.host_id:
            raise OSError(0, "the ids are not mapped")

    return act


def overlay(directory: str, *, mapped: bool) -> Callable[[], None]:
    """Make a writable overlay in the state's file system; its lower layer is id-mapped if `mapped` is set."""

    def act() -> None:
        mount_namespace()
        paths = {name: f"{directory}/overlay-{int(mapped)}/{name}" for name in ("lower", "upper", "work", "root")}
        for path in paths.values():
            os.makedirs(path)
        lower = paths["lower"]
        if mapped:
            wanted = namespaces.Wanted(ipc=False, net=False, hostname="", mapping=_MAPPING)
            made = namespaces.make(wanted, f"{directory}/overlay-ns")
            syscalls.idmapped_bind(lower, lower, made["user"])
        options = f"lowerdir={lower},upperdir={paths['upper']},workdir={paths['work']}"
        syscalls.mount("overlay", paths["root"], "overlay", 0, options)
        os.mkdir(f"{paths['root']}/made")

    return act
