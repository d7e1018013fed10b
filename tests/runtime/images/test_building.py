"""`podward image build`: what a Containerfile says is what the image has."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from podward.api.image import ImageConfig
from podward.errors import ImageError, PodwardError
from podward.runtime.images.building import build, find
from podward.runtime.images.staging import WORK_DIRECTORY
from podward.runtime.images.store import ImageStore

pytestmark = pytest.mark.needs("root", "umoci")

Built = Callable[..., str]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    directory = tmp_path / "context"
    (directory / "tree/sub").mkdir(parents=True)
    (directory / "file").write_text("file")
    (directory / "tree/a").write_text("a")
    (directory / "tree/sub/b").write_text("b")
    (directory / "tree/link").symlink_to("sub/b")
    return directory


@pytest.fixture
def built(store: ImageStore, context: Path) -> Built:
    """Builds a Containerfile's text as `test:1`; returns the directory of its files."""

    def make(text: str, name: str = "test:1") -> str:
        (context / "Containerfile").write_text(text)
        build(store, str(context / "Containerfile"), str(context), name)
        return store.resolve(name).rootfs

    return make


def config(store: ImageStore, name: str = "test:1") -> ImageConfig:
    return store.load(store.resolve(name)).config


def test_every_instruction_has_its_effect(store: ImageStore, built: Built) -> None:
    root = built(
        """# a comment
        FROM scratch
        ENV A=0
        ENV A=1 B="two words" \\
            C=$A-${A}
        env OLD  style value
        LABEL x=y
        WORKDIR /srv
        WORKDIR app
        COPY file .
        USER 1000:50
        VOLUME /data "/more"
        VOLUME ["/third"]
        ENTRYPOINT ["/bin/app", "$A"]
        CMD --flag "x y"
        STOPSIGNAL SIGINT
        """
    )
    assert config(store) == ImageConfig(
        user="1000:50",
        env=("A=1", "B=two words", "C=0-0", "OLD=style value"),
        entrypoint=("/bin/app", "$A"),
        cmd=("/bin/sh", "-c", '--flag "x y"'),
        working_dir="/srv/app",
        volumes=("/data", "/more", "/third"),
        stop_signal="SIGINT",
    )
    assert Path(root, "srv/app/file").read_text() == "file"


@pytest.mark.parametrize(
    ("copy", "there"),
    [
        ("COPY file /x", {"x"}),
        ("COPY file /x/", {"x/file"}),
        ("COPY ./file ../file /x/", {"x/file"}),
        ("COPY file tree/a /x", {"x/file", "x/a"}),
        ("COPY tree /x", {"x/a", "x/link", "x/sub/b"}),
        ("COPY tree/ /x/", {"x/a", "x/link", "x/sub/b"}),
        ("COPY tree/sub file /", {"b", "file"}),
        ("COPY tree/* /x/", {"x/a", "x/link", "x/b"}),
        ("COPY tree/a* /x/", {"x/a"}),
        ("COPY tree/link /x", {"x"}),
        ('COPY ["file", "/with space/y"]', {"with space/y"}),
        ("COPY file /a/../../b", {"b"}),
    ],
)
def test_copy_puts_files_where_docker_puts_them(copy: str, there: set[str], built: Built) -> None:
    root = built(f"FROM scratch\n{copy}")
    found = {
        os.path.relpath(os.path.join(directory, name), root) for directory, _, names in os.walk(root) for name in names
    }
    assert found == there


def test_owner_and_mode_are_roots_and_the_files_own_unless_said_otherwise(built: Built, context: Path) -> None:
    os.chown(context / "file", 77, 77)
    (context / "file").chmod(0o4750)
    root = built("FROM scratch\nCOPY file /a\nCOPY --chown=5:6 --chmod=0711 file /b\nCOPY --chown=5 tree /c")
    facts = {name: os.lstat(f"{root}/{name}") for name in ("a", "b", "c/a", "c/link", "c/sub", "c")}
    assert {name: (one.st_uid, one.st_gid) for name, one in facts.items()} == {
        "a": (0, 0), "b": (5, 6), "c/a": (5, 5), "c/link": (5, 5), "c/sub": (5, 5), "c": (5, 5)
    }  # fmt: skip
    assert [stat.S_IMODE(facts[name].st_mode) for name in ("a", "b")] == [0o4750, 0o711]


def test_file_capabilities_come_along(built: Built, context: Path) -> None:
    value = struct.pack("<5I", 0x02000001, 1 << 13 | 0xFF, 1 << 7, 0, 0)
    os.setxattr(context / "file", "security.capability", value)
    root = built("FROM scratch\nCOPY file /a")
    assert os.getxattr(f"{root}/a", "security.capability") == value


def test_the_same_words_and_files_give_the_same_image(store: ImageStore, built: Built, context: Path) -> None:
    built("FROM scratch\nCOPY tree /x\nENV A=1")
    first = store.resolve("test:1")
    os.utime(context / "tree/a", (1, 1))
    built("FROM scratch\nCOPY tree /x\nENV A=1", "other:1")
    assert store.resolve("other:1").manifest == first.manifest


def test_a_base_is_kept_and_changed(store: ImageStore, built: Built) -> None:
    built('FROM scratch\nCOPY tree /x\nENV A=1 B=2\nUSER 7\nCMD ["old"]\nWORKDIR /x\nVOLUME /v', "base:1")
    root = built('FROM base:1\nCOPY file a\nENV B=$A\nENTRYPOINT ["new"]')
    assert config(store) == ImageConfig(
        user="7", env=("A=1", "B=1"), entrypoint=("new",), working_dir="/x", volumes=("/v",)
    )
    assert Path(root, "x/a").read_text() == "file"
    assert Path(root, "x/sub/b").read_text() == "b"
    built('FROM base:1\nCMD ["only"]')
    assert config(store).cmd == ("only",)
    built("FROM base:1")
    assert config(store).cmd == ("old",)


def test_a_bases_links_are_followed_inside_of_it(built: Built, context: Path) -> None:
    (context / "base/usr/bin").mkdir(parents=True)
    (context / "base/bin").symlink_to("usr/bin")
    (context / "base/out").symlink_to("/usr")
    (context / "base/usr/bin/sh").symlink_to("busybox")
    built("FROM scratch\nCOPY base /", "base:1")
    (context / "more/bin").mkdir(parents=True)
    (context / "more/bin/tool").write_text("tool")
    root = built("FROM base:1\nCOPY file /bin/x\nCOPY file /bin\nCOPY file /out/y/z\nCOPY file /bin/sh\nCOPY more /")
    assert os.readlink(f"{root}/bin") == "usr/bin"
    assert sorted(os.listdir(f"{root}/usr/bin")) == ["file", "sh", "tool", "x"]
    assert not os.path.islink(f"{root}/usr/bin/sh")
    assert Path(root, "usr/y/z").read_text() == "file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no FROM"),
        ("# nothing\n\n", "there is no FROM"),
        ("COPY a b", "must be the first"),
        ("FROM scratch\nFROM scratch", "must be one FROM"),
        ("FROM", "takes one image"),
        ("FROM a AS b", "takes one image"),
        ("FROM missing:1", "is not here"),
        ("FROM Bad", "is not an image's name"),
        ("FROM scratch\nRUN true", "nothing runs during a build"),
        ("FROM scratch\nADD a b", "use COPY"),
        ("FROM scratch\nHEALTHCHECK NONE", "known are FROM, COPY"),
        ("FROM scratch\n\nCOPY missing /x", ":3: COPY: there is no missing"),
        ("FROM scratch\nCOPY file", "what to copy and where to"),
        ("FROM scratch\nCOPY --from=x file /x", "--from=x is not known"),
        ("FROM scratch\nCOPY --chown=bob file /x", "not UID or UID:GID"),
        ("FROM scratch\nCOPY --chown=4294967296 file /x", "not UID or UID:GID"),
        ("FROM scratch\nCOPY --chmod=0999 file /x", "not an octal mode"),
        ("FROM scratch\nCOPY --chmod=u+x file /x", "not an octal mode"),
        ("FROM scratch\nCOPY out /x", "leads out of the context"),
        ("FROM scratch\nCOPY outdir/hostname /x", "leads out of the context"),
        ("FROM scratch\nCOPY dangling /x", "leads nowhere"),
        ("FROM scratch\nCOPY pipe /x", "no file, directory or link"),
        ("FROM scratch\nCOPY file /x\nCOPY file /x/y", "both a directory and none"),
        ("FROM scratch\nENV A", "takes NAME=VALUE"),
        ("FROM scratch\nENV A=1 B", "takes NAME=VALUE"),
        ("FROM scratch\nENV A='1", "No closing quotation"),
        ("FROM scratch\nENV A=${B:-c}", "is not a variable"),
        ("FROM scratch\nUSER", "says nothing"),
        ("FROM scratch\nUSER a b", "takes one word"),
        ("FROM scratch\nCMD", "says nothing"),
        ("\0\0", "not known"),
    ],
)
def test_a_containerfile_that_is_wrong_is_refused_with_its_line(
    text: str, said: str, *, store: ImageStore, built: Built, context: Path
) -> None:
    (context / "out").symlink_to("/etc/hostname")
    (context / "outdir").symlink_to("/etc")
    (context / "dangling").symlink_to("nowhere")
    os.mkfifo(context / "pipe")
    with pytest.raises(PodwardError) as caught:
        built(text)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
    assert store.entries() == ()
    assert not os.path.exists(store.directory) or os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_a_link_in_a_tree_is_copied_as_it_is_wherever_it_leads(built: Built, context: Path) -> None:
    (context / "tree/out").symlink_to("/etc/shadow")
    assert os.readlink(built("FROM scratch\nCOPY tree /x") + "/x/out") == "/etc/shadow"


@pytest.mark.parametrize("content", [b"FROM scratch\n" + b"#" * (1 << 20), b"FROM \xff"])
def test_a_file_that_is_no_containerfile_is_refused(content: bytes, store: ImageStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(PodwardError, match=r"larger than|not UTF-8"):
        build(store, str(tmp_path / "file"), str(tmp_path), "")


def test_the_file_is_found_in_its_directory(tmp_path: Path) -> None:
    with pytest.raises(PodwardError, match="no Containerfile and no Dockerfile"):
        find(str(tmp_path))
    (tmp_path / "Dockerfile").touch()
    assert find(str(tmp_path)) == (f"{tmp_path}/Dockerfile", str(tmp_path))
    (tmp_path / "Containerfile").touch()
    assert find(str(tmp_path)) == (f"{tmp_path}/Containerfile", str(tmp_path))


@pytest.mark.needs("skopeo")
def test_other_tools_take_what_we_build(built: Built, store: ImageStore, tmp_path: Path) -> None:
    built("FROM scratch\nCOPY tree /x\nUSER 7")
    source = f"oci:{store.directory}:docker.io/library/test:1"
    subprocess.run(["skopeo", "copy", "-q", source, f"dir:{tmp_path}/copy"], check=True)
    assert (tmp_path / "copy/manifest.json").exists()


def test_an_image_to_build_on_must_be_whole(store: ImageStore, built: Built) -> None:
    built("FROM scratch\nCOPY tree /x", "base:1")
    digits = store.resolve("base:1").id[7:]
    os.unlink(f"{store.directory}/blobs/sha256/{digits}")
    with pytest.raises(ImageError, match="can't be read"):
        built("FROM base:1")
