"""What the first screen of `explain` tells of a Pod: what somebody decided, and what is unknown.

What nobody changed is counted. `-o wide` and the pictures have everything.
"""

from __future__ import annotations

from msgspec import structs

from podward.render.explain.row_types import ContainerRows, PodRows, RankedScc, Row, SccRanking

_ALWAYS = frozenset(("SCC", "user", "group", "groups"))
"""Rows that are told whoever decided them."""
_LIKE = {"caps permitted": "caps effective", "caps bounding": "caps effective"}
"""Rows that are left out where they say what another one says."""
_FOLDED = ("not usable", "not tried")
"""Outcomes of SCCs that are told by name alone, where there are several."""


def of_pod(pod: PodRows) -> PodRows:
    """The Pod without the rows that are as the defaults have them."""
    containers = tuple(structs.replace(each, rows=_told(each.rows)) for each in pod.containers)
    ranking = _ranking(pod.admission) if pod.admission is not None else None
    told = structs.replace(pod, rows=_told(pod.rows), containers=containers, admission=ranking)
    return structs.replace(told, folded=_number(pod) - _number(told))


def _told(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    named = {row.name: row for row in rows}
    return tuple(row for row in rows if _is_told(row, named.get(_LIKE.get(row.name, ""))))


def _is_told(row: Row, other: Row | None) -> bool:
    """Whether the first screen has it; `other` is the row that may say the same."""
    if row.differs or row.unknown or row.name in _ALWAYS:
        return True
    return row.decided and not _says_the_same(row, other)


def _says_the_same(row: Row, other: Row | None) -> bool:
    return other is not None and [s.text for s in row.steps] == [s.text for s in other.steps]


def _number(pod: PodRows) -> int:
    parts: tuple[PodRows | ContainerRows, ...] = (pod, *pod.containers)
    return sum(len(part.rows) for part in parts)


def _ranking(ranking: SccRanking) -> SccRanking:
    """Without the SCCs that nobody may use or came to; a single one stays."""
    groups: dict[str, list[RankedScc]] = {}
    for each in ranking.sccs:
        if each.outcome in _FOLDED:
            groups.setdefault(each.outcome, []).append(each)
    folded = {outcome: group for outcome, group in groups.items() if len(group) > 1 or outcome == "not tried"}
    names = tuple((outcome, tuple(each.name for each in group)) for outcome, group in folded.items())
    return structs.replace(ranking, sccs=tuple(s for s in ranking.sccs if s.outcome not in folded), folded=names)
