"""Asking who somebody is: SelfSubjectReview, and TokenReview for others' tokens.

Specification: Kubernetes, pkg/registry/authentication. A TokenReview names the audiences that the token must be good
for; without any these are the API server's own. `{}` stands for a user where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.authentication import Authenticated, Failed
from podward.access.review_spec import as_object, text
from podward.api import status

if TYPE_CHECKING:
    from podward.access.authentication import Outcome
    from podward.api.caller import User
    from podward.api.json_value import JsonObject
    from podward.api.status import Status

BAD_AUDIENCES = status.internal_error("error validating audiences")


def self_review(raw: JsonObject, caller: User, created: str) -> JsonObject:
    """A SelfSubjectReview with its status, and nothing of what was sent: `created` is the time of the request."""
    kept: JsonObject = {name: raw[name] for name in ("kind", "apiVersion") if name in raw}
    return {**kept, "metadata": {"creationTimestamp": created}, "status": {"userInfo": user_info(caller)}}


def user_info(user: User) -> JsonObject:
    """authentication/v1 UserInfo, with what is empty left out."""
    extra: JsonObject = {key: list(values) for key, values in sorted(user.extra.items())}
    fields: JsonObject = {"username": user.username, "uid": user.uid, "groups": list(user.groups), "extra": extra}
    return {name: value for name, value in fields.items() if value}


def asked_token(raw: JsonObject, own_audiences: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | Status:
    """The token that a TokenReview asks about, and the audiences that it must be good for."""
    spec = as_object(raw.get("spec"))
    token = text(spec, "token")
    if not token:
        return status.bad_request("token is required for TokenReview in authentication")
    named = spec.get("audiences")
    audiences = tuple(each for each in named if isinstance(each, str)) if isinstance(named, list) else ()
    return token, audiences or own_audiences


def token_review(raw: JsonObject, outcome: Outcome, audiences: tuple[str, ...]) -> JsonObject | Status:
    """A TokenReview with its status."""
    if isinstance(outcome, Authenticated):
        if audiences and not set(audiences) & set(outcome.audiences):
            return BAD_AUDIENCES
        found: JsonObject = {"authenticated": True, "user": user_info(outcome.user)}
        if outcome.audiences:
            found["audiences"] = list(outcome.audiences)
    else:
        found = {"user": {}}
        if isinstance(outcome, Failed):
            found["error"] = outcome.message
    return {**raw, "status": found}
