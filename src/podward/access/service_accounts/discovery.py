"""What others need to know to verify tokens of service accounts: the issuer's metadata, and its keys.

Specification: OpenID Connect Discovery 1.0, RFC 7517; Kubernetes, pkg/serviceaccount/openidmetadata.go: only where the
issuer is an https URL without a query and a fragment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access import jwt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject

METADATA_PATH, KEYS_PATH = "/.well-known/openid-configuration", "/openid/v1/jwks"


def is_published(issuer: str) -> bool:
    """Whether an issuer of this name may be discovered at all."""
    return issuer.startswith("https://") and "?" not in issuer and "#" not in issuer


def metadata(issuer: str, key_set_url: str, keys: Sequence[jwt.PublicKey]) -> JsonObject:
    """The metadata of the issuer."""
    algorithms: list[Json] = [*sorted({jwt.algorithm_of(key) for key in keys})]
    return {
        "issuer": issuer,
        "jwks_uri": key_set_url,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
    }
