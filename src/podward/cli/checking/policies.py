"""From the words of `check`, the configuration and the files' own policies to what workloads are held to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.policies import (
    LABELS_ADVICE,
    csi_profiles_of,
    each_once,
    label_faults,
    namespaces_of,
    policies_of,
    require_labels,
    require_sound,
)
from podward.api.caller import User
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.check.policy_set import UNHELD, PolicySet, SccTerms
from podward.cli import inputs
from podward.cli.checking import files
from podward.errors import InputError, UsageError
from podward.path import Path, path
from podward.policy.pss.standard import LATEST, Level, Standard, Version, parse_level, parse_version
from podward.schema.objects import Item
from podward.schema.pod_kinds import PodKind

if TYPE_CHECKING:  # most checks ask about no SCC
    from podward.access.rbac import Rbac

_NAME = path("metadata", "name")


class CheckOptions(Struct, frozen=True):
    """What the command line or the configuration asks for; None, or nothing, where neither does.

    `pod_kinds` are the configuration's rows about custom resources, `patches` the files that kustomize takes for such.
    """

    level: str | None = None
    version: str | None = None
    scc: tuple[str, ...] = ()
    namespace: str = "default"
    user: str | None = None
    groups: tuple[str, ...] = ()
    policy_from: tuple[str, ...] = ()
    pod_kinds: tuple[PodKind, ...] = ()
    patches: tuple[str, ...] = ()


class HeldTo(Struct, frozen=True):
    """What workloads are held to, and the findings about the policies of the checked files."""

    policy_set: PolicySet
    findings: tuple[Finding, ...]


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
        findings += [
            _finding(item, Severity.ERROR, f"{fault.path}: {fault.reason}", LABELS_ADVICE, fault.path)
            for fault in label_faults(item)
        ]
        earlier = kept.setdefault((item.kind, item.namespace, item.name), item)
        if earlier.raw != item.raw:
            first = earlier.where(_NAME)
            what = f"a second {item.kind} {item.name} says something else: the first one, at {first}, counts here"
            findings.append(
                _finding(item, Severity.WARNING, what, "check directories apart that belong to two clusters")
            )
    return tuple(kept.values()), tuple(findings)


def _finding(item: Item, severity: Severity, what: str, advice: str, place: Path = _NAME) -> Finding:
    line = int(item.where(place).rpartition(":")[2])
    about = WorkloadRef(item.kind, item.namespace, item.name)
    return Finding("input/schema", severity, item.document.name, line, 0, item.at + place, about, what, remedy=advice)


def given_policies(names: Iterable[str]) -> tuple[Item, ...]:
    """The policies of the files and directories of `--policy-from`.

    Raises InputError if one cannot be read or has no policy, for a policy that a cluster would not store, and for two
    different ones of one name: what was meant to hold must not be lost.
    """
    found: list[Item] = []
    for name in names:
        mine = policies_at(name)
        if not mine:
            advice = "SCCs, Namespaces, ServiceAccounts, Roles and bindings are policies"
            raise InputError("there is no policy in it", where=f"--policy-from {name}", advice=advice)
        found += mine
    for item in found:
        require_sound(item)
        require_labels(item)
    return tuple(each_once(found))


def policies_at(name: str) -> tuple[Item, ...]:
    """The policies of a file, or of a directory with all below it; other objects are passed over."""
    names = files.listed((name,), ())
    return tuple(item for each in inputs.documents(list(names)) for item in policies_of(each)) if names else ()


def held_to(wishes: CheckOptions, found: Iterable[Item], given: tuple[Item, ...]) -> HeldTo:
    """The policies of a check: those of `--policy-from` if it is used (`given`), else those `found` in its files.

    Raises what `policy_set_of` raises.
    """
    items, faults = sound(found)
    if wishes.policy_from:
        return HeldTo(policy_set_of(wishes, given), (*faults, *_left_out(items, given)))
    if not wishes.scc:
        policy_set = policy_set_of(wishes, items)
        return HeldTo(policy_set, (*faults, *_lowered(items, policy_set)))
    held = _held_to_sccs(wishes, items)
    return HeldTo(held.policy_set, (*faults, *_lowered(items, held.policy_set), *_lowered_for_sccs(items, held)))


def _left_out(items: tuple[Item, ...], given: tuple[Item, ...]) -> Iterator[Finding]:
    if items:
        from podward.check import lowering  # most checks find no policies

        yield from lowering.left_out(items, given)


def _lowered(items: tuple[Item, ...], policy_set: PolicySet) -> Iterator[Finding]:
    if items:
        from podward.check import lowering

        yield from lowering.namespaces(items, policy_set.standard)


def _lowered_for_sccs(items: tuple[Item, ...], held: _HeldToSccs) -> Iterator[Finding]:
    if not items:
        return
    from podward.access.scc_grants import scc_grants
    from podward.check import lowering
    from podward.policy.scc import default_set

    yield from lowering.sccs(items, held.named, frozenset(default_set.NAMES))
    if held.rbac is not None:
        found = scc_grants(held.rbac, lowering.beside(items, held.named), held.sccs)
        yield from (lowering.grant(each.item, each.sccs) for each in found)


def policy_set_of(wishes: CheckOptions, items: Iterable[Item]) -> PolicySet:
    """The policies of a check; `items` are those that the checked files hold.

    `--scc` words are names of SCCs or files with them. With names alone a workload must fit one of these; with files it
    is admitted as a cluster would, by whoever may use what, and the names are granted to everybody. So it is if
    `--policy-from` says who may use what.
    Raises InputError for files that are not what they must be, UsageError for a name that no SCC has.
    """
    if wishes.scc:
        return _held_to_sccs(wishes, items).policy_set
    kept = tuple(items)
    return PolicySet(namespaces_of(kept), _standard(wishes), None, wishes.namespace, csi_profiles_of(kept))


class _HeldToSccs(Struct, frozen=True):
    """The policies of a check that asks about SCCs.

    `sccs` are the names of all SCCs, `named` the policies in the files of `--scc`, and `rbac` the roles and bindings if
    these count.
    """

    policy_set: PolicySet
    sccs: tuple[str, ...]
    named: tuple[Item, ...]
    rbac: Rbac | None


def _held_to_sccs(wishes: CheckOptions, items: Iterable[Item]) -> _HeldToSccs:
    # What only SCCs need takes longer to import than a small check to run.
    from podward.access.chain import Chain
    from podward.access.identities import creator_of_pods
    from podward.access.named_sccs import NamedSccs
    from podward.cli import policies
    from podward.cli.cluster_options import caller_named
    from podward.policy.scc import passes

    names = tuple(word for word in wishes.scc if not is_file(word))
    named = policies.scc_items(filter(is_file, wishes.scc))
    gathered = policies.gather_items((), (), (*named, *items))
    namespaces = {name: source.view for name, source in gathered.namespaces.items()}
    for name in names:
        if gathered.scc(name) is None:
            known = ", ".join(source.name for source in gathered.sccs)
            raise UsageError(f"there is no SCC {name}", where="--scc", advice=f"name a file, or one of {known}")
    ready = passes.prepare(tuple(source.view for source in gathered.sccs))
    granted = NamedSccs(frozenset(names))
    rbac = gathered.rbac if named or wishes.policy_from else None
    authorizer = Chain(granted, rbac) if rbac is not None else granted
    user = caller_named(wishes.user, wishes.groups)

    def caller(kind: str) -> User:
        return creator_of_pods(kind, user)

    described = frozenset(namespaces) if wishes.policy_from else None
    terms = SccTerms(ready, authorizer, caller, described)
    policy_set = PolicySet(namespaces, _standard(wishes), terms, wishes.namespace, gathered.csi_profiles)
    return _HeldToSccs(policy_set, tuple(source.name for source in gathered.sccs), tuple(named), rbac)


def is_file(word: str) -> bool:
    """Whether a word of `--scc` is a file or a directory, not the name of an SCC."""
    return "/" in word or word.endswith((".yaml", ".yml", ".json")) or os.path.exists(word)


def _standard(wishes: CheckOptions) -> Standard:
    return Standard(_level(wishes), _version(wishes))


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
