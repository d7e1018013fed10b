"""Facts along a path, read from real files: lists as setfacl(1) wrote them, links, mounts, hostile trees."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from podward.api.filesystem import UNMAPPED, FileAccessFacts, MountFlags, acl_text, parse_acl
from podward.errors import ImageError, NodeError
from podward.runtime import acl
from podward.runtime.walk import HOST, Tree, TreeMount, walk


def places(chain: tuple[FileAccessFacts, ...]) -> list[str]:
    return [facts.path for facts in chain]


def tree(root: Path, *mounts: TreeMount) -> Tree:
    return Tree(TreeMount("/", str(root), origin="image"), mounts)


@pytest.mark.needs("setfacl")
def test_a_list_is_read_as_setfacl_wrote_it(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch(0o640)
    file.chmod(0o640)
    subprocess.run(["setfacl", "-m", "u:1000:rwx,g:2000:r,m::r-x", file], check=True)
    found = walk(HOST, str(file))[-1]
    assert acl_text(found.acl) == "u::rw-,u:1000:rwx,g::r--,g:2000:r--,m::r-x,o::---"
    assert stat.S_IMODE(found.mode) == 0o650  # the group's bits are the mask


def test_a_file_without_a_list_has_none(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert walk(HOST, f"{tmp_path}/f")[-1].acl == ()


@pytest.mark.parametrize("value", [b"", b"\x01\0\0\0", b"\x02\0\0\0\x01", b"\x02\0\0\0\x40\0\x07\0\0\0\0\0"])
def test_a_malformed_list_is_an_error_and_not_an_empty_one(value: bytes) -> None:
    with pytest.raises(ImageError, match="access control list"):
        acl.parse_attribute(value, "/f")


def test_every_directory_in_which_a_name_is_looked_up_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/f").touch()
    assert places(walk(tree(tmp_path), "/a/../a/./b/f")) == ["/", "/a", "/a/b", "/a/b/f"]
    assert places(walk(tree(tmp_path), "/")) == ["/"]
    assert places(walk(tree(tmp_path), "/a/b/")) == ["/", "/a", "/a/b"]


def test_links_are_followed_and_their_directories_must_be_searchable_too(tmp_path: Path) -> None:
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "far/away/f").touch()
    (tmp_path / "link").symlink_to("/far/away")
    assert places(walk(tree(tmp_path), "/link/f")) == ["/", "/far", "/far/away", "/far/away/f"]


@pytest.mark.parametrize("target", ["/etc", "../../../../../../../../../../etc", "/proc/self/root/etc"])
def test_no_link_leads_out_of_the_tree(tmp_path: Path, target: str) -> None:
    (tmp_path / "out").symlink_to(target)
    last = walk(tree(tmp_path), "/out/passwd")[-1]
    assert (last.error, last.host) == ("ENOENT", "")


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert walk(tree(tmp_path), "/a")[-1].error == "ELOOP"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/none", "ENOENT"),
        ("/f/x", "ENOTDIR"),
        ("/f/", "ENOTDIR"),
        (f"/{'n' * 256}", "ENAMETOOLONG"),
        ("/x/y", "ENOENT"),
    ],
)
def test_a_path_that_leads_nowhere_says_so(tmp_path: Path, path: str, error: str) -> None:
    (tmp_path / "f").touch()
    chain = walk(tree(tmp_path), path)
    assert chain[-1].error == error
    assert chain[0].path == "/"


def test_what_is_mounted_hides_what_was_there(tmp_path: Path) -> None:
    for name in ("image/data/sub", "volume/sub"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "volume/sub").chmod(0o701)
    flags = MountFlags(readonly=True)
    mount = TreeMount("/data", f"{tmp_path}/volume", flags=flags, origin="hostPath", volume="v")
    chain = walk(tree(tmp_path / "image", mount), "/data/sub")
    assert places(chain) == ["/", "/data", "/data/sub"]
    assert stat.S_IMODE(chain[-1].mode) == 0o701
    assert (chain[-1].origin, chain[-1].volume, chain[-1].mount.readonly) == ("hostPath", "v", True)
    assert chain[-1].host == f"{tmp_path}/volume/sub"
    assert (chain[0].origin, chain[0].mount.readonly) == ("image", False)


def test_a_mount_lands_where_a_link_of_the_image_leads(tmp_path: Path) -> None:
    (tmp_path / "image/run").mkdir(parents=True)
    (tmp_path / "image/var").symlink_to("run")
    (tmp_path / "volume").mkdir()
    chain = walk(tree(tmp_path / "image", TreeMount("/var/data", f"{tmp_path}/volume", origin="hostPath")), "/run/data")
    assert chain[-1].origin == "hostPath"


def test_directories_on_the_way_to_a_mount_are_made_by_the_runtime(tmp_path: Path) -> None:
    made = FileAccessFacts("", 5, 6, stat.S_IFDIR | 0o777)
    mounts = (TreeMount("/a/b/c", root=made, origin="emptyDir", volume="v"),)
    container = Tree(TreeMount("/", str(tmp_path)), mounts, owner=(100, 100))
    chain = walk(container, "/a/b/c")
    assert places(chain) == ["/", "/a", "/a/b", "/a/b/c"]
    assert [(f.uid, f.origin) for f in chain[1:]] == [(100, "runtime"), (100, "runtime"), (5, "emptyDir")]
    assert walk(container, "/a/b/c/x")[-1].error == "ENOENT"  # a new directory is empty


def test_what_only_the_running_container_has_is_not_guessed(tmp_path: Path) -> None:
    dev = TreeMount("/dev", root=FileAccessFacts("", mode=stat.S_IFDIR | 0o755), sealed=True)
    shm = TreeMount("/dev/shm", root=FileAccessFacts("", mode=stat.S_IFDIR | 0o1777))  # noqa: S108  # in the container
    container = tree(tmp_path, TreeMount("/proc"), dev, TreeMount("/dev/pts"), shm)
    for path in ("/proc", "/proc/self", "/dev/null", "/dev/pts/0"):
        unknown = walk(container, path)[-1].unknown
        assert unknown is not None
        assert "before the container runs" in unknown.why
    assert not walk(container, "/dev/shm")[-1].error  # noqa: S108  # in the container


@pytest.mark.needs("root")
def test_an_id_mapped_mount_shows_ids_of_its_range_and_nobody_for_others(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    os.setxattr(file, acl.ATTRIBUTE, _attribute("u::rw-,u:7:rw-,u:70000:rwx,g::r--,m::rwx,o::---"))
    mapped = TreeMount("/", str(tmp_path), lines=((0, 65536, 65536),))
    for disk, host in ((0, 65536), (1000, 66536), (70000, UNMAPPED)):
        os.chown(file, disk, disk)
        found = walk(Tree(mapped), "/f")[-1]
        assert (found.uid, found.gid) == (host, host)
    found = walk(Tree(mapped), "/f")[-1]
    assert [entry.id for entry in found.acl if entry.tag == "user"] == [None, 65543, UNMAPPED]


def _attribute(text: str) -> bytes:
    """The attribute of a list, made by setfacl(1)'s rules and not by the code that reads it."""
    numbers = {("user", False): 1, ("user", True): 2, ("group", False): 4, ("group", True): 8}
    value = (2).to_bytes(4, "little")
    for entry in parse_acl(text):
        tag = {"mask": 16, "other": 32}.get(entry.tag) or numbers[entry.tag, entry.id is not None]
        number = 0xFFFFFFFF if entry.id is None else entry.id
        value += tag.to_bytes(2, "little") + entry.permissions.to_bytes(2, "little") + number.to_bytes(4, "little")
    return value


def test_the_flags_of_this_machines_mounts_are_read() -> None:
    flags = walk(HOST, "/proc/self")[-1].mount
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        proc = next(line.split()[5].split(",") for line in lines if line.split()[4] == "/proc")
    assert (flags.readonly, flags.noexec, flags.nodev) == ("ro" in proc, "noexec" in proc, "nodev" in proc)


def test_nothing_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    before = sorted(os.listdir("/proc/self/fd"))
    walk(tree(tmp_path, TreeMount("/a/b", str(tmp_path))), "/a/b/none")
    with pytest.raises(NodeError):
        walk(tree(tmp_path, TreeMount("/a", f"{tmp_path}/gone")), "/a")
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_fifo_is_looked_at_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert walk(tree(tmp_path), "/pipe")[-1].special
