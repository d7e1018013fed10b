"""AuthenticationConfiguration from a file, as strictly as the real server reads it.

Specification: Kubernetes, k8s.io/apiserver, pkg/apis/apiserver (v1, v1beta1, v1alpha1), and pkg/kubeapiserver/options.
What is wrong with its values `faults` tells.
"""

from __future__ import annotations

from msgspec import Struct

from podward.access.anonymous import AnonymousAccess
from podward.access.oidc.faults import faults
from podward.access.oidc.issuer import Issuer, Mapped, Rule
from podward.access.oidc.written import Written, WrittenAnonymous, WrittenAuthenticator, WrittenMapping
from podward.errors import InputError
from podward.schema.configuration import Expected, the_document, typed

_VERSIONS = tuple(f"apiserver.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_KIND = "AuthenticationConfiguration"
_ADVICE = f"it is one document with apiVersion: {_VERSIONS[0]}, kind: {_KIND} and a list jwt"
_EXPECTED = Expected("an authentication configuration", _KIND, _VERSIONS, _ADVICE)


class Configuration(Struct, frozen=True):
    """Issuers of tokens, and whether requests may be anonymous; None where the file does not say."""

    issuers: tuple[Issuer, ...] = ()
    anonymous: AnonymousAccess | None = None


def read(text: bytes, name: str, own_issuers: tuple[str, ...]) -> Configuration:
    """The configuration in the file of this name. Raises InputError with the line of what is wrong.

    Tokens of `own_issuers` are those of service accounts; nobody else may be one of them.
    """
    document = the_document(text, name, _EXPECTED)
    written = typed(document, Written, _ADVICE)
    for at, fault in faults(written, own_issuers):
        raise InputError(f"{at}: {fault}", where=document.where(at), advice=_ADVICE)
    return Configuration(tuple(map(_issuer, written.jwt or ())), _anonymous(written.anonymous))


def _anonymous(written: WrittenAnonymous | None) -> AnonymousAccess | None:
    if written is None:
        return None
    return AnonymousAccess(bool(written.enabled), frozenset(each.path or "" for each in written.conditions or ()))


def _issuer(written: WrittenAuthenticator) -> Issuer:
    of, mappings, rules = written.issuer, written.claim_mappings, written.claim_validation_rules or ()
    return Issuer(
        of.url or "",
        of.audiences or (),
        _mapped(mappings.username),
        _mapped(mappings.groups),
        Mapped(mappings.uid.claim or "", "", mappings.uid.expression or ""),
        tuple((each.key or "", each.value_expression or "") for each in mappings.extra or ()),
        tuple((each.claim, each.required_value or "") for each in rules if each.claim),
        tuple(Rule(each.expression, each.message or "") for each in rules if each.expression),
        tuple(Rule(each.expression or "", each.message or "") for each in written.user_validation_rules or ()),
        of.discovery_url or "",
        of.certificate_authority or "",
    )


def _mapped(written: WrittenMapping) -> Mapped:
    return Mapped(written.claim or "", written.prefix or "", written.expression or "")
