"""From the words of `check`, the configuration and the files' own policies to what workloads are held to."""

from __future__ import annotations

import os
from collections.abc import Iterable

from msgspec import Struct

from podward.access.policies import csi_profiles_of, namespaces_of, require_sound
from podward.api.caller import User
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.check.policy_set import UNHELD, PolicySet, SccTerms
from podward.errors import InputError, UsageError
from podward.path import path
from podward.policy.pss.standard import LATEST, Level, Standard, Version, parse_level, parse_version
from podward.schema.objects import Item

_NAME = path("metadata", "name")


class CheckOptions(Struct, frozen=True):
    """What the command line or the configuration asks for; None, or nothing, where neither does."""

    level: str | None = None
    version: str | None = None
    scc: tuple[str, ...] = ()
    namespace: str = "default"
    user: str | None = None
    groups: tuple[str, ...] = ()


def sound(items: Iterable[Item]) -> tuple[tuple[Item, ...], tuple[Finding, ...]]:
    """The policies of the checked files that a cluster would store, each name once, and findings about the others.

    A repository may hold one Namespace for every environment: the first counts.
    """
    kept: dict[tuple[str, str, str], Item] = {}
    findings: list[Finding] = []
    for item in items:
        try:
            require_sound(item)
        except InputError as error:
            findings.append(_finding(item, Severity.ERROR, error.what, error.advice.strip()))
            continue
        earlier = kept.setdefault((item.kind, item.namespace, item.name), item)
        if earlier.raw != item.raw:
            first = earlier.where(_NAME)
            what = f"a second {item.kind} {item.name} says something else: the first one, at {first}, counts here"
            findings.append(
                _finding(item, Severity.WARNING, what, "check directories apart that belong to two clusters")
            )
    return tuple(kept.values()), tuple(findings)


def _finding(item: Item, severity: Severity, what: str, advice: str) -> Finding:
    line = int(item.where(_NAME).rpartition(":")[2])
    about = WorkloadRef(item.kind, item.namespace, item.name)
    return Finding("input/schema", severity, item.document.name, line, 0, item.at + _NAME, about, what, remedy=advice)


def policy_set_of(wishes: CheckOptions, items: Iterable[Item]) -> PolicySet:
    """The policies of a check; `items` are those that the checked files hold.

    `--scc` words are names of SCCs or files with them. With names alone a workload must fit one of these; with files it
    is admitted as a cluster would, by whoever may use what, and the names are granted to everybody.
    Raises InputError for files that are not what they must be, UsageError for a name that no SCC has.
    """
    standard = Standard(_level(wishes), _version(wishes))
    if wishes.scc:
        return _held_to_sccs(wishes, items, standard)
    kept = tuple(items)
    return PolicySet(namespaces_of(kept), standard, None, wishes.namespace, csi_profiles_of(kept))


def _held_to_sccs(wishes: CheckOptions, items: Iterable[Item], standard: Standard) -> PolicySet:
    # What only SCCs need takes longer to import than a small check to run.
    from podward.access.chain import Chain
    from podward.access.identities import creator_of_pods
    from podward.access.named_sccs import NamedSccs
    from podward.cli import policies
    from podward.cli.admitting import caller_named
    from podward.policy.scc import passes

    names = tuple(word for word in wishes.scc if not is_file(word))
    files = tuple(word for word in wishes.scc if is_file(word))
    gathered = policies.gather_items(files, (), items)
    namespaces = {name: source.view for name, source in gathered.namespaces.items()}
    for name in names:
        if gathered.scc(name) is None:
            known = ", ".join(source.name for source in gathered.sccs)
            raise UsageError(f"there is no SCC {name}", where="--scc", advice=f"name a file, or one of {known}")
    ready = passes.prepare(tuple(source.view for source in gathered.sccs))
    granted = NamedSccs(frozenset(names))
    authorizer = Chain(granted, gathered.rbac) if files else granted
    named = caller_named(wishes.user, wishes.groups)

    def caller(kind: str) -> User:
        return creator_of_pods(kind, named)

    return PolicySet(namespaces, standard, SccTerms(ready, authorizer, caller), wishes.namespace, gathered.csi_profiles)


def is_file(word: str) -> bool:
    """Whether a word of `--scc` is a file or a directory, not the name of an SCC."""
    return "/" in word or word.endswith((".yaml", ".yml", ".json")) or os.path.exists(word)


def _level(wishes: CheckOptions) -> Level:
    """`restricted` where nothing is said, unless SCCs are what is asked about."""
    if wishes.level is None:
        return UNHELD.level if wishes.scc else Level.RESTRICTED
    level = parse_level(wishes.level)
    if level is None:
        raise UsageError(f"{wishes.level!r} is no level", where="--level", advice="privileged, baseline or restricted")
    return level


def _version(wishes: CheckOptions) -> Version:
    if wishes.version is None:
        return LATEST
    version = parse_version(wishes.version)
    if version is None:
        raise UsageError(f"{wishes.version!r} is no version", where="--version", advice="latest, or such as v1.30")
    return version
