"""ServiceAccounts: of their secrets only the names are kept.

Specification: Kubernetes, ValidateServiceAccount and the strategy in pkg/registry/core/serviceaccount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.strategy import Strategy

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
_DEPRECATED = (
    f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted"
    " secrets"
)
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
