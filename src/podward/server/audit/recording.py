"""What the audit log is told of a request: an event when it is received, when its answer begins, and when it is over.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/filters/audit.go and authn_audit.go, pkg/audit/request.go.
Only answers that take long have an event when they begin. Who has no valid credential has that one alone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time

import msgspec
from msgspec import Raw, Struct

from podward.access.audit import blanking, event
from podward.access.audit.event import AuthenticationMetadata, Event, ResponseStatus
from podward.access.audit.policy import COMPLETE, LEVELS, PANIC, RECEIVED, STARTED, Level, Policy, Told
from podward.api.authorization import Attributes
from podward.api.json_value import Json
from podward.api.status import Status, encoded
from podward.schema.yaml_bodies import YamlBodyError, read_yaml_body
from podward.server import failures
from podward.server.audit.log import STRICT, AuditLog
from podward.server.impersonating import CONSTRAINT
from podward.server.negotiation import JSON
from podward.server.request import Answer, Lasting, Reply, Request

_NAMES = {level: name for name, level in LEVELS.items()}
_STATUS = b'{"kind":"Status","apiVersion":"v1"'
_OF_THE_ROUTER = ("406: ", "415: ")
"""How refusals begin that the real server's router writes, of which the log has the code alone."""


class _Said(Struct):
    """A Status that is an answer of its own."""

    status: str = ""
    message: str = ""
    reason: str = ""
    details: Raw = Raw()


class _Outcome(Struct, frozen=True):
    """What came of a request."""

    status: ResponseStatus
    body: bytes = b""


class Auditor:
    """Whoever decides what is told, and where it goes."""

    def __init__(self, policy: Policy, log: AuditLog) -> None:
        self._policy = policy
        self.log = log

    def record(self, request: Request, wanted: Attributes) -> Record | None:
        """What is to be told of this request; None where nothing is."""
        told = self._policy.told(wanted)
        return None if told.level is Level.NONE else Record(self.log, told, request, wanted)


class Record:
    """What is told of one request. `long`: its answer takes long."""

    def __init__(self, log: AuditLog, told: Told, request: Request, wanted: Attributes) -> None:
        self._log = log
        self._told = told
        self._request = request
        self._wanted = wanted
        self._caller = request.user
        self._blank = blanking.blank_of(wanted)
        self._received: asyncio.Task[bool] | None = None
        headers = request.headers
        self._addresses = event.source_addresses(
            headers.get("X-Forwarded-For", ""), headers.get("X-Real-Ip", ""), request.address
        )

    async def received(self) -> bool:
        """Tell that the request is here. Whether it may be served."""
        if RECEIVED in self._told.omitted:
            return True
        line = self._line(RECEIVED, None, self._request.received)
        if self._log.mode == STRICT:
            return bool(line) and await self._log.write(line)
        self._log.tell(line)  # in order: it is in the file before the event that the answer waits for
        return True

    async def unauthorized(self, answer: Status) -> None:
        """Tell that nobody knows who it is."""
        await self._tell(STARTED, _of_status(answer))

    async def answered(self, answer: Answer, *, long: bool) -> Answer:
        """Tell what came of it, at once or when the answer is over."""
        outcome = self._outcome(answer)
        if long or isinstance(answer, Lasting):
            await self._tell(STARTED, outcome)
        if isinstance(answer, Lasting):
            answer.ended.append(lambda: self.over(outcome))
        else:
            await self._tell(COMPLETE, outcome)
        return answer

    def over(self, outcome: _Outcome) -> None:
        """Tell that the answer is written, or that nobody reads it any more."""
        if COMPLETE not in self._told.omitted:
            self._log.tell(self._line(COMPLETE, outcome, time.time()))

    def given_up(self, answer: Status) -> None:
        """Tell that it took too long."""
        self.over(_of_status(answer))

    def panicked(self, error: Exception) -> None:
        """Tell that the server has failed: of the failure only its kind, for its text may quote anything."""
        if PANIC not in self._told.omitted:
            said = ResponseStatus(
                {}, "Failure", f"APIServer panic'd: {type(error).__name__}", "InternalError", None, 500
            )
            self._log.tell(self._line(PANIC, _Outcome(said), time.time()))

    async def _tell(self, stage: str, outcome: _Outcome) -> None:
        if stage not in self._told.omitted:
            await self._log.write(self._line(stage, outcome, time.time()))

    def _line(self, stage: str, outcome: _Outcome | None, now: float) -> bytes:
        """The event; empty where none can be made: what is done is done, and must not fail for that."""
        try:
            return event.line(self._event(stage, outcome, now))
        except Exception as error:  # noqa: BLE001 - whatever it is, the request is not to blame
            failures.log("an event of the audit log", error)
            return b""

    def _event(self, stage: str, outcome: _Outcome | None, now: float) -> Event:
        request, level, user = self._request, self._told.level, self._request.user
        sent = request.sent if outcome is not None else None
        acting = outcome is not None and user is not self._caller
        constraint = request.audit.get(CONSTRAINT, "") if acting else ""
        return Event(
            kind="Event",
            api_version="audit.k8s.io/v1",
            level=_NAMES[level],
            audit_id=request.audit_id,
            stage=stage,
            request_uri=request.target or request.path,
            verb=self._wanted.verb,
            user=event.user_info(self._wanted.user),
            impersonated_user=event.user_info(user) if acting else None,
            authentication_metadata=AuthenticationMetadata(constraint) if constraint else None,
            source_ips=self._addresses,
            user_agent=event.agent(request.user_agent),
            object_ref=event.reference(self._wanted, None if isinstance(sent, bytes) else sent),
            response_status=None if outcome is None else outcome.status,
            request_object=self._sent(sent) if level >= Level.REQUEST else None,
            response_object=self._body(outcome) if level >= Level.REQUEST_RESPONSE else None,
            request_received_timestamp=_written(request.received),
            stage_timestamp=_written(now),
            annotations=self._annotations() if outcome is not None else {},
        )

    def _annotations(self) -> dict[str, str]:
        found = self._request.audit
        kept = blanking.kept_annotations(found) if self._blank is not None else found
        return {name: kept[name] for name in sorted(kept) if name != CONSTRAINT}

    def _sent(self, sent: Json | bytes) -> Raw | None:
        """What was sent, as JSON. What of a patch cannot be read is not told."""
        if sent is None:
            return None
        patch = isinstance(sent, bytes)
        body = _patch(sent) if isinstance(sent, bytes) else sent
        if self._told.omits_managed_fields and not patch:
            body = blanking.without_managers(body)
        return Raw(msgspec.json.encode(body if self._blank is None else self._blank(body)))

    def _body(self, outcome: _Outcome | None) -> Raw | None:
        """The answer's object."""
        if outcome is None or not outcome.body:
            return None
        body = outcome.body
        if body.startswith(_STATUS) or (self._blank is None and not self._told.omits_managed_fields):
            return Raw(msgspec.json.format(body, indent=-1) if b"\n" in body else body)
        found: Json = msgspec.json.decode(body)
        if self._told.omits_managed_fields:
            found = blanking.without_managers(found)
        return Raw(msgspec.json.encode(found if self._blank is None else self._blank(found)))

    def _outcome(self, answer: Answer) -> _Outcome:
        if isinstance(answer, Lasting):
            return _Outcome(ResponseStatus({}, code=answer.code))
        if isinstance(answer, Status):
            return _of_status(answer if self._blank is None else blanking.refusal(answer))
        return self._of_reply(answer)

    def _of_reply(self, reply: Reply) -> _Outcome:
        """Of objects and discovery the body is told, of other paths only that there was one."""
        info = self._request.info
        told = info.resource_request or info.path.startswith("/api")
        body = reply.document or (reply.body if reply.media.startswith(JSON) else b"")
        if not told or not body:
            return _Outcome(ResponseStatus({}, code=reply.code))
        if not body.startswith(_STATUS):
            return _Outcome(ResponseStatus({}, code=reply.code), body)
        said = msgspec.json.decode(body, type=_Said)
        return _Outcome(
            ResponseStatus({}, said.status, said.message, said.reason, said.details or None, reply.code),
            body,
        )


def _of_status(answer: Status) -> _Outcome:
    code = answer.http_code
    if answer.message.startswith(_OF_THE_ROUTER):
        return _Outcome(ResponseStatus({}, code=code))
    word = "Success" if answer.success else "Failure"
    return _Outcome(ResponseStatus({}, word, answer.message, answer.reason, answer.details, code), encoded(answer))


def _patch(sent: bytes) -> Json:
    found: Json
    try:
        found = msgspec.json.decode(sent)
    except msgspec.DecodeError:
        try:
            found = read_yaml_body(sent)[0]
        except YamlBodyError:
            return None
    return found


def _written(seconds: float) -> str:
    """A time in RFC 3339, to the microsecond."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
