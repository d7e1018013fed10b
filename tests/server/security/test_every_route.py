"""Every route and verb is refused without authentication and without authorization: none is missed.

What is asked is not a list of this file: it is what the server serves, by the tables that its router looks up, by its
discovery, and by its OpenAPI document, with custom resources and the older forms of paths.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import pytest
from api_server import Server

import podward.server
from podward.access.authentication import Authenticated, Outcome
from podward.api.authorization import Answer as Authorization
from podward.api.authorization import Opinion
from podward.api.caller import User
from podward.api.resource import Resource
from podward.api.status import Status
from podward.schema.openshift.resources import RESOURCES as OPENSHIFTS
from podward.schema.resources import RESOURCES
from podward.server import chain, routes
from podward.server.paths.table import PATHS, UNDER
from podward.server.request import Answer, Reply, Request
from podward.server.request_info import request_info

Asked = tuple[str, str]

_METHODS = {
    "get": "GET", "list": "GET", "watch": "GET", "create": "POST", "update": "PUT", "patch": "PATCH",
    "delete": "DELETE", "deletecollection": "DELETE",
}  # fmt: skip
_ON_COLLECTIONS = frozenset(("list", "watch", "create", "deletecollection"))
_ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "MADE-UP")
_OF_ONESELF = frozenset(("selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"))
_OF_EVERYBODY_IN_OPENSHIFT = frozenset(("projects", "clusterroles", "storageclasses"))
"""What OpenShift's role basic-user reads; of projects everybody is shown his own."""
_OPEN = ("/version", "/healthz", "/livez", "/readyz", "/.well-known")
"""What everybody may read, whoever he is (the role system:public-info-viewer)."""
_TO_THE_KNOWN = ("/api", "/apis", "/openapi", *_OPEN)
"""What everybody may read who is known (system:discovery)."""


def _of_resource(resource: Resource) -> Iterator[Asked]:
    root = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
    collection = f"{root}/namespaces/n/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    for verb in resource.verbs:
        yield _METHODS[verb], collection if verb in _ON_COLLECTIONS else f"{collection}/x"
        if resource.namespaced and verb in {"list", "watch"}:
            yield "GET", f"{root}/{resource.plural}"
    rest = collection.removeprefix(f"{root}/")
    for form in (f"watch/{resource.plural}", f"watch/{rest}", f"watch/{rest}/x", f"proxy/{rest}", f"proxy/{rest}/x"):
        yield "GET", f"{root}/{form}"
    for part in resource.subresources:
        for verb in part.verbs:
            yield _METHODS[verb], f"{collection}/x/{part.name}"
        yield "GET", f"{collection}/x/{part.name}/further/down"


def _of_tables() -> Iterator[Asked]:
    for resource in (*RESOURCES, *OPENSHIFTS):
        yield from _of_resource(resource)
    for path in (*PATHS, *(f"{prefix}x" for prefix in UNDER)):
        yield from ((method, path) for method in ("GET", "HEAD", "POST"))


def _of_openapi(server: Server) -> Iterator[Asked]:
    _, document, _ = server.ask("GET", "/openapi/v2")
    for path, operations in document["paths"].items():
        filled = (
            path.replace("{namespace}", "n").replace("{name}", "x").replace("{path}", "p").replace("{logpath}", "l")
        )
        assert "{" not in filled, path
        yield from ((method.upper(), filled) for method in operations if method != "parameters")


def _of_discovery(server: Server) -> Iterator[Asked]:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    for root in ("/api", "/apis"):
        for group in server.ask("GET", root, Accept=accept)[1]["items"]:
            for version in group["versions"]:
                name = group["metadata"].get("name", "")
                under = f"/apis/{name}/{version['version']}" if name else "/api/v1"
                for resource in version["resources"]:
                    scope = "/namespaces/n" if resource["scope"] == "Namespaced" else ""
                    path = f"{under}{scope}/{resource['resource']}"
                    for verb in resource["verbs"]:
                        yield _METHODS[verb], path if verb in _ON_COLLECTIONS else f"{path}/x"
                    for part in resource.get("subresources", ()):
                        yield from ((_METHODS[verb], f"{path}/x/{part['subresource']}") for verb in part["verbs"])


@pytest.fixture(name="server", scope="module", params=[(), ("--openshift",)], ids=["kubernetes", "openshift"])
def each_server(
    serving: Callable[..., AbstractContextManager[Server]], request: pytest.FixtureRequest
) -> Iterator[Server]:
    with serving(*request.param) as started:
        yield started


@pytest.fixture(name="asked", scope="module")
def everything_asked(server: Server) -> list[Asked]:
    return sorted({*_of_tables(), *_of_openapi(server), *_of_discovery(server)})


def _codes(server: Server, asked: list[Asked], token: str) -> list[tuple[Asked, int]]:
    with server.session(token) as session:
        return [((method, path), session.ask(method, f"{path}?timeoutSeconds=1")[0]) for method, path in asked]


def _under(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)


def test_every_route_refuses_whom_nobody_knows(server: Server, asked: list[Asked]) -> None:
    assert [found for found in _codes(server, asked, "wrong") if found[1] != 401] == []


def test_every_route_refuses_the_anonymous(server: Server, asked: list[Asked]) -> None:
    served = [(one, code) for one, code in _codes(server, asked, "") if code not in {401, 403}]
    assert [found for found in served if not _under(found[0][1], _OPEN)] == []


def test_every_route_refuses_who_may_do_nothing(server: Server, asked: list[Asked]) -> None:
    served = [(one, code) for one, code in _codes(server, asked, "alice-token") if code != 403]
    discovery = [one for one, _ in served if request_info(*one, {}).resource_request is False]
    assert [one for one in discovery if not _under(one[1], _TO_THE_KNOWN) or one[0] == "POST"] == []
    rest = [one for one, _ in served if request_info(*one, {}).resource_request]
    may = {("POST", plural) for plural in _OF_ONESELF}
    if server.ask("GET", "/apis/project.openshift.io/v1")[0] == 200:
        may |= {("GET", plural) for plural in _OF_EVERYBODY_IN_OPENSHIFT}
    assert {(one[0], request_info(*one, {}).resource) for one in rest} <= may


def test_custom_resources_and_old_paths_are_among_what_is_asked(asked: list[Asked]) -> None:
    assert len(asked) > 1000
    assert ("PATCH", "/apis/example.com/v1/namespaces/n/widgets/x/status") in asked
    assert ("GET", "/api/v1/watch/namespaces/n/secrets") in asked
    assert ("GET", "/metrics") in asked


class _Nobody:
    """An authenticator that knows nobody."""

    async def authenticate(self, credentials: object, audiences: object = ()) -> Outcome:
        del credentials, audiences
        return None


class _Somebody:
    """An authenticator that knows everybody."""

    async def authenticate(self, credentials: object, audiences: object = ()) -> Outcome:
        del credentials, audiences
        return Authenticated(User("eve", ("system:authenticated",)), "a test")


async def _no(_asked: object) -> Authorization:
    return Authorization(Opinion.NO_OPINION)


async def _served(request: Request) -> Answer:
    raise AssertionError(f"{request.method} {request.path} was served")


async def _nothing() -> bytes:
    return b""


def _request(method: str, path: str) -> Request:
    return Request(method, path, {}, {}, request_info(method, path, {}), _nothing)


@pytest.mark.parametrize(("authenticator", "code"), [(_Nobody(), 401), (_Somebody(), 403)], ids=["401", "403"])
def test_no_method_and_no_path_gets_past_the_chain(authenticator: _Nobody | _Somebody, code: int) -> None:
    handle = chain.chained(chain.Filters(authenticator, _no), _served)
    paths = {path for _, path in _of_tables()} | {"", "*", "/none", "//", "/api/v1/", "/apis/x/y/z"}

    async def ask_all() -> set[int]:
        found = set()
        for path in sorted(paths):
            for method in _ALL_METHODS:
                answer = await handle(_request(method, path))
                assert isinstance(answer, Status | Reply)
                found.add(answer.http_code if isinstance(answer, Status) else answer.code)
        return found

    assert asyncio.run(ask_all()) == {code}


def test_whatever_handles_requests_stands_in_a_table_that_is_asked() -> None:
    """A module with a `handle` that no table names would be a route that is not asked here."""
    package = Path(podward.server.__file__).parent
    named = {*routes.VERBS.values(), *routes.SUBRESOURCES.values(), *routes.VIRTUAL.values()}
    named |= {served.__module__ for served in (*PATHS.values(), *UNDER.values())}
    found = set()
    for file in package.rglob("*.py"):
        module = "podward.server." + ".".join(file.relative_to(package).with_suffix("").parts)
        if "async def handle(" in file.read_text(encoding="utf-8"):
            found.add(module.removesuffix(".__init__"))
    found -= {"podward.server.chain"}  # whose `handle` is a filter's
    assert {name for name in found if name not in named and hasattr(import_module(name), "handle")} == set()
