"""Images that were made to be read in two ways, to be too large, or to write on a terminal."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from case_corpus import agrees, case, raw_controls, said, text_of
from image_layout import layer, small_root, write_layout
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")

REFUSAL = "container has runAsNonRoot and image will run as root"

ROOT_FOR_GO = {
    "lower-case-last": '"config":{"User":"1000","user":"0"}',
    "upper-case-last": '"config":{"User":"1000","USER":"0"}',
    "twice": '"config":{"User":"1000","User":"0"}',
    "config-twice": '"config":{"User":"1000"},"config":{"User":"0"}',
    "capital-config-last": '"config":{"User":"1000"},"Config":{"User":"0"}',
    "long-s": '"config":{"User":"1000","U\\u017fer":"0"}',
}
"""Configs that Go's encoding/json reads as root: names in any case, the last one wins, members are merged."""


@pytest.fixture
def imported(podward: Podward) -> Iterator[None]:
    """What a test imports is removed when it ends."""
    yield
    podward("image", "rm", "case-user:x")


def bring(podward: Podward, tmp_path: Path, members: str) -> subprocess.CompletedProcess[str]:
    return podward("image", "import", write_layout(tmp_path / "image", "case-user:x", members, layer(small_root)))


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("members", ROOT_FOR_GO.values(), ids=ROOT_FOR_GO)
def test_a_config_is_read_as_go_reads_it_or_refused(podward: Podward, tmp_path: Path, members: str) -> None:
    taken = bring(podward, tmp_path, members)
    if taken.returncode != 0:
        assert "Traceback" not in taken.stderr
        assert re.search(r"[Uu][Ss\u017f]er|[Cc]onfig|twice", taken.stderr), taken.stderr
        return
    done = podward("run", "-f", case("hostile/image-case-pod.yaml"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert REFUSAL in said(done)


@pytest.mark.usefixtures("imported")
def test_a_config_that_says_one_thing_is_taken(podward: Podward, tmp_path: Path) -> None:
    assert bring(podward, tmp_path, '"config":{"User":"1000","Cmd":["id","-u"]}').returncode == 0
    done = podward("run", "-f", case("hostile/image-case-pod.yaml"))
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr


NUL = {
    "entry": '"config":{"Entrypoint":["/bin/true\\u0000/x"]}',
    "environment": '"config":{"Env":["A=x\\u0000y"]}',
    "directory": '"config":{"WorkingDir":"/\\u0000etc"}',
    "user": '"config":{"User":"1000\\u00000"}',
    "volume": '"config":{"Volumes":{"/data\\u0000/x":{}}}',
}


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("members", NUL.values(), ids=NUL)
def test_nul_in_a_config_is_refused(podward: Podward, tmp_path: Path, members: str) -> None:
    taken = bring(podward, tmp_path, members)
    assert taken.returncode in {1, 2}
    assert "NUL" in taken.stderr or "\\u0000" in taken.stderr or "\\x00" in taken.stderr
    assert raw_controls(taken.stderr) == set()
    assert "case-user" not in podward("image", "ls").stdout


@pytest.mark.usefixtures("imported")
def test_what_an_image_says_does_not_drive_a_terminal(podward: Podward, tmp_path: Path) -> None:
    members = (
        '"config":{"User":"\\u001b]0;PWN\\u0007\\u009b31m\\u202e","Entrypoint":["/bin/\\u001b[2Jno\\n::error::forged"]}'
    )
    taken = bring(podward, tmp_path, members)
    outputs = [taken.stdout, taken.stderr]
    manifest = text_of("hostile/image-case-pod.yaml")
    for words in (("image", "ls"), ("run", "-f", "-"), ("explain", "-f", "-"), ("explain", "-f", "-", "-o", "json")):
        done = podward(*words, stdin=manifest)
        outputs += [done.stdout, done.stderr]
    assert [raw_controls(text) for text in outputs if raw_controls(text)] == []
    assert not any(line.startswith("::error") for text in outputs for line in text.splitlines())


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("runtime", ["crun", "runc"])
@pytest.mark.parametrize("target", ["/run/elsewhere/hosts", "/dev/null", "/proc/self/status"])
def test_a_link_at_a_file_of_the_kubelet_is_no_drift(
    podward: Podward, tmp_path: Path, target: str, runtime: str
) -> None:
    """What the runtime mounts there goes where the link leads; that is predicted, or refused."""

    def fill(archive: tarfile.TarFile) -> None:
        small_root(archive)
        link = tarfile.TarInfo("etc/hosts")
        link.type, link.linkname = tarfile.SYMTYPE, target
        archive.addfile(link)

    members = '"config":{"User":"1000","Cmd":["id","-u"]}'
    image = write_layout(tmp_path / "image", "case-user:x", members, layer(fill))
    assert podward("image", "import", image).returncode == 0
    done = podward("run", "--verify", "--runtime", runtime, "-f", case("hostile/image-case-pod.yaml"))
    assert not re.search(r"[1-9]\d* differ", done.stderr), done.stderr
    if target.startswith("/run"):
        assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr
        assert agrees(done)
    if done.returncode:
        assert "/etc/hosts" in done.stderr
        assert not re.search(r'"(msg|level)":|level=', done.stderr)


@contextlib.contextmanager
def small_disk(place: Path, options: str) -> Iterator[Path]:
    """A file system of its own for a state directory, unmounted at the end."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def many_files(archive: tarfile.TarFile) -> None:
    for number in range(6000):
        archive.addfile(tarfile.TarInfo(f"d{number // 100}/f{number}"))


def one_large_file(archive: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("zeros")
    entry.size = 96 << 20
    archive.addfile(entry, io.BytesIO(bytes(entry.size)))


@pytest.mark.parametrize(
    ("fill", "options", "word"),
    [(many_files, "size=64m,nr_inodes=3000", "inode|files"), (one_large_file, "size=48m", "bytes|MiB|room|space")],
    ids=["inodes", "bytes"],
)
def test_a_layer_that_does_not_fit_is_refused_and_leaves_nothing(
    podward: Podward, tmp_path: Path, fill: Callable[[tarfile.TarFile], None], options: str, word: str
) -> None:
    image = write_layout(tmp_path / "image", "large:x", '"config":{}', layer(fill))
    with small_disk(tmp_path / "disk", options) as disk:
        podward.environment["PODWARD_ROOT"] = str(disk / "state")
        done = podward("image", "import", image)
        assert done.returncode in {1, 2}, done.stdout
        assert "Traceback" not in done.stderr
        assert re.search(word, done.stderr), done.stderr
        assert sum(path.is_file() for path in disk.rglob("*")) < 50, "what was unpacked so far is gone"
