"""`/healthz`, `/livez`, `/readyz`, their single checks, and `/metrics`."""

from __future__ import annotations

from podward.errors import StoreError
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Parts

_TEXT = "text/plain; charset=utf-8"
_CHECKS = ("ping", "etcd")


async def handle(parts: Parts, request: Request) -> Answer:
    """All checks; each by name for who asks for it."""
    fault = await _fault(parts)
    word = request.path.strip("/")
    if "verbose" not in request.query and not fault:
        return Reply(200, b"ok", _TEXT)
    lines = [f"[-]{name} failed: reason withheld" if name == fault else f"[+]{name} ok" for name in _CHECKS]
    end = f"{word} check failed" if fault else f"{word} check passed"
    return Reply(500 if fault else 200, "\n".join([*lines, end, ""]).encode(), _TEXT)


async def single(parts: Parts, request: Request) -> Answer:
    """One check."""
    name = request.path.strip("/").partition("/")[2]
    if name not in _CHECKS:
        return Reply(404, b"404 page not found\n", _TEXT)
    if name == await _fault(parts):
        return Reply(500, b"internal server error: reason withheld\n", _TEXT)
    return Reply(200, b"ok", _TEXT)


async def metrics(parts: Parts, _request: Request) -> Answer:
    """What Prometheus reads."""
    revision = await parts.store.revision()
    lines = ["# TYPE podward_store_revision counter", f"podward_store_revision {revision}", *parts.metrics(), ""]
    return Reply(200, "\n".join(lines).encode(), "text/plain; version=0.0.4; charset=utf-8")


async def _fault(parts: Parts) -> str:
    """The name of the check that fails."""
    try:
        await parts.store.revision()
    except StoreError:
        return "etcd"
    return ""
