"""What is secret leaves the server only in answers to who may read it.

A word goes in through every way to write: Secrets in all forms and patches, tokens, broken bodies, headers, queries.
Then all that the server wrote beside its answers is searched for it: its output, its audit log, its Events, its errors,
its metrics, and every file that it has.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import Server

CANARY = "canary-7f3a9b"
ENCODED = base64.b64encode(CANARY.encode()).decode()
SECRETS = "/api/v1/namespaces/default/secrets"
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: RequestResponse
"""
FORMS = [word.encode() for word in (CANARY, ENCODED, ENCODED.rstrip("="), CANARY.encode().hex())]
MEDIA = {
    "json": "application/json",
    "yaml": "application/yaml",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "patch": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}

Written = tuple[str, str, str, str]
"""Method, path, media type and body."""


def writes() -> Iterator[Written]:
    """Every way to write it, and every way to fail at that."""
    number = itertools.count()

    def body(**more: object) -> str:
        of = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"s-{next(number)}"},
            "stringData": {"k": CANARY},
        }
        return json.dumps({**of, **more})

    for kind in ("json", "yaml"):
        yield "POST", SECRETS, MEDIA[kind], body()
        yield "POST", SECRETS, MEDIA[kind], body(data={"k": ENCODED})
    yield "POST", f"{SECRETS}?dryRun=All", MEDIA["json"], body()
    yield "PUT", f"{SECRETS}/s-0", MEDIA["json"], body(metadata={"name": "s-0"})
    yield "PUT", f"{SECRETS}/s-0", MEDIA["json"], body(metadata={"name": "s-0", "resourceVersion": "1"})
    yield "PATCH", f"{SECRETS}/s-0", MEDIA["merge"], json.dumps({"stringData": {"x": CANARY}})
    yield "PATCH", f"{SECRETS}/s-0", MEDIA["strategic"], json.dumps({"stringData": {"y": CANARY}})
    yield "PATCH", f"{SECRETS}/s-0", MEDIA["patch"], json.dumps([{"op": "add", "path": "/data/z", "value": ENCODED}])
    yield "PATCH", f"{SECRETS}/s-0", MEDIA["patch"], json.dumps([{"op": "test", "path": "/data/k", "value": CANARY}])
    yield (
        "PATCH",
        f"{SECRETS}/s-0",
        MEDIA["patch"],
        json.dumps([{"op": "add", "path": "/no/k", "value": CANARY}]),
    )
    applied = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "applied"}, "stringData": {"k": CANARY}}
    yield "PATCH", f"{SECRETS}/applied?fieldManager=a", MEDIA["apply"], json.dumps(applied)
    other = {**applied, "stringData": {"k": f"{CANARY}x"}}
    yield "PATCH", f"{SECRETS}/applied?fieldManager=b", MEDIA["apply"], json.dumps(other)
    # What cannot be: bad fields, types, kinds, names, encodings, immutable ones.
    yield "POST", SECRETS, MEDIA["json"], body(data={"k": CANARY})
    yield "POST", SECRETS, MEDIA["json"], body(data={"k": [CANARY]})
    yield "POST", SECRETS, MEDIA["json"], body(data=CANARY)
    yield "POST", SECRETS, MEDIA["json"], body(data={"Bad Key": ENCODED})
    yield "POST", SECRETS, MEDIA["json"], body(stringData={"k": {"x": CANARY}})
    yield "POST", SECRETS, MEDIA["json"], body(kind="Sekret")
    yield "POST", SECRETS, MEDIA["json"], body(type="kubernetes.io/tls")
    yield (
        "POST",
        SECRETS,
        MEDIA["json"],
        body(type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": ENCODED}),
    )
    yield "POST", SECRETS, MEDIA["json"], body(metadata={"name": "Bad_Name"})
    yield "POST", f"{SECRETS}?fieldValidation=Strict", MEDIA["json"], body(password=CANARY)
    yield (
        "POST",
        f"{SECRETS}?fieldValidation=Strict",
        MEDIA["json"],
        body()[:-1] + f',"stringData":{{"k":"{CANARY}"}}}}',
    )
    yield "POST", SECRETS, MEDIA["json"], body()[:-2]
    yield "POST", SECRETS, MEDIA["yaml"], f"kind: Secret\nstringData: {{k: {CANARY}"
    yield "POST", SECRETS, MEDIA["yaml"], f"{CANARY}: [}}"
    yield "POST", SECRETS, "application/vnd.kubernetes.protobuf", f"k8s\0{CANARY}"
    yield "POST", SECRETS, f"application/{CANARY}", body()
    yield "POST", "/api/v1/namespaces/none/secrets", MEDIA["json"], body()
    yield "POST", SECRETS, MEDIA["json"], body(metadata={"name": "fixed"}, immutable=True)
    yield "PATCH", f"{SECRETS}/fixed", MEDIA["merge"], json.dumps({"stringData": {"k": f"{CANARY}x"}})
    yield "DELETE", f"{SECRETS}/s-0", MEDIA["json"], json.dumps({"preconditions": {"uid": "x"}})
    yield "DELETE", f"{SECRETS}/s-1", MEDIA["json"], ""
    review = {"spec": {"token": CANARY}}
    yield "POST", "/apis/authentication.k8s.io/v1/tokenreviews", MEDIA["json"], json.dumps(review)
    yield "GET", f"{SECRETS}?watch=1&timeoutSeconds=1", MEDIA["json"], ""


@pytest.fixture(name="told", scope="module")
def told_by_a_server(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Everything that a server wrote beside its answers."""
    place = tmp_path_factory.mktemp("told")
    policy, log = place / "policy.yaml", place / "audit.log"
    policy.write_text(POLICY)
    server = Server(place, "--audit-policy-file", str(policy), "--audit-log-path", str(log))
    try:
        for method, path, media, body in writes():
            for token in ("admin-token", "alice-token"):
                code, _, _ = server.ask(method, path, body or None, token=token, Content_Type=media)
                assert code != 500 or "apply" in media, (method, path, body)
        for header in (f"Bearer {CANARY}", f"Basic {ENCODED}", CANARY, f"Bearer {CANARY} x"):
            server.ask("GET", "/api", token="", Authorization=header)
        server.ask("GET", "/api", token="", Sec_WebSocket_Protocol=f"base64url.bearer.authorization.k8s.io.{ENCODED}")
        for odd in (f"GET /{CANARY} HTTP/7\r\n\r\n", f"{CANARY}\r\n\r\n", f"GET / HTTP/1.1\r\n{CANARY}: \0\r\n\r\n"):
            with server.socket() as connection:
                connection.sendall(odd.encode())
                connection.recv(4096)
        events = json.dumps(server.ask("GET", "/api/v1/events")[1])
        metrics = str(server.ask("GET", "/metrics")[1])
        server.process.terminate()
        output, errors = server.process.communicate(timeout=60)
    finally:
        server.process.kill()
        server.process.wait()
    found = {"output": output, "errors": errors, "events": events, "metrics": metrics, "audit": log.read_text()}
    files = {str(file): file.read_bytes() for file in server.data.rglob("*") if file.is_file()}
    return {**{name: text.encode() for name, text in found.items()}, **files}


def test_nothing_that_it_wrote_has_the_secret(told: dict[str, bytes]) -> None:
    leaked = {name: form for name, text in told.items() for form in FORMS if form in text and name != "audit"}
    assert leaked == {}


def test_its_audit_log_tells_of_every_request_and_nothing_of_what_was_in_it(told: dict[str, bytes]) -> None:
    lines = [json.loads(line) for line in told["audit"].splitlines()]
    assert sum(1 for line in lines if line.get("objectRef", {}).get("resource") == "secrets") > 60
    leaking = [line for line in lines if any(form.decode() in json.dumps(line) for form in FORMS)]
    assert leaking == []


def test_the_store_is_among_what_was_searched(told: dict[str, bytes]) -> None:
    stored = [text for name, text in told.items() if Path(name).name.endswith((".db", ".sqlite", ".db-wal"))]
    assert any(b"/registry/secrets" in text for text in stored) or any(b"secrets" in text for text in stored)


def test_files_are_for_their_owner_alone(server: Server) -> None:
    for path in (server.data, *server.data.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0 or path.suffix == ".crt", path
