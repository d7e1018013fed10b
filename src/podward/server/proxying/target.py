"""Where a request is passed on to."""

from __future__ import annotations

import ssl
from urllib.parse import quote

from msgspec import Struct

_PLAIN = "$&+,/:;=@-_.~"
"""What Go's URLs have in their paths as it is."""


class Target(Struct, frozen=True):
    """A server, and the path and query there. `path` is no longer encoded, `query` is still; `tls` None: no HTTPS."""

    host: str
    port: int
    path: str
    query: str = ""
    tls: ssl.SSLContext | None = None

    @property
    def scheme(self) -> str:
        """How it is spoken with."""
        return "https" if self.tls is not None else "http"

    @property
    def place(self) -> str:
        """Host and port, as they stand in URLs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def line(self) -> str:
        """Path and query, as they are sent."""
        path = quote(self.path, safe=_PLAIN) or "/"
        return f"{path}?{self.query}" if self.query else path

    @property
    def url(self) -> str:
        """All of it."""
        return f"{self.scheme}://{self.place}{self.line}"
