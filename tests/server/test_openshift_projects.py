"""Projects are namespaces, as those see them who may: they are listed, requested, described and deleted."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from api_server import Server
from openshift_server import ALICE, BOB, of, openshift_server

PROJECTS = "/apis/project.openshift.io/v1/projects"
REQUESTS = "/apis/project.openshift.io/v1/projectrequests"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openshift_server(tmp_path_factory.mktemp("projects")) as started:
        yield started


def _request(server: Server, name: str, token: str = ALICE, query: str = "", **fields: str) -> tuple[int, Any]:
    body = of("project.openshift.io/v1", "ProjectRequest", name, **fields)
    code, answer, _ = server.ask("POST", f"{REQUESTS}{query}", body, token=token)
    return code, answer


def _names(server: Server, token: str) -> list[str]:
    return [each["metadata"]["name"] for each in server.ask("GET", PROJECTS, token=token)[1]["items"]]


def test_who_requests_a_project_is_its_admin(server: Server) -> None:
    code, project = _request(server, "shop", displayName="Shop", description="it sells")
    assert code == 201
    assert project["kind"] == "Project"
    annotations = project["metadata"]["annotations"]
    assert annotations["openshift.io/display-name"] == "Shop"
    assert annotations["openshift.io/description"] == "it sells"
    assert annotations["openshift.io/requester"] == "alice"
    bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings"
    _, found, _ = server.ask("GET", bindings, token=ALICE)
    assert [each["metadata"]["name"] for each in found["items"]] == ["admin"]
    assert found["items"][0]["subjects"] == [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "alice"}]
    assert _names(server, ALICE) == ["shop"]
    assert _names(server, BOB) == []
    assert "default" in _names(server, "admin-token")


def test_an_administrator_makes_a_project_that_is_nobodys(server: Server) -> None:
    annotations = {"openshift.io/description": "", "openshift.io/node-selector": ""}
    body = of("project.openshift.io/v1", "Project", "made", spec={}, status={})
    body["metadata"]["annotations"] = annotations
    code, project, _ = server.ask("POST", PROJECTS, body)
    assert (code, project["kind"], project["status"]["phase"]) == (201, "Project", "Active")
    assert project["metadata"]["annotations"].items() >= annotations.items()
    bindings = server.ask("GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/made/rolebindings")[1]["items"]
    assert bindings == []
    assert server.ask("POST", PROJECTS, body)[0] == 409
    assert server.ask("POST", PROJECTS, body, token=ALICE)[0] == 403
    assert server.ask("POST", PROJECTS, of("project.openshift.io/v1", "Project", "x"))[0] == 422


def test_who_may_not_ask_is_told_so(server: Server) -> None:
    assert server.ask("GET", REQUESTS, token=ALICE)[1]["status"] == "Success"
    code, refused, _ = server.ask("GET", REQUESTS, token=BOB)
    assert (code, refused["message"]) == (403, "You may not request a new project via this API.")
    code, refused = _request(server, "bobs", BOB)
    assert (code, refused["reason"]) == (403, "Forbidden")
    assert server.ask("GET", "/api/v1/namespaces/bobs")[0] == 404


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("kube", 403, 'cannot request a project with the name "kube"'),
        ("openshift-x", 403, 'cannot request a project starting with "openshift-"'),
        ("x", 422, "must be at least 2 characters long"),
        ("Up", 422, "a lowercase RFC 1123 label must consist of"),
        ("default", 409, 'project.project.openshift.io "default" already exists'),
    ],
)
def test_not_every_name_is_given(server: Server, name: str, code: int, told: str) -> None:
    found, refused = _request(server, name)
    assert found == code, refused
    assert told in refused["message"]


def test_a_dry_run_makes_no_project(server: Server) -> None:
    assert _request(server, "dry", query="?dryRun=All")[0] == 201
    assert server.ask("GET", "/api/v1/namespaces/dry")[0] == 404


def test_a_project_is_only_shown_to_who_may_get_it(server: Server) -> None:
    _request(server, "mine")
    code, project, _ = server.ask("GET", f"{PROJECTS}/mine", token=ALICE)
    assert (code, project["status"], project["spec"]) == (200, {"phase": "Active"}, {"finalizers": ["kubernetes"]})
    assert server.ask("GET", f"{PROJECTS}/mine", token=BOB)[0] == 403
    assert server.ask("GET", f"{PROJECTS}/default", token=ALICE)[0] == 403
    assert server.ask("GET", "/apis/project.openshift.io/v1/namespaces/mine/projects/default", token=ALICE)[0] == 404
    assert server.ask("GET", "/apis/project.openshift.io/v1/namespaces/mine/projects", token=ALICE)[0] in {403, 404}


def test_only_its_names_may_be_changed(server: Server) -> None:
    _request(server, "named")
    path = f"{PROJECTS}/named"
    shown = {"metadata": {"annotations": {"openshift.io/display-name": "Another"}}}
    assert server.ask("PATCH", path, shown, token=ALICE, Content_Type=MERGE)[0] == 200
    _, namespace, _ = server.ask("GET", "/api/v1/namespaces/named")
    assert namespace["kind"] == "Namespace"
    assert namespace["metadata"]["annotations"]["openshift.io/display-name"] == "Another"
    wide = {"metadata": {"annotations": {"openshift.io/sa.scc.uid-range": "0/100"}}}
    code, refused, _ = server.ask("PATCH", path, wide, token=ALICE, Content_Type=MERGE)
    assert code == 422
    assert refused["message"] == (
        'Project.project.openshift.io "named" is invalid: metadata.annotations[openshift.io/sa.scc.uid-range]: Invalid'
        ' value: "0/100": field is immutable, try updating the namespace'
    )
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    assert server.ask("PATCH", path, labels, token=ALICE, Content_Type=MERGE)[0] == 422
    _, project, _ = server.ask("GET", path, token=ALICE)
    project["metadata"]["annotations"]["openshift.io/description"] = "whole"
    assert server.ask("PUT", path, project, token=ALICE)[0] == 200
    assert server.ask("PUT", path, project, token=ALICE)[0] == 409


def test_a_deleted_project_is_a_namespace_that_ends(server: Server) -> None:
    _request(server, "gone")
    code, answer, _ = server.ask("DELETE", f"{PROJECTS}/gone", token=ALICE)
    assert (code, answer["status"]) == (200, "Success")
    assert server.ask("GET", "/api/v1/namespaces/gone")[1]["status"]["phase"] == "Terminating"


def test_a_table_has_the_columns_that_oc_prints(server: Server) -> None:
    _request(server, "told", displayName="Told")
    _, table, _ = server.ask("GET", f"{PROJECTS}/told", token=ALICE, Accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Display Name", "Status"]
    assert table["rows"][0]["cells"] == ["told", "Told", "Active"]


def test_a_watch_tells_of_the_callers_own(server: Server) -> None:
    where = urlsplit(server.url)
    connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=server.context, timeout=10)
    path = f"{PROJECTS}?watch=1&timeoutSeconds=2"
    connection.request("GET", path, headers={"Authorization": f"Bearer {ALICE}"})
    answer = connection.getresponse()
    _request(server, "others", "admin-token")
    _request(server, "watched")
    events = [json.loads(line) for line in answer.read().decode().splitlines()]
    connection.close()
    assert {event["object"]["metadata"]["name"] for event in events} == {"watched"}
    assert {event["object"]["kind"] for event in events} == {"Project"}


def test_whoami_is_answered(server: Server) -> None:
    _, user, _ = server.ask("GET", "/apis/user.openshift.io/v1/users/~", token=ALICE)
    assert (user["metadata"]["name"], user["groups"]) == ("alice", ["dev"])
    assert server.ask("GET", "/apis/user.openshift.io/v1/users/~", token="")[0] == 403
    assert server.ask("GET", "/apis/user.openshift.io/v1/users/bob", token=ALICE)[0] == 403
    assert server.ask("GET", "/apis/user.openshift.io/v1/users")[1]["items"] == []
