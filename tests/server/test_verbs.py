"""Creating, reading, changing and deleting over HTTPS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from api_server import Server

MAPS = "/api/v1/namespaces/default/configmaps"


def _map(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_an_object_is_made_read_listed_and_deleted(server: Server) -> None:
    code, made, _ = server.ask("POST", MAPS, _map("one", a="b"))
    assert code == 201
    assert made["metadata"]["uid"]
    assert made["metadata"]["resourceVersion"]

    code, found, _ = server.ask("GET", f"{MAPS}/one")
    assert (code, found) == (200, made)

    code, listed, _ = server.ask("GET", MAPS)
    assert (code, listed["kind"]) == (200, "ConfigMapList")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["one"]
    assert "kind" not in listed["items"][0]

    code, gone, _ = server.ask("DELETE", f"{MAPS}/one")
    assert (code, gone["status"], gone["details"]["uid"]) == (200, "Success", made["metadata"]["uid"])
    code, missing, _ = server.ask("GET", f"{MAPS}/one")
    assert (code, missing["message"]) == (404, 'configmaps "one" not found')


def test_an_old_version_is_refused(server: Server) -> None:
    _, made, _ = server.ask("POST", MAPS, _map("versioned", a="1"))
    code, _, _ = server.ask("PUT", f"{MAPS}/versioned", {**made, "data": {"a": "2"}})
    assert code == 200
    code, refused, _ = server.ask("PUT", f"{MAPS}/versioned", {**made, "data": {"a": "3"}})
    assert (code, refused["reason"]) == (409, "Conflict")


def test_a_change_that_changes_nothing_is_none(server: Server) -> None:
    _, made, _ = server.ask("POST", MAPS, _map("same", a="1"))
    _, again, _ = server.ask("PUT", f"{MAPS}/same", made)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_a_dry_run_stores_nothing(server: Server) -> None:
    code, made, _ = server.ask("POST", f"{MAPS}?dryRun=All", _map("dry"))
    assert code == 201
    assert "resourceVersion" not in made["metadata"]
    assert server.ask("GET", f"{MAPS}/dry")[0] == 404


def test_finalizers_hold_an_object_back(server: Server) -> None:
    held = _map("held")
    held["metadata"] = {"name": "held", "finalizers": ["example.com/mine"]}
    server.ask("POST", MAPS, held)
    code, waiting, _ = server.ask("DELETE", f"{MAPS}/held")
    assert (code, waiting["metadata"]["deletionGracePeriodSeconds"]) == (200, 0)
    merge = {"metadata": {"finalizers": None}}
    server.ask("PATCH", f"{MAPS}/held", merge, Content_Type="application/merge-patch+json")
    assert server.ask("GET", f"{MAPS}/held")[0] == 404


def test_the_last_finalizer_goes_also_where_others_change_the_object_meanwhile(server: Server) -> None:
    """Of several changes at once one lets the object go, and what comes in between must not keep it."""
    merge = {"Content_Type": "application/merge-patch+json"}

    def change(index: int) -> None:
        body = {"data": {"a": str(index)}} if index else {"metadata": {"finalizers": None}}
        server.ask("PATCH", f"{MAPS}/raced", body, **merge)

    with ThreadPoolExecutor(6) as pool:
        for _ in range(12):
            raced = _map("raced")
            raced["metadata"] = {"name": "raced", "finalizers": ["example.com/mine"]}
            assert server.ask("POST", MAPS, raced)[0] == 201
            server.ask("DELETE", f"{MAPS}/raced")
            list(pool.map(change, (1, 2, 0, 3, 4, 5)))
            assert server.ask("GET", f"{MAPS}/raced")[0] == 404


def test_a_watch_tells_what_came_since(server: Server) -> None:
    _, listed, _ = server.ask("GET", MAPS)
    server.ask("POST", MAPS, _map("watched"))
    version = listed["metadata"]["resourceVersion"]
    _, text, _ = server.ask("GET", f"{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=1")
    assert text["type"] == "ADDED"
    assert text["object"]["metadata"]["name"] == "watched"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/vnd.kubernetes.protobuf, application/json", "ConfigMapList"),
        ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "PartialObjectMetadataList"),
    ],
)
def test_the_form_is_the_one_that_the_client_accepts(server: Server, accept: str, kind: str) -> None:
    code, listed, _ = server.ask("GET", MAPS, Accept=accept)
    assert (code, listed["kind"]) == (200, kind)


def test_deleting_again_what_waits_for_its_finalizers_changes_nothing(server: Server) -> None:
    waiting = _map("twice")
    waiting["metadata"] = {"name": "twice", "finalizers": ["example.com/mine"]}
    server.ask("POST", MAPS, waiting)
    _, first, _ = server.ask("DELETE", f"{MAPS}/twice")
    _, second, _ = server.ask("DELETE", f"{MAPS}/twice")
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_pages_of_a_list_are_of_one_version(server: Server) -> None:
    for name in ("page-1", "page-2", "page-3"):
        server.ask("POST", MAPS, _map(name))
    _, first, _ = server.ask("GET", f"{MAPS}?limit=1")
    server.ask("POST", MAPS, _map("page-0"))
    of = first["metadata"]
    _, second, _ = server.ask("GET", f"{MAPS}?limit=500&continue={of['continue']}")
    assert second["metadata"]["resourceVersion"] == of["resourceVersion"]
    assert len(second["items"]) == of["remainingItemCount"]
    assert "page-0" not in {item["metadata"]["name"] for item in second["items"]}


def test_a_large_body_is_refused(server: Server) -> None:
    code, refused, _ = server.ask("POST", MAPS, _map("large", a="x" * (4 << 20)))
    assert (code, refused["reason"]) == (413, "RequestEntityTooLarge")


def test_a_name_is_generated(server: Server) -> None:
    made = _map("")
    made["metadata"] = {"generateName": "made-"}
    code, found, _ = server.ask("POST", MAPS, made)
    assert code == 201
    assert len(found["metadata"]["name"]) == len("made-") + 5


def _service(name: str, **spec: str) -> dict[str, object]:
    ports = {"ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {**ports, **spec}}


def test_two_services_never_have_the_same_address(server: Server) -> None:
    services, addresses = "/api/v1/namespaces/default/services", set()
    for index in range(5):
        body = _service(f"s{index}")
        _, made, _ = server.ask("POST", services, body)
        addresses.add(made["spec"]["clusterIP"])
    assert len(addresses) == 5
    taken = addresses.pop()
    code, refused, _ = server.ask("POST", services, _service("mine", clusterIP=taken))
    assert (code, "provided IP is already allocated" in refused["message"]) == (422, True)


def test_the_server_has_a_service_of_its_own(server: Server) -> None:
    code, found, _ = server.ask("GET", "/api/v1/namespaces/default/services/kubernetes")
    assert (code, found["spec"]["clusterIPs"]) == (200, ["10.0.0.1"])


def test_a_review_is_no_table(server: Server) -> None:
    review = {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    code, refused, _ = server.ask("POST", path, review, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert (code, refused["reason"]) == (406, "NotAcceptable")


def test_events_are_selected_by_what_their_group_calls_the_fields(server: Server) -> None:
    for group, field in (("/apis/events.k8s.io/v1", "reportingController"), ("/api/v1", "involvedObject.kind")):
        assert server.ask("GET", f"{group}/events?fieldSelector={field}%3Dx")[0] == 200
    assert server.ask("GET", "/api/v1/events?fieldSelector=reportingController%3Dx")[0] == 400


def test_warnings_are_no_more_than_headers_can_be(server: Server) -> None:
    server.ask("POST", MAPS, _map("warned", a="1"))
    odd = [{"op": "test", "path": "/metadata/name", "value": "warned", f"odd{index}": 1} for index in range(2000)]
    kind = "application/json-patch+json"
    code, _, headers = server.ask("PATCH", f"{MAPS}/warned", odd, Content_Type=kind)
    assert code == 200
    assert "odd63" in headers["Warning"]
