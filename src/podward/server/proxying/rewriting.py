"""Links of a proxied server to itself, made to lead through the proxy: in Location, and in HTML.

Specification: Kubernetes, k8s.io/apimachinery, pkg/util/proxy/transport.go: an absolute path, on the same host or on
none, is put behind the path of the proxy, in the attributes that have links. Styles and scripts are left alone.
"""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

_LINKS: Mapping[str, frozenset[str]] = {
    "a": frozenset(("href",)),
    "applet": frozenset(("codebase",)),
    "area": frozenset(("href",)),
    "audio": frozenset(("src",)),
    "base": frozenset(("href",)),
    "blockquote": frozenset(("cite",)),
    "body": frozenset(("background",)),
    "button": frozenset(("formaction",)),
    "command": frozenset(("icon",)),
    "del": frozenset(("cite",)),
    "embed": frozenset(("src",)),
    "form": frozenset(("action",)),
    "frame": frozenset(("longdesc", "src")),
    "head": frozenset(("profile",)),
    "html": frozenset(("manifest",)),
    "iframe": frozenset(("longdesc", "src")),
    "img": frozenset(("longdesc", "src", "usemap")),
    "input": frozenset(("src", "usemap", "formaction")),
    "ins": frozenset(("cite",)),
    "link": frozenset(("href",)),
    "object": frozenset(("classid", "codebase", "data", "usemap")),
    "q": frozenset(("cite",)),
    "script": frozenset(("src",)),
    "source": frozenset(("src",)),
    "video": frozenset(("poster", "src")),
}
_GZIP = 31


class Rewriting(Struct, frozen=True):
    """`prefix` is the path of the proxy, `place` where the server is, `asked` the host that the client named."""

    prefix: str
    place: str
    asked: str

    def link(self, text: str) -> str:
        """A link as it is to be followed."""
        try:
            parts = urlsplit(text)
        except ValueError:
            return text
        other = parts.netloc not in {"", self.place, self.asked}
        if other or not parts.path.startswith("/"):
            return text
        scheme, host = (parts.scheme, parts.netloc) if parts.netloc == self.asked and parts.netloc else ("", "")
        path = parts.path
        if not path.startswith(self.prefix):
            path = posixpath.normpath(self.prefix + path) + ("/" if path.endswith("/") else "")
        return urlunsplit((scheme, host, path, parts.query, parts.fragment))

    def page(self, body: bytes, encoding: str, most: int) -> bytes | None:
        """A page with all its links so; None where it is longer than it may be, or packed in a way we do not know."""
        plain: bytes | None = body
        if encoding == "gzip":
            plain = _unpacked(body, most)
        elif encoding:
            return None
        if plain is None:
            return None
        made = self._text(plain.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return _packed(made) if encoding else made

    def _text(self, text: str) -> str:
        found, at = [], 0
        for start, end, tag, attributes in _Tags(text).found:
            links = _LINKS.get(tag, frozenset())
            changed = [(name, self.link(value) if name in links and value else value) for name, value in attributes]
            if changed != attributes:
                found += [text[at:start], _tag(tag, changed, closed=text[end - 2 : end] == "/>")]
                at = end
        return "".join((*found, text[at:]))


class _Tags(HTMLParser):
    """The tags that begin in a page, with the places where they stand."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, int, str, list[tuple[str, str | None]]]] = []
        self._begun: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag."""
        self._begun.append((tag, attrs))

    def parse_starttag(self, i: int) -> int:
        """Note where the tag that begins here ends."""
        self._begun.clear()
        end = super().parse_starttag(i)
        self.found += [(i, end, *each) for each in self._begun]
        return end


def _tag(tag: str, attributes: list[tuple[str, str | None]], *, closed: bool) -> str:
    words = [f'{name}="{escape(value or "")}"' for name, value in attributes]
    return f"<{' '.join((tag, *words))}{'/' if closed else ''}>"


def _unpacked(body: bytes, most: int) -> bytes | None:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(body, most)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail else plain


def _packed(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=_GZIP)
    return packer.compress(body) + packer.flush()
