"""Why somebody may do something, or may not: each authorizer's answer, and the very lines that decided.

The authorizers are asked in their order, and what they answer is what they answer anywhere. Where RBAC has no opinion,
the rules that come closest are told: those of roles that the user has, which cover all but one part of the question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from podward.access.matching import covers
from podward.access.rbac import Granted, Rbac
from podward.access.superuser import Superuser
from podward.api.access_explanation import AuthorizerAnswer, Cited
from podward.api.authorization import Answer, Opinion
from podward.api.caller import MASTERS, account_username
from podward.path import path
from podward.render.next_command import shell_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from podward.access.aggregation import Rule
    from podward.access.objects import BindingObject, PolicyRule, RbacObject
    from podward.api.authorization import Attributes, Authorizer
    from podward.path import Path

NOT_ASKED = "not asked"
_NAME = "NAME"
_MOST_NEAR = 5
_SUBJECTS = path("subjects")


def answers(authorizers: Sequence[tuple[str, Authorizer]], wanted: Attributes) -> tuple[AuthorizerAnswer, ...]:
    """What each authorizer says, in their order; `system:masters` is asked about first."""
    found: list[AuthorizerAnswer] = []
    decided = False
    for name, authorizer in ((f"group {MASTERS}", Superuser()), *authorizers):
        if decided:
            found.append(AuthorizerAnswer(name, NOT_ASKED))
            continue
        answer = authorizer.authorize(wanted)
        decided = answer.opinion is not Opinion.NO_OPINION
        near = tuple(_near(authorizer, wanted)) if isinstance(authorizer, Rbac) and not decided else ()
        found.append(AuthorizerAnswer(name, answer.opinion.value, answer.reason, _cited(answer), near))
    return tuple(found)


def decision(found: Iterable[AuthorizerAnswer]) -> tuple[bool, str]:
    """Whether it is allowed, and which authorizer decided; none did where that is empty."""
    for each in found:
        if each.opinion in {Opinion.ALLOW.value, Opinion.DENY.value}:
            return each.opinion == Opinion.ALLOW.value, each.authorizer
    return False, ""


def described(wanted: Attributes) -> str:
    """What is asked, in words."""
    if wanted.path:
        return f"{wanted.verb} {wanted.path}"
    resource = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    part = f"/{wanted.subresource}" if wanted.subresource else ""
    name = f" {wanted.name}" if wanted.name else ""
    where = f" in namespace {wanted.namespace}" if wanted.namespace else " in the whole cluster"
    return f"{wanted.verb} {resource}{part}{name}{where}"


def remedy(wanted: Attributes) -> tuple[str, ...]:
    """The commands that would allow it, and nothing else, as a shell takes them, whatever the names are.

    None where kubectl would take a verb, a resource or a path for several, as they have a comma.
    """
    if any("," in each for each in (wanted.verb, wanted.resource, wanted.group, wanted.subresource, wanted.path)):
        return ()
    made, local = ["kubectl", "create"], bool(wanted.namespace) and not wanted.path
    where = ["-n", wanted.namespace] if local else []
    verb = f"--verb={wanted.verb}"
    if wanted.path:
        first = [*made, "clusterrole", _NAME, verb, f"--non-resource-url={wanted.path}"]
    else:
        resource = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
        part = f"/{wanted.subresource}" if wanted.subresource else ""
        one = [f"--resource-name={wanted.name}"] if wanted.name and wanted.verb != "create" else []
        kind = "role" if local else "clusterrole"
        first = [*made, kind, _NAME, *where, verb, f"--resource={resource}{part}", *one]
    binding = ["rolebinding", _NAME, *where, f"--role={_NAME}"]
    if not local:
        binding = ["clusterrolebinding", _NAME, f"--clusterrole={_NAME}"]
    second = [*made, *binding, _subject_word(wanted.user.username)]
    return " ".join(map(shell_word, first)), " ".join(map(shell_word, second))


def _subject_word(username: str) -> str:
    parts = username.split(":")
    if len(parts) == 4 and username == account_username(parts[2], parts[3]):
        return f"--serviceaccount={parts[2]}:{parts[3]}"
    return f"--user={username}"


def _cited(answer: Answer) -> tuple[Cited, ...]:
    if isinstance(answer, Granted):
        binding, rule = answer.binding, answer.rule
        subject = (binding.view.subjects or ())[answer.subject]
        who = f"{subject.kind} {subject.name or ''}"
        ref = binding.view.role_ref
        through = "" if ref.name == rule.role.name else f", collected by {ref.kind} {ref.name}"
        return (
            Cited(f"{_named(binding)}, subject {who}", _where(binding, _SUBJECTS / answer.subject)),
            Cited(f"{_named(rule.role)}, rule {rule.index + 1}{through}: {words(rule.policy)}", _where_of_rule(rule)),
        )
    source = answer.source
    return () if source is None else (Cited(str(source)),)


def _near(rbac: Rbac, wanted: Attributes) -> Iterator[Cited]:
    """The rules that the user has, and that fail in one thing alone; each once."""
    seen: set[str] = set()
    for binding, rules in rbac.grants():
        if (binding.namespace and binding.namespace != wanted.namespace) or not _holds(binding, wanted):
            continue
        for rule in rules:
            lacking = lacks(rule.policy, wanted)
            if not lacking:
                continue
            what = f"{_named(rule.role)}, rule {rule.index + 1}, by {_named(binding)}: {words(rule.policy)}: {lacking}"
            if what not in seen and len(seen) < _MOST_NEAR:
                seen.add(what)
                yield Cited(what, _where_of_rule(rule))


def lacks(rule: PolicyRule, wanted: Attributes) -> str:
    """The one thing for which a rule does not cover the question; empty where it is more than one, or none."""
    if covers(rule, wanted):
        return ""
    if wanted.subresource and covers(rule, structs.replace(wanted, subresource="")):
        return f"not the subresource {wanted.subresource}"
    changed = {
        f"not the verb {wanted.verb}": structs.replace(rule, verbs=("*",)),
        f"not the group {wanted.group or 'core'}": structs.replace(rule, api_groups=("*",)),
        "not this name": structs.replace(rule, resource_names=None),
    }
    return next((why for why, other in changed.items() if covers(other, wanted)), "")


def words(rule: PolicyRule) -> str:
    """A rule in words."""
    verbs = " ".join(rule.verbs or ()) or "nothing"
    if rule.non_resource_urls:
        return f"{verbs} on {' '.join(rule.non_resource_urls)}"
    groups = " ".join(group or "core" for group in rule.api_groups or ())
    names = f" named {' '.join(rule.resource_names)}" if rule.resource_names else ""
    return f"{verbs} on {' '.join(rule.resources or ())} of {groups}{names}"


def _holds(binding: BindingObject, wanted: Attributes) -> bool:
    user = wanted.user
    for subject in binding.view.subjects or ():
        name = subject.name or ""
        if subject.kind == "Group" and name in user.groups:
            return True
        if subject.kind == "User" and name == user.username:
            return True
        namespace = subject.namespace or binding.namespace
        if subject.kind == "ServiceAccount" and account_username(namespace, name) == user.username:
            return True
    return False


def _named(found: RbacObject) -> str:
    return f"{found.kind} {found.namespace}/{found.name}" if found.namespace else f"{found.kind} {found.name}"


def _where_of_rule(rule: Rule) -> str:
    return _where(rule.role, path("rules", rule.index))


def _where(found: RbacObject, place: Path) -> str:
    """File and line; of what no file has, that it is a default one or the server's is told by nothing."""
    return "" if found.item is None else found.item.where(place)
