"""What is wrong with the values of an AuthenticationConfiguration.

Specification: Kubernetes, k8s.io/apiserver, pkg/apis/apiserver/validation ValidateAuthenticationConfiguration: its
order and its words. There are no egress selectors here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509

from podward.access.oidc.expressions import fault_of
from podward.api.gotext import quote
from podward.path import Path, path
from podward.schema.cel.source import names_under
from podward.schema.validation.names import subdomain_faults

if TYPE_CHECKING:
    from podward.access.oidc.written import (
        Written,
        WrittenAuthenticator,
        WrittenExtra,
        WrittenIssuer,
        WrittenMapping,
        WrittenMappings,
        WrittenRule,
        WrittenUserRule,
    )

Fault: TypeAlias = tuple[Path, str]
_MOST_ISSUERS = 64
_REQUIRED = "Required value"
_MATCH_ANY = "MatchAny"
_URL = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PATH = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
_BOTH = 'Invalid value: "": claim and expression can\'t both be set'
_PREFIX = "prefix is required when claim is set. It can be set to an empty string to disable prefixing"
_EMAIL = (
    "claims.email_verified must be used in claimMappings.username.expression or"
    " claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in"
    " claimMappings.username.expression"
)


def faults(written: Written, own_issuers: tuple[str, ...]) -> Iterator[Fault]:
    """What is wrong, in the order of the real server."""
    issuers = written.jwt or ()
    if len(issuers) > _MOST_ISSUERS:
        yield path("jwt"), f"Too many: {len(issuers)}: must have at most {_MOST_ISSUERS} items"
        return
    urls: set[str] = set()
    discovered: set[str] = set()
    for index, each in enumerate(issuers):
        at, url, elsewhere = path("jwt", index), each.issuer.url or "", each.issuer.discovery_url or ""
        yield from _authenticator(each, own_issuers, at)
        if url in urls:
            yield at / "issuer" / "url", f"Duplicate value: {quote(url)}"
        if elsewhere and elsewhere in discovered:
            yield at / "issuer" / "discoveryURL", f"Duplicate value: {quote(elsewhere)}"
        urls.add(url)
        discovered.add(elsewhere)
    anonymous = written.anonymous
    if anonymous is not None and not anonymous.enabled and anonymous.conditions:
        why = "enabled should be set to true when conditions are defined"
        yield path("anonymous", "conditions"), f"Invalid value: {len(anonymous.conditions)} conditions: {why}"


def _authenticator(written: WrittenAuthenticator, own_issuers: tuple[str, ...], at: Path) -> Iterator[Fault]:
    rules, mappings = written.claim_validation_rules or (), written.claim_mappings
    yield from _issuer(written.issuer, own_issuers, at / "issuer")
    yield from _claim_rules(rules, at / "claimValidationRules")
    yield from _mappings(mappings, rules, at / "claimMappings")
    yield from _user_rules(written.user_validation_rules or (), at / "userValidationRules")


def _issuer(of: WrittenIssuer, own_issuers: tuple[str, ...], at: Path) -> Iterator[Fault]:
    url, elsewhere = of.url or "", of.discovery_url or ""
    if not url:
        yield at / "url", _REQUIRED
    elif url in own_issuers:
        why = f"URL must not overlap with disallowed issuers: [{' '.join(sorted(own_issuers))}]"
        yield at / "url", f"Invalid value: {quote(url)}: {why}"
    yield from _url(url, at / "url")
    if elsewhere and url and url.rstrip("/") == elsewhere.rstrip("/"):
        yield at / "discoveryURL", f"Invalid value: {quote(elsewhere)}: discoveryURL must be different from URL"
    yield from _url(elsewhere, at / "discoveryURL")
    yield from _audiences(of, at)
    yield from _authorities(of.certificate_authority or "", at / "certificateAuthority")
    if of.egress_selector_type:
        why = "there are no egress selectors here: leave it out"
        yield at / "egressSelectorType", f"Invalid value: {quote(of.egress_selector_type)}: {why}"


def _url(url: str, at: Path) -> Iterator[Fault]:
    if not url:
        return
    found = _URL.fullmatch(url)
    if found is None or _CONTROL.search(url):
        yield at, f"Invalid value: {quote(url)}: parse {quote(url)}: net/url: invalid control character in URL"
        return
    scheme, authority, query, fragment = found.groups("")
    for wrong, why in (
        (scheme.lower() != "https", "URL scheme must be https"),
        ("@" in authority, "URL must not contain a username or password"),
        (query, "URL must not contain a query"),
        (fragment, "URL must not contain a fragment"),
        (not authority, "URL must have a host"),
    ):
        if wrong:
            yield at, f"Invalid value: {quote(url)}: {why}"


def _audiences(of: WrittenIssuer, at: Path) -> Iterator[Fault]:
    audiences, policy, where = of.audiences or (), of.audience_match_policy or "", at / "audiences"
    if not audiences:
        yield where, f"{_REQUIRED}: at least one {where} is required"
        return
    for index, audience in enumerate(audiences):
        if not audience:
            yield where / index, _REQUIRED
        if audience in audiences[:index]:
            yield where / index, f"Duplicate value: {quote(audience)}"
    matching = at / "audienceMatchPolicy"
    if len(audiences) > 1 and policy != _MATCH_ANY:
        why = "audienceMatchPolicy must be MatchAny for multiple audiences"
        yield matching, f"Invalid value: {quote(policy)}: {why}"
    if len(audiences) == 1 and policy not in {"", _MATCH_ANY}:
        why = "audienceMatchPolicy must be empty or MatchAny for single audience"
        yield matching, f"Invalid value: {quote(policy)}: {why}"


def _authorities(pem: str, at: Path) -> Iterator[Fault]:
    if not pem:
        return
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        yield at, 'Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates'


def _claim_rules(rules: tuple[WrittenRule, ...], at: Path) -> Iterator[Fault]:
    claims: set[str] = set()
    expressions: set[str] = set()
    for index, rule in enumerate(rules):
        where, claim, expression = at / index, rule.claim or "", rule.expression or ""
        if claim and expression:
            yield where, f"Invalid value: {quote(claim)}: claim and expression can't both be set"
        elif claim:
            if rule.message:
                why = "may not be specified when claim is set"
                yield where / "message", f"Invalid value: {quote(rule.message)}: {why}"
            if claim in claims:
                yield where / "claim", f"Duplicate value: {quote(claim)}"
            claims.add(claim)
        elif not expression:
            yield where, f"{_REQUIRED}: claim or expression is required"
        else:
            if rule.required_value:
                why = "may not be specified when expression is set"
                yield where / "requiredValue", f"Invalid value: {quote(rule.required_value)}: {why}"
            yield from _rule(expression, "claims", expressions, where / "expression")


def _user_rules(rules: tuple[WrittenUserRule, ...], at: Path) -> Iterator[Fault]:
    expressions: set[str] = set()
    for index, rule in enumerate(rules):
        if not rule.expression:
            yield at / index / "expression", _REQUIRED
        else:
            yield from _rule(rule.expression, "user", expressions, at / index / "expression")


def _rule(expression: str, variable: str, seen: set[str], at: Path) -> Iterator[Fault]:
    if expression in seen:
        yield at, f"Duplicate value: {quote(expression)}"
        return
    seen.add(expression)
    yield from _expression(expression, variable, at, condition=True)


def _expression(text: str, variable: str, at: Path, *, condition: bool = False) -> Iterator[Fault]:
    fault = fault_of(text, variable, condition=condition)
    if fault:
        yield at, f"Invalid value: {quote(text)}: {fault}"


def _mappings(of: WrittenMappings, rules: tuple[WrittenRule, ...], at: Path) -> Iterator[Fault]:
    yield from _mapping(of.username, at / "username", required=True)
    yield from _mapping(of.groups, at / "groups", required=False)
    if of.uid.claim and of.uid.expression:
        yield at / "uid", _BOTH
    elif of.uid.expression:
        yield from _expression(of.uid.expression, "claims", at / "uid" / "expression")
    keys: set[str] = set()
    for index, each in enumerate(of.extra or ()):
        yield from _extra(each, keys, at / "extra" / index)
        keys.add(each.key or "")
    name = of.username.expression or ""
    texts = [
        name,
        *(each.value_expression or "" for each in of.extra or ()),
        *(each.expression or "" for each in rules),
    ]
    if _speaks_of(name, "email") and not any(_speaks_of(text, "email_verified") for text in texts):
        yield at / "username" / "expression", f"Invalid value: {quote(name)}: {_EMAIL}"


def _mapping(of: WrittenMapping, at: Path, *, required: bool) -> Iterator[Fault]:
    if of.expression and of.claim:
        yield at, _BOTH
    elif of.expression:
        if of.prefix is not None:
            why = "may not be specified when expression is set"
            yield at / "prefix", f"Invalid value: {quote(of.prefix)}: {why}"
        yield from _expression(of.expression, "claims", at / "expression")
    elif of.claim:
        if of.prefix is None:
            yield at / "prefix", f"{_REQUIRED}: {_PREFIX}"
    elif required:
        yield at, f"{_REQUIRED}: claim or expression is required"


def _extra(of: WrittenExtra, seen: set[str], at: Path) -> Iterator[Fault]:
    key = of.key or ""
    yield from ((at / "key", fault) for fault in _key_faults(key))
    if key in seen:
        yield at / "key", f"Duplicate value: {quote(key)}"
    elif not of.value_expression:
        yield at / "valueExpression", _REQUIRED
    else:
        yield from _expression(of.value_expression, "claims", at / "valueExpression")


def _key_faults(key: str) -> Iterator[str]:
    if not key:
        yield _REQUIRED
        return
    host, _, rest = key.partition("/")
    if not host or not rest:
        yield f'Invalid value: {quote(key)}: must be a domain-prefixed path (such as "acme.io/foo")'
    else:
        yield from (f"Invalid value: {quote(host)}: {fault}" for fault in subdomain_faults(host))
        if _PATH.fullmatch(rest) is None:
            yield f"Invalid value: {quote(rest)}: Invalid path (regex used for validation is '{_PATH.pattern}')"
    if key != key.lower():
        yield f"Invalid value: {quote(key)}: must be lowercase"
    if rest and f".{host}".endswith((".kubernetes.io", ".k8s.io")):
        why = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"
        yield f"Invalid value: {quote(key)}: {why}"


def _speaks_of(text: str, claim: str) -> bool:
    """Whether the expression selects this claim."""
    return bool(text) and (claim in names_under(text, "claims") or f"claims.?{claim}" in "".join(text.split()))
