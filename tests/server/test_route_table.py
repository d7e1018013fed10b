"""Every route and verb is refused without authentication and without authorization: none is missed."""

from __future__ import annotations

from collections.abc import Iterator

from api_server import Server
from served_routes import requests_of

from podward.schema.resources import RESOURCES
from podward.server.paths.table import PATHS, UNDER

_OPEN = frozenset(("/version", "/healthz", "/livez", "/readyz", "/healthz/x", "/livez/x", "/readyz/x"))


def _all() -> Iterator[tuple[str, str]]:
    for resource in RESOURCES:
        yield from requests_of(resource)
    for path in (*PATHS, *(f"{prefix}x" for prefix in UNDER)):
        yield "GET", path


_REVIEWS_OF_ONESELF = frozenset(("selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"))


def test_every_route_refuses_whom_nobody_knows(server: Server) -> None:
    served = [(method, path) for method, path in _all() if server.ask(method, path, token="wrong")[0] != 401]  # noqa: S106
    assert served == []


def test_every_route_refuses_the_anonymous(server: Server) -> None:
    served = [
        (method, path)
        for method, path in _all()
        if path not in _OPEN and server.ask(method, path, token="")[0] not in {401, 403}
    ]
    assert served == []


def test_every_resource_route_refuses_who_may_do_nothing(server: Server) -> None:
    served = [
        (method, path)
        for resource in RESOURCES
        if resource.plural not in _REVIEWS_OF_ONESELF
        for method, path in requests_of(resource)
        if server.ask(method, path, token="alice-token")[0] != 403  # noqa: S106 - of this test's server
    ]
    assert served == []
