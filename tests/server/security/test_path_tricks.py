"""No way of writing a path leads to what its writer may not read.

Alice may read Pods of `default` and nothing else. Each path below means a Secret to somebody who reads it kindly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from api_server import Server

CANARY = "c2VjcmV0LWNhbmFyeQ"
"""What the Secret has: `secret-canary` in base 64, without its end."""
ALICE = "alice-token"
SECRETS = "/api/v1/namespaces/default/secrets"
WORDS = ("api", "v1", "namespaces", "default", "secrets", "s")


def tricks() -> Iterator[str]:
    """The path of a Secret, and of its list, in forms that some would normalise."""
    for words in (WORDS, WORDS[:-1]):
        plain = "/" + "/".join(words)
        yield from (plain, f"/{plain}", f"{plain}/", f"{plain}//", plain.upper(), plain.title(), f"{plain};x=y")
        yield from (
            f"{plain}%00",
            f"{plain}%00.json",
            f"{plain}.json",
            f"{plain}%20",
            f"{plain}%0d%0aX:%20y",
            f"{plain}%3f",
        )
        yield from (
            f"{plain}#/pods",
            f"{plain}?/pods",
            f"{plain}%23",
            plain.replace("/", "\\"),
            plain.replace("/", "%5c"),
        )
        yield f"/%2e{plain}"
        for at in range(len(words)):
            for between in (
                "//",
                "%2f",
                "%2F",
                "/./",
                "/%2e/",
                "/../",
                "/%2e%2e/",
                "/;/",
                "%252f",
                "/..;/",
                "/%00/",
                "/ /",
            ):
                yield "/" + "/".join(words[:at]) + between + "/".join(words[at:])
            letter = f"%{ord(words[at][0]):02x}"
            yield "/" + "/".join((*words[:at], letter + words[at][1:], *words[at + 1 :]))
            yield "/" + "/".join((*words[:at], words[at].capitalize(), *words[at + 1 :]))
            yield "/" + "/".join((*words[:at], f"{words[at]};a=b", *words[at + 1 :]))
            yield "/" + "/".join((*words[:at], f"{words[at]}%00", *words[at + 1 :]))
            yield "/" + "/".join((*words[:at], words[at] + "\u017f", *words[at + 1 :]))
    for around in (
        "pods/../secrets",
        "pods/%2e%2e/secrets",
        "pods/x/../../secrets",
        "pods;/../secrets",
        "pods%2f..%2fsecrets",
    ):
        yield f"/api/v1/namespaces/default/{around}"
    for before in ("healthz", "version", "readyz/..", "openapi/v3/..", "apis/..", "livez/%2e%2e", "healthz;"):
        yield f"/{before}/..{SECRETS}"
        yield f"/{before}/%2e%2e{SECRETS}"
        yield f"/{before}{SECRETS}"
    for old in ("watch", "proxy"):
        yield f"/api/v1/{old}/secrets"
        yield f"/api/v1/{old}/namespaces/default/secrets"
        yield f"/api/v1/{old}/namespaces/default/secrets/s"
    yield "/api/v1/namespaces/default/pods/secrets"
    yield "/api/v1/namespaces/default/pods/x/../../secrets/s"
    yield f"{SECRETS}/" + "a/../" * 2000 + "s"
    yield SECRETS + "/" + "s" * 60000
    yield "http://other.example.com" + SECRETS
    yield "*"


@pytest.fixture(scope="module", autouse=True)
def secret(server: Server) -> None:
    body = {"metadata": {"name": "s"}, "stringData": {"a": "secret-canary"}}
    assert server.ask("POST", SECRETS, body)[0] == 201
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}]
    assert server.ask("POST", f"{rbac}/roles", {"metadata": {"name": "pods"}, "rules": rules})[0] == 201
    binding = {
        "metadata": {"name": "pods"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods"},
        "subjects": [{"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    assert server.ask("POST", f"{rbac}/rolebindings", binding)[0] == 201
    assert server.ask("GET", SECRETS + "/s")[1]["data"]["a"].startswith(CANARY)


def answered(server: Server, method: str, path: str, token: str) -> tuple[int, bytes]:
    """The code and the whole answer to this very path; 0 where the connection was closed without one."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    separator = "&" if "?" in path else "?"
    head = f"{method} {path}{separator}timeoutSeconds=1 HTTP/1.1\r\nHost: x\r\n{authorization}"
    ask = f"{head}Connection: close\r\n\r\n"
    with server.socket() as connection:
        connection.sendall(ask.encode("utf-8", "surrogateescape"))
        found = b""
        while piece := connection.recv(1 << 16):
            found += piece
    code = re.match(rb"HTTP/1\.1 (\d{3})", found)
    return int(code[1]) if code else 0, found


@pytest.mark.parametrize("token", ["", ALICE], ids=["anonymous", "alice"])
def test_no_form_of_a_path_shows_a_secret(server: Server, token: str) -> None:
    shown = []
    for path in dict.fromkeys(tricks()):
        code, answer = answered(server, "GET", path, token)
        if CANARY.encode() in answer or b"secret-canary" in answer or code >= 500:
            shown.append((code, path[:200]))
    assert shown == []


def test_no_form_of_a_path_deletes_a_secret(server: Server) -> None:
    for path in dict.fromkeys(tricks()):
        code, _ = answered(server, "DELETE", path, ALICE)
        assert code < 500, path[:200]
    assert server.ask("GET", SECRETS + "/s")[0] == 200


def test_what_is_not_the_path_of_a_secret_is_not_its_path_for_an_administrator_either(server: Server) -> None:
    """What is authorized as one thing is never served as another. `%2f` is a slash, here as in the real server."""
    served = [
        path for path in dict.fromkeys(tricks()) if CANARY.encode() in answered(server, "GET", path, "admin-token")[1]
    ]
    odd = [
        path
        for path in served
        if re.search(r"\.\.|//.|%5c|%00|\\|;|[A-EG-Z]", path.partition("?")[0].removesuffix("/"))
    ]
    assert [path for path in odd if not path.startswith("http:")] == []


def test_methods_that_there_are_not_are_refused(server: Server) -> None:
    for method in ("TRACE", "CONNECT", "PROPFIND", "get", "G\tET", "X" * 5000):
        code, answer = answered(server, method, SECRETS, ALICE)
        assert (code < 500, CANARY.encode() in answer) == (True, False), method
