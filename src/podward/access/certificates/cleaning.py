"""Which certificate requests are cleaned away: those that are done with, or that nobody has decided about for a day.

Specification: Kubernetes, pkg/controller/certificates/cleaner.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode

from cryptography import x509

from podward.access.certificates.requested import conditions
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text

_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def is_done(obj: JsonObject, now: dt.datetime) -> bool:
    """Whether the request is to go."""
    found, certificate = conditions(obj), text(member(obj, "status"), "certificate")
    if not found:
        return _is_older(text(member(obj, "metadata"), "creationTimestamp"), _DAY, now)
    limits = {"Denied": _HOUR, "Failed": _HOUR, "Approved": _HOUR if certificate else _DAY}
    for each in found:
        limit = limits.get(text(each, "type"))
        if limit is not None and _is_older(text(each, "lastUpdateTime"), limit, now):
            return True
    approved = any(text(each, "type") == "Approved" for each in found)
    return approved and bool(certificate) and _has_expired(certificate, now)


def _is_older(stamp: str, limit: dt.timedelta, now: dt.datetime) -> bool:
    try:
        return bool(stamp) and now - dt.datetime.fromisoformat(stamp) > limit
    except (ValueError, TypeError):
        return False


def _has_expired(certificate: str, now: dt.datetime) -> bool:
    try:
        return now > x509.load_pem_x509_certificate(b64decode(certificate)).not_valid_after_utc
    except ValueError:
        return False
