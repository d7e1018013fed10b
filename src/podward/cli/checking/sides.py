"""One side of `--compare`: a word, or files with policies, made into what workloads are held to.

A word is `openshift` (the default SCCs, and who may use them), a Pod Security Standard with or without a version, an
SCC's name (`scc:restricted` where a standard has the same one), or else a file or directory. Policies of the checked
files hold on both sides; a side's own of the same name takes the place of theirs. Files are about SCCs where either
side, or what is checked, says anything about them: an SCC, the right to use one, or a namespace's ranges.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from msgspec import Struct

from podward.access.chain import Chain
from podward.access.identities import creator_of_pods
from podward.access.named_sccs import NamedSccs
from podward.access.policies import PolicyDocuments, policies_of
from podward.access.rbac import Granted, Rbac
from podward.api.caller import User
from podward.check.policy_set import UNHELD, PolicySet, SccTerms
from podward.check.scc_changes import Side, Sides
from podward.cli import inputs, policies
from podward.cli.checking import files as listing
from podward.cli.checking.files import STDIN
from podward.cli.checking.policies import CheckOptions
from podward.cli.cluster_options import caller_named
from podward.decision import Source
from podward.errors import InputError, UsageError
from podward.path import Path, path
from podward.policy.pss.standard import LATEST, Level, Standard, parse_level, parse_version
from podward.policy.scc import default_set, passes
from podward.policy.scc.access import use_of
from podward.policy.scc.documents import is_about_sccs
from podward.schema.objects import Item, objects_of

OPENSHIFT = "openshift"
_SCC_PREFIX = "scc:"
_ADVICE = "SCCs, Namespaces, ServiceAccounts, Roles and bindings are policies"


class Asked(Struct, frozen=True):
    """What a word asks for: a standard, an SCC's name, OpenShift's set, or the policies of files."""

    word: str
    standard: Standard | None = None
    scc: str = ""
    items: tuple[Item, ...] | None = None

    @property
    def about_sccs(self) -> bool:
        """Whether SCCs are part of it."""
        return bool(self.scc) or self.word == OPENSHIFT or any(map(is_about_sccs, self.items or ()))


def asked(word: str) -> Asked:
    """What the word means. Raises InputError for files that hold no policy, UsageError for a level's wrong version."""
    if word == OPENSHIFT:
        return Asked(word)
    level, colon, version = word.partition(":")
    known = parse_level(level)
    if known is not None:
        return Asked(word, standard=_standard(word, known, version if colon else "latest"))
    if word.startswith(_SCC_PREFIX):
        return Asked(word, scc=word.removeprefix(_SCC_PREFIX))
    if word == STDIN or "/" in word or word.endswith(inputs.EXTENSIONS) or os.path.exists(word):
        return Asked(word, items=_items(word))
    return Asked(word, scc=word)


def sides(old: Asked, new: Asked, found: tuple[Item, ...], wishes: CheckOptions) -> Sides:
    """Both sides; `found` are the policies of the checked files. Raises UsageError for an SCC that nobody knows."""
    about_sccs = any((old.about_sccs, new.about_sccs, bool(wishes.scc), *map(is_about_sccs, found)))
    first, second = (_side(side, found, wishes, about_sccs) for side in (old, new))
    return Sides(first, second, _same_sccs(first, second, _sccs_of(old, found) == _sccs_of(new, found)))


def _same_sccs(old: Side, new: Side, same_objects: bool) -> bool:  # noqa: FBT001  # a fact about both sides
    if old.policies.scc is None or new.policies.scc is None:
        return old.policies.scc is new.policies.scc
    return same_objects


def _sccs_of(side: Asked, found: tuple[Item, ...]) -> tuple[object, ...]:
    """All that decides about SCCs and may differ between sides: the word's kind and the objects, in any order."""
    objects = {item.identity: item.raw for item in _both(side, found) if item.kind != "Namespace"}
    return side.items is None, side.scc, objects


def _both(side: Asked, found: tuple[Item, ...]) -> tuple[Item, ...]:
    """The side's own policies, and those of the checked files that it has none of the same kind and name for."""
    own = side.items or ()
    mine = {item.identity for item in own}
    return (*own, *(item for item in found if item.identity not in mine))


def _side(side: Asked, found: tuple[Item, ...], wishes: CheckOptions, about_sccs: bool) -> Side:  # noqa: FBT001  # a fact about both sides
    from_files = side.items is not None
    extra = tuple(word for word in wishes.scc if os.path.exists(word)) if from_files else ()
    gathered = policies.gather_items(extra, (), _both(side, found))
    named = frozenset(word for word in wishes.scc if word not in extra) if from_files else frozenset((side.scc,))
    _require_known(named - {""}, gathered, side.word)
    terms = None
    if side.standard is None and (about_sccs or not from_files):
        terms = _terms(side, gathered, named - {""}, wishes)
    namespaces = {name: source.view for name, source in gathered.namespaces.items()}
    held = PolicySet(
        namespaces, side.standard or _fallback(side, wishes), terms, wishes.namespace, gathered.csi_profiles
    )
    return Side(side.word, held, _places(gathered), _whose(gathered.rbac, named), namespaces)


def _terms(side: Asked, gathered: PolicyDocuments, named: frozenset[str], wishes: CheckOptions) -> SccTerms:
    ready = passes.prepare(tuple(source.view for source in gathered.sccs))
    granted = NamedSccs(named)
    authorizer = granted if side.scc else Chain(granted, gathered.rbac)
    user = caller_named(wishes.user, wishes.groups)

    def caller(kind: str) -> User:
        return creator_of_pods(kind, user)

    return SccTerms(ready, authorizer, caller)


def _fallback(side: Asked, wishes: CheckOptions) -> Standard:
    """What holds where neither the word nor a namespace says: nothing, as on a cluster that nobody configured."""
    if side.items is None or wishes.level is None:
        return UNHELD
    return _standard(f"{wishes.level}:{wishes.version or 'latest'}", Level(wishes.level), wishes.version or "latest")


def _standard(word: str, level: Level, version: str) -> Standard:
    found = parse_version(version)
    if found is None:
        advice = f"write {level}:{LATEST}, or a version such as {level}:v1.30"
        raise UsageError(f"{version!r} is no version", where=f"--compare {word}", advice=advice)
    return Standard(level, found)


def _require_known(names: Iterable[str], gathered: PolicyDocuments, word: str) -> None:
    for name in sorted(names):
        if gathered.scc(name) is None:
            known = ", ".join(source.name for source in gathered.sccs)
            raise UsageError(
                f"there is no file, no directory, no Pod Security Standard and no SCC {name!r}",
                where=f"--compare {word}",
                advice=f"name a file, {OPENSHIFT}, a level such as baseline:v1.30, or one of {known}",
            )


def _items(word: str) -> tuple[Item, ...]:
    """The policies of a file, of a directory with all below it, or of standard input."""
    directory = os.path.isdir(word)
    names = listing.listed((word,), ())
    found: list[Item] = []
    held: list[str] = []
    for document in inputs.documents(list(names), _ADVICE) if names else ():
        mine = policies_of(document)
        found += mine
        others = [item for item in objects_of(document) if item.at not in {kept.at for kept in mine}]
        if others and not directory:
            what = f"a {others[0].kind} of {others[0].api_version} is no policy"
            raise InputError(what, where=others[0].where(path("kind")), advice=_ADVICE)
        held += [item.kind for item in others]
    if not found:
        only = f", only {', '.join(dict.fromkeys(held))}" if held else ": no .yaml, .yml or .json file" * (not names)
        raise InputError(f"there is no policy in it{only}", where=word, advice=_ADVICE)
    return tuple(found)


def _places(gathered: PolicyDocuments) -> Callable[[Source], str]:
    """Where policies are written, by the names that sources have."""
    items = {f"scc {source.name}": source.item for source in gathered.sccs if source.name in gathered.own}
    items |= {f"namespace {name}": source.item for name, source in gathered.namespaces.items()}

    def where(source: Source) -> str:
        item = items.get(source.name)
        if item is not None:
            return item.where(source.path or Path()) if _written(item, source.path) else ""
        if source.line is not None and source.name not in {default_set.RBAC_NAME, default_set.SCCS_NAME}:
            return f"{source.name}:{source.line}"
        return ""

    return where


def _written(item: Item, place: Path | None) -> bool:
    """Whether a label or annotation is really there: others have a closest place around them."""
    node: object = item.raw
    for step in (place or Path()).segments[:-1]:
        node = node.get(str(step)) if isinstance(node, dict) else None
    last = (place or Path()).segments[-1:]
    return (
        item.kind != "Namespace" or not last or (isinstance(node, dict) and getattr(last[0], "name", last[0]) in node)
    )


def _whose(rbac: Rbac, named: frozenset[str]) -> Callable[[User, str, str], str]:
    """What allows a user to use an SCC, in words."""

    def who(user: User, scc: str, namespace: str) -> str:
        if scc in named:
            return "it was named, so everybody may"
        answer = rbac.authorize(use_of(scc, user, namespace))
        if isinstance(answer, Granted):
            binding = answer.binding
            subject = (binding.view.subjects or ())[answer.subject]
            return f"{binding.kind} {binding.name} grants it to {subject.kind} {subject.name}"
        return answer.reason or user.username

    return who
