"""Discovery and OpenAPI, as clients ask for them."""

from __future__ import annotations

from api_server import Server

ALL = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_discovery_is_told_in_the_form_that_the_client_accepts(server: Server) -> None:
    code, told, headers = server.ask("GET", "/apis", Accept=f"{ALL},application/json")
    assert (code, told["kind"], headers["Content-Type"]) == (200, "APIGroupDiscoveryList", ALL)
    code, _, _ = server.ask("GET", "/apis", Accept=f"{ALL},application/json", If_None_Match=headers["Etag"])
    assert code == 304
    assert server.ask("GET", "/api", Accept="application/json")[1]["kind"] == "APIVersions"
    assert server.ask("GET", "/apis", Accept=ALL.replace("v2", "v9"))[0] == 406


def test_openapi_leads_to_each_document_by_its_hash(server: Server) -> None:
    code, told, headers = server.ask("GET", "/openapi/v3")
    assert (code, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    address = told["paths"]["apis/apps/v1"]["serverRelativeURL"]
    code, document, headers = server.ask("GET", address)
    assert (code, "immutable" in headers["Cache-Control"]) == (200, True)
    assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]
    code, _, headers = server.ask("GET", "/openapi/v3/apis/apps/v1?hash=OLD")
    assert (code, headers["Location"]) == (301, address)


def test_openapi_that_there_is_not_is_not_found(server: Server) -> None:
    code, body, _ = server.ask("GET", "/openapi/v3/apis/none/v1")
    assert (code, body) == (404, "")


def test_openapi_of_version_2_is_one_document(server: Server) -> None:
    code, document, _ = server.ask("GET", "/openapi/v2")
    assert (code, document["swagger"]) == (200, "2.0")
    assert "/api/v1/namespaces/{namespace}/pods/{name}/log" in document["paths"]


def test_below_a_group_what_is_not_found_is_an_object(server: Server) -> None:
    assert server.ask("GET", "/apis/apps/v9")[1]["reason"] == "NotFound"
    assert server.ask("GET", "/apis/none.example.com/v1")[:2] == (404, "404 page not found\n")


def test_clients_of_old_resources_are_warned(server: Server) -> None:
    _, _, headers = server.ask("GET", "/api/v1/namespaces/default/endpoints")
    assert headers["Warning"] == '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'


def test_openapi_of_version_2_is_told_in_protobuf_to_who_asks(server: Server) -> None:
    asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    code, told, headers = server.ask("GET", "/openapi/v2", Accept=asked)
    assert (code, headers["Content-Type"]) == (200, asked.replace("@", "."))
    assert told.startswith("\n\x032.0")  # swagger
    assert server.ask("GET", "/openapi/v2", Accept="text/plain")[:2] == (406, "")
