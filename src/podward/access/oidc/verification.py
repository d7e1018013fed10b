"""Whether a token is one of an issuer's, and good now.

Specification: OpenID Connect Core 1.0, 3.1.3.7; Kubernetes, k8s.io/apiserver, plugin/pkg/authenticator/token/oidc, and
go-oidc's verify.go, whose words these are: the algorithm must be an allowed one, the signature of one of the issuer's
keys, the audience wanted, the time not over, and begun, with a minute's leeway.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from podward.access import jwt
from podward.access.rule_coverage import quoted
from podward.api.gotext import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podward.access.oidc.issuer import Issuer

NO_KEY = "failed to verify signature: failed to verify id token signature"
_LEEWAY = 60
_GOOGLE, _GOOGLE_WITHOUT_SCHEME = "https://accounts.google.com", "accounts.google.com"
_STRINGS = ("sub", "nonce", "at_hash")
_TIMES = ("exp", "iat", "nbf")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_ZERO = -62135596800


def issuer_of(token: jwt.Token) -> str:
    """Who the token says has issued it, which nobody has looked at yet."""
    found = token.claims.get("iss")
    if found == _GOOGLE_WITHOUT_SCHEME:
        return _GOOGLE
    return found if isinstance(found, str) else ""


def header_fault(token: jwt.Token, issuer: Issuer) -> str:
    """Why no key needs to be looked for; empty where one does."""
    if token.algorithm in issuer.algorithms:
        return ""
    expected = f"expected {quoted(issuer.algorithms)} got {quote(token.algorithm)}"
    return f"oidc: id token signed with unsupported algorithm, {expected}"


def is_signed(token: jwt.Token, keys: Sequence[jwt.VerifyingKey]) -> bool:
    """Whether it was signed with one of the keys; that which it names, if it names one."""
    return any(token.key_id in {"", known.id} and jwt.fits(token, known.key) for known in keys)


def claims_fault(claims: Mapping[str, object], issuer: Issuer, now: float) -> str:
    """Why a token that was signed is not good; empty where it is."""
    if fault := _form_fault(claims):
        return fault
    audiences = audiences_of(claims)
    if len(issuer.audiences) == 1 and issuer.audiences[0] not in audiences:
        return f"oidc: expected audience {quote(issuer.audiences[0])} got {quoted(audiences)}"
    ends = _moment(claims, "exp")
    if ends is None or ends < now:
        return f"oidc: token is expired (Token Expiry: {_written(_ZERO if ends is None else ends)})"
    begins = _moment(claims, "nbf")
    if begins is not None and now + _LEEWAY < begins:
        return f"oidc: current time {_written(int(now))} before the nbf (not before) time: {_written(begins)}"
    if not set(audiences) & set(issuer.audiences):
        return f"oidc: expected audience in {quoted(sorted(issuer.audiences))} got {quoted(audiences)}"
    return ""


def audiences_of(claims: Mapping[str, object]) -> tuple[str, ...]:
    """Whom the token is for."""
    found = claims.get("aud")
    if isinstance(found, list):
        return tuple(each for each in found if isinstance(each, str))
    return (found,) if isinstance(found, str) else ()


def _form_fault(claims: Mapping[str, object]) -> str:
    """Why the claims cannot be read."""
    fault = _misfit(claims)
    return f"oidc: failed to unmarshal claims: {fault}" if fault else _sources_fault(claims)


def _misfit(claims: Mapping[str, object]) -> str:
    """The first claim of a kind that it may not have, in Go's words."""
    for name in _STRINGS:
        if not isinstance(claims.get(name), str | None):
            return _unmarshalled(claims[name], name, "string")
    for name in _TIMES:
        value = claims.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
            return f"json: invalid number literal, trying to unmarshal {quote(quote(value))} into Number"
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            return _unmarshalled(value, name, "json.Number")
    audiences = claims.get("aud")
    if isinstance(audiences, list):
        odd = next((each for each in audiences if not isinstance(each, str)), None)
        return "" if odd is None else _unmarshalled(odd, "aud", "string")
    return "" if isinstance(audiences, str | None) else _unmarshalled(audiences, "aud", "[]string")


def _sources_fault(claims: Mapping[str, object]) -> str:
    """What is wrong with where claims are said to be that are not in the token."""
    names, sources = claims.get("_claim_names"), claims.get("_claim_sources")
    for source in names.values() if isinstance(names, dict) else ():
        if not source:
            return "oidc: failed to obtain source from claim name"
        if not isinstance(sources, dict) or source not in sources:
            return "oidc: source does not exist"
    return ""


def _unmarshalled(value: object, name: str, kind: str) -> str:
    return f"json: cannot unmarshal {kind_of(value)} into Go struct field idToken.{name} of type {kind}"


def kind_of(value: object) -> str:
    """The kind of a value of JSON, as Go calls it."""
    kinds = ((bool, "bool"), (int | float, "number"), (str, "string"), (list, "array"))
    return next((name for of, name in kinds if isinstance(value, of)), "object")


def _moment(claims: Mapping[str, object], name: str) -> int | None:
    value = claims.get(name)
    if isinstance(value, str):
        value = float(value)
    return int(value) if isinstance(value, int | float) else None


def _written(moment: int) -> str:
    """A moment as Go prints it."""
    try:
        return dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%4Y-%m-%d %H:%M:%S +0000 UTC")
    except (ValueError, OverflowError, OSError):
        return str(moment)
