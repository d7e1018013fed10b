"""SCCs prepared once, to be applied to many Pods.

Specification: OpenShift apiserver-library-go, sccmatching/matcher.go and sccadmission/admission.go. SCCs
are known by their names: of two with one name the later counts. Without SCCs, or without one of those that the caller
demands, every Pod is refused. What an SCC takes from the namespace is read once for each namespace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from operator import is_not

from msgspec import Struct

from podward.api.core import Namespace
from podward.api.scc import SecurityContextConstraints
from podward.decision import Decision, Origin, Source
from podward.path import Path
from podward.policy.scc import refusal
from podward.policy.scc.access import Members
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE, read
from podward.policy.scc.order import SccRank, rank
from podward.policy.scc.provider import Provider, build
from podward.policy.scc.violation import SccViolation

STANDARD_NAMES = frozenset(
    (
        "anyuid", "hostaccess", "hostmount-anyuid", "hostnetwork", "hostnetwork-v2", "nonroot", "nonroot-v2",
        "privileged", "restricted", "restricted-v2",
    )
)  # fmt: skip
"""The SCCs that OpenShift demands before it admits any Pod."""

_NAMESPACES = 256
"""For so many namespaces what was prepared is remembered."""
_ABSENT = False
"""In place of an annotation that is not there: one that is null is there, and empty."""


class Ranked(Struct, frozen=True):
    """An SCC and what of it does not depend on the namespace.

    `not_usable` is the Decision about every Pod whose subjects may not use it.
    """

    scc: SecurityContextConstraints
    rank: SccRank
    members: Members
    not_usable: Decision


class Prepared(Struct, frozen=True):
    """An SCC made ready for one namespace."""

    ranked: Ranked
    provider: Provider


class _ForNamespace:
    """The SCCs in order, each made ready for a namespace, or why it can't be."""

    __slots__ = ("_entries", "_starting_with")

    def __init__(self, entries: tuple[Prepared | str, ...]) -> None:
        self._entries = entries
        self._starting_with: dict[int, tuple[Prepared, ...] | str] = {}

    def only(self, place: int) -> tuple[Prepared, ...] | str:
        """The one at this place of the order."""
        return _ready((self._entries[place],))

    def starting_with(self, place: int) -> tuple[Prepared, ...] | str:
        """All of them, the one at this place first."""
        found = self._starting_with.get(place)
        if found is None:
            entries = self._entries
            found = _ready((entries[place], *entries[:place], *entries[place + 1 :]))
            self._starting_with[place] = found
        return found


def _ready(entries: tuple[Prepared | str, ...]) -> tuple[Prepared, ...] | str:
    """The SCCs, if all are ready; otherwise what is wrong with those that are not."""
    problems = [entry for entry in entries if isinstance(entry, str)]
    return refusal.aggregate(problems) if problems else tuple(entry for entry in entries if isinstance(entry, Prepared))


class Policies:
    """SCCs in their order (`ranked`); `problem` says why no Pod can be admitted by them at all."""

    __slots__ = ("_made", "_places", "problem", "ranked")

    def __init__(self, sccs: Iterable[SecurityContextConstraints], required_names: Collection[str]) -> None:
        by_name = {scc.metadata.name or "": scc for scc in sccs}
        missing = [name for name in required_names if name not in by_name]
        self.problem = refusal.missing(missing) if missing else None
        self.ranked = tuple(sorted(map(_ranked, by_name.values()), key=lambda entry: entry.rank.key))
        self._places = {entry.rank.name: place for place, entry in enumerate(self.ranked)}
        self._made: dict[tuple[str | bool | None, ...], _ForNamespace | str] = {}

    def in_order(
        self, namespace: Namespace | None, namespace_name: str, required: str, first: str | None
    ) -> tuple[Prepared, ...] | str:
        """The SCCs to try, ready for the namespace: only `required` if it is not empty, and `first` before the rest.

        A text is why none can be tried.
        """
        if self.problem is not None:
            return self.problem
        if required and required not in self._places:
            return refusal.required_not_found(required)
        if not self.ranked:
            return refusal.NO_POLICIES
        made = self._for_namespace(namespace, namespace_name)
        if isinstance(made, str):
            return made
        if required:
            return made.only(self._places[required])
        return made.starting_with(0 if first is None else self._places.get(first, 0))

    def _for_namespace(self, namespace: Namespace | None, name: str) -> _ForNamespace | str:
        """The SCCs made ready for the namespace; a text is what is wrong with the namespace itself."""
        if namespace is None:
            return refusal.namespace_not_found(name)
        annotations = namespace.metadata.annotations or {}
        written = annotations.get
        key = (name, written(UID_RANGE, _ABSENT), written(MCS, _ABSENT), written(SUPPLEMENTAL_GROUPS, _ABSENT))
        found = self._made.get(key)
        if found is None:
            found = self._make(namespace)
            if len(self._made) >= _NAMESPACES:
                del self._made[next(iter(self._made))]
            self._made[key] = found
        return found

    def _make(self, namespace: Namespace) -> _ForNamespace | str:
        ranges = read(namespace)
        if isinstance(ranges, str):
            return ranges
        made = ((entry, build(entry.scc, ranges)) for entry in self.ranked)
        return _ForNamespace(
            tuple(built if isinstance(built, str) else Prepared(entry, built) for entry, built in made)
        )


class LatestPolicies:
    """The `Policies` of whichever SCCs there are: made anew only where one of them is another object than before."""

    __slots__ = ("_made", "_required_names")

    def __init__(self, required_names: Collection[str] = STANDARD_NAMES) -> None:
        self._required_names = required_names
        self._made: tuple[tuple[SecurityContextConstraints, ...], Policies] | None = None

    def of(self, sccs: Iterable[SecurityContextConstraints]) -> Policies:
        """The policies that these SCCs are together."""
        asked, made = tuple(sccs), self._made
        if made is None or len(made[0]) != len(asked) or any(map(is_not, made[0], asked)):
            made = self._made = (asked, Policies(asked, self._required_names))
        return made[1]


def _ranked(scc: SecurityContextConstraints) -> Ranked:
    stands = rank(scc)
    source = Source(Origin.POLICY, f"scc {stands.name}")
    violation = SccViolation(Path(), None, refusal.NOT_USABLE, source, printed=refusal.not_usable(stands.name))
    return Ranked(scc, stands, Members(scc), Decision(violations=(violation,)))
