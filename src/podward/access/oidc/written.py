"""An AuthenticationConfiguration as it is written: its fields, and no others.

Specification: Kubernetes, k8s.io/apiserver, pkg/apis/apiserver (v1, v1beta1, v1alpha1), which have the same.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class WrittenIssuer(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`issuer` as it is written."""

    url: str | None = ""
    discovery_url: str | None = msgspec.field(default=None, name="discoveryURL")
    certificate_authority: str | None = ""
    audiences: tuple[str, ...] | None = ()
    audience_match_policy: str | None = ""
    egress_selector_type: str | None = ""


class WrittenRule(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A rule about claims as it is written."""

    claim: str | None = ""
    required_value: str | None = ""
    expression: str | None = ""
    message: str | None = ""


class WrittenUserRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule about the user as it is written."""

    expression: str | None = ""
    message: str | None = ""


class WrittenMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a name or groups come from, as it is written."""

    claim: str | None = ""
    prefix: str | None = None
    expression: str | None = ""


class WrittenUid(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the uid comes from, as it is written."""

    claim: str | None = ""
    expression: str | None = ""


class WrittenExtra(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Where a part of `extra` comes from, as it is written."""

    key: str | None = ""
    value_expression: str | None = ""


class WrittenMappings(Struct, frozen=True, forbid_unknown_fields=True):
    """`claimMappings` as it is written."""

    username: WrittenMapping = WrittenMapping()
    groups: WrittenMapping = WrittenMapping()
    uid: WrittenUid = WrittenUid()
    extra: tuple[WrittenExtra, ...] | None = ()


class WrittenAuthenticator(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One of `jwt` as it is written."""

    issuer: WrittenIssuer = WrittenIssuer()
    claim_validation_rules: tuple[WrittenRule, ...] | None = ()
    claim_mappings: WrittenMappings = WrittenMappings()
    user_validation_rules: tuple[WrittenUserRule, ...] | None = ()


class WrittenCondition(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition of anonymous requests as it is written."""

    path: str | None = ""


class WrittenAnonymous(Struct, frozen=True, forbid_unknown_fields=True):
    """`anonymous` as it is written."""

    enabled: bool | None = False
    conditions: tuple[WrittenCondition, ...] | None = ()


class Written(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A configuration as it is written."""

    api_version: str = ""
    kind: str = ""
    jwt: tuple[WrittenAuthenticator, ...] | None = ()
    anonymous: WrittenAnonymous | None = None
