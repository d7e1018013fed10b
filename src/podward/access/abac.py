"""The ABAC authorizer: a file with one policy a line.

Specification: Kubernetes, pkg/auth/authorizer/abac and pkg/apis/abac. A line is a Policy of
abac.authorization.kubernetes.io/v1beta1, or the older form without a version. A policy holds for a user, a group or,
as `*`, for all who are authenticated; a readonly one for get, list and watch alone. What no policy matches, ABAC has no
opinion on. Blank lines and those that begin with # are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from podward.access.known_rules import KnownRules
from podward.access.objects import PolicyRule
from podward.api.authorization import Answer, Opinion
from podward.api.caller import AUTHENTICATED
from podward.decision import Origin, Source
from podward.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.authorization import Attributes
    from podward.api.caller import User

_VERSION = "abac.authorization.kubernetes.io/v1beta1"
_READING = frozenset(("get", "list", "watch"))
_UNMATCHED = Answer(message="No policy matched.")
_ADVICE = f'write one object a line: {{"apiVersion":"{_VERSION}","kind":"Policy","spec":{{…}}}}'


class Policy(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The spec of a policy; an empty field matches nothing but what is empty."""

    user: str = ""
    group: str = ""
    readonly: bool = False
    api_group: str = ""
    resource: str = ""
    namespace: str = ""
    non_resource_path: str = ""


class _Line(Struct, frozen=True, rename="camel"):
    """A line of the file in the form with a version."""

    api_version: str = ""
    kind: str = ""
    spec: Policy = Policy()


class Abac:
    """The policies of one file."""

    __slots__ = ("_name", "_policies")

    def __init__(self, text: str, name: str) -> None:
        """Read the file's text. Raises InputError with the line that is no policy."""
        self._name = name
        self._policies = tuple(_policies(text, name))

    def authorize(self, wanted: Attributes) -> Answer:
        """Allowed by the first policy that matches."""
        for line, policy in self._policies:
            if _matches(policy, wanted):
                return Answer(Opinion.ALLOW, Source(Origin.POLICY, self._name, line=line))
        return _UNMATCHED

    def known_rules(self, user: User, namespace: str) -> KnownRules:
        """What the policies that are for the user allow there."""
        return KnownRules(
            tuple(
                rule
                for _, policy in self._policies
                if _is_for(policy, user) and policy.namespace in {"*", namespace}
                for rule in _rules(policy)
            )
        )


def _rules(policy: Policy) -> Iterator[PolicyRule]:
    verbs = ("get", "list", "watch") if policy.readonly else ("*",)
    if policy.resource:
        yield PolicyRule(verbs=verbs, api_groups=(policy.api_group,), resources=(policy.resource,))
    if policy.non_resource_path:
        yield PolicyRule(verbs=verbs, non_resource_urls=(policy.non_resource_path,))


def _policies(text: str, name: str) -> Iterator[tuple[int, Policy]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield number, _policy(line)
        except msgspec.MsgspecError as error:
            raise InputError(
                f"error reading policy file {name}, line {number}: {error}", where=name, advice=_ADVICE
            ) from error


def _policy(line: str) -> Policy:
    read = msgspec.json.decode(line, type=_Line)
    if not read.api_version and not read.kind:
        return _of_the_older_form(msgspec.json.decode(line, type=Policy))
    if read.api_version != _VERSION or read.kind != "Policy":
        raise msgspec.ValidationError(f"no kind {read.kind!r} is registered for version {read.api_version!r}")
    return _for_everybody(read.spec)


def _for_everybody(policy: Policy) -> Policy:
    if "*" in {policy.user, policy.group}:
        return msgspec.structs.replace(policy, user="", group=AUTHENTICATED)
    return policy


def _of_the_older_form(policy: Policy) -> Policy:
    """There, what is left out means all."""
    found = _for_everybody(policy if policy.user or policy.group else msgspec.structs.replace(policy, user="*"))
    return msgspec.structs.replace(
        found,
        namespace=policy.namespace or "*",
        resource=policy.resource or "*",
        api_group="*",
        non_resource_path="" if policy.namespace or policy.resource else "*",
    )


def _matches(policy: Policy, wanted: Attributes) -> bool:
    if not _is_for(policy, wanted.user) or (policy.readonly and wanted.verb not in _READING):
        return False
    if wanted.path:
        known = policy.non_resource_path
        return known in {"*", wanted.path} or (known.endswith("*") and wanted.path.startswith(known.rstrip("*")))
    fields = (
        (policy.namespace, wanted.namespace),
        (policy.resource, wanted.resource),
        (policy.api_group, wanted.group),
    )
    return all(known in {"*", asked} for known, asked in fields)


def _is_for(policy: Policy, user: User) -> bool:
    if not policy.user and not policy.group:
        return False
    return policy.user in {"", user.username} and (not policy.group or policy.group in user.groups)
