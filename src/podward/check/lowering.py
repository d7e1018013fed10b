"""What the checked files' own policies do to the check, told so that nobody opens a gate unseen.

Policies of the checked files count beside those of the command line: a Namespace's labels replace `--level`, an SCC of
the files may admit a Pod, and a binding of the files may grant the use of one. Whoever may change the workloads may
usually change these, too. So each policy that allows more than the check would allow without it is told
(`policy/lowered`). Where the check takes its policies from elsewhere, each policy of the checked files that it leaves
out is told instead (`policy/left-out`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.path import Key, Path, path
from podward.policy.pss.labels import ENFORCE, PREFIX, policy_unless_labelled
from podward.policy.pss.standard import Standard
from podward.policy.pss.standards import demands_less
from podward.policy.scc.namespace import UID_RANGE
from podward.schema.objects import Item

LOWERED, LEFT_OUT = "policy/lowered", "policy/left-out"
_RUN_LEVEL = "openshift.io/run-level"
_LABELS, _ANNOTATIONS, _NAME = path("metadata", "labels"), path("metadata", "annotations"), path("metadata", "name")
_SCC = "SecurityContextConstraints"
_UNSAID = ("Namespace", "ServiceAccount")
"""Kinds that are no policies by themselves: a Namespace is one by its labels and annotations."""
_ELSEWHERE = "if those who own the gate want it, put it where --policy-from takes policies from"
_FROM = "`--policy-from` takes policies only from where the authors of the checked files do not write"


def left_out(items: Iterable[Item], given: Iterable[Item]) -> Iterator[Finding]:
    """A note about each policy of the checked files that is not among the `given` ones."""
    for item in beside(items, given):
        if _is_policy(item):
            what = "it does not count: policies are taken from --policy-from alone"
            yield _note(LEFT_OUT, item, _NAME, what, _ELSEWHERE)


def namespaces(items: Iterable[Item], standard: Standard) -> Iterator[Finding]:
    """A note about each Namespace whose labels enforce less than `standard`."""
    for item in items:
        labels = _texts(item, "labels")
        if item.kind != "Namespace" or ENFORCE not in labels:
            continue
        enforced = policy_unless_labelled(labels, standard).policy.enforce
        if demands_less(enforced, standard):
            what = f"it enforces {enforced}, less than the {standard} of this check"
            yield _note(LOWERED, item, _LABELS / Key(ENFORCE), what, _FROM)


def beside(items: Iterable[Item], named: Iterable[Item]) -> Iterator[Item]:
    """The items that are not among the `named` ones, too."""
    counting = {item.identity: item.raw for item in named}
    return (item for item in items if counting.get(item.identity) != item.raw)


def sccs(items: Iterable[Item], named: Iterable[Item], shipped: frozenset[str]) -> Iterator[Finding]:
    """A note about each SCC, and each exception of a Namespace, that counts beside the `named` policies of `--scc`.

    `shipped` are the names of OpenShift's own SCCs.
    """
    for item in beside(items, named):
        if item.kind == _SCC:
            counts = "takes the place of OpenShift's own" if item.name in shipped else "counts beside those of --scc"
            yield _note(LOWERED, item, _NAME, f"it {counts}", _FROM)
        elif item.kind == "Namespace":
            yield from _exceptions(item)


def grant(item: Item, names: Sequence[str]) -> Finding:
    """A note about a role or a binding of the checked files by which the use of the SCCs of these names is granted."""
    which = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    what = f"it grants the use of the SCC {which}"
    return _note(LOWERED, item, _NAME, what, _FROM)


def _exceptions(item: Item) -> Iterator[Finding]:
    if _texts(item, "labels").get(_RUN_LEVEL) in {"0", "1"}:
        what = "it has a run level, so no SCC looks at its Pods"
        yield _note(LOWERED, item, _LABELS / Key(_RUN_LEVEL), what, _FROM)
    first = (_texts(item, "annotations").get(UID_RANGE) or "").replace("-", "/").partition("/")[0]
    if first.strip("0") == "" and first:
        what = "its range of uids begins with root"
        yield _note(LOWERED, item, _ANNOTATIONS / Key(UID_RANGE), what, _FROM)


def _is_policy(item: Item) -> bool:
    if item.kind not in _UNSAID:
        return True
    names = [*_texts(item, "labels"), *_texts(item, "annotations")] if item.kind == "Namespace" else []
    return any(name.startswith(PREFIX) or "openshift.io/" in name for name in names)


def _texts(item: Item, field: str) -> Mapping[str, str | None]:
    metadata = item.raw.get("metadata")
    found = metadata.get(field) if isinstance(metadata, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: text if isinstance(text, str) else None for name, text in found.items()}


def _note(rule: str, item: Item, place: Path, what: str, advice: str) -> Finding:
    line = int(item.where(place).rpartition(":")[2])
    about = WorkloadRef(item.kind, item.namespace, item.name)
    return Finding(rule, Severity.NOTE, item.document.name, line, 0, item.at + place, about, what, remedy=advice)
