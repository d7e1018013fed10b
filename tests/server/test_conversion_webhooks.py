"""Custom resources in several versions between which a webhook converts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from api_server import Server
from webhook_server import Authority, Webhook, listening

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_GROUP = "sea.example.com"
_PATIENCE = 10.0


class Harbour(NamedTuple):
    """A server with ships: version 1 has `spec.place`, version 2 `spec.host` and `spec.port`."""

    server: Server
    webhook: Webhook

    def ask(self, method: str, version: str, name: str = "", body: object = None, **headers: str) -> tuple[int, Any]:
        """A request about ships."""
        path = f"/apis/{_GROUP}/{version}/namespaces/default/ships{name}"
        return self.server.ask(method, path, body, **headers)[:2]


def _version(name: str, *fields: str) -> dict[str, Any]:
    spec = {"type": "object", "properties": {field: {"type": "string"} for field in fields}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {"name": name, "served": True, "storage": name == "v1", "schema": schema, "subresources": {"status": {}}}


def _convert(review: dict[str, Any]) -> dict[str, Any]:
    wanted = review["request"]["desiredAPIVersion"]
    made = []
    for obj in review["request"]["objects"]:
        spec = dict(obj["spec"])
        if wanted.endswith("v2"):
            spec["host"], _, spec["port"] = spec.pop("place").partition(":")
        else:
            spec["place"] = f"{spec.pop('host')}:{spec.pop('port')}"
        made.append({**obj, "apiVersion": wanted, "spec": spec})
    return _answer(review, made)


def _answer(review: dict[str, Any], made: list[dict[str, Any]]) -> dict[str, Any]:
    response = {"uid": review["request"]["uid"], "result": {"status": "Success"}, "convertedObjects": made}
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}


def _ship(version: str, name: str, **spec: str) -> dict[str, Any]:
    return {"apiVersion": f"{_GROUP}/{version}", "kind": "Ship", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def harbour(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    authority = Authority()
    certificate = authority.issue(tmp_path_factory.mktemp("conversion"), "127.0.0.1")
    with listening(certificate) as webhook:
        client = {"url": webhook.url("/convert"), "caBundle": authority.bundle}
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"ships.{_GROUP}"},
            "spec": {
                "group": _GROUP,
                "scope": "Namespaced",
                "names": {"plural": "ships", "kind": "Ship"},
                "versions": [_version("v1", "place"), _version("v2", "host", "port")],
                "conversion": {
                    "strategy": "Webhook",
                    "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
                },
            },
        }
        webhook.answers["/convert"] = _convert
        assert server.ask("POST", _DEFINITIONS, definition)[0] == 201
        found, end = Harbour(server, webhook), time.monotonic() + _PATIENCE
        while found.ask("GET", "v2")[0] != 200:
            assert time.monotonic() < end
            time.sleep(0.05)
        yield found


@pytest.fixture(autouse=True)
def _converting(harbour: Harbour) -> None:
    harbour.webhook.answers["/convert"] = _convert
    harbour.ask("DELETE", "v1")
    harbour.webhook.asked.clear()


def test_an_object_is_read_and_changed_in_every_version(harbour: Harbour) -> None:
    assert harbour.ask("POST", "v1", body=_ship("v1", "a", place="h:1"))[0] == 201
    assert harbour.webhook.asked == []
    code, read = harbour.ask("GET", "v2", "/a")
    assert (code, read["apiVersion"], read["spec"]) == (200, f"{_GROUP}/v2", {"host": "h", "port": "1"})
    patch = {"spec": {"port": "9"}}
    code, made = harbour.ask("PATCH", "v2", "/a", patch, Content_Type="application/merge-patch+json")
    assert (code, made["spec"]) == (200, {"host": "h", "port": "9"})
    assert harbour.ask("GET", "v1", "/a")[1]["spec"] == {"place": "h:9"}
    applied = json.dumps(_ship("v2", "a", host="k"))
    code, made = harbour.ask(
        "PATCH", "v2", "/a?fieldManager=me&force=true", applied, Content_Type="application/apply-patch+yaml"
    )
    assert (code, made["spec"]) == (200, {"host": "k", "port": "9"})


def test_an_object_is_stored_in_the_storage_version(harbour: Harbour) -> None:
    code, made = harbour.ask("POST", "v2", body=_ship("v2", "b", host="x", port="2"))
    assert (code, made["spec"]) == (201, {"host": "x", "port": "2"})
    harbour.webhook.asked.clear()
    assert harbour.ask("GET", "v1", "/b")[1]["spec"] == {"place": "x:2"}
    assert harbour.webhook.asked == []


def test_a_list_is_converted_at_once_and_a_watch_too(harbour: Harbour) -> None:
    for name in ("a", "b", "c"):
        assert harbour.ask("POST", "v1", body=_ship("v1", name, place=f"{name}:1"))[0] == 201
    code, found = harbour.ask("GET", "v2")
    assert (code, [item["spec"]["host"] for item in found["items"]]) == (200, ["a", "b", "c"])
    assert len(harbour.webhook.asked) == 1
    _, told = harbour.ask("GET", "v2", "?watch=true&resourceVersion=0&timeoutSeconds=1")
    events = [json.loads(line)["object"] for line in told.strip().split("\n")]
    assert [event["spec"] for event in events] == [{"host": name, "port": "1"} for name in ("a", "b", "c")]


def test_the_webhook_is_shown_no_version_and_changes_no_metadata_but_labels(harbour: Harbour) -> None:
    def convert(review: dict[str, Any]) -> dict[str, Any]:
        answer = _convert(review)
        for obj in answer["response"]["convertedObjects"]:
            obj["metadata"] |= {"labels": {"l": "m"}, "generation": 77, "finalizers": ["a.b/c"]}
        return answer

    assert harbour.ask("POST", "v1", body=_ship("v1", "a", place="h:1"))[0] == 201
    harbour.webhook.answers["/convert"] = convert
    metadata = harbour.ask("GET", "v2", "/a")[1]["metadata"]
    assert (metadata["labels"], metadata["generation"], "finalizers" in metadata) == ({"l": "m"}, 1, False)
    (sent,) = harbour.webhook.reviews("/convert")[0]["request"]["objects"]
    assert "resourceVersion" not in sent["metadata"]


def test_what_cannot_be_converted_is_neither_read_nor_written_nor_deleted(harbour: Harbour) -> None:
    assert harbour.ask("POST", "v1", body=_ship("v1", "a", place="h:1"))[0] == 201
    harbour.webhook.answers["/convert"] = lambda review: _answer(review, [])
    code, refused = harbour.ask("GET", "v2", "/a")
    why = f"conversion webhook for {_GROUP}/v1, Kind=Ship returned 0 objects, expected 1"
    assert (code, refused["message"]) == (500, why)
    assert harbour.ask("GET", "v2")[0] == 500
    assert harbour.ask("POST", "v2", body=_ship("v2", "b", host="x", port="2"))[0] == 500
    assert harbour.ask("DELETE", "v2", "/a")[0] == 500
    _, told = harbour.ask("GET", "v2", "?watch=true&resourceVersion=0&timeoutSeconds=1")
    assert told["type"] == "ERROR"
    assert [item["metadata"]["name"] for item in harbour.ask("GET", "v1")[1]["items"]] == ["a"]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("apiVersion", "other/v9", "invalid object at index 0: invalid groupVersion (expected sea.example.com/v2,"),
        ("kind", "Boat", "invalid object at index 0: invalid kind (expected Ship, received Boat)"),
        ("metadata", {"name": "b"}, "invalid object: must have the same name: a != b"),
    ],
)
def test_an_answer_must_be_the_same_object(harbour: Harbour, field: str, value: object, why: str) -> None:
    assert harbour.ask("POST", "v1", body=_ship("v1", "a", place="h:1"))[0] == 201

    def convert(review: dict[str, Any]) -> dict[str, Any]:
        answer = _convert(review)
        answer["response"]["convertedObjects"][0][field] = value
        return answer

    harbour.webhook.answers["/convert"] = convert
    code, refused = harbour.ask("GET", "v2", "/a")
    assert (code, f"returned {why}" in refused["message"]) == (500, True), refused


def test_somebody_else_with_its_address_is_not_believed(harbour: Harbour) -> None:
    definition = harbour.server.ask("GET", f"{_DEFINITIONS}/ships.{_GROUP}")[1]
    patch = [{"op": "remove", "path": "/spec/conversion/webhook/clientConfig/caBundle"}]
    path = f"{_DEFINITIONS}/ships.{_GROUP}"
    assert harbour.server.ask("PATCH", path, patch, Content_Type="application/json-patch+json")[0] == 200
    try:
        assert harbour.ask("POST", "v1", body=_ship("v1", "a", place="h:1"))[0] == 201
        end = time.monotonic() + _PATIENCE
        while harbour.ask("GET", "v2", "/a")[0] != 500:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert "signed by unknown authority" in harbour.ask("GET", "v2", "/a")[1]["message"]
    finally:
        definition["metadata"].pop("resourceVersion")
        spec = {"spec": {"conversion": definition["spec"]["conversion"]}}
        harbour.server.ask("PATCH", path, spec, Content_Type="application/merge-patch+json")
