"""An AuthenticationConfiguration: what it says, and what is wrong with it, with the line and the field."""

from __future__ import annotations

import pytest

from podward.access.anonymous import AnonymousAccess
from podward.access.oidc.configuration import read
from podward.access.oidc.issuer import Mapped, Rule
from podward.errors import InputError

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
GOOD = """jwt:
- issuer:
    url: https://a.example
    audiences: [cluster]
  claimMappings:
    username: {claim: sub, prefix: "a:"}
"""
OWN = ("https://kubernetes.default.svc",)


def test_it_says_which_issuers_are_trusted_and_who_may_be_anonymous() -> None:
    text = (
        HEAD
        + GOOD
        + (
            "    groups: {expression: claims.roles}\n"
            "    extra: [{key: example.org/team, valueExpression: claims.team}]\n"
            "  claimValidationRules: [{claim: hd, requiredValue: x}, {expression: 'claims.a == 1', message: bad}]\n"
            "  userValidationRules: [{expression: \"user.username != 'a:root'\"}]\n"
            "anonymous: {enabled: true, conditions: [{path: /livez}]}\n"
        )
    )
    found = read(text.encode(), "f.yaml", OWN)
    (issuer,) = found.issuers
    assert (issuer.url, issuer.audiences, issuer.username) == ("https://a.example", ("cluster",), Mapped("sub", "a:"))
    assert (issuer.groups, issuer.extra) == (Mapped(expression="claims.roles"), (("example.org/team", "claims.team"),))
    assert (issuer.required, issuer.claim_rules) == ((("hd", "x"),), (Rule("claims.a == 1", "bad"),))
    assert issuer.user_rules == (Rule("user.username != 'a:root'"),)
    assert found.anonymous == AnonymousAccess(enabled=True, paths=frozenset(("/livez",)))


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_no_issuer_is_a_configuration_too(version: str) -> None:
    found = read(HEAD.replace("/v1", f"/{version}").encode(), "f.yaml", OWN)
    assert (found.issuers, found.anonymous) == ((), None)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("https://a", "http://a", 'jwt[0].issuer.url: Invalid value: "http://a.example": URL scheme must be https'),
        ("https://a", "https://u:p@a", "URL must not contain a username or password"),
        ("a.example", "a.example?x=y", "URL must not contain a query"),
        ("a.example", '"https://a#b"', "jwt[0].issuer.url: Invalid value"),
        ("https://a.example", '""', "f.yaml:5: jwt[0].issuer.url: Required value"),
        ("https://a.example", OWN[0], "URL must not overlap with disallowed issuers: [https://kubernetes.default.svc]"),
        (
            "[cluster]",
            "[]",
            "f.yaml:6: jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is",
        ),
        ("[cluster]", "[a, a]", 'f.yaml:6: jwt[0].issuer.audiences[1]: Duplicate value: "a"'),
        ("[cluster]", "[a, b]", "audienceMatchPolicy must be MatchAny for multiple audiences"),
        ("[cluster]", "[a]\n    audienceMatchPolicy: All", "audienceMatchPolicy must be empty or MatchAny for single"),
        (
            "[cluster]",
            "[a]\n    certificateAuthority: x",
            'Invalid value: "<omitted>": data does not contain any valid',
        ),
        ("[cluster]", "[a]\n    egressSelectorType: cluster", "there are no egress selectors here"),
        ("[cluster]", "[a]\n    discoveryURL: https://a.example/", "discoveryURL must be different from URL"),
        ("[cluster]", "[a]\n    audience: b", "jwt[0].issuer.audience: there is no such field"),
        (', prefix: "a:"', "", "claimMappings.username.prefix: Required value: prefix is required when claim is set"),
        ("claim: sub, ", "", "claimMappings.username: Required value: claim or expression is required"),
        ("claim: sub", "claim: sub, expression: claims.sub", "claim and expression can't both be set"),
        ("claim: sub", "expression: claims.sub", "may not be specified when expression is set"),
        ('claim: sub, prefix: "a:"', "expression: claim.sub", "undeclared reference to 'claim'"),
        ('claim: sub, prefix: "a:"', "expression: claims.email", "claims.email_verified must be used in"),
        ("  claimMappings", "  claimValidationRules: [{}]\n  claimMappings", "claimValidationRules[0]: Required value"),
        (
            "  claimMappings",
            "  claimValidationRules: [{expression: '1'}]\n  claimMappings",
            'f.yaml:7: jwt[0].claimValidationRules[0].expression: Invalid value: "1": must evaluate to bool',
        ),
        (
            "  claimMappings",
            "  userValidationRules: [{expression: user.name == ''}]\n  claimMappings",
            "undefined field 'name'",
        ),
        (
            "    username:",
            "    extra: [{key: a, valueExpression: 'x'}]\n    username:",
            "must be a domain-prefixed path",
        ),
        (
            "    username:",
            "    extra: [{key: a.k8s.io/b, valueExpression: '1'}]\n    username:",
            "reserved for Kubernetes",
        ),
        ("    username:", "    extra: [{key: a.b/C, valueExpression: '1'}]\n    username:", "must be lowercase"),
        ("    username:", "    extra: [{key: a.b/c}]\n    username:", "extra[0].valueExpression: Required value"),
        ("jwt:", "anonymous: {conditions: [{path: /x}]}\njwt:", "enabled should be set to true when conditions are"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_field(old: str, new: str, fault: str) -> None:
    with pytest.raises(InputError) as raised:
        read((HEAD + GOOD.replace(old, new, 1)).encode(), "f.yaml", OWN)
    assert fault in str(raised.value)
    assert str(raised.value).startswith("f.yaml:")


def test_one_issuer_is_trusted_once() -> None:
    with pytest.raises(InputError, match=r'jwt\[1\]\.issuer\.url: Duplicate value: "https://a.example"'):
        read((HEAD + GOOD + GOOD.removeprefix("jwt:\n")).encode(), "f.yaml", OWN)


@pytest.mark.parametrize("text", ["", "kind: Pod", HEAD + "---\n" + HEAD, HEAD.replace("/v1", "/v2"), HEAD + "jwt: 3"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text.encode(), "f.yaml", OWN)
