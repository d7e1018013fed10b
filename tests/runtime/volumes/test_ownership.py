"""fsGroup on real files: groups and modes as the kernel has them afterwards."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podward.errors import NodeError
from podward.runtime import syscalls
from podward.runtime.volumes import ownership

pytestmark = pytest.mark.needs("root")

GROUP = 2345
IDS, MODES = st.integers(0, 70000), st.integers(0, 0o7777)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@given(modes=st.tuples(MODES, MODES), owner=st.tuples(IDS, IDS), writable=st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_bits_are_added_and_none_taken(
    tmp_path: Path,
    modes: tuple[int, int],
    owner: tuple[int, int],
    writable: bool,  # noqa: FBT001  # hypothesis passes by name
) -> None:
    root = tmp_path / os.urandom(6).hex()
    (root / "d").mkdir(parents=True)
    (root / "d" / "f").write_text("x")
    for path, mode in zip((root / "d" / "f", root / "d"), modes, strict=True):
        os.chown(path, *owner)
        path.chmod(mode)
    assert ownership.give_to_group(str(root), GROUP, readonly=not writable) == 3
    gained = 0o660 if writable else 0o440
    assert _mode(root / "d" / "f") == modes[0] | gained
    assert _mode(root / "d") == modes[1] | gained | 0o2110
    for path in (root, root / "d", root / "d" / "f"):
        assert path.stat().st_gid == GROUP
    assert (root / "d" / "f").stat().st_uid == owner[0]


def test_a_link_changes_itself_and_never_its_target(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o600)
    os.chown(outside, 11, 12)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "directory").symlink_to(tmp_path)
    ownership.give_to_group(str(root), GROUP)
    assert (root / "link").lstat().st_gid == GROUP
    assert (root / "directory").lstat().st_gid == GROUP
    assert (outside.stat().st_uid, outside.stat().st_gid, _mode(outside)) == (11, 12, 0o600)


def test_fifos_and_devices_are_changed_without_being_opened(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    os.mkfifo(root / "fifo", 0o600)  # opening it for reading would wait for a writer for ever
    os.mknod(root / "null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    ownership.give_to_group(str(root), GROUP)
    assert {(p.name, p.stat().st_gid, _mode(p)) for p in root.iterdir()} == {
        ("fifo", GROUP, 0o660),
        ("null", GROUP, 0o660),
    }


@pytest.mark.usefixtures("private_mounts")
def test_a_mount_inside_keeps_its_files(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    (root / "mounted").mkdir(parents=True)
    other.mkdir(mode=0o700)
    (other / "file").write_text("x")
    syscalls.mount(str(other), str(root / "mounted"), "", syscalls.MS_BIND, "")
    ownership.give_to_group(str(root), GROUP)
    assert other.stat().st_gid == 0
    assert (other / "file").stat().st_gid == 0


def test_a_bottomless_tree_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(ownership.DEEPEST + 2):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    with pytest.raises(NodeError, match="deeper than 256"):
        ownership.give_to_group(str(tmp_path), GROUP)
