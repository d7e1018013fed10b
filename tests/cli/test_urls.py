"""Manifests from URLs, served on this machine."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from podward.cli import inputs, urls
from podward.errors import InputError, LimitError

POD = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\n"


class Answers(http.server.BaseHTTPRequestHandler):
    """What is asked for by its path."""

    def do_GET(self) -> None:
        redirects = {
            "/moved": "/pod.yaml",
            "/to-file": "file:///etc/passwd",
            "/to-ftp": "ftp://127.0.0.1/x",
            "/loop": "/loop",
        }
        place, _, _ = self.path.partition("?")
        if place in redirects:
            self.send_response(302)
            self.send_header("Location", redirects[place])
            self.end_headers()
        elif place == "/pod.yaml":
            self.answer("text/plain", POD)
        elif place == "/page":
            self.answer("text/html; charset=utf-8", b"<html>")
        elif place == "/large":
            self.answer("text/plain", b"a" * 101)
        elif place == "/slow":
            self.send_response(200)
            self.end_headers()
            self.server.released.wait(60)  # type: ignore[attr-defined]  # the fixture's
        else:
            self.send_error(404)

    def answer(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.released = threading.Event()  # type: ignore[attr-defined]  # for the answer that never comes
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.released.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("place", ["/pod.yaml", "/moved", "/pod.yaml?raw=true"])
def test_a_manifest_is_read_and_cited_by_its_address(address: str, place: str) -> None:
    (document,) = inputs.documents([f"{address}{place}"])
    assert (document.kind, document.name) == ("Pod", f"{address}{place}")


@pytest.mark.parametrize("place", ["/to-file", "/to-ftp"])
def test_a_redirect_to_anything_but_http_is_refused(address: str, place: str) -> None:
    with pytest.raises(InputError, match=r"not allowed|which is not http or https"):
        urls.content(f"{address}{place}", 100)


@pytest.mark.parametrize(
    ("place", "why"), [("/page", "web page"), ("/none", "the server answers 404"), ("/loop", "the server answers 302")]
)
def test_what_gives_no_manifest_says_why_and_where(address: str, place: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        urls.content(f"{address}{place}", 100)
    assert caught.value.where == f"{address}{place}"
    assert caught.value.advice


def test_size_is_bounded(address: str) -> None:
    with pytest.raises(LimitError, match="larger than"):
        urls.content(f"{address}/large", 100)


def test_time_is_bounded(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "SECONDS", 0.2)
    with pytest.raises(InputError):
        urls.content(f"{address}/slow", 100)


@pytest.mark.parametrize(
    "url",
    ["http://", "https:///x", "http://[::1/x", "http://host:port/x", "http://h/a b", "http://h/\x1b[2J", "http://h:0/"],
)
def test_what_is_no_url_is_bad_input(url: str) -> None:
    with pytest.raises(InputError) as caught:
        urls.content(url, 100)
    assert "\x1b" not in str(caught.value)


def test_a_password_is_not_told(address: str) -> None:
    with pytest.raises(InputError, match="password") as caught:
        urls.content(address.replace("http://", "http://me:secret@") + "/pod.yaml", 100)
    assert "secret" not in str(caught.value)
