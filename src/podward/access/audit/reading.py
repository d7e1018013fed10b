"""Audit policies from files, strictly: what is odd about one would leave out what somebody wants to be told.

Specification: Kubernetes, k8s.io/apiserver, pkg/apis/audit/validation and pkg/audit/policy/reader.go. The real server
reads over fields that it does not know; here they are refused, for a rule whose list has a misspelt name matches
everything.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from podward.access.audit.policy import LEVELS, STAGES, GroupResources, Policy, Rule
from podward.api.gotext import quote
from podward.errors import InputError
from podward.path import Path, path
from podward.schema.configuration import Expected, the_document, typed
from podward.schema.validation.names import subdomain_faults

_VERSION, _KIND = "audit.k8s.io/v1", "Policy"
_ADVICE = f"an audit policy is one document with apiVersion: {_VERSION}, kind: {_KIND} and a list of rules"
Fault = tuple[Path, str]


class _Rule(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A rule as it is written."""

    level: str | None = ""
    users: tuple[str, ...] | None = ()
    user_groups: tuple[str, ...] | None = ()
    verbs: tuple[str, ...] | None = ()
    resources: tuple[GroupResources, ...] | None = ()
    namespaces: tuple[str, ...] | None = ()
    non_resource_urls: tuple[str, ...] | None = msgspec.field(default=(), name="nonResourceURLs")
    omit_stages: tuple[str, ...] | None = ()
    omit_managed_fields: bool | None = None


class _Policy(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A policy as it is written."""

    api_version: str = ""
    kind: str = ""
    metadata: dict[str, object] | None = None
    rules: tuple[_Rule, ...] | None = ()
    omit_stages: tuple[str, ...] | None = ()
    omit_managed_fields: bool | None = None


def read(text: bytes, name: str) -> Policy:
    """The policy in the file of this name. Raises InputError with the line of what is wrong."""
    document = the_document(text, name, Expected("an audit policy", _KIND, (_VERSION,), _ADVICE))
    written = typed(document, _Policy, _ADVICE)
    for at, fault in _faults(written):
        raise InputError(f"{at}: {fault}", where=document.where(at), advice=_ADVICE)
    return Policy(tuple(_rule(each, written) for each in written.rules or ()))


def _rule(rule: _Rule, policy: _Policy) -> Rule:
    own = rule.omit_managed_fields
    return Rule(
        LEVELS[rule.level or ""],
        frozenset(rule.users or ()),
        frozenset(rule.user_groups or ()),
        frozenset(rule.verbs or ()),
        rule.resources or (),
        frozenset(rule.namespaces or ()),
        rule.non_resource_urls or (),
        frozenset((*(rule.omit_stages or ()), *(policy.omit_stages or ()))),
        bool(policy.omit_managed_fields) if own is None else own,
    )


def _faults(policy: _Policy) -> Iterator[Fault]:
    """What is wrong, in the order of the real server."""
    yield from _stage_faults(policy.omit_stages, path("omitStages"))
    rules = policy.rules or ()
    for index, rule in enumerate(rules):
        yield from _rule_faults(rule, path("rules", index))
    if not rules:
        yield path("rules"), "Required value: a policy without rules tells nothing"


def _rule_faults(rule: _Rule, at: Path) -> Iterator[Fault]:
    if not rule.level:
        yield at / "level", "Required value"
    elif rule.level not in LEVELS:
        known = ", ".join(map(quote, LEVELS))
        yield at / "level", f"Unsupported value: {quote(rule.level)}: supported values: {known}"
    urls = rule.non_resource_urls or ()
    for index, url in enumerate(urls):
        yield from _url_faults(url, at / "nonResourceURLs" / index)
    for index, group in enumerate(rule.resources or ()):
        yield from _group_faults(group, at / "resources" / index)
    yield from _stage_faults(rule.omit_stages, at / "omitStages")
    if urls and (rule.resources or rule.namespaces):
        why = "rules cannot apply to both regular resources and non-resource URLs"
        yield at / "nonResourceURLs", f"Invalid value: {why}"


def _url_faults(url: str, at: Path) -> Iterator[Fault]:
    if url == "*":
        return
    if not url.startswith("/"):
        yield at, f"Invalid value: {quote(url)}: non-resource URL rules must begin with a '/' character"
    if "*" in url[:-1]:
        why = "non-resource URL wildcards '*' must be the final character of the rule"
        yield at, f"Invalid value: {quote(url)}: {why}"


def _group_faults(group: GroupResources, at: Path) -> Iterator[Fault]:
    name = group.group or ""
    faults = subdomain_faults(name) if name not in {"", "*"} else ()
    if faults:
        yield at / "group", f"Invalid value: {quote(name)}: {','.join(faults)}"
    if group.resource_names and not group.resources:
        yield at / "resourceNames", "Invalid value: using resourceNames requires at least one resource"


def _stage_faults(stages: tuple[str, ...] | None, at: Path) -> Iterator[Fault]:
    for index, stage in enumerate(stages or ()):
        if stage not in STAGES:
            yield at / index, f"Invalid value: {quote(stage)}: allowed stages are {','.join(STAGES)}"
