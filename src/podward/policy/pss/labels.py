"""A namespace's labels: which standards it enforces, audits and warns about.

Specification (k8s.io/pod-security-admission, api/helpers.go `PolicyToEvaluate` and admission/api, in our words):
- `pod-security.kubernetes.io/MODE` is a level, `…/MODE-version` a version, for the modes enforce, audit and warn. What
  no label says is the cluster's default, and that is privileged and latest unless it is configured otherwise.
- A version that does not parse counts as latest. A level that does not parse counts as restricted for enforce, but as
  privileged for audit and warn. Each is an error, in the order enforce, audit, warn, level before version.
- Without a warn label, warn follows a valid enforce label that is stricter than the default, with its version unless
  there is a warn-version label.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.version import POD_SECURITY
from podward.decision import Origin, Source, Violation
from podward.errors import InputError
from podward.path import Key, path
from podward.policy.pss.standard import (
    LATEST,
    LEVEL_RULE,
    STRICTNESS,
    VERSION_RULE,
    Level,
    Standard,
    Version,
    parse_level,
    parse_version,
)

PREFIX = "pod-security.kubernetes.io/"
"""Of the labels, and of the audit annotations that an API server writes."""
ENFORCE = PREFIX + "enforce"
AUDIT = PREFIX + "audit"
WARN = PREFIX + "warn"
_LABELS = path("metadata", "labels")
_REMEMBERED = 256
"""For so many different sets of labels what they ask is remembered."""
_RULE = Source(Origin.RULE, f"Pod Security admission {POD_SECURITY} labels")
_PRIVILEGED = Standard(Level.PRIVILEGED)


class Policy(Struct, frozen=True):
    """The standards of a namespace, or of a cluster where a namespace says nothing."""

    enforce: Standard = _PRIVILEGED
    audit: Standard = _PRIVILEGED
    warn: Standard = _PRIVILEGED

    @property
    def fully_privileged(self) -> bool:
        """Whether no mode forbids anything."""
        return self.enforce.level is self.audit.level is self.warn.level is Level.PRIVILEGED


class Exemptions(Struct, frozen=True):
    """Who is not looked at: users by name, namespaces, Pods by their runtime class."""

    usernames: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    runtime_classes: frozenset[str] = frozenset()


class Configuration(Struct, frozen=True):
    """The cluster's PodSecurityConfiguration."""

    defaults: Policy = Policy()
    exemptions: Exemptions = Exemptions()


_RESTRICTED = Standard(Level.RESTRICTED)
OPENSHIFTS = Configuration(
    Policy(_PRIVILEGED, _RESTRICTED, _RESTRICTED),
    Exemptions(frozenset(("system:serviceaccount:openshift-infra:build-controller",))),
)
"""OpenShift's own: where no label says anything, nothing is enforced, and `restricted` is warned about and audited."""


class LabelledPolicy(Struct, frozen=True):
    """A namespace's policy, and its labels that did not parse: the policy holds all the same."""

    policy: Policy
    errors: tuple[Violation, ...] = ()


class _Reader:
    """Labels being read; errors add up."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.labels = labels
        self.errors: list[Violation] = []

    def level(self, label: str, default: Level, otherwise: Level) -> tuple[Level, bool]:
        """The level of this label, and whether it is there and valid."""
        if label not in self.labels:
            return default, False
        text = self.labels[label]
        level = parse_level(text)
        if level is None:
            self._error(label, text, LEVEL_RULE)
            return otherwise, False
        return level, True

    def version(self, label: str, default: Version) -> Version:
        """The version of this label."""
        if label not in self.labels:
            return default
        text = self.labels[label]
        version = parse_version(text)
        if version is None:
            self._error(label, text, VERSION_RULE)
            return LATEST
        return version

    def _error(self, label: str, text: str, rule: str) -> None:
        self.errors.append(Violation(_LABELS / Key(label), text, f"Invalid value: {quote(text)}: {rule}", _RULE))


def policy_of(labels: Mapping[str, str | None] | None, defaults: Policy | None = None) -> LabelledPolicy:
    """The policy of a namespace with these labels."""
    default = defaults or Policy()
    written = tuple([(name, text or "") for name, text in labels.items() if name.startswith(PREFIX)]) if labels else ()
    return _policy_of(written, default) if written else LabelledPolicy(default)


def policy_unless_labelled(labels: Mapping[str, str | None] | None, enforced: Standard) -> LabelledPolicy:
    """The policy of a namespace with these labels where `enforced` is enforced unless a label says what is."""
    return policy_of(labels, None if labels and ENFORCE in labels else Policy(enforce=enforced))


@lru_cache(_REMEMBERED)
def _policy_of(written: tuple[tuple[str, str], ...], default: Policy) -> LabelledPolicy:
    """The same, of the labels that are Pod Security's; most namespaces of a cluster have the same ones."""
    labels = dict(written)
    reader = _Reader(labels)
    enforce_level, said = reader.level(ENFORCE, default.enforce.level, Level.RESTRICTED)
    enforce = Standard(enforce_level, reader.version(f"{ENFORCE}-version", default.enforce.version))
    audit_level, _ = reader.level(AUDIT, default.audit.level, Level.PRIVILEGED)
    audit = Standard(audit_level, reader.version(f"{AUDIT}-version", default.audit.version))
    warn_level, _ = reader.level(WARN, default.warn.level, Level.PRIVILEGED)
    warn = Standard(warn_level, reader.version(f"{WARN}-version", default.warn.version))
    if said and WARN not in labels and STRICTNESS[enforce.level] > STRICTNESS[warn.level]:
        warn = Standard(enforce.level, warn.version if f"{WARN}-version" in labels else enforce.version)
    return LabelledPolicy(Policy(enforce, audit, warn), tuple(reader.errors))


def cluster_policy(defaults: Mapping[str, str]) -> Policy:
    """The cluster's policy from the `defaults` of a PodSecurityConfiguration: what is unset or empty is open.

    Raises InputError where a level or a version is none.
    """

    def mode(name: str) -> Standard:
        level_text, version_text = defaults.get(name) or "privileged", defaults.get(f"{name}-version") or "latest"
        level, version = parse_level(level_text), parse_version(version_text)
        if level is None:
            raise InputError(f"{quote(level_text)} {LEVEL_RULE}", where=f"defaults.{name}")
        if version is None:
            raise InputError(f"{quote(version_text)} {VERSION_RULE}", where=f"defaults.{name}-version")
        return Standard(level, version)

    return Policy(mode("enforce"), mode("audit"), mode("warn"))


def errors_text(errors: tuple[Violation, ...]) -> str:
    """Several errors as the API server prints them: one as it is, more in brackets, each once."""
    texts = list(dict.fromkeys(f"{error.path}: {error.reason}" for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
