"""What of a request's and an answer's headers is passed on.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/filters: whoever is authenticated or acts as another leaves
the headers behind that say so, and the WebSocket protocol that carries a token. Go, net/http/httputil ReverseProxy:
headers of one connection are not those of the next. k8s.io/apimachinery, pkg/util/proxy: what is set beside that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_CREDENTIALS = frozenset(("authorization", "proxy-authorization"))
_CALLERS = ("impersonate-", "x-remote-")
_OF_CONNECTIONS = frozenset((
    "connection", "proxy-connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding",
    "upgrade",
))  # fmt: skip
_NOT_OURS = frozenset(("host", "content-length"))
_OURS = frozenset((
    "access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
    "access-control-allow-origin", "audit-id",
))  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PROTOCOLS, _FORWARDED = "sec-websocket-protocol", "x-forwarded-for"
_BEARER = "base64url.bearer.authorization.k8s.io."
Headers = list[tuple[str, str]]


def items_of(headers: Mapping[str, str]) -> Headers:
    """All headers, one that comes several times as often as it comes."""
    return [(str(name), value) for name, value in headers.items()]


def of_request(headers: Iterable[tuple[str, str]], address: str) -> Headers:
    """The headers of a request to another server, of one that came from this address."""
    found = list(headers)
    named = _named(found)
    kept = [(name, value) for name, value in _without_callers(found) if _passes(name, named)]
    return [*(each for each in kept if each[0].lower() not in _NOT_OURS), ("X-Forwarded-For", _way(found, address))]


def of_upgrade(headers: Iterable[tuple[str, str]], address: str) -> Headers:
    """The headers of a request to speak another protocol: those of the connection are passed on, too."""
    found = list(headers)
    return [*_without_callers(found), ("X-Forwarded-For", _way(found, address))]


def of_answer(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers of an answer to the client: what another site may do here is not for the other server to say.

    Nor how the request is called in our audit log. What is no text is left out.
    """
    found = list(headers)
    named = _named(found)
    return [
        (name, value)
        for name, value in found
        if _passes(name, named) and name.lower() not in _OURS and not _CONTROL.search(name + value)
    ]


def _without_callers(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        low = name.lower()
        if low in _CREDENTIALS or low.startswith(_CALLERS) or low == _FORWARDED:
            continue
        if low != _PROTOCOLS:
            yield name, value
            continue
        protocols = [each.strip() for each in value.split(",")]
        if rest := [each for each in protocols if each and not each.startswith(_BEARER)]:
            yield name, ", ".join(rest)


def _passes(name: str, named: frozenset[str]) -> bool:
    low = name.lower()
    return low not in _OF_CONNECTIONS and low not in named


def _named(headers: Headers) -> frozenset[str]:
    """The names of the headers that are said to be those of the connection."""
    words = (value.split(",") for name, value in headers if name.lower() == "connection")
    return frozenset(word.strip().lower() for each in words for word in each)


def _way(headers: Headers, address: str) -> str:
    """Whom the request has come by."""
    return ", ".join([value for name, value in headers if name.lower() == _FORWARDED] + [address])
