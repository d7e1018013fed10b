"""remove_tree against trees that a container could have left."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime import syscalls
from podward.runtime.volumes import remove_tree

pytestmark = pytest.mark.needs("root")


def test_nothing_there_is_fine(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "absent"))
    remove_tree(str(tmp_path / "absent" / "deeper"))


def test_what_is_made_in_it_meanwhile_is_removed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree, late, rmdir = tmp_path / "tree", [3], os.rmdir
    tree.mkdir()

    def late_worker(name: str, *, dir_fd: int) -> None:
        if late[0]:
            late[0] -= 1
            (tree / "lock").touch()
        rmdir(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", late_worker)
    remove_tree(str(tree))
    assert not tree.exists()
    tree.mkdir()
    late[0] = 1000
    with pytest.raises(NodeError, match="directory not empty"):
        remove_tree(str(tree))


def test_a_single_file_is_removed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    remove_tree(str(tmp_path / "file"))
    assert not (tmp_path / "file").exists()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    (outside / "kept").mkdir(parents=True)
    tree.mkdir()
    (tree / "absolute").symlink_to(outside)
    (tree / "relative").symlink_to("../outside")
    (tree / "loop").symlink_to("loop")
    (tree / "root").symlink_to("/")
    remove_tree(str(tree))
    assert not tree.exists()
    assert (outside / "kept").is_dir()


def test_a_link_in_the_place_of_the_tree_is_removed_itself(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    (tmp_path / "tree").symlink_to(outside)
    remove_tree(str(tmp_path / "tree"))
    assert not (tmp_path / "tree").is_symlink()
    assert (outside / "kept").is_dir()


def test_every_kind_of_file_and_odd_name_is_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    os.mkfifo(tree / "fifo")
    os.mknod(tree / "device", 0o600 | 0o020000, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(tree / "socket"))
    Path(os.fsdecode(os.fsencode(tree) + b"/\xff\xfe")).write_text("x")
    (tree / ("n" * 255)).write_text("x")
    (tree / " \n\t-rf *").mkdir()
    (tree / "closed").mkdir(mode=0)
    remove_tree(str(tree))
    assert not tree.exists()


def test_depth_does_not_matter(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    here = os.open(tree, os.O_RDONLY)
    for _ in range(3000):  # a path of 600,000 bytes: PATH_MAX is 4096
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove_tree(str(tree))
    assert not tree.exists()
    assert os.listdir(tmp_path) == []


def test_marks_that_forbid_removal_are_cleared(tmp_path: Path) -> None:
    if shutil.which("chattr") is None:  # part of e2fsprogs, which Debian always has
        pytest.fail("chattr is missing: apt install e2fsprogs")
    tree = tmp_path / "tree"
    (tree / "directory" / "inner").mkdir(parents=True)
    (tree / "file").write_text("x")
    (tree / "directory" / "log").write_text("x")
    subprocess.run(["chattr", "+i", tree / "file"], check=True)
    subprocess.run(["chattr", "+a", tree / "directory" / "log"], check=True)
    subprocess.run(["chattr", "+i", tree / "directory"], check=True)
    remove_tree(str(tree))
    assert not tree.exists()


@pytest.mark.usefixtures("private_mounts")
@pytest.mark.parametrize("kind", ["tmpfs", "bind of the same file system", "file"])
def test_a_mount_inside_is_never_entered(tmp_path: Path, kind: str) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    (tree / "a" / "mounted").mkdir(parents=True)
    (tree / "b").mkdir()
    outside.mkdir()
    (outside / "kept").write_text("x")
    target = tree / "a" / "mounted"
    if kind == "tmpfs":
        syscalls.mount("tmpfs", str(target), "tmpfs", 0, "")
        (target / "kept").write_text("x")
    elif kind == "file":
        target.rmdir()
        target.write_text("")
        syscalls.mount(str(outside / "kept"), str(target), "", syscalls.MS_BIND, "")
    else:
        syscalls.mount(str(outside), str(target), "", syscalls.MS_BIND, "")
    with pytest.raises(NodeError, match="something is mounted on it"):
        remove_tree(str(tree))
    assert not (tree / "b").exists(), "what is not in the way goes all the same"
    assert (outside / "kept").read_text() == "x"
    syscalls.umount2(str(target), 0)
    remove_tree(str(tree))
    assert not tree.exists()


@pytest.mark.usefixtures("private_mounts")
def test_a_tree_that_is_a_mount_itself_stays(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    syscalls.mount("tmpfs", str(tree), "tmpfs", 0, "")
    (tree / "kept").write_text("x")
    with pytest.raises(NodeError, match="something is mounted on it"):
        remove_tree(str(tree))
    assert (tree / "kept").exists()


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    (tmp_path / "tree" / "a" / "b").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "f").write_text("x")
    remove_tree(str(tmp_path / "tree"))
    assert len(os.listdir("/proc/self/fd")) == before
