"""The bindings against the real kernel; everything that changes this process is done in a forked one."""

from __future__ import annotations

import errno
import os
import signal
import socket
import time
from collections.abc import Callable

import pytest

from podward.runtime import syscalls

pytestmark = pytest.mark.needs("root")


def in_child(work: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def private() -> None:
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE, "")


def test_a_mount_of_a_private_namespace_is_made_and_taken_away(tmp_path: object) -> None:
    def work() -> bool:
        private()
        syscalls.mount("tmpfs", str(tmp_path), "tmpfs", syscalls.MS_NOSUID, "mode=700,size=4k")
        made = bool(os.statvfs(str(tmp_path)).f_flag & os.ST_NOSUID) and os.path.ismount(str(tmp_path))
        syscalls.umount2(str(tmp_path), syscalls.MNT_DETACH)
        syscalls.unmount_if_mounted(str(tmp_path))
        syscalls.unmount_if_mounted(f"{tmp_path}/none")
        return made and not os.path.ismount(str(tmp_path))

    assert in_child(work)
    assert not os.path.ismount(str(tmp_path))


def test_errors_carry_errno_and_path() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        syscalls.mount("none", "/no/such/place", "tmpfs", 0, "")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "/no/such/place")
    with pytest.raises(OSError, match="/no/such/place"):
        syscalls.umount2("/no/such/place", 0)
    with pytest.raises(ProcessLookupError):
        syscalls.ptrace(syscalls.PTRACE_SEIZE, 1 << 21)


def test_openat2_stays_in_its_root(tmp_path: object) -> None:
    os.makedirs(f"{tmp_path}/etc")
    os.symlink("/etc/target", f"{tmp_path}/link")
    os.symlink("../../../../../etc/target", f"{tmp_path}/etc/up")
    with open(f"{tmp_path}/etc/target", "wb") as file:
        file.write(b"inside")
    root = os.open(str(tmp_path), os.O_PATH)
    try:
        for name in ("link", "etc/up", "/etc/target"):
            opened = syscalls.openat2(root, name, os.O_RDONLY, syscalls.RESOLVE_IN_ROOT)
            assert os.read(opened, 10) == b"inside"
            assert not os.get_inheritable(opened)
            os.close(opened)
        with pytest.raises(OSError, match="link") as caught:
            syscalls.openat2(root, "link", os.O_RDONLY, syscalls.RESOLVE_NO_SYMLINKS)
        assert caught.value.errno == errno.ELOOP
        with pytest.raises(OSError, match="link") as caught:
            syscalls.openat2(root, "link", os.O_RDONLY, syscalls.RESOLVE_BENEATH)
        assert caught.value.errno == errno.EXDEV
    finally:
        os.close(root)


def test_an_idmapped_bind_shifts_the_owner(tmp_path: object) -> None:
    os.makedirs(f"{tmp_path}/source")
    os.makedirs(f"{tmp_path}/target")
    os.chown(f"{tmp_path}/source", 7, 8)
    go, go_end = os.pipe()
    ready, ready_end = os.pipe()
    holder = os.fork()
    if holder == 0:
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        os.write(ready_end, b"u")
        os.close(go_end)
        os.read(go, 1)
        os._exit(0)
    os.read(ready, 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{holder}/{name}", "w", encoding="ascii") as file:
            file.write("0 200000 100\n")

    def work() -> bool:
        private()
        syscalls.idmapped_bind(f"{tmp_path}/source", f"{tmp_path}/target", f"/proc/{holder}/ns/user")
        facts = os.stat(f"{tmp_path}/target")
        return (facts.st_uid, facts.st_gid) == (200007, 200008)

    try:
        assert in_child(work)
        with pytest.raises(FileNotFoundError) as caught:
            syscalls.idmapped_bind(f"{tmp_path}/none", f"{tmp_path}/target", f"/proc/{holder}/ns/user")
        assert caught.value.filename2 == f"{tmp_path}/target"
    finally:
        for end in (go, go_end, ready, ready_end):
            os.close(end)
        os.waitpid(holder, 0)


def test_a_namespace_is_made_and_joined() -> None:
    def work() -> bool:
        before = os.open("/proc/self/ns/uts", os.O_RDONLY)
        syscalls.unshare(syscalls.CLONE_NEWUTS)
        socket.sethostname("podward-test")
        changed = socket.gethostname() == "podward-test"
        syscalls.setns(before, syscalls.CLONE_NEWUTS)
        return changed and socket.gethostname() != "podward-test"

    assert in_child(work)


def test_an_orphan_comes_to_the_subreaper() -> None:
    def work() -> bool:
        syscalls.become_subreaper()
        me = os.getpid()
        read, write = os.pipe()
        middle = os.fork()
        if middle == 0:
            if os.fork() == 0:
                os.read(read, 1)
                os._exit(5 if os.getppid() == me else 6)
            os._exit(0)
        os.waitpid(middle, 0)
        os.write(write, b"x")
        return os.waitstatus_to_exitcode(os.wait()[1]) == 5

    assert in_child(work)


def test_capabilities_are_dropped() -> None:
    def work() -> bool:
        syscalls.prctl(syscalls.PR_CAPBSET_DROP, 0)
        syscalls.capset(2, 1 << 37 | 2, 0)
        with open("/proc/self/status", encoding="ascii") as file:
            fields = dict(line.split(":\t") for line in file.read().splitlines() if line.startswith("Cap"))
        sets = [int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapInh")]
        return sets == [2, 1 << 37 | 2, 0] and not int(fields["CapBnd"], 16) & 1

    assert in_child(work)


def test_a_child_dies_with_its_parent() -> None:
    def work() -> bool:
        syscalls.become_subreaper()
        read, write = os.pipe()
        middle = os.fork()
        if middle == 0:
            if os.fork() == 0:
                syscalls.die_with_parent()
                os.write(write, b"x")
                time.sleep(20)
                os._exit(1)
            os.read(read, 1)
            os._exit(0)
        os.waitpid(middle, 0)
        return os.waitstatus_to_exitcode(os.wait()[1]) == -signal.SIGKILL

    assert in_child(work)
