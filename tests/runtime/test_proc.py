"""Reading /proc: this process, this machine, and files of shapes that a container might arrange."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api import capability as capability_names
from podward.api.oci import Mount, Process, Root, RuntimeSpec
from podward.api.process import MountState
from podward.errors import NodeError
from podward.policy.kernel.propagation import MountSource
from podward.runtime import proc, syscalls

pytestmark = pytest.mark.needs("root")
MOUNTINFO = (
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "31 22 0:5 /x\\040y /mnt/a\\040b\\134c\\011d ro,nosuid,nodev,noexec shared:7 master:2 - tmpfs none rw,size=4k\n"
    "32 22 0:6 / /mnt/dash rw - fuse.a-b name\\040- rw\n"
    "broken line\n"
    "\n"
)


def spec(*mounts: Mount) -> RuntimeSpec:
    return RuntimeSpec(oci_version="1.0.2", process=Process(args=("x",), cwd="/"), root=Root("/"), mounts=mounts)


def test_mountinfo_is_read_with_its_escapes() -> None:
    mounts = proc.parse_mountinfo(MOUNTINFO)
    assert list(mounts) == [22, 31, 32]
    assert mounts[31].point == "/mnt/a b\\c\td"
    assert mounts[31].kind == "tmpfs"
    assert mounts[31].state("/x") == MountState(
        "/x", readonly=True, nosuid=True, nodev=True, noexec=True, propagation="shared slave"
    )
    assert mounts[32].kind == "fuse.a-b"


@given(text=st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    proc.parse_mountinfo(text)
    proc.parse_status(text)


def test_a_hostile_process_name_cannot_forge_a_field() -> None:
    # The kernel writes a name's newline as \\n, so the first line of each name is the kernel's own.
    assert proc.parse_status("Name:\tx\\nUid:\t0\nUid:\t5\t5\t5\t5\nUid:\t0\n")["Uid"] == "5\t5\t5\t5"


def test_this_process_is_its_own_reading() -> None:
    state = proc.read_state(os.getpid(), spec(Mount("/proc"), Mount("/no/such/place"), Mount("/usr/bin")))
    assert state.uid == (*os.getresuid(), os.geteuid())
    assert state.gid == (*os.getresgid(), os.getegid())
    assert state.groups == tuple(sorted(os.getgroups()))
    assert [mount.destination for mount in state.mounts] == ["/proc"]
    assert state.host_namespaces == ("cgroup", "ipc", "mount", "network", "pid", "user", "uts")
    assert state.oom_score_adj == proc.inherited().oom_score_adj
    assert state.label == proc.inherited().label
    assert not state.no_new_privs
    assert state.cap_permitted & state.cap_bounding == proc.machine_capabilities()


def test_a_process_that_is_gone_is_an_error_of_the_node() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(NodeError, match=str(child)):
        proc.read_state(child, spec())


def test_the_machine_has_no_capability_without_a_name() -> None:
    assert 0 < proc.machine_capabilities() <= capability_names.FULL
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        assert int(file.read()) >= capability_names.CAP_LAST


def test_the_flags_of_bind_sources_are_those_of_their_mounts(tmp_path: object) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE, "")
        flags = syscalls.MS_NOSUID | syscalls.MS_NOEXEC
        syscalls.mount("tmpfs", str(tmp_path), "tmpfs", flags, "")
        os.mkdir(f"{tmp_path}/below")
        mounts = (
            Mount("/data", "bind", f"{tmp_path}/below", ("rbind",)),
            Mount("/gone", "bind", f"{tmp_path}/gone", ("rbind",)),
            Mount("/new", "tmpfs", "tmpfs"),
        )
        states = proc.source_flags(spec(*mounts), str(tmp_path))
        expected = (
            MountSource("/", nosuid=True, noexec=True),
            MountSource("/data", nosuid=True, noexec=True, is_alone=True),
        )
        os.write(write, b"same" if states == expected else repr(states).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        said = file.read()
    os.waitpid(child, 0)
    assert said == b"same"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("unconfined\n", "unconfined"),
        ("docker-default (enforce)\n", "docker-default"),
        ("mine (complain)\n", "mine"),
        ("crun (unconfined)\n", "unconfined"),
        ("system_u:system_r:container_t:s0:c1,c2\0", "system_u:system_r:container_t:s0:c1,c2"),
        ("", None),
    ],
)
def test_a_label_is_the_profile_that_confines(text: str, label: str | None) -> None:
    assert proc.label_in(text) == label


def test_the_machines_cgroups_are_a_source_too() -> None:
    """A runtime may have to bind them."""
    asked = spec(Mount("/cgroups", "cgroup", "cgroup", ("ro",)))
    assert [state.destination for state in proc.source_flags(asked, "/")] == ["/", "/cgroups"]
