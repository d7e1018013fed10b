"""URLs in CEL: `url("https://example.com:8080/x").getHostname()`.

Specification: k8s.io/apiserver pkg/cel/library/urls.go: net/url ParseRequestURI, so absolute or a path; RFC 3986
appendix B tells the parts.
"""

from __future__ import annotations

import re

from podward.schema.cel.rows import Function, accepts, content, opaque

_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def _url(text: str) -> bytes:
    scheme, authority, path, _ = _parts(text)
    wrong = not text or _CONTROL.search(text) or _BAD_ESCAPE.search(path) or not (scheme or text.startswith("/"))
    if wrong or (authority and _PORT.fullmatch(authority.rpartition("@")[2]) is None):
        raise ValueError(f"URL parse error during conversion from string: {text}")
    return opaque("URL", text)


def _parts(text: str) -> tuple[str, str, str, str]:
    """The scheme, the authority, the path, and the query."""
    found = _PARTS.fullmatch(text)
    return (found[1] or "", found[2] or "", found[3], found[4] or "") if found is not None else ("", "", "", "")


def _host(value: bytes) -> str:
    return _parts(content(value))[1].rpartition("@")[2]


def _host_and_port(value: bytes) -> tuple[str, str]:
    found = _PORT.fullmatch(_host(value))
    return (found[1].strip("[]"), found[2] or "") if found is not None else ("", "")


def _query(value: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in _parts(content(value))[3].split("&"):
        name, _, written = pair.partition("=")
        if pair and not _BAD_ESCAPE.search(pair) and ";" not in pair:
            found.setdefault(_unescaped(name), []).append(_unescaped(written))
    return found


def _unescaped(text: str) -> str:
    return _ESCAPES.sub(
        lambda found: bytes.fromhex(found.group().replace("%", "")).decode(errors="replace"), text.replace("+", " ")
    )


FUNCTIONS = (
    Function("url", ("string",), "URL", _url, method=False),
    Function("isURL", ("string",), "bool", accepts(_url), method=False),
    Function("getScheme", ("URL",), "string", lambda value: _parts(content(value))[0].lower()),
    Function("getHost", ("URL",), "string", _host),
    Function("getHostname", ("URL",), "string", lambda value: _host_and_port(value)[0]),
    Function("getPort", ("URL",), "string", lambda value: _host_and_port(value)[1]),
    Function("getEscapedPath", ("URL",), "string", lambda value: _parts(content(value))[2]),
    Function("getQuery", ("URL",), "map(string, list(string))", _query),
)
