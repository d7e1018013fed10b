"""`podward image pull`: from a real registry on loopback, and from one that lies."""

from __future__ import annotations

import hashlib
import http.server
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

from podward.errors import ImageError
from podward.runtime.images.endpoints import is_loopback
from podward.runtime.images.pulling import Registries, pull
from podward.runtime.images.removal import remove
from podward.runtime.images.staging import WORK_DIRECTORY
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(config))  # JSON is YAML
    with subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "registry.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5):  # it is ours
                    break
            except OSError:
                time.sleep(0.02)
        yield f"127.0.0.1:{port}"
        server.kill()


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
def liar() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A registry that answers every manifest's name with what the test puts there."""
    manifests: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            content = manifests.get(name, manifests.get("*", b"")) if "/manifests/" in self.path else b"{}"
            self.send_response(200)
            self.send_header("Content-Type", MANIFEST)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", manifests
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("digest", ["sha256:../../../../evil", "sha256:/evil", "md5:" + "0" * 32])
def test_a_manifest_with_paths_for_digests_never_reaches_skopeos_copy(
    digest: str, liar: tuple[str, dict[str, bytes]], store: ImageStore
) -> None:
    host, manifests = liar
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 2}
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 2}
    manifests["*"] = json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    ).encode()
    with pytest.raises(ImageError, match=r"is not a sha256 digest|can't pull"):
        pull(store, f"{host}/app:1")
    assert store.entries() == ()


def test_another_manifest_than_the_digest_asked_for_is_refused(
    liar: tuple[str, dict[str, bytes]], store: ImageStore
) -> None:
    host, manifests = liar
    manifests["*"] = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST}).encode()
    with pytest.raises(ImageError, match=r"digest"):
        pull(store, f"{host}/app@sha256:" + "0" * 64)
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
