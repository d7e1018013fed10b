"""What an HTTP answer means that is no success.

Specification: client-go, rest/request.go transformResponse, and k8s.io/apimachinery, pkg/api/errors
NewGenericServerResponse: an answer that is a Status speaks for itself; of others the code decides.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from podward.api.gotext import quote
from podward.api.status import Status, StatusDetails

_SERVER_ERROR = 500
_LONGEST_TEXT = 2048
_BY_CODE: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    406: ("NotAcceptable", "the server was unable to respond with a content type that the client supports"),
    409: ("AlreadyExists", "the server reported a conflict"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: (
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again later",
    ),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}
_OWN_WORDS: Mapping[int, str] = {403: "Forbidden", 415: "UnsupportedMediaType"}
"""Where the answer's own words are told."""


class _Sent(Struct, frozen=True, rename="camel"):
    kind: str = ""
    api_version: str = ""
    status: str | None = None
    message: str | None = None
    reason: str | None = None
    details: StatusDetails | None = None
    code: int | None = None


def refused_by_http(code: int, body: bytes, media: str) -> Status:
    """What the answer with this code says."""
    sent = _status_in(body)
    if sent is not None:
        return Status(sent.code or code, sent.reason or "", sent.message or "unknown", sent.details)
    shown = body[:_LONGEST_TEXT].decode(errors="replace").strip() if media.startswith("text/") else "unknown"
    if code in _OWN_WORDS:
        return Status(code, _OWN_WORDS[code], shown)
    known = _BY_CODE.get(code)
    if known is not None:
        return Status(code, *known)
    if code >= _SERVER_ERROR:
        return Status(
            code, "InternalError", f"an error on the server ({quote(shown)}) has prevented the request from succeeding"
        )
    return Status(code, "", f"the server responded with the status code {code} but did not return more information")


def _status_in(body: bytes) -> _Sent | None:
    try:
        found = msgspec.json.decode(body, type=_Sent)
    except (ValueError, RecursionError):
        return None
    is_status = found.kind == "Status" and found.api_version == "v1" and found.status != "Success"
    return found if is_status else None
