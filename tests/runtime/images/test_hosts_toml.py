"""containerd's directory of `hosts.toml` files."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.api.reference import parse
from podward.errors import InputError
from podward.runtime.images.endpoints import Certificates
from podward.runtime.images.hosts_toml import endpoints


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def write(directory: Path, host: str, text: str) -> None:
    (directory / host).mkdir()
    (directory / host / "hosts.toml").write_text(text)


def urls(directory: Path, name: str) -> list[str]:
    return [f"{each.schemes[0]}://{each.host}{each.root}" for each in endpoints(str(directory), parse(name))]


def test_hosts_are_tried_in_the_order_of_the_file_and_the_server_last(directory: Path) -> None:
    write(
        directory,
        "registry.k8s.io",
        """
        server = "https://other.example.com"
        [host."http://127.0.0.1:5000"]
        capabilities = ["pull", "resolve"]
        [host."mirror.example.com"]
        [host."https://a.example.com/v2/proxy/v2"]
        [host."https://b.example.com/own/"]
        override_path = true
        [host."https://c.example.com/prefix"]
        """,
    )
    assert urls(directory, "registry.k8s.io/pause:3.9") == [
        "http://127.0.0.1:5000/v2",
        "https://mirror.example.com/v2",
        "https://a.example.com/v2/proxy/v2",
        "https://b.example.com/own",
        "https://c.example.com/prefix/v2",
        "https://other.example.com/v2",
    ]
    first, *_, last = endpoints(str(directory), parse("registry.k8s.io/pause:3.9"))
    assert (first.repository, first.mirror_of, first.tells_namespace) == ("pause", "registry.k8s.io", True)
    assert (last.mirror_of, last.tells_namespace) == ("registry.k8s.io", True)


def test_without_a_server_the_registry_itself_follows(directory: Path) -> None:
    write(directory, "docker.io", '[host."https://mirror.example.com"]\n')
    assert urls(directory, "alpine") == ["https://mirror.example.com/v2", "https://registry-1.docker.io/v2"]
    own = endpoints(str(directory), parse("alpine"))[-1]
    assert (own.mirror_of, own.tells_namespace, own.repository) == ("", False, "library/alpine")


def test_the_most_special_directory_counts(directory: Path) -> None:
    write(directory, "_default", '[host."https://default.example.com"]\n')
    write(directory, "a.io:5000", '[host."https://colon.example.com"]\n')
    assert urls(directory, "a.io:5000/x")[0] == "https://colon.example.com/v2"
    write(directory, "a.io_5000_", '[host."https://line.example.com"]\n')
    assert urls(directory, "a.io:5000/x")[0] == "https://line.example.com/v2"
    assert urls(directory, "b.io/x") == ["https://default.example.com/v2", "https://b.io/v2"]


def test_a_host_that_is_not_configured_gives_nothing(directory: Path) -> None:
    write(directory, "a.io", "")
    assert endpoints(str(directory), parse("b.io/x")) == ()


def test_tls_of_a_host(directory: Path) -> None:
    write(
        directory,
        "a.io",
        """
        ca = "own.crt"
        [host."https://b.io"]
        ca = ["/etc/one.crt", "two.crt"]
        client = [["c.cert", "c.key"], "both.pem"]
        skip_verify = true
        [host."https://b.io".header]
        X-One = "1"
        X-Many = ["1", "2"]
        [host."http://c.io"]
        skip_verify = true
        """,
    )
    place = f"{directory}/a.io"
    first, second, own = endpoints(str(directory), parse("a.io/x"))
    assert first.certificates == Certificates(
        ("/etc/one.crt", f"{place}/two.crt"),
        ((f"{place}/c.cert", f"{place}/c.key"), (f"{place}/both.pem", f"{place}/both.pem")),
    )
    assert (first.verify, dict(first.headers)) == (False, {"X-One": "1", "X-Many": "1, 2"})
    assert (second.schemes, second.verify) == (("https", "http"), False)
    assert (own.certificates, own.verify) == (Certificates((f"{place}/own.crt",)), True)


def test_capabilities_say_what_a_host_is_asked(directory: Path) -> None:
    write(
        directory,
        "a.io",
        """
        capabilities = ["push"]
        [host."https://b.io"]
        capabilities = ["pull"]
        [host."https://c.io"]
        capabilities = ["push", "resolve"]
        """,
    )
    (only,) = endpoints(str(directory), parse("a.io/x"))
    assert (only.host, only.resolves) == ("b.io", False)


def test_a_directory_may_have_only_certificates(directory: Path) -> None:
    (directory / "a.io").mkdir()
    for name in ("ca.crt", "me.cert", "me.key", "both.cert", "note.txt"):
        (directory / "a.io" / name).touch()
    (own,) = endpoints(str(directory), parse("a.io/x"))
    place = f"{directory}/a.io"
    clients = ((f"{place}/both.cert", f"{place}/both.cert"), (f"{place}/me.cert", f"{place}/me.key"))
    assert own.certificates == Certificates((f"{place}/ca.crt",), clients)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[host\n", "can't be read"),
        ('[host."ftp://b.io"]\n', "no http or https URL"),
        ('[host."https://name:word@b.io"]\n', "no http or https URL"),
        ('[host."https://b.io"]\ncapabilities = ["fly"]\n', "'fly' is no capability"),
        ('[host."https://b.io"]\nskip_verify = "yes"\n', "can't be read"),
    ],
)
def test_a_file_that_is_wrong_is_said_so(text: str, said: str, directory: Path) -> None:
    write(directory, "a.io", text)
    with pytest.raises(InputError, match=said) as caught:
        endpoints(str(directory), parse("a.io/x"))
    assert "hosts.toml" in caught.value.where
