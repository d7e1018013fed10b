"""An issuer of tokens, and what its tokens' claims mean here.

Specification: Kubernetes, k8s.io/apiserver, pkg/apis/apiserver JWTAuthenticator, with every default filled in.
"""

from __future__ import annotations

from msgspec import Struct

from podward.access.jwt import ALGORITHMS


class Mapped(Struct, frozen=True):
    """Where something of a user comes from: a claim, with a prefix before its values, or an expression in CEL."""

    claim: str = ""
    prefix: str = ""
    expression: str = ""


class Rule(Struct, frozen=True):
    """What must hold: an expression, and what is said where it does not."""

    expression: str
    message: str = ""


class Issuer(Struct, frozen=True):
    """One issuer. `authorities` are PEM, of its server's certificate; the machine's where there are none."""

    url: str
    audiences: tuple[str, ...]
    username: Mapped
    groups: Mapped = Mapped()
    uid: Mapped = Mapped()
    extra: tuple[tuple[str, str], ...] = ()
    """Keys with their expressions."""
    required: tuple[tuple[str, str], ...] = ()
    """Claims with the values that they must have."""
    claim_rules: tuple[Rule, ...] = ()
    user_rules: tuple[Rule, ...] = ()
    discovery_url: str = ""
    authorities: str = ""
    algorithms: tuple[str, ...] = ALGORITHMS

    @property
    def metadata_url(self) -> str:
        """Where the issuer tells about itself."""
        return self.discovery_url or f"{self.url.removesuffix('/')}/.well-known/openid-configuration"
