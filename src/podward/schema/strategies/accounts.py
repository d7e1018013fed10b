"""ServiceAccounts: of their secrets only the names are kept; and how long tokens of them may be asked for.

Specification: Kubernetes, ValidateServiceAccount and the strategy in pkg/registry/core/serviceaccount;
pkg/apis/authentication/validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import NOTHING, invalid

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
_DEPRECATED = (
    f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted"
    " secrets"
)
_SHORTEST, _LONGEST = 600, 1 << 32
_NEW = object_meta.new(names.SUBDOMAIN, namespaced=True)


def _cleaned(obj: JsonObject) -> JsonObject:
    if not obj.get("secrets"):
        return obj
    named: list[Json] = [{"name": secret["name"]} if secret.get("name") else {} for secret in objects(obj, "secrets")]
    return obj if named == obj["secrets"] else {**obj, "secrets": named}


def _warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    if old is not None and _MOUNTABLE in member(member(old, "metadata"), "annotations"):
        return ()
    return (_DEPRECATED,) if _MOUNTABLE in member(member(obj, "metadata"), "annotations") else ()


SERVICE_ACCOUNT = Strategy(
    validate=_NEW,
    validate_update=object_meta.both(_NEW),
    prepare_for_create=_cleaned,
    prepare_for_update=lambda obj, _old: _cleaned(obj),
    warnings=_warnings,
)


def _token(obj: JsonObject) -> Decision:
    seconds, place = member(obj, "spec").get("expirationSeconds"), SPEC / "expirationSeconds"
    if type(seconds) is not int or _SHORTEST <= seconds <= _LONGEST:
        return NOTHING
    bound = "less than 10 minutes" if seconds < _SHORTEST else "larger than 2^32 seconds"
    return invalid(place, seconds, f"may not specify a duration {bound}")


TOKEN_REQUEST = Strategy(validate=_token)
