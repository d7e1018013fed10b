"""The store: what it takes, how it is found again, and what goes when it is removed."""

from __future__ import annotations

import fcntl
import gzip
import os
import re
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

import podward
from podward.errors import ImageError, RefusedError
from podward.runtime.images import ingest
from podward.runtime.images.importing import import_path
from podward.runtime.images.removal import remove
from podward.runtime.images.staging import WORK_DIRECTORY, store_lock, sweep
from podward.runtime.images.store import ImageStore
from podward.runtime.state import Lock

if TYPE_CHECKING:
    from tests.runtime.images.conftest import Layout

pytestmark = pytest.mark.needs("root", "umoci")


IMPORT = """
import sys
from podward.runtime.images import ingest
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore
import_path(ImageStore(sys.argv[1]), *sys.argv[2:])
"""


def files(store: ImageStore) -> set[str]:
    """What counts in the store: blobs, root file systems, work under way."""
    return {
        f"{name}/{child}"
        for name in ("blobs/sha256", "rootfs", "tmp")
        for child in os.listdir(f"{store.directory}/{name}")
    }


@pytest.mark.parametrize("form", ["directory", "archive", "compressed archive"])
@pytest.mark.parametrize("compress", [False, True])
def test_an_oci_image_is_taken_in_every_form(
    form: str, *, compress: bool, store: ImageStore, layout: Layout, tmp_path: Path
) -> None:
    lower = layout.tar(
        layout.entry("etc", type=tarfile.DIRTYPE),
        layout.entry("etc/passwd", b"u:x:5:6::/h:/s\n"),
        layout.entry("gone", b"x"),
    )
    upper = layout.tar(
        layout.entry(".wh.gone"),
        layout.entry("bin/su", b"x", mode=0o4755, uid=3, gid=4),
        layout.entry("etc/group", b"g:x:7:u\n"),
    )
    config: dict[str, object] = {
        "User": "u",
        "Env": ["A=b"],
        "Cmd": ["sh"],
        "Entrypoint": None,
        "Volumes": {"/v": {}},
        "StopSignal": "INT",
    }
    layout.image([lower, upper], "registry.example.com/app:1", config, compress=compress)
    place = layout.path if form == "directory" else layout.archive(tmp_path / "a.tar", compress=form != "archive")
    (taken,) = import_path(store, str(place))
    assert taken.names == ("registry.example.com/app:1",)
    stored = store.resolve("registry.example.com/app:1")
    image = store.load(stored)
    assert (image.id, image.name) == (taken.id, "registry.example.com/app:1")
    assert (image.config.user, image.config.env, image.config.entrypoint) == ("u", ("A=b",), ())
    assert (image.config.cmd, image.config.volumes, image.config.stop_signal) == (("sh",), ("/v",), "INT")
    assert [(user.name, user.uid, user.line) for user in image.passwd] == [("u", 5, 1)]
    assert [(group.name, group.gid, group.members) for group in image.group] == [("g", 7, ("u",))]
    su = os.stat(f"{stored.rootfs}/bin/su")
    assert (stat.S_IMODE(su.st_mode), su.st_uid, su.st_gid) == (0o4755, 3, 4)
    assert not os.path.exists(f"{stored.rootfs}/gone")
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


@pytest.mark.needs("skopeo")
@pytest.mark.parametrize("compress", [False, True])
def test_a_docker_archive_is_taken_with_all_its_names(
    *, compress: bool, store: ImageStore, layout: Layout, tmp_path: Path
) -> None:
    layout.image([layout.tar(layout.entry("etc/passwd", b"u:x:5:6::/h:/s\n"))], "app:1", {"User": "u"})
    archive = tmp_path / "docker:odd,name.tar"
    subprocess.run(
        [
            "skopeo",
            "copy",
            "-q",
            "--additional-tag",
            "other.example/app:2",
            f"oci:{layout.path}:app:1",
            "docker-archive:d.tar:app:1",
        ],
        check=True,
        cwd=tmp_path,
    )
    content = (tmp_path / "d.tar").read_bytes()
    archive.write_bytes(gzip.compress(content) if compress else content)
    (taken,) = import_path(store, str(archive))
    assert set(taken.names) == {"docker.io/library/app:1", "other.example/app:2"}
    assert store.load(store.resolve("app:1")).config.user == "u"
    assert [user.uid for user in store.load(store.resolve("other.example/app:2")).passwd] == [5]


def test_a_name_given_replaces_the_images_own(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "own:1")
    import_path(store, str(layout.path), "given")
    assert [name.name for name in store.entries()] == ["docker.io/library/given:latest"]


def test_one_name_for_several_images_is_refused(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    layout.image([layout.tar(layout.entry("g"))], "b:1")
    with pytest.raises(ImageError, match="one name was given"):
        import_path(store, str(layout.path), "given")
    assert len(import_path(store, str(layout.path))) == 2


def test_a_bare_word_in_a_layout_names_nothing(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "latest")
    (taken,) = import_path(store, str(layout.path))
    assert taken.names == ()
    assert store.load(store.resolve(taken.id)).id == taken.id


def test_an_image_is_found_by_name_digest_and_id(store: ImageStore, layout: Layout) -> None:
    descriptor = layout.image([layout.tar(layout.entry("f"))], "registry.example.com/team/app:1")
    (taken,) = import_path(store, str(layout.path))
    digits = taken.id.removeprefix("sha256:")
    digest = descriptor["digest"]
    for name in (
        "registry.example.com/team/app:1",
        f"registry.example.com/team/app@{digest}",
        f"registry.example.com/team/app:other@{digest}",
        taken.id,
        digits,
        digits[:12],
        f"sha256:{digits[:5]}",
    ):
        assert store.resolve(name).id == taken.id, name
    for name in ("app:1", "team/app:1", f"app@{digest}", digits[:2] + "zz", "registry.example.com/team/app", "0" * 64):
        with pytest.raises(ImageError, match="is not here"):
            store.resolve(name)


def test_a_store_that_was_never_made_has_no_images(tmp_path: Path) -> None:
    store = ImageStore(str(tmp_path / "none"))
    with pytest.raises(ImageError, match="image busybox is not here") as caught:
        store.resolve("busybox")
    assert caught.value.exit_code == 2
    assert not (tmp_path / "none").exists()


def test_a_name_that_moves_leaves_the_old_image_nameless(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("old"))], "a:1")
    (old,) = import_path(store, str(layout.path))
    layout.manifests.clear()
    layout.image([layout.tar(layout.entry("new"))], "a:1")
    (new,) = import_path(store, str(layout.path))
    assert store.resolve("a:1").id == new.id
    assert store.resolve(old.id).reference == ""
    assert remove(store, (old.id[7:15],)) == (old.id,)
    assert os.listdir(f"{store.directory}/rootfs") == [new.id[7:]]


def test_removing_the_last_name_removes_the_image(store: ImageStore, layout: Layout) -> None:
    shared, own = layout.tar(layout.entry("shared")), layout.tar(layout.entry("own"))
    layout.image([shared], "a:1")
    (kept,) = import_path(store, str(layout.path))
    alone = files(store)
    layout.image([shared, own], "b:1")
    import_path(store, str(layout.path))
    import_path(store, str(layout.path))
    assert files(store) > alone
    (gone,) = remove(store, ("b:1",))
    assert gone != kept.id
    assert files(store) == alone
    remove(store, (kept.id,))
    assert files(store) == set()


def test_removing_one_of_two_names_keeps_the_image_and_an_id_takes_both(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    (taken,) = import_path(store, str(layout.path))
    import_path(store, str(layout.path), "b:1")
    import_path(store, str(layout.path), "c:1")
    assert remove(store, ("a:1",)) == ()
    assert store.resolve("b:1").id == taken.id
    assert remove(store, (taken.id[7:19],)) == (taken.id,)
    assert store.entries() == ()


def test_removal_is_all_or_nothing(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    with pytest.raises(ImageError, match="missing:1 is not here"):
        remove(store, ("a:1", "missing:1"))
    store.resolve("a:1")


def test_an_image_that_is_held_is_not_removed(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    stored = store.resolve("a:1")
    with store.hold(stored), store.hold(stored):
        with pytest.raises(RefusedError, match="running with this image"):
            remove(store, ("a:1",))
        assert store.resolve("a:1") == stored
    remove(store, ("a:1",))
    with pytest.raises(ImageError):
        store.hold(stored)


def test_who_waits_for_an_image_that_is_going_away_learns_that_it_is_gone(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    stored = store.resolve("a:1")
    home = os.path.dirname(stored.rootfs)
    found: list[str] = []

    def wait() -> None:
        try:
            store.hold(stored).release()
        except ImageError as error:
            found.append(error.what)

    with open(f"{home}/lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiter = threading.Thread(target=wait)
        waiter.start()
        while not re.search(rf"-> FLOCK .*:{os.fstat(lock.fileno()).st_ino} ", Path("/proc/locks").read_text()):
            time.sleep(0.005)
        os.rename(home, f"{store.directory}/{WORK_DIRECTORY}/gone")
    waiter.join()
    assert found == ["image a:1 was removed just now"]


def test_an_image_removed_in_the_middle_of_its_import_is_unpacked_again(
    store: ImageStore, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal happens just before the import takes the store's lock, once."""
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    removed: list[tuple[str, ...]] = []

    def interleaved(locked: ImageStore) -> Lock:
        if not removed:
            removed.append(remove(store, ("a:1",)))
        return store_lock(locked)

    monkeypatch.setattr(ingest, "store_lock", interleaved)
    (taken,) = import_path(store, str(layout.path))
    assert removed == [(taken.id,)]
    assert os.path.exists(store.resolve("a:1").rootfs + "/f")


def test_an_image_that_is_mounted_in_a_namespace_elsewhere_is_not_removed(
    store: ImageStore, layout: Layout, tmp_path: Path
) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    for name in ("u", "w", "m"):
        (tmp_path / name).mkdir()
    options = f"lowerdir={store.resolve('a:1').rootfs},upperdir={tmp_path}/u,workdir={tmp_path}/w"
    script = 'mount -t overlay -o "$1" o "$2" && echo ready && exec cat'
    words = ["unshare", "-m", "sh", "-c", script, "sh", options, str(tmp_path / "m")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        with pytest.raises(RefusedError):
            remove(store, ("a:1",))
        holder.stdin.close()
    assert len(remove(store, ("a:1",))) == 1


def test_nobody_but_root_reads_the_store(store: ImageStore, layout: Layout) -> None:
    old = os.umask(0)
    try:
        layout.image([layout.tar(layout.entry("f", b"x", mode=0o666))], "a:1")
        import_path(store, str(layout.path))
    finally:
        os.umask(old)
    for name in ("", "/images", "/images/blobs/sha256", "/images/tmp", "/images/rootfs"):
        assert stat.S_IMODE(os.stat(os.path.dirname(store.directory) + name).st_mode) == 0o700
    for blob in os.scandir(f"{store.directory}/blobs/sha256"):
        assert stat.S_IMODE(blob.stat().st_mode) == 0o600
    home = os.path.dirname(store.resolve("a:1").rootfs)
    assert {stat.S_IMODE(os.stat(f"{home}/{name}").st_mode) for name in ("image.json", "lock")} == {0o600}
    assert stat.S_IMODE(os.stat(home).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(f"{home}/rootfs").st_mode) == 0o755


def test_other_tools_read_the_store_as_an_oci_layout(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    done = subprocess.run(["umoci", "ls", "--layout", store.directory], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["docker.io/library/a:1"]


def test_two_imports_at_once_both_succeed(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f", os.urandom(1 << 20)))], "a:1")
    root = os.path.dirname(store.directory)
    started = [
        subprocess.Popen([sys.executable, "-c", IMPORT, root, str(layout.path), f"a:{number % 3}"])
        for number in range(6)
    ]
    assert [process.wait() for process in started] == [0] * 6
    assert sorted(name.name[-1] for name in store.entries()) == ["0", "1", "2"]
    assert len(os.listdir(f"{store.directory}/rootfs")) == 1
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_an_import_while_the_same_image_is_removed_leaves_a_whole_image_or_none(
    store: ImageStore, layout: Layout
) -> None:
    layout.image([layout.tar(layout.entry("f", b"x" * 100_000))], "a:1")
    import_path(store, str(layout.path))
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            try:
                remove(store, ("a:1",))
            except ImageError:
                time.sleep(0.002)

    remover = threading.Thread(target=churn)
    remover.start()
    try:
        for _ in range(8):
            import_path(store, str(layout.path))
    finally:
        stop.set()
        remover.join()
    for name in store.entries():
        assert os.path.exists(store.resolve(name.id).rootfs + "/f")
    import_path(store, str(layout.path))
    store.load(store.resolve("a:1"))


@pytest.mark.parametrize("moment", ["blobs/sha256", "unpacked", "ready-0", "index.json.new"])
def test_a_killed_import_leaves_nothing_that_counts(moment: str, store: ImageStore, layout: Layout) -> None:
    """SIGKILL from inside, at the first touch of a file of the moment: no handler of ours can run."""
    layout.image([layout.tar(layout.entry("f", b"x" * 100_000))], "a:1")
    script = """
import os, signal, sys
def hook(event, args):
    if event in ("os.mkdir", "os.rename", "open") and any(isinstance(a, str) and sys.argv[3] in a for a in args):
        os.kill(os.getpid(), signal.SIGKILL)
from podward.runtime.images import ingest
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore
sys.addaudithook(hook)
import_path(ImageStore(sys.argv[1]), sys.argv[2])
"""
    root = os.path.dirname(store.directory)
    killed = subprocess.run([sys.executable, "-c", script, root, str(layout.path), moment], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert store.entries() == ()
    if moment != "blobs/sha256":  # that is the first touch of all: the directory
        assert files(store) != set()
    sweep(store)
    assert files(store) == set()
    import_path(store, str(layout.path))
    store.load(store.resolve("a:1"))


def test_an_import_that_is_killed_takes_its_tool_with_it(store: ImageStore, layout: Layout, tmp_path: Path) -> None:
    """The unpacker hangs (a stand-in that says its pid and sleeps); podward is killed; the next import is clean."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "umoci").write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60\n"
    )
    (tools / "umoci").chmod(0o755)
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    root = os.path.dirname(store.directory)
    with subprocess.Popen([sys.executable, "-c", IMPORT, root, str(layout.path)], env=environment) as running:
        deadline = time.monotonic() + 20
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        running.kill()
    tool = int((tmp_path / "pid").read_text())
    while (
        os.path.exists(f"/proc/{tool}")
        and "Z" not in Path(f"/proc/{tool}/stat").read_text().split()
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    import_path(store, str(layout.path))
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_the_sweep_leaves_work_under_way_alone(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    os.mkdir(f"{store.directory}/{WORK_DIRECTORY}/alive")
    os.mkdir(f"{store.directory}/{WORK_DIRECTORY}/dead")
    with open(f"{store.directory}/{WORK_DIRECTORY}/alive/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep(store)
        assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == ["alive"]
    sweep(store)
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []
    store.load(store.resolve("a:1"))


def test_a_missing_tool_is_named_with_its_package(
    store: ImageStore, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Exception, match="umoci is not installed\n  install it: apt-get install umoci"):
        import_path(store, str(layout.path))
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_a_damaged_list_of_images_is_said_so(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    Path(store.directory, "index.json").write_text("{")
    with pytest.raises(ImageError, match="list of images can't be read"):
        store.resolve("a:1")


def test_damaged_facts_are_said_so(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    import_path(store, str(layout.path))
    stored = store.resolve("a:1")
    facts = Path(stored.rootfs).parent / "image.json"
    facts.write_text("[]")
    with pytest.raises(ImageError, match="facts can't be read"):
        store.load(stored)
    facts.unlink()
    with pytest.raises(ImageError, match="files are gone"):
        store.load(stored)


def test_reading_imports_nothing_heavy(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("etc/passwd", b"u:x:5:6::/h:/s\n" * 100))], "a:1")
    import_path(store, str(layout.path))
    script = """
import sys
from podward.runtime.images.store import ImageStore
store = ImageStore(sys.argv[1])
store.load(store.resolve("a:1"))
print({"subprocess", "json", "tarfile", "pathlib", "argparse", "dataclasses", "hashlib", "zlib"} & set(sys.modules))
"""
    words = [sys.executable, "-S", "-c", script, os.path.dirname(store.directory)]
    places = [str(Path(next(iter(module.__path__))).parent) for module in (podward, msgspec)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(words, check=False, capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_a_damaged_image_can_be_removed_and_hurts_no_other(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f"))], "good:1")
    import_path(store, str(layout.path))
    good = files(store)
    layout.manifests.clear()
    layout.image([layout.tar(layout.entry("g"))], "bad:1")
    import_path(store, str(layout.path))
    stored = store.resolve("bad:1")
    Path(store.directory, "blobs/sha256", stored.manifest[7:]).write_text("{")
    import_path(store, str(layout.path), "again:1")
    remove(store, ("bad:1",))
    remove(store, ("again:1",))
    assert files(store) == good
