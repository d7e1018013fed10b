"""An event of the audit log, as audit.k8s.io/v1 has it: a line of JSON, its members in the real server's order."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Literal

import msgspec
from msgspec import Raw, Struct, field

from podward.api.authorization import Attributes
from podward.api.caller import User
from podward.api.json_value import Json
from podward.api.status import StatusDetails
from podward.documents.raw_fields import member

_LONGEST_AGENT = 1024
_encode = msgspec.json.Encoder().encode


class UserInfo(Struct, frozen=True, omit_defaults=True):
    """A user, in this order of members."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = {}


class ObjectReference(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the request is about."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_group: str = ""
    api_version: str = ""
    resource_version: str = ""
    subresource: str = ""


class ResponseStatus(Struct, frozen=True, omit_defaults=True):
    """What came of it: of an object the code alone, of a Status all but its metadata."""

    metadata: Mapping[str, str]
    status: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails | Raw | None = None
    code: int = 0


class AuthenticationMetadata(Struct, frozen=True, rename="camel"):
    """How the caller may act as somebody else."""

    impersonation_constraint: str


class Event(Struct, frozen=True, omit_defaults=True, kw_only=True, rename="camel"):
    """One stage of one request."""

    kind: Literal["Event"]
    api_version: Literal["audit.k8s.io/v1"]
    level: str
    audit_id: str = field(name="auditID")
    stage: str
    request_uri: str = field(name="requestURI")
    verb: str
    user: UserInfo
    impersonated_user: UserInfo | None = None
    authentication_metadata: AuthenticationMetadata | None = None
    source_ips: tuple[str, ...] = field(default=(), name="sourceIPs")
    user_agent: str = ""
    object_ref: ObjectReference | None = None
    response_status: ResponseStatus | None = None
    request_object: Raw | None = None
    response_object: Raw | None = None
    request_received_timestamp: str
    stage_timestamp: str
    annotations: Mapping[str, str] = {}


def user_info(user: User) -> UserInfo:
    """A user as events name it."""
    return UserInfo(user.username, user.uid, user.groups, {name: user.extra[name] for name in sorted(user.extra)})


def reference(wanted: Attributes, body: Json) -> ObjectReference | None:
    """What a request is about; of a new object the body says the name."""
    if wanted.path:
        return None
    of = member(body, "metadata") if isinstance(body, dict) else {}
    said = [value if isinstance(value := of.get(name), str) else "" for name in ("namespace", "name", "uid")]
    version = of.get("resourceVersion")
    return ObjectReference(
        wanted.resource, wanted.namespace or said[0], wanted.name or said[1], said[2], wanted.group, wanted.version,
        version if isinstance(version, str) else "", wanted.subresource,
    )  # fmt: skip


def agent(text: str) -> str:
    """What a client calls itself, if that is not too long."""
    return text if len(text) <= _LONGEST_AGENT else f"{text[:_LONGEST_AGENT]}...TRUNCATED"


def source_addresses(forwarded: str, real: str, remote: str) -> tuple[str, ...]:
    """Where a request comes from: what proxies say, which anybody may say, and last who is connected."""
    found = [address for part in forwarded.split(",") if (address := _address(part))] if forwarded else []
    claimed = _address(real) if real else ""
    if claimed and claimed not in found:
        found.append(claimed)
    connected = _address(remote)
    if connected and found[-1:] != [connected]:
        found.append(connected)
    return tuple(found)


def _address(text: str) -> str:
    """An address as Go writes it; empty for what is none. Leading zeros are read over, as it does."""
    plain = text.strip()
    if "." in plain and ":" not in plain:
        plain = ".".join(part.lstrip("0") or "0" for part in plain.split("."))
    try:
        found = ip_address(plain)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(found if mapped is None else mapped)


def line(event: Event) -> bytes:
    """The event as a line of the log."""
    try:
        return _encode(event) + b"\n"
    except UnicodeEncodeError:  # bytes that are no text came in a header, and stand for themselves in it
        return _encode(_as_text(msgspec.to_builtins(event, builtin_types=(Raw,)))) + b"\n"


def _as_text(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_as_text(name): _as_text(each) for name, each in value.items()}
    return [_as_text(each) for each in value] if isinstance(value, list | tuple) else value
