"""Numbers, versions and bodies that no client sends: refused in the real server's words, and none is a failure."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import quote, urlsplit

import pytest
from api_server import Server

MAPS = "/api/v1/namespaces/default/configmaps"
MANY = "9" * 5000
MERGE = {"Content_Type": "application/merge-patch+json"}
NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


@pytest.mark.parametrize("name", ["limit", "timeoutSeconds"])
@pytest.mark.parametrize(
    ("text", "error"),
    [
        (MANY, "value out of range"),
        (f"-{MANY}", "value out of range"),
        ("9223372036854775808", "value out of range"),
        ("1_0", "invalid syntax"),
        ("٣", "invalid syntax"),
        ("99999999999", ""),
        ("-5", ""),
        ("+5", ""),
    ],
)
def test_numbers_in_a_query(server: Server, name: str, text: str, error: str) -> None:
    code, answer, _ = server.ask("GET", f"{MAPS}?{name}={quote(text)}")
    if error:
        assert (code, answer["message"]) == (400, f'strconv.ParseInt: parsing "{text}": {error}')
    else:
        assert code == 200


@pytest.mark.parametrize("text", [MANY, "1_0", "99999999999999999999", "٣"])
def test_a_grace_period(server: Server, text: str) -> None:
    code, answer, _ = server.ask("DELETE", f"{MAPS}/none?gracePeriodSeconds={quote(text)}")
    assert (code, answer["message"].startswith("strconv.ParseInt: ")) == (400, True)


@pytest.mark.parametrize(
    ("version", "error"),
    [("abc", "invalid syntax"), ("-1", "invalid syntax"), ("٣", "invalid syntax"), (MANY, "value out of range")],
)
def test_versions_that_are_none(server: Server, version: str, error: str) -> None:
    words = f'strconv.ParseUint: parsing "{version}": {error}'
    whole = f'resourceVersion: Invalid value: "{version}": {words}'
    asked = f"resourceVersion={quote(version)}"
    assert server.ask("GET", f"{MAPS}?{asked}")[:2][1]["message"] == f"invalid resource version: {whole}"
    for path in (f"{MAPS}/none?{asked}", f"{MAPS}?watch=1&{asked}"):
        code, answer, _ = server.ask("GET", path)
        assert (code, answer["message"]) == (500, whole)
    server.ask("POST", MAPS, {"metadata": {"name": "versioned"}})
    body = {"metadata": {"name": "versioned", "resourceVersion": version}}
    assert server.ask("PUT", f"{MAPS}/versioned", body)[:2][1]["message"] == words
    assert server.ask("PATCH", f"{MAPS}/versioned", body, **MERGE)[:2][1]["message"] == words


def test_a_watch_that_begins_with_a_list_of_the_future_is_told_why_it_ends(server: Server) -> None:
    begun = "watch=1&timeoutSeconds=8&resourceVersion=999999&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    code, event, _ = server.ask("GET", f"{MAPS}?{begun}")
    assert (code, event["type"]) == (200, "ERROR")
    assert event["object"]["message"].startswith("Timeout: Too large resource version: 999999, current: ")
    assert event["object"]["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_watch_of_the_future_waits(server: Server) -> None:
    assert server.ask("GET", f"{MAPS}?watch=1&timeoutSeconds=1&resourceVersion=18446744073709551615")[:2] == (200, "")


def test_a_watch_of_less_than_no_time_is_over(server: Server) -> None:
    code, event, _ = server.ask("GET", f"{MAPS}?watch=1&timeoutSeconds=-1")
    assert (code, event["object"]["message"]) == (200, "context deadline exceeded")


def test_a_watch_may_be_meant_to_last_for_ever(server: Server) -> None:
    where = urlsplit(server.url)
    plain = socket.create_connection((where.hostname or "", where.port or 0), timeout=10)
    with server.context.wrap_socket(plain, server_hostname=where.hostname) as connection:
        head = f"GET {MAPS}?watch=1&timeoutSeconds=9223372036854775807 HTTP/1.1\r\nHost: here\r\n"
        connection.sendall(f"{head}Authorization: Bearer admin-token\r\n\r\n".encode())
        server.ask("POST", MAPS, {"metadata": {"name": "seen"}})
        found = b""
        while b'"seen"' not in found and (more := connection.recv(1 << 16)):
            found += more
        assert b'"seen"' in found


@pytest.mark.parametrize("depth", [110, 300, 900, 2000, 20_000])
@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_what_nests_too_deep_is_the_clients_fault(server: Server, depth: int, opening: str, closing: str) -> None:
    deep = f"{opening * depth}1{closing * depth}"
    server.ask("POST", MAPS, {"metadata": {"name": "flat"}})
    for method, path, body, media in (
        ("POST", MAPS, f'{{"metadata":{{"name":"deep"}},"data":{deep}}}', "application/json"),
        ("POST", MAPS, f"metadata: {{name: deep}}\ndata: {deep}", "application/yaml"),
        ("PATCH", f"{MAPS}/flat", f'{{"metadata":{{"labels":{deep}}}}}', "application/merge-patch+json"),
        ("PATCH", f"{MAPS}/flat", f'[{{"op":"add","path":"/data","value":{deep}}}]', "application/json-patch+json"),
        ("PATCH", f"{MAPS}/flat", f'{{"data":{deep}}}', "application/strategic-merge-patch+json"),
        (
            "PATCH",
            f"{MAPS}/flat?fieldManager=a",
            f'{{"data":{deep}}}',
            "application/apply-patch+yaml",
        ),
        ("DELETE", f"{MAPS}/flat?dryRun=All", f'{{"preconditions":{deep}}}', "application/json"),
    ):
        code, answer, _ = server.ask(method, path, body, Content_Type=media)
        assert code != 201, (method, media)
        assert "the server has failed" not in json.dumps(answer), (method, media)
        if depth > 900 and method != "DELETE":
            assert (code, "exceeded max depth" in answer["message"]) == (400, True), (method, media)


def test_an_object_is_in_the_namespace_of_the_request(server: Server) -> None:
    other = {"metadata": {"name": "p", "namespace": "other"}}
    for path in ("pods/p/eviction", "serviceaccounts/p/token"):
        code, answer, _ = server.ask("POST", f"/api/v1/namespaces/default/{path}", other)
        assert (code, answer["message"]) == (400, NAMESPACE), path


def test_who_never_reads_costs_little(server: Server) -> None:
    """Each of them had several copies of a large event once: half a gigabyte for these."""
    where = urlsplit(server.url)
    head = f"GET {MAPS}?watch=1&resourceVersion=1 HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer admin-token\r\n\r\n"
    for index in range(3):
        server.ask("POST", MAPS, {"metadata": {"name": f"large-{index}"}, "data": {"a": "x" * 900_000}})
    before, readers = _resident(server), []
    try:
        for _ in range(100):
            plain = socket.create_connection((where.hostname or "", where.port or 0), timeout=30)
            readers.append(server.context.wrap_socket(plain, server_hostname=where.hostname))
            readers[-1].sendall(head.encode())
        for index in range(3, 6):
            server.ask("POST", MAPS, {"metadata": {"name": f"large-{index}"}, "data": {"a": "x" * 900_000}})
        time.sleep(1)
        assert _resident(server) - before < 85 << 20
    finally:
        for reader in readers:
            reader.close()


def _resident(server: Server) -> int:
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096
