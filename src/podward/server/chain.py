"""What every request goes through before it is served, whatever its path: one table, in the API server's order.

Specification: Kubernetes, k8s.io/apiserver, pkg/server/config.go DefaultBuildHandlerChain. A filter answers, or asks
the next one; there is no way around any of them.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct, field, structs

from podward.access.asked_selectors import with_selectors
from podward.access.authentication import Credentials, Failed
from podward.access.forbidden import forbidden, plain
from podward.api import status
from podward.api.authorization import Answer as Opinion_
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import User
from podward.api.gotext import quote
from podward.api.status import Status
from podward.errors import StoreFullError
from podward.server import failures, impersonating
from podward.server.audit.recording import Auditor
from podward.server.fairness import Fairness, Limits
from podward.server.metrics import Metrics
from podward.server.request import Answer, Handler, Lasting, Reply, Request
from podward.server.scope import Authenticating

Filter: TypeAlias = "Callable[[Filters, Request, Handler], Awaitable[Answer]]"

_TIMEOUT = 60.0
_LONG_RUNNING = frozenset(("watch", "proxy"))
_STREAMS = frozenset(("attach", "exec", "proxy", "log", "portforward"))


class Filters(Struct):
    """What the filters ask, and what they count."""

    authenticator: Authenticating
    authorize: Callable[[Attributes], Awaitable[Opinion_]]
    fairness: Fairness = field(default_factory=lambda: Fairness(Limits()))
    auditor: Auditor | None = None
    metrics: Metrics = field(default_factory=Metrics)
    asked_of: Callable[[Request], Awaitable[Attributes]] | None = None
    """What authorizers are asked about a request, where that is not in the request alone."""


async def _named(_filters: Filters, request: Request, serve: Handler) -> Answer:
    """Every request has an id, which the audit log and the answer have."""
    request.received = time.time()
    request.audit_id = request.headers.get("Audit-Id", "") or str(uuid.uuid4())
    return await serve(request)


async def _counted(filters: Filters, request: Request, serve: Handler) -> Answer:
    """How many there were, how long they took, and what came of them is told to who asks for metrics."""
    metrics, labels = filters.metrics, filters.metrics.labels(request.info)
    if not is_long(request):
        answer = await serve(request)
        metrics.observe(labels, code_of(answer), time.time() - request.received)
        return answer
    metrics.begin_long(labels)
    found: Answer | None = None
    try:
        found = await serve(request)
    finally:
        if isinstance(found, Lasting):
            code = found.code
            found.ended.append(lambda: metrics.end_long(labels, code))
        else:
            metrics.end_long(labels, 500 if found is None else code_of(found))
    return found


def code_of(answer: Answer) -> int:
    """The code that is answered."""
    return answer.http_code if isinstance(answer, Status) else answer.code


async def _survived(_filters: Filters, request: Request, serve: Handler) -> Answer:
    """Whatever fails in the server is told to nobody but its log, but that there is no room for a write."""
    try:
        return await serve(request)
    except asyncio.CancelledError:
        raise
    except StoreFullError as error:
        return failures.no_room(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody but the log is told
        failures.log(f"audit-id {request.audit_id[:64]}: {request.info.verb}", error)
        return failures.ANSWER


async def _in_time(_filters: Filters, request: Request, serve: Handler) -> Answer:
    """What takes longer than a minute is given up, unless it is meant to."""
    if is_long(request):
        return await serve(request)
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await serve(request)
    except TimeoutError:
        return _TOO_LONG


async def _limited(filters: Filters, request: Request, serve: Handler) -> Answer:
    """Only so many requests at the same time, each user in turn; so many of each user, of those that take long."""
    fairness = filters.fairness
    if is_long(request):
        return await _streamed(fairness, request, serve)
    pool = fairness.pool_of(request)
    if pool is None:
        return await serve(request)
    if not await pool.enter(request.user.username):
        return _TOO_MANY
    try:
        return await serve(request)
    finally:
        pool.leave()


async def _streamed(fairness: Fairness, request: Request, serve: Handler) -> Answer:
    user = request.user.username
    if not fairness.begin_stream(user):
        return _TOO_MANY
    answer: Answer | None = None
    try:
        answer = await serve(request)
    finally:
        if isinstance(answer, Lasting):
            answer.ended.append(lambda: fairness.end_stream(user))
        else:
            fairness.end_stream(user)
    return answer


async def _authenticated(filters: Filters, request: Request, serve: Handler) -> Answer:
    """Who the caller is; nobody is served whose credential is no good."""
    headers = request.headers
    protocols = tuple(word.strip() for word in headers.get("Sec-WebSocket-Protocol", "").split(",") if word.strip())
    certificates = (request.certificate,) if request.certificate is not None else ()
    credentials = Credentials(headers.get("Authorization", ""), certificates, protocols, request.path, headers)
    found = await filters.authenticator.authenticate(credentials)
    if found is None or isinstance(found, Failed):
        return await _unauthorized(filters, request)
    request.user = found.user
    for warning in found.warnings:
        request.warn(warning)
    for name, value in found.annotations:
        request.audit[name] = value
    return await serve(request)


async def _unauthorized(filters: Filters, request: Request) -> Status:
    answer = status.unauthorized()
    if filters.auditor is not None:
        record = filters.auditor.record(request, structs.replace(attributes_of(request), user=User()))
        if record is not None:
            await record.unauthorized(answer)
    return answer


async def _audited(filters: Filters, request: Request, serve: Handler) -> Answer:
    """What the audit policy wants to know is told to its log."""
    record = filters.auditor.record(request, attributes_of(request)) if filters.auditor is not None else None
    if record is None:
        return await serve(request)
    if not await record.received():
        return _UNSTORED
    try:
        answer = await serve(request)
    except asyncio.CancelledError:
        record.given_up(_TOO_LONG)
        raise
    except Exception as error:
        record.panicked(error)
        raise
    return await record.answered(answer, long=is_long(request))


async def _impersonating(filters: Filters, request: Request, serve: Handler) -> Answer:
    """Whom the caller acts as, where he may."""
    wanted = impersonating.asked_for(request)
    if isinstance(wanted, Status):
        return wanted
    if wanted is not None:
        refused = await impersonating.acting_as(request, wanted, attributes_of(request), filters.authorize)
        if refused is not None:
            return refused
    return await serve(request)


async def _authorized(filters: Filters, request: Request, serve: Handler) -> Answer:
    """Whether the caller may do it: what nobody allows is refused."""
    wanted = attributes_of(request) if filters.asked_of is None else await filters.asked_of(request)
    answer = await filters.authorize(wanted)
    allowed = answer.opinion is Opinion.ALLOW
    if answer.error and not allowed:
        request.audit["authorization.k8s.io/reason"] = "internal error"
        return _unanswered(request, answer.error)
    request.audit["authorization.k8s.io/decision"] = "allow" if allowed else "forbid"
    request.audit["authorization.k8s.io/reason"] = answer.reason
    if allowed:
        return await serve(request)
    return forbidden(wanted, answer.reason)


def _unanswered(request: Request, error: str) -> Reply:
    """The answer where an authorizer could not find out whether it is allowed."""
    sentence = plain(f"Internal Server Error: {quote(request.target)}: {error}")
    return Reply(500, f"{sentence}\n".encode(), "text/plain; charset=utf-8", (("X-Content-Type-Options", "nosniff"),))


FILTERS: tuple[Filter, ...] = (
    _named, _counted, _survived, _in_time, _authenticated, _audited, _impersonating, _limited, _authorized
)  # fmt: skip
"""All of them, the outermost first."""

_TOO_LONG = status.timeout("request did not complete within the allotted timeout", 0)
_UNSTORED = status.internal_error("failed to store audit event")
_TOO_MANY = status.too_many_requests("Too many requests, please try again later.", 1)


def chained(filters: Filters, serve: Handler) -> Handler:
    """A handler that goes through all filters."""
    for each in reversed(FILTERS):
        serve = _before(each, filters, serve)
    return serve


def chained_inside(filters: Filters, serve: Handler) -> Handler:
    """The same for requests of the server's own controllers, whose caller is known: all but authentication."""
    for each in reversed([each for each in FILTERS if each is not _authenticated]):
        serve = _before(each, filters, serve)
    return serve


def _before(each: Filter, filters: Filters, serve: Handler) -> Handler:
    async def handle(request: Request) -> Answer:
        return await each(filters, request, serve)

    return handle


def is_long(request: Request) -> bool:
    """Whether a request is meant to take long."""
    info = request.info
    return info.verb in _LONG_RUNNING or info.subresource in _STREAMS


def attributes_of(request: Request) -> Attributes:
    """What authorizers are asked."""
    info = request.info
    if not info.resource_request:
        return Attributes(request.user, info.verb, path=info.path)
    wanted = Attributes(
        request.user, info.verb, info.group, info.resource, info.subresource, info.name, info.namespace,
        version=info.version,
    )  # fmt: skip
    return with_selectors(wanted, info.field_selector, info.label_selector)
