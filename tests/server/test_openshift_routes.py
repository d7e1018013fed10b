"""Every route of OpenShift's resources is refused without authentication and without authorization."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_server import Server
from openshift_server import BOB, openshift_server
from served_routes import requests_of

from podward.schema.openshift.resources import RESOURCES
from podward.server.routes import SUBRESOURCES, VIRTUAL

_FOR_EVERYBODY = frozenset((("GET", "projects"), ("GET", "projectrequests")))
"""Lists that everybody may ask for: each is told of what is his."""


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openshift_server(tmp_path_factory.mktemp("routes")) as started:
        yield started


def _all() -> Iterator[tuple[str, str, str]]:
    for resource in RESOURCES:
        for method, path in requests_of(resource):
            yield method, path, resource.plural


def test_nobody_is_served_whom_nobody_knows(server: Server) -> None:
    served = [path for method, path, _ in _all() if server.ask(method, path, token="wrong")[0] != 401]  # noqa: S106
    assert served == []


def test_nobody_is_served_who_may_do_nothing(server: Server) -> None:
    served = [
        (method, path)
        for method, path, plural in _all()
        if not _is_for_everybody(method, path, plural) and server.ask(method, path, token=BOB)[0] != 403
    ]
    assert served == []


def _is_for_everybody(method: str, path: str, plural: str) -> bool:
    return (method, plural) in _FOR_EVERYBODY and path.endswith(f"/{plural}")


def test_what_is_served_is_discovered(server: Server) -> None:
    for resource in RESOURCES:
        _, found, _ = server.ask("GET", f"/apis/{resource.api_version}")
        names = {each["name"] for each in found["resources"]}
        assert {resource.plural, *(f"{resource.plural}/{part.name}" for part in resource.subresources)} <= names
    _, found, _ = server.ask("GET", "/apis/security.openshift.io/v1")
    short = {each["name"]: each.get("shortNames") for each in found["resources"]}
    assert short["securitycontextconstraints"] == ["scc"]
    _, found, _ = server.ask("GET", "/apis/apps.openshift.io/v1")
    config = next(each for each in found["resources"] if each["name"] == "deploymentconfigs")
    assert (config["shortNames"], config["categories"]) == (["dc"], ["all"])


def test_modules_of_routes_are_of_resources_that_there_are() -> None:
    names = {name for resource in RESOURCES for name in (resource.plural, resource.qualified)}
    assert {name for name, module in VIRTUAL.items() if ".openshift." in module} <= names
    assert {name for (name, _), module in SUBRESOURCES.items() if ".openshift." in module} <= names
