"""URLs in CEL: `url("https://example.com:8080/x").getHostname()`.

Specification: k8s.io/apiserver pkg/cel/library/urls.go: net/url ParseRequestURI, so absolute or a path.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlsplit

from podward.schema.cel.rows import Function, accepts, content, opaque

_ENDS = frozenset(" \x7f") | {chr(code) for code in range(0x20)}


def _url(text: str) -> bytes:
    wrong = ValueError(f"URL parse error during conversion from string: {text}")
    if not text or _ENDS.intersection(text):
        raise wrong
    try:
        found = urlsplit(text)
        _ = found.port
    except ValueError:
        raise wrong from None
    if not found.scheme and not text.startswith("/"):
        raise wrong
    if found.scheme and not found.netloc and not found.path:
        raise wrong
    return opaque("URL", text)


def _host(value: bytes) -> str:
    return urlsplit(content(value)).netloc.rpartition("@")[2]


def _hostname(value: bytes) -> str:
    host = _host(value)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _port(value: bytes) -> str:
    host = _host(value)
    return host.rpartition("]")[2].removeprefix(":") if host.startswith("[") else host.partition(":")[2]


def _query(value: bytes) -> dict[str, list[str]]:
    return parse_qs(urlsplit(content(value)).query, keep_blank_values=True)


FUNCTIONS = (
    Function("url", ("string",), "URL", _url, method=False),
    Function("isURL", ("string",), "bool", accepts(_url), method=False),
    Function("getScheme", ("URL",), "string", lambda value: urlsplit(content(value)).scheme),
    Function("getHost", ("URL",), "string", _host),
    Function("getHostname", ("URL",), "string", _hostname),
    Function("getPort", ("URL",), "string", _port),
    Function(
        "getEscapedPath",
        ("URL",),
        "string",
        lambda value: quote(unquote(urlsplit(content(value)).path), safe="/$&+,:;=@!*()'~-._"),
    ),
    Function("getQuery", ("URL",), "map(string, list(string))", _query),
)
