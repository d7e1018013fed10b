"""Custom resources of a running server: from their definition to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api_server import Server, running

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CAKES = "/apis/baking.example.com/v1/namespaces/default/cakes"
_PATIENCE = 10.0


def _definition(group: str = "baking.example.com", **metadata: object) -> dict[str, Any]:
    size = {"type": "integer", "default": 2, "maximum": 9}
    spec = {"type": "object", "properties": {"size": size}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
    }
    names = {"plural": "cakes", "singular": "cake", "kind": "Cake"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"cakes.{group}", **metadata},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _cake(name: str, **metadata: object) -> dict[str, Any]:
    return {"apiVersion": "baking.example.com/v1", "kind": "Cake", "metadata": {"name": name, **metadata}, "spec": {}}


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _code(server: Server, path: str) -> int:
    return server.ask("GET", path)[0]


def test_objects_live_as_long_as_their_definition_and_outlive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", _DEFINITIONS, _definition())[0] == 201
        _until(lambda: _code(server, _CAKES) == 200)
        code, made, headers = server.ask("POST", _CAKES, {**_cake("one"), "odd": 1})
        assert (code, made["spec"]) == (201, {"size": 2})
        assert 'unknown field \\"odd\\"' in headers["Warning"]
        code, refused, _ = server.ask("POST", _CAKES, {**_cake("big"), "spec": {"size": 10}})
        assert code == 422
        assert "spec.size in body should be less than or equal to 9" in refused["message"]
        held = _cake("held", finalizers=["example.com/held"])
        assert server.ask("POST", _CAKES, held)[0] == 201
    with running(tmp_path) as server:
        assert server.ask("GET", f"{_CAKES}/one")[1]["spec"] == {"size": 2}
        table = server.ask("GET", _CAKES, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")[1]
        assert [row["cells"] for row in table["rows"]] == [["held", 2], ["one", 2]]
        assert "Cake" in str(server.ask("GET", "/openapi/v3/apis/baking.example.com/v1")[1])
        assert server.ask("DELETE", f"{_DEFINITIONS}/cakes.baking.example.com")[0] == 200
        _until(lambda: _code(server, f"{_CAKES}/one") == 404)
        assert _code(server, f"{_CAKES}/held") == 200
        patch = '{"metadata":{"finalizers":null}}'
        server.ask("PATCH", f"{_CAKES}/held", patch, Content_Type="application/merge-patch+json")
        _until(lambda: _code(server, f"{_DEFINITIONS}/cakes.baking.example.com") == 404)
        assert _code(server, _CAKES) == 404


def test_nothing_is_served_in_a_group_of_the_servers_own(server: Server) -> None:
    group = "rbac.authorization.k8s.io"
    approved = {"api-approved.kubernetes.io": "unapproved, a test"}
    assert server.ask("POST", _DEFINITIONS, _definition(group, annotations=approved))[0] == 201
    name = f"cakes.{group}"
    _until(lambda: "conditions" in server.ask("GET", f"{_DEFINITIONS}/{name}")[1].get("status", {}))
    assert _code(server, f"/apis/{group}/v1/namespaces/default/cakes") == 404


def test_what_is_not_served_is_told_as_the_api_server_tells_it(server: Server) -> None:
    assert server.ask("POST", _DEFINITIONS, _definition("told.example.com"))[0] == 201
    cakes = "/apis/told.example.com/v1/namespaces/default/cakes"
    _until(lambda: _code(server, cakes) == 200)
    code, answer, _ = server.ask("GET", f"{cakes}/one/status")
    assert (code, answer["message"]) == (404, 'cakes.told.example.com "one" not found')
    for path in ("/apis/told.example.com/v9/cakes", "/apis/told.example.com/v1/pies", "/apis/told.example.com/v9"):
        assert server.ask("GET", path)[0] == 404
    wrong = {**_cake("one"), "apiVersion": "told.example.com/v1", "kind": "Pie"}
    code, answer, _ = server.ask("POST", cakes, wrong)
    assert (code, answer["details"]["causes"][0]["message"]) == (422, 'Invalid value: "Pie": must be Cake')
