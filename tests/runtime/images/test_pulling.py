"""`podward image pull`: from a real registry on loopback, and from one that lies."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.runtime.images.served import Request, Served, docker_registry, serving

from podward.errors import ImageError, RefusedError
from podward.runtime.images.endpoints import is_loopback
from podward.runtime.images.pulling import Registries, pull
from podward.runtime.images.removal import remove
from podward.runtime.images.staging import WORK_DIRECTORY, sweep
from podward.runtime.images.store import ImageStore
from podward.runtime.machine import architecture

if TYPE_CHECKING:
    from tests.runtime.images.conftest import Layout

pytestmark = pytest.mark.needs("root", "umoci", "skopeo")

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry of our own, plain HTTP; yields HOST:PORT."""
    with docker_registry(tmp_path) as host:
        yield host


@pytest.fixture
def pushed(registry: str, layout: Layout) -> str:
    """An image in the registry; returns its name."""
    layout.image([layout.tar(layout.entry("etc/passwd", b"u:x:5:6::/h:/s\n"))], "app:1", {"User": "u"})
    name = f"{registry}/team/app:1"
    push(layout, "app:1", name)
    return name


def push(layout: Layout, own: str, name: str) -> tuple[str, int]:
    """Push an image of the layout; returns its manifest's digest and size."""
    words = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout.path}:{own}", f"docker://{name}"]
    subprocess.run(words, check=True)
    return manifest_of(name)


def manifest_of(name: str) -> tuple[str, int]:
    words = ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"]
    content = subprocess.run(words, capture_output=True, check=True).stdout
    return f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)


@pytest.mark.needs("docker-registry")
def test_an_image_is_pulled_over_plain_http_from_loopback(pushed: str, store: ImageStore) -> None:
    taken = pull(store, pushed)
    image = store.load(store.resolve(pushed))
    assert (image.id, image.config.user, image.passwd[0].uid) == (taken.id, "u", 5)
    (digest,) = [name for name in taken.names if "@" in name]
    assert store.resolve(digest).id == taken.id
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []
    assert pull(store, digest).id == taken.id
    assert remove(store, (pushed,)) == (taken.id,)
    assert store.entries() == ()


@pytest.mark.needs("docker-registry")
def test_a_terminal_sees_progress_and_a_pipe_does_not(
    pushed: str, tmp_path: Path, everything_shown: Callable[[int], bytes]
) -> None:
    words = [sys.executable, "-m", "podward", "image", "pull", pushed]
    environment = {**os.environ, "PODWARD_ROOT": str(tmp_path / "state")}
    quiet = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    assert (quiet.stdout.split()[0], quiet.stderr) == (pushed, "")
    ours, theirs = os.openpty()
    elsewhere = {**environment, "PODWARD_ROOT": str(tmp_path / "other")}
    shown = subprocess.run(words, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True, env=elsewhere)
    os.close(theirs)
    assert shown.stdout == quiet.stdout
    assert b"fetching" in everything_shown(ours)


@pytest.mark.needs("docker-registry")
def test_certificates_are_verified_where_it_is_asked_for(pushed: str, store: ImageStore) -> None:
    with pytest.raises(ImageError, match="it answers our TLS with plain HTTP"):
        pull(store, pushed, Registries(tls_verify=True))
    assert not os.path.exists(store.directory)


@pytest.mark.needs("docker-registry")
def test_an_index_is_resolved_to_this_machine_and_found_by_either_digest(
    pushed: str, registry: str, store: ImageStore, layout: Layout
) -> None:
    layout.image([layout.tar(layout.entry("other"))], "app:other")
    other = push(layout, "app:other", f"{registry}/team/app:other")
    listed = [
        {"mediaType": MANIFEST, "digest": digest, "size": size, "platform": {"os": "linux", "architecture": machine}}
        for (digest, size), machine in ((other, "s390x"), (manifest_of(pushed), architecture()))
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})
    request = urllib.request.Request(  # it is ours
        f"http://{registry}/v2/team/app/manifests/many",
        data=index.encode(),
        method="PUT",
        headers={"Content-Type": INDEX},
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # it is ours
        pass
    taken = pull(store, f"{registry}/team/app:many")
    digest = f"sha256:{hashlib.sha256(index.encode()).hexdigest()}"
    for wanted in (digest, manifest_of(pushed)[0]):
        assert store.resolve(f"{registry}/team/app@{wanted}").id == taken.id
    assert pull(store, f"{registry}/team/app@{digest}").id == taken.id


@pytest.mark.needs("docker-registry")
def test_an_image_that_the_registry_lacks_is_said_so(registry: str, store: ImageStore) -> None:
    with pytest.raises(ImageError, match="manifest unknown") as caught:
        pull(store, f"{registry}/none:1")
    assert caught.value.exit_code == 2
    assert not os.path.exists(store.directory)


def test_a_registry_that_is_not_there_is_said_so(store: ImageStore) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(ImageError, match="connection refused"):
            pull(store, f"127.0.0.1:{probe.getsockname()[1]}/none:1")


@pytest.fixture
def served() -> Iterator[Served]:
    """A small registry that serves what a test gives it, and remembers who asked."""
    with serving() as registry:
        yield registry


@pytest.mark.parametrize("digest", ["sha256:../../../../evil", "sha256:/evil", "md5:" + "0" * 32])
def test_a_manifest_with_paths_for_digests_asks_for_no_blob(digest: str, served: Served, store: ImageStore) -> None:
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 2}
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 2}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    served.put_manifest("app", "1", manifest)
    with pytest.raises(ImageError, match="is not a sha256 digest"):
        pull(store, f"{served.host}/app:1")
    assert not served.asked("/blobs/")
    assert store.entries() == ()


def test_another_manifest_than_the_digest_asked_for_is_refused(served: Served, store: ImageStore) -> None:
    digest = "sha256:" + "0" * 64
    served.contents[f"/v2/app/manifests/{digest}"] = b'{"schemaVersion": 2}'
    with pytest.raises(ImageError, match="digest mismatch"):
        pull(store, f"{served.host}/app@{digest}")
    assert store.entries() == ()


@pytest.mark.parametrize(
    ("domain", "loopback"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1", True),
        ("127.9.9.9:80", True),
        ("[::1]:5000", True),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("127.0.0.256", False),
        ("10.0.0.1:5000", False),
        ("[::2]", False),
        ("docker.io", False),
    ],
)
def test_only_registries_on_this_machine_may_go_without_tls(domain: str, *, loopback: bool) -> None:
    assert is_loopback(domain) is loopback


REPOSITORY = "registry.example.com/team/app"


def mirrored(directory: Path, *mirrors: str) -> Registries:
    """A configuration that has these mirrors for registry.example.com, which is nowhere."""
    text = '[[registry]]\nprefix = "registry.example.com"\nlocation = "127.0.0.9:9"\n'
    for mirror in mirrors:
        text += f'[[registry.mirror]]\nlocation = "{mirror}"\ninsecure = true\n'
    (directory / "registries.conf").write_text(text)
    return Registries(str(directory / "registries.conf"))


@pytest.mark.needs("docker-registry")
def test_an_image_of_a_mirror_has_the_names_that_were_asked_for(
    pushed: str, registry: str, store: ImageStore, tmp_path: Path
) -> None:
    registries = mirrored(tmp_path, "127.0.0.1:9", f"{registry}/none", registry)
    taken = pull(store, f"{REPOSITORY}:1", registries)
    assert taken.names == (f"{REPOSITORY}:1", f"{REPOSITORY}@{manifest_of(pushed)[0]}")
    assert {entry.name for entry in store.entries()} == set(taken.names)
    assert registry not in Path(f"{store.directory}/index.json").read_text()


@pytest.mark.needs("docker-registry")
def test_when_none_has_the_image_each_is_told_with_what_it_said(
    registry: str, store: ImageStore, tmp_path: Path
) -> None:
    registries = mirrored(tmp_path, "127.0.0.1:9", f"{registry}/k8s")
    with pytest.raises(ImageError, match="can't pull the image") as caught:
        pull(store, f"{REPOSITORY}:1", registries)
    told = caught.value.what.removeprefix("can't pull the image: ").split("; ")
    assert [each.partition("/")[0] for each in told] == ["127.0.0.1:9", registry, "127.0.0.9:9"]
    assert "connection refused" in told[0]
    assert "manifest unknown" in told[1]
    assert "connection refused" in told[2]


def test_the_command_line_uses_the_same_configuration(served: Served, layout: Layout, tmp_path: Path) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    served.add(layout, "team/app", "1")
    file = mirrored(tmp_path, served.host).conf
    for options, more in ((["--registries-conf", file], {}), ([], {"CONTAINERS_REGISTRIES_CONF": file})):
        words = [sys.executable, "-m", "podward", "image", "pull", f"{REPOSITORY}:1", *options]
        root = str(tmp_path / f"state{len(options)}")
        subprocess.run(words, check=True, env={**os.environ, **more, "PODWARD_ROOT": root})
        assert ImageStore(root).find(f"{REPOSITORY}:1")


def test_a_second_tag_of_an_image_is_neither_fetched_nor_unpacked(
    served: Served, store: ImageStore, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.image([layout.tar(layout.entry("f"))], "a:1")
    for tag in "123":
        served.add(layout, "app", tag)
    served.add(layout, "other/app", "1")
    first = pull(store, f"{served.host}/app:1")
    assert len(served.asked("/blobs/")) == 2
    monkeypatch.setenv("PATH", "/nowhere")  # nothing can be unpacked
    for name in ("app:2", "app:3", "other/app:1", "app:1"):
        assert pull(store, f"{served.host}/{name}").id == first.id
    assert len(served.asked("/blobs/")) == 2
    assert len([entry for entry in store.entries() if "@" not in entry.name]) == 4


def test_a_layer_that_another_image_brought_is_not_fetched_again(
    served: Served, store: ImageStore, layout: Layout
) -> None:
    base = layout.tar(layout.entry("base", b"x" * 100_000))
    layout.image([base], "a:1")
    served.add(layout, "a", "1")
    layout.image([base, layout.tar(layout.entry("more"))], "b:1")
    served.add(layout, "b", "1")
    pull(store, f"{served.host}/a:1")
    pull(store, f"{served.host}/b:1")
    assert len(served.asked("/v2/a/blobs/")) == 2  # config and layer
    assert len(served.asked("/v2/b/blobs/")) == 2  # config and the second layer
    assert sorted(os.listdir(store.resolve(f"{served.host}/b:1").rootfs)) == ["base", "more"]


PULL = """
import sys
from podward.runtime.images.pulling import pull
from podward.runtime.images.store import ImageStore
print(pull(ImageStore(sys.argv[1]), sys.argv[2]).id)
"""


def started(store: ImageStore, name: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PULL, os.path.dirname(store.directory), name]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_pulls_of_one_image_share_one_download_and_others_go_beside_it(
    served: Served, store: ImageStore, layout: Layout
) -> None:
    """While one image's layer is on its way and does not come, another image is pulled; then it comes, for all."""
    layout.image([layout.tar(layout.entry("f", b"x" * 10_000))], "a:1")
    for tag in "12":
        served.add(layout, "same", tag)
    held, free = threading.Event(), threading.Event()
    layers = {path for path, content in served.contents.items() if "/same/blobs/" in path and len(content) > 9000}
    layout.image([layout.tar(layout.entry("g"))], "b:1")
    served.add(layout, "other", "1")

    def slowly(request: Request) -> None:
        if request.path in layers:
            held.set()
            free.wait(60)

    served.before = slowly
    same = [started(store, f"{served.host}/same:{1 + number % 2}") for number in range(7)]
    try:
        assert held.wait(60)
        other = started(store, f"{served.host}/other:1")
        assert other.wait(60) == 0
        assert all(each.poll() is None for each in same)
    finally:
        free.set()
    ids = {each.communicate(timeout=60)[0] for each in same}
    other.communicate()
    assert [each.returncode for each in same] == [0] * 7
    assert len(ids) == 1
    assert len(served.asked("/same/blobs/")) == 2
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_who_waits_for_a_pull_that_is_killed_takes_it_over(served: Served, store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f", b"x" * 10_000))], "a:1")
    served.add(layout, "app", "1")
    held, free = threading.Event(), threading.Event()

    def slowly(request: Request) -> None:
        if "/blobs/" in request.path and not held.is_set():
            held.set()
            free.wait(60)

    served.before = slowly
    first = started(store, f"{served.host}/app:1")
    try:
        assert held.wait(60)
        second = started(store, f"{served.host}/app:1")
        time.sleep(0.3)
        assert second.poll() is None
        first.kill()
        assert second.wait(60) == 0
    finally:
        free.set()
    for each in (first, second):
        each.communicate()
    store.load(store.resolve(f"{served.host}/app:1"))
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_a_pull_that_is_killed_at_any_moment_leaves_no_half_image_and_nothing_that_a_sweep_leaves(
    served: Served, store: ImageStore, layout: Layout
) -> None:
    layout.image([layout.tar(*(layout.entry(f"d{n}/f", b"x" * 20_000) for n in range(60)))], "a:1", compress=True)
    served.add(layout, "app", "1")
    name = f"{served.host}/app:1"
    pull(store, name)
    whole = files_of(store)
    begun = time.monotonic()
    process = started(store, f"{served.host}/app:1")
    process.communicate()
    takes = time.monotonic() - begun
    for number in range(8):
        remove(store, (name,))
        process = started(store, name)
        time.sleep(takes * (0.4 + 0.1 * number))
        process.kill()
        process.communicate()
        deadline = time.monotonic() + 20  # its tool dies after it, and holds the lock until then
        while os.listdir(f"{store.directory}/{WORK_DIRECTORY}") and time.monotonic() < deadline:
            sweep(store)
        assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []
        left = files_of(store)
        assert left == (whole if store.entries() else set())
        pull(store, name)
        assert files_of(store) == whole


def files_of(store: ImageStore) -> set[str]:
    """What is in the store, besides its own files."""
    found = {os.path.join(at, name) for at, _, names in os.walk(store.directory) for name in names}
    return {
        each
        for each in found
        if each not in {f"{store.directory}/{own}" for own in ("lock", "oci-layout", "index.json")}
    }


@pytest.fixture
def layered(served: Served, layout: Layout) -> list[str]:
    """An image of five layers, `app:1`; returns the paths of the layers."""
    layout.image([layout.tar(layout.entry(f"f{number}", b"x" * 3000)) for number in range(5)], "a:1")
    served.add(layout, "app", "1")
    return [path for path, content in served.contents.items() if "/blobs/" in path and len(content) > 3000]


def test_layers_are_fetched_three_at_a_time(served: Served, layered: list[str], store: ImageStore) -> None:
    together = threading.Barrier(3)

    def waiting(request: Request) -> None:
        if request.path in layered[:3]:
            together.wait(60)

    served.before = waiting
    pull(store, f"{served.host}/app:1")
    assert len(served.asked("/blobs/")) == 6
    assert sorted(os.listdir(store.resolve(f"{served.host}/app:1").rootfs)) == [f"f{number}" for number in range(5)]


def test_one_layer_that_is_missing_ends_those_that_are_on_their_way(
    served: Served, layered: list[str], store: ImageStore
) -> None:
    free = threading.Event()
    del served.contents[layered[2]]

    def waiting(request: Request) -> None:
        if request.path in layered[:2]:
            free.wait(60)

    served.before = waiting
    try:
        with pytest.raises(ImageError, match="does not have the image"):
            pull(store, f"{served.host}/app:1")
        for thread in threading.enumerate():
            if thread.name.startswith("fetch-"):
                thread.join(30)  # at its end, or waiting for the server's answer
                assert not thread.is_alive()
    finally:
        free.set()
    assert store.entries() == ()
    assert os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_an_image_that_must_be_signed_is_not_pulled(
    served: Served, layered: list[str], store: ImageStore, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "signedBy"}]}')
    with pytest.raises(RefusedError, match="demands 'signedBy'"):
        pull(store, f"{served.host}/app:1", Registries(policy=str(policy)))
    assert layered
    assert served.requests == []
