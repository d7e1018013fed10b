"""The refusal of a request that no authorizer allows.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/responsewriters, ForbiddenStatusError. What could
look like HTML is escaped, but in the authorizer's reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.gotext import quote

if TYPE_CHECKING:
    from podward.api.authorization import Attributes
    from podward.api.status import Status

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def forbidden(wanted: Attributes, reason: str = "") -> Status:
    """The answer to who may not do it, with the authorizer's reason."""
    why = plain(_sentence(wanted))
    resource = GroupResource(wanted.group, wanted.resource)
    return status.forbidden(resource, wanted.name, f"{why}: {reason}" if reason else why)


def plain(sentence: str) -> str:
    """The sentence without what could look like HTML."""
    return sentence.translate(_ESCAPES)


def _sentence(wanted: Attributes) -> str:
    who = f"User {quote(wanted.user.username)} cannot {wanted.verb}"
    if wanted.path:
        return f"{who} path {quote(wanted.path)}"
    resource = f"{wanted.resource}/{wanted.subresource}" if wanted.subresource else wanted.resource
    where = f"in the namespace {quote(wanted.namespace)}" if wanted.namespace else "at the cluster scope"
    return f"{who} resource {quote(resource)} in API group {quote(wanted.group)} {where}"
