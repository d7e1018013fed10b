"""Whom the claims of a good token name.

Specification: Kubernetes, k8s.io/apiserver, plugin/pkg/authenticator/token/oidc: user name, groups, uid and extra,
from claims or expressions; then the claims that must be there, the rules about claims, the rules about the user; each
in this order, with these words. A user without a name is refused, whatever the prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.authentication import CREDENTIAL_ID
from podward.access.oidc.expressions import ClaimExpressions, Unmet
from podward.access.oidc.verification import kind_of
from podward.api.caller import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from podward.access.oidc.issuer import Issuer


class Users:
    """Makes users of claims, as one issuer's settings say."""

    __slots__ = ("_expressions", "_issuer")

    def __init__(self, issuer: Issuer) -> None:
        """Raises ValueError for an expression that is none."""
        self._issuer = issuer
        self._expressions = ClaimExpressions(issuer)

    def named(self, claims: Mapping[str, object]) -> User | str:
        """The user, or why there is none."""
        try:
            return self._named(claims)
        except Unmet as error:
            return f"oidc: {error}"

    def _named(self, claims: Mapping[str, object]) -> User:
        issuer, expressions = self._issuer, self._expressions
        username = self._username(claims)
        groups = self._groups(claims)
        uid = _string(claims, issuer.uid.claim, "uid claim") if issuer.uid.claim else expressions.uid(claims)
        extra: dict[str, tuple[str, ...]] = {}
        token_id = claims.get("jti")
        if isinstance(token_id, str) and token_id:
            extra[CREDENTIAL_ID] = (f"JTI={token_id}",)
        extra.update(expressions.more(claims))
        for claim, wanted in issuer.required:
            if claim not in claims:
                raise Unmet(f"required claim {claim} not present in ID token")
            found = _value(claims, claim, str, "string", f"parse claim {claim}")
            if found != wanted:
                raise Unmet(f"required claim {claim} value does not match. Got = {found}, want = {wanted}")
        expressions.require_claims(claims)
        user = User(username, groups, uid, extra)
        expressions.require_user(user)
        return user

    def _username(self, claims: Mapping[str, object]) -> str:
        mapped = self._issuer.username
        if mapped.expression:
            return self._expressions.username(claims)
        name = _string(claims, mapped.claim, "username claims")
        if mapped.claim == "email" and "email_verified" in claims:
            verified = claims["email_verified"]
            if verified is not None and not isinstance(verified, bool):
                raise Unmet(f"parse 'email_verified' claim: {_unfit(verified, 'bool')}")
            if not verified:
                raise Unmet("email not verified")
        if not name:
            raise Unmet(f'parse username claims "{mapped.claim}": it is empty')
        return mapped.prefix + name

    def _groups(self, claims: Mapping[str, object]) -> tuple[str, ...]:
        mapped = self._issuer.groups
        if mapped.expression:
            return self._expressions.groups(claims)
        if not mapped.claim:
            return ()
        if mapped.claim not in claims:
            _require_no_distributed(claims, mapped.claim)
            return ()
        found = claims[mapped.claim]
        if found is None:
            return ()
        values = found if isinstance(found, list) else [found]
        if not all(isinstance(each, str) for each in values):
            raise Unmet(f'parse groups claim "{mapped.claim}": {_unfit(found, "string")}')
        return tuple(f"{mapped.prefix}{each}" for each in values)


def _require_no_distributed(claims: Mapping[str, object], claim: str) -> None:
    """Refuse a token whose groups are to be asked for somewhere else: without them it would mean something else."""
    names = claims.get("_claim_names")
    if isinstance(names, dict) and claim in names:
        raise Unmet(f"could not expand distributed claims: {claim} is elsewhere, and nobody is asked for it")


def _string(claims: Mapping[str, object], claim: str, what: str) -> str:
    where = f'parse {what} "{claim}"'
    if claim not in claims:
        raise Unmet(f"{where}: claim not present")
    return _value(claims, claim, str, "string", where)


def _value(claims: Mapping[str, object], claim: str, kind: type[str], name: str, where: str) -> str:
    found = claims[claim]
    if found is None:
        return ""
    if not isinstance(found, kind):
        raise Unmet(f"{where}: {_unfit(found, name)}")
    return found


def _unfit(value: object, wanted: str) -> str:
    """Go's words for a value of JSON that is of another type."""
    return f"json: cannot unmarshal {kind_of(value)} into Go value of type {wanted}"
