"""A registry that wants to know who asks, sends us elsewhere, or lies."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.runtime.images.served import Answer, Request, Served, answering, docker_registry, serving, tunnel, write_pair

from podward.api.cri_status import AuthConfig
from podward.errors import ImageError
from podward.runtime.images.pulling import Registries, pull
from podward.runtime.images.store import ImageStore
from podward.server.own_authority import OwnAuthority

if TYPE_CHECKING:
    from tests.runtime.images.conftest import Layout

pytestmark = pytest.mark.needs("root", "umoci")

SECRET = "s3cret"  # noqa: S105  # of registries that live as long as a test
HTPASSWD = "u:$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG\n"


def auth(**fields: str) -> AuthConfig:
    return msgspec.convert(fields, AuthConfig)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def authority(tmp_path: Path) -> OwnAuthority:
    (tmp_path / "authority").mkdir()
    return OwnAuthority(str(tmp_path / "authority"))


@pytest.fixture
def served(layout: Layout) -> Iterator[Served]:
    """Our registry, plain HTTP, with team/app:1."""
    layout.image([layout.tar(layout.entry("f", b"x" * 5000))], "app:1")
    with serving() as registry:
        registry.add(layout, "team/app", "1")
        yield registry


@pytest.fixture
def plain(tmp_path: Path) -> Registries:
    """No configuration and no logins, whatever the machine has."""
    (tmp_path / "none.json").write_text("{}")
    return Registries(str(tmp_path / "none.conf"), authfile=str(tmp_path / "none.json"))


def configured(directory: Path, host: str, text: str) -> Registries:
    """A directory in containerd's form that has this to say of one host, and no other configuration."""
    (directory / "certs.d" / host).mkdir(parents=True)
    (directory / "certs.d" / host / "hosts.toml").write_text(text)
    (directory / "none.json").write_text("{}")
    return Registries(str(directory / "none.conf"), str(directory / "certs.d"), str(directory / "none.json"))


@pytest.mark.needs("docker-registry", "skopeo")
def test_a_registry_with_tls_and_a_password(
    tmp_path: Path, authority: OwnAuthority, layout: Layout, store: ImageStore
) -> None:
    certificate, key = write_pair(authority)
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    password = {"htpasswd": {"realm": "test", "path": str(tmp_path / "htpasswd")}}
    more: dict[str, object] = {"tls": {"certificate": certificate, "key": key}, "auth": password}
    layout.image([layout.tar(layout.entry("f"))], "app:1")
    with docker_registry(tmp_path, more) as host:
        name = f"{host}/team/app:1"
        words = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"--dest-creds=u:{SECRET}"]
        subprocess.run([*words, f"oci:{layout.path}:app:1", f"docker://{name}"], check=True)
        registries = configured(tmp_path, host, f'ca = "{authority.certificate_file}"\n')
        for known, said in (
            (None, "no credentials are known"),
            (auth(username="u", password=SECRET[1:]), r"does not let us in \(401: 'authentication required'\)"),
            (auth(username="u", password=SECRET, serverAddress="other.example.com"), "no credentials are known"),
        ):
            with pytest.raises(ImageError, match=said) as caught:
                pull(store, name, registries, known)
            assert SECRET not in str(caught.value)
        with pytest.raises(ImageError, match="certificate is not trusted"):
            pull(store, name, Registries(str(tmp_path / "none.conf"), tls_verify=True))
        assert not os.path.exists(store.directory)
        for number, known in enumerate((auth(username="u", password=SECRET), auth(auth=encoded(f"u:{SECRET}")))):
            pull(ImageStore(str(tmp_path / str(number))), name, registries, known)
        login = tmp_path / "login.json"
        login.write_text(json.dumps({"auths": {host: {"auth": encoded(f"u:{SECRET}")}}}))
        options = ["--registry-config-dir", registries.config_directory, "--authfile", str(login)]
        words = [sys.executable, "-m", "podward", "image", "pull", name, *options]
        subprocess.run(words, check=True, env={**os.environ, "PODWARD_ROOT": str(tmp_path / "cli")})
        assert ImageStore(str(tmp_path / "cli")).find(name)


def bearer(served: Served, request: Request) -> Answer | None:
    """What a registry does whose tokens come from /token."""
    if request.path.startswith("/token"):
        return None
    if request.authorization == "Bearer fine":
        return None
    challenge = f'Bearer realm="http://{served.host}/token?x=1",service="reg",scope="repository:team/app:pull"'
    return Answer(401, b"{}", (("WWW-Authenticate", challenge),))


GRANT = "grant_type=refresh_token&refresh_token=id&client_id=podward"
SCOPE = "service=reg&scope=repository%3Ateam%2Fapp%3Apull"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, Request("GET", f"/token?x=1&{SCOPE}", "", b"")),
        (
            auth(username="u", password=SECRET),
            Request("GET", f"/token?x=1&{SCOPE}", f"Basic {encoded(f'u:{SECRET}')}", b""),
        ),
        (auth(identityToken="id"), Request("POST", "/token?x=1", "", f"{GRANT}&{SCOPE}".encode())),
        (auth(registryToken="fine"), None),
    ],
)
def test_a_token_is_fetched_from_where_the_registry_says(
    known: AuthConfig | None, expected: Request | None, served: Served, store: ImageStore, plain: Registries
) -> None:
    served.contents["/token"] = b'{"access_token": "fine"}'
    served.before = lambda request: bearer(served, request)
    pull(store, f"{served.host}/team/app:1", plain, known)
    asked = [request for request in served.requests if request.path.startswith("/token")]
    assert asked == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (b"nothing", "is no token"),
        (b'{"token": "a\\r\\nX-Evil: 1"}', "is no token"),
        (b'{"token": "other"}', r"does not let us in \(401\)"),
    ],
)
def test_a_token_that_is_none_is_said_so(
    token: bytes, said: str, served: Served, store: ImageStore, plain: Registries
) -> None:
    served.contents["/token"] = token
    served.before = lambda request: bearer(served, request)
    with pytest.raises(ImageError, match=said):
        pull(store, f"{served.host}/team/app:1", plain, auth(username="u", password=SECRET))


@pytest.mark.parametrize("realm", ["ftp://127.0.0.1/", "/token", "file:///etc/shadow", ""])
def test_credentials_go_to_no_place_that_is_none(
    realm: str, served: Served, store: ImageStore, plain: Registries
) -> None:
    served.before = lambda _: Answer(401, b"", (("WWW-Authenticate", f'Bearer realm="{realm}"'),))
    with pytest.raises(ImageError, match="sends us to no place, or to one without TLS"):
        pull(store, f"{served.host}/team/app:1", plain, auth(username="u", password=SECRET))


def test_a_registry_with_tls_can_not_send_us_where_there_is_none(
    authority: OwnAuthority, served: Served, store: ImageStore, tmp_path: Path
) -> None:
    """Neither for a token, nor for a blob: what is on our way could read and change what goes there."""
    with serving(authority) as secure:
        registries = configured(tmp_path, secure.host, f'ca = "{authority.certificate_file}"\n')
        secure.contents = dict(served.contents)
        name = f"{secure.host}/team/app:1"
        secure.before = lambda _: Answer(
            401, b"", (("WWW-Authenticate", f'Bearer realm="http://{served.host}/token"'),)
        )
        with pytest.raises(ImageError, match="one without TLS"):
            pull(store, name, registries, auth(username="u", password=SECRET))
        secure.before = lambda request: (
            Answer(307, b"", (("Location", f"http://{served.host}{request.path}"),))
            if "/blobs/" in request.path
            else None
        )
        with pytest.raises(ImageError, match="one without TLS"):
            pull(store, name, registries)
        assert served.requests == []
        secure.before = lambda _: None
        pull(store, name, registries)


def test_who_we_are_is_not_told_where_we_are_sent_to(served: Served, store: ImageStore, plain: Registries) -> None:
    with serving() as elsewhere:
        elsewhere.contents = {f"/store{path}": content for path, content in served.contents.items()}

        def asking(request: Request) -> Answer | None:
            if not request.authorization:
                return Answer(401, b"", (("WWW-Authenticate", 'Basic realm="r"'),))
            if "/blobs/" in request.path:
                return Answer(307, b"", (("Location", f"http://{elsewhere.host}/store{request.path}?signed=1"),))
            return None

        served.before = asking
        pull(store, f"{served.host}/team/app:1", plain, auth(username="u", password=SECRET))
        assert len(elsewhere.asked("/blobs/")) == 2
        assert {request.authorization for request in elsewhere.requests} == {""}
        assert {request.authorization for request in served.requests} == {"", f"Basic {encoded(f'u:{SECRET}')}"}


def test_a_registry_that_sends_us_in_circles_is_left(served: Served, store: ImageStore, plain: Registries) -> None:
    served.before = lambda request: Answer(307, b"", (("Location", request.path),))
    with pytest.raises(ImageError, match="sends us on and on"):
        pull(store, f"{served.host}/team/app:1", plain)
    assert len(served.requests) == 6


def test_headers_and_the_namespace_go_to_the_mirror_that_is_configured_so(
    served: Served, store: ImageStore, tmp_path: Path
) -> None:
    registries = configured(
        tmp_path,
        "r.example.com",
        f'[host."http://{served.host}/proxy"]\nheader = {{Authorization = "Bearer x"}}\n',
    )
    served.contents = {f"/proxy{path}": content for path, content in served.contents.items()}
    pull(store, "r.example.com/team/app:1", registries, auth(username="u", password=SECRET))
    assert {request.authorization for request in served.requests} == {"Bearer x"}
    assert {request.path.partition("?")[2] for request in served.requests} == {"ns=r.example.com"}


def blob_paths(served: Served) -> list[str]:
    """Those of the blobs, the largest last."""
    return sorted(
        (path for path in served.contents if "/blobs/" in path and len(served.contents[path]) > 1),
        key=lambda path: len(served.contents[path]),
    )


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("another", "digest mismatch"),
        ("longer", "has more than"),
        ("shorter", "has 9,000 bytes, not"),
        ("breaks off", "breaks off 5 bytes before the end"),
        ("none", "does not have the image"),
    ],
)
def test_a_blob_that_is_not_what_the_manifest_says_leaves_nothing(
    lie: str, said: str, served: Served, store: ImageStore, plain: Registries
) -> None:
    path = blob_paths(served)[-1]
    content = served.contents[path]
    match lie:
        case "another":
            served.contents[path] = content[:-1] + b"!"
        case "longer":
            served.contents[path] = content + b"x" * (1 << 22)
        case "shorter":
            served.contents[path] = content[:9000]
        case "breaks off":
            served.said_size[path] = len(content) + 5
        case _:
            del served.contents[path]
    with pytest.raises(ImageError, match=said):
        pull(store, f"{served.host}/team/app:1", plain)
    assert store.entries() == ()
    assert [
        name for _, _, names in os.walk(store.directory) for name in names if name not in {"lock", "oci-layout"}
    ] == []


@pytest.mark.parametrize("size", [-1, 1, 1 << 60])
def test_a_manifest_that_lies_about_sizes_is_refused(
    size: int, served: Served, store: ImageStore, plain: Registries
) -> None:
    manifest = json.loads(served.contents["/v2/team/app/manifests/1"])
    manifest["layers"][0]["size"] = size
    served.put_manifest("team/app", "lies", manifest)
    with pytest.raises(ImageError, match="bytes"):
        pull(store, f"{served.host}/team/app:lies", plain)
    assert store.entries() == ()


def test_what_a_registry_says_is_quoted_without_its_control_characters(
    served: Served, store: ImageStore, plain: Registries
) -> None:
    said = json.dumps({"errors": [{"code": "X", "message": "\x1b[2Jgone\n" + "x" * 5000}]}).encode()
    served.before = lambda _: Answer(500, said)
    with pytest.raises(ImageError, match="it fails") as caught:
        pull(store, f"{served.host}/team/app:1", plain)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_no_file_has_a_secret_in_it(served: Served, store: ImageStore, plain: Registries, tmp_path: Path) -> None:
    def asking(request: Request) -> Answer | None:
        found = [file for file in tmp_path.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
        assert not found
        return None if request.authorization else Answer(401, b"", (("WWW-Authenticate", "Basic realm=x"),))

    served.before = asking
    pull(store, f"{served.host}/team/app:1", plain, auth(username="u", password=SECRET))
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]


def test_a_proxy_is_asked_where_the_environment_names_one(
    served: Served, store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:{SECRET}%21@{served.host}")
    monkeypatch.setenv("no_proxy", "direct.invalid")
    served.contents = {f"http://r.example.com{path}": content for path, content in served.contents.items()}
    registries = configured(tmp_path, "r.example.com", 'server = "http://r.example.com"\n')
    pull(store, "r.example.com/team/app:1", registries)
    assert len(served.requests) == 3
    assert {request.proxy for request in served.requests} == {f"Basic {encoded(f'me:{SECRET}!')}"}
    (tmp_path / "certs.d/r.example.com/hosts.toml").write_text('server = "http://direct.invalid"\n')
    with pytest.raises(ImageError, match="its name is not known"):
        pull(store, "r.example.com/team/app:2", registries)
    with pytest.raises(ImageError, match="connection refused"):  # not by way of the proxy, which would say something
        pull(store, "127.0.0.9:9/app:1", registries)


def test_a_proxy_for_tls_only_passes_bytes_on(
    authority: OwnAuthority, served: Served, store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(authority) as secure, tunnel(secure.host) as (proxy, asked):
        secure.contents = dict(served.contents)
        registries = configured(tmp_path, "r.example.com", f'ca = "{authority.certificate_file}"\n')
        monkeypatch.setenv("https_proxy", f"http://me:{SECRET}@{proxy}")
        pull(store, "r.example.com/team/app:1", registries)
        assert set(asked) == {("CONNECT r.example.com:443 HTTP/1.0", f"Basic {encoded(f'me:{SECRET}')}")}
        assert {request.proxy for request in secure.requests} == {""}


RAW = (
    b"",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n{}",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (5 << 20),
    b"HTTP/1.1 100 Continue\r\n\r\n" * 5,
    b"HTTP/1.1 307 Go\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 307 Go\r\nLocation: http://\xff\xfe:99999999/\x01 \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:abc/\r\nContent-Length: 0\r\n\r\n",
    b'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="http://[",,=,\r\nContent-Length: 0\r\n\r\n',
    b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 404 No\r\nContent-Length: 9000000000\r\n\r\n" + b"[" * 6_000_000,
)


@pytest.mark.parametrize("raw", RAW)
def test_no_answer_of_any_form_is_more_than_an_error(raw: bytes, store: ImageStore, plain: Registries) -> None:
    with answering(raw) as host, pytest.raises(ImageError) as caught:
        pull(store, f"{host}/team/app:1", plain, auth(username="u", password=SECRET))
    assert str(caught.value).isprintable() or "\n" in str(caught.value)
    assert not os.path.exists(store.directory)


def test_who_we_are_is_not_told_to_a_place_that_we_are_sent_to_and_that_asks(
    served: Served, store: ImageStore, plain: Registries
) -> None:
    with serving() as elsewhere:
        challenge = f'Bearer realm="http://{elsewhere.host}/token"'
        elsewhere.before = lambda _: Answer(401, b"", (("WWW-Authenticate", challenge),))
        place = f"http://{elsewhere.host}/x"
        served.before = lambda request: Answer(307, b"", (("Location", place),)) if "/blobs/" in request.path else None
        with pytest.raises(ImageError, match="does not let us in"):
            pull(store, f"{served.host}/team/app:1", plain, auth(username="u", password=SECRET))
        assert not elsewhere.asked("/token")
