"""fsGroup and supplementalGroups: which groups a Pod may ask for.

Specification (OpenShift apiserver-library-go, `group` and sccmatching/matcher.go), in our words:
- MustRunAs gives the first group of its first range to a Pod that names none, and refuses each group that is in none
  of its ranges. A list of supplementalGroups that is there but empty counts as named, and is refused.
- A strategy without ranges takes those of the namespace: for fsGroup only the first group of the first block, for
  supplementalGroups all blocks.
- RunAsAny neither gives nor refuses. There is no MayRunAs.
An end of a range that is not written is 0.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from podward.api.core import PodSecurityContext
from podward.api.scc import GroupStrategy
from podward.decision import Assignment, Decision, Source, Value
from podward.path import Path
from podward.policy.scc.namespace import Block, NamespaceRanges, Unusable
from podward.policy.scc.subject import POD_CONTEXT, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

FS_GROUP = "fsGroup"
SUPPLEMENTAL_GROUPS = "supplementalGroups"


class Field(Struct, frozen=True):
    """One of the two fields: its name, its name in OpenShift's error about a strategy, and what differs.

    `asked` are the groups that a Pod names in it, None if it does not name any; `value` is a group as its value;
    `place` is where the group of this index stands.
    """

    name: str
    title: str
    asked: Callable[[PodSecurityContext], tuple[int, ...] | None]
    value: Callable[[int], Value]
    place: Callable[[int], Path]


def _fs_group(context: PodSecurityContext) -> tuple[int, ...] | None:
    return None if context.fs_group is None else (context.fs_group,)


_FS_GROUP_PLACE = POD_CONTEXT / FS_GROUP
_GROUPS_PLACE = POD_CONTEXT / SUPPLEMENTAL_GROUPS
_FS_GROUP = Field(FS_GROUP, "FSGroup", _fs_group, lambda group: group, lambda _: _FS_GROUP_PLACE)
_GROUPS = Field(
    SUPPLEMENTAL_GROUPS,
    "SupplementalGroups",
    lambda context: context.supplemental_groups,
    lambda group: (group,),
    lambda index: _GROUPS_PLACE / index,
)


class GroupRule:
    """The rule about one of the fields, made ready."""

    __slots__ = ("_blocks", "_field", "_given", "_source", "_voice")

    def __init__(self, voice: SccErrors, field: Field, blocks: tuple[Block, ...], source: Source) -> None:
        self._voice, self._field = voice, field
        self._blocks, self._source = blocks, source
        first = blocks[0].first
        reason = f"unset: the first group of {_printed(blocks[0])}"
        given = Decision((Assignment(POD_CONTEXT / field.name, field.value(first), reason, source),))
        # Nothing keeps a range from ending before its first group, which is then given and refused at once.
        self._given = given if self._allowed(first) else given + self._refused((first,))

    def pod(self, subject: SccPod) -> Decision:
        """The group that is given, and the groups that are refused."""
        asked = self._field.asked(subject.context)
        if asked is None:
            return self._given
        if asked and all(map(self._allowed, asked)):
            return NOTHING
        return self._refused(asked)

    def _allowed(self, group: int) -> bool:
        return any(block.first <= group <= block.last for block in self._blocks)

    def _refused(self, asked: tuple[int, ...]) -> Decision:
        listed = f"[{','.join(map(str, asked))}]"
        if not asked:
            detail = "unable to validate empty groups against required ranges"
            return refused(self._violation(POD_CONTEXT / self._field.name, (), f"{listed}: {detail}"))
        return refused(
            *(
                self._violation(self._field.place(index), group, f"{listed}: {group} is not an allowed group")
                for index, group in enumerate(asked)
                if not self._allowed(group)
            )
        )

    def _violation(self, place: Path, value: Value, text: str) -> SccViolation:
        printed = f".spec.securityContext.{self._field.name}"
        return self._voice.invalid(printed, place, value, text, self._source)


def fs_group_rule(scc: str, strategy: GroupStrategy, ranges: NamespaceRanges) -> GroupRule | str | None:
    """The rule about fsGroup, None if there is none, or why there can be none."""
    aside = ranges.groups
    if not isinstance(aside, Unusable):
        aside = (Block(aside[0].first, aside[0].first),)
    return _rule(SccErrors(scc, FS_GROUP), _FS_GROUP, strategy, aside, ranges)


def supplemental_groups_rule(scc: str, strategy: GroupStrategy, ranges: NamespaceRanges) -> GroupRule | str | None:
    """The rule about supplementalGroups, None if there is none, or why there can be none."""
    return _rule(SccErrors(scc, SUPPLEMENTAL_GROUPS), _GROUPS, strategy, ranges.groups, ranges)


def _rule(
    voice: SccErrors,
    field: Field,
    strategy: GroupStrategy,
    aside: tuple[Block, ...] | Unusable,
    ranges: NamespaceRanges,
) -> GroupRule | str | None:
    match strategy.type:
        case "RunAsAny":
            return None
        case "MustRunAs" if strategy.ranges:
            own = tuple(Block(part.min or 0, part.max or 0) for part in strategy.ranges)
            return GroupRule(voice, field, own, voice.source(field.name, "ranges"))
        case "MustRunAs":
            if isinstance(aside, Unusable):
                return aside.why
            return GroupRule(voice, field, aside, ranges.source(ranges.groups_key))
        case other:
            return f"Unrecognized {field.title} strategy type {other or ''}"


def _printed(block: Block) -> str:
    return str(block.first) if block.first == block.last else f"{block.first} to {block.last}"
