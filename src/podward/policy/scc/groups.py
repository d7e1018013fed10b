"""fsGroup and supplementalGroups: which groups a Pod may have.

Specification (OpenShift apiserver-library-go, `group` and sccmatching/matcher.go, July 2026), in our words:
- MustRunAs sets the first group of its first range on a Pod that sets no group. It refuses each group that is in none
  of its ranges. It refuses an empty list of supplementalGroups too, because the list is set.
- A strategy without ranges uses those of the namespace: for fsGroup only the first group of the first range, for
  supplementalGroups all ranges.
- RunAsAny sets nothing and refuses nothing. There is no MayRunAs.
A missing end of a range is 0.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from podward.api.core import PodSecurityContext
from podward.api.scc import GroupStrategy
from podward.decision import Assignment, Decision, Source, Value
from podward.path import Path
from podward.policy.scc.namespace import IdRange, InvalidAnnotation, NamespaceRanges
from podward.policy.scc.scc_pod import POD_CONTEXT, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

FS_GROUP = "fsGroup"
SUPPLEMENTAL_GROUPS = "supplementalGroups"


class GroupField(Struct, frozen=True):
    """One of the two fields, with its name in the Pod and its name in OpenShift's error about a strategy.

    `groups` returns the groups that a Pod sets in the field, None if it does not set it. `value` returns the value of
    the field for one group. `place` returns the path of the group with this index.
    """

    name: str
    title: str
    groups: Callable[[PodSecurityContext], tuple[int, ...] | None]
    value: Callable[[int], Value]
    place: Callable[[int], Path]


def _fs_group(context: PodSecurityContext) -> tuple[int, ...] | None:
    return None if context.fs_group is None else (context.fs_group,)


_FS_GROUP_PLACE = POD_CONTEXT / FS_GROUP
_GROUPS_PLACE = POD_CONTEXT / SUPPLEMENTAL_GROUPS
_FS_GROUP = GroupField(FS_GROUP, "FSGroup", _fs_group, lambda group: group, lambda _: _FS_GROUP_PLACE)
_GROUPS = GroupField(
    SUPPLEMENTAL_GROUPS,
    "SupplementalGroups",
    lambda context: context.supplemental_groups,
    lambda group: (group,),
    lambda index: _GROUPS_PLACE / index,
)


class GroupRule:
    """The rule of a MustRunAs strategy for one of the fields."""

    __slots__ = ("_errors", "_field", "_ranges", "_set_default", "_source")

    def __init__(self, errors: SccErrors, field: GroupField, ranges: tuple[IdRange, ...], source: Source) -> None:
        self._errors, self._field = errors, field
        self._ranges, self._source = ranges, source
        first = ranges[0].first
        reason = f"unset: the first group of {_printed(ranges[0])}"
        default = Decision((Assignment(POD_CONTEXT / field.name, field.value(first), reason, source),))
        # A range may end before it starts. Its first group is then set and refused at the same time.
        self._set_default = default if self._allowed(first) else default + self._refused((first,))

    def decide_pod(self, pod: SccPod) -> Decision:
        """The group that is set, or the groups that are refused."""
        groups = self._field.groups(pod.context)
        if groups is None:
            return self._set_default
        if groups and all(map(self._allowed, groups)):
            return NOTHING
        return self._refused(groups)

    def _allowed(self, group: int) -> bool:
        return any(ids.first <= group <= ids.last for ids in self._ranges)

    def _refused(self, groups: tuple[int, ...]) -> Decision:
        listed = f"[{','.join(map(str, groups))}]"
        if not groups:
            detail = "unable to validate empty groups against required ranges"
            return refused(self._violation(POD_CONTEXT / self._field.name, (), f"{listed}: {detail}"))
        return refused(
            *(
                self._violation(self._field.place(index), group, f"{listed}: {group} is not an allowed group")
                for index, group in enumerate(groups)
                if not self._allowed(group)
            )
        )

    def _violation(self, place: Path, value: Value, text: str) -> SccViolation:
        printed = f".spec.securityContext.{self._field.name}"
        return self._errors.invalid(printed, place, value, text, self._source)


def fs_group_rule(scc: str, strategy: GroupStrategy, ranges: NamespaceRanges) -> GroupRule | str | None:
    """The rule about fsGroup; None for a strategy that does nothing, a text for one that can't be used."""
    of_namespace = ranges.groups
    if not isinstance(of_namespace, InvalidAnnotation):
        of_namespace = (IdRange(of_namespace[0].first, of_namespace[0].first),)
    return _rule(SccErrors(scc, FS_GROUP), _FS_GROUP, strategy, of_namespace, ranges)


def supplemental_groups_rule(scc: str, strategy: GroupStrategy, ranges: NamespaceRanges) -> GroupRule | str | None:
    """The rule about supplementalGroups; None for a strategy that does nothing, a text for one that can't be used."""
    return _rule(SccErrors(scc, SUPPLEMENTAL_GROUPS), _GROUPS, strategy, ranges.groups, ranges)


def _rule(
    errors: SccErrors,
    field: GroupField,
    strategy: GroupStrategy,
    of_namespace: tuple[IdRange, ...] | InvalidAnnotation,
    ranges: NamespaceRanges,
) -> GroupRule | str | None:
    match strategy.type:
        case "RunAsAny":
            return None
        case "MustRunAs" if strategy.ranges:
            own = tuple(IdRange(part.min or 0, part.max or 0) for part in strategy.ranges)
            return GroupRule(errors, field, own, errors.source(field.name, "ranges"))
        case "MustRunAs":
            if isinstance(of_namespace, InvalidAnnotation):
                return of_namespace.why
            return GroupRule(errors, field, of_namespace, ranges.source(ranges.groups_key))
        case other:
            return f"Unrecognized {field.title} strategy type {other or ''}"


def _printed(ids: IdRange) -> str:
    return str(ids.first) if ids.first == ids.last else f"{ids.first} to {ids.last}"
