"""seLinuxContext: which SELinux labels processes may have.

Specification (OpenShift apiserver-library-go, `selinux` and sccmatching/matcher.go), in our words:
- MustRunAs gives its label to a Pod that has none; a level that it does not name is the namespace's. Containers
  without a label of their own have the Pod's, so they are never given one.
- The label of the Pod, and the effective one of each container, must have this level, role, type and user; a part that
  the strategy leaves out must be left out. Levels are equal if what is before the colon is, and the categories behind
  it are, in any order; they are compared as they are written, without ranges being taken apart.
- RunAsAny neither gives nor refuses.
"""

from __future__ import annotations

from podward.api.core import SELinuxOptions
from podward.api.gotext import quote
from podward.api.scc import SELinuxStrategy
from podward.decision import Assignment, Decision, Source
from podward.path import Path
from podward.policy.scc.namespace import MCS, NamespaceRanges, Unusable
from podward.policy.scc.subject import POD_CONTEXT, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

RULE = "seLinux"
_FIELD = "seLinuxOptions"
_STRATEGY = "seLinuxContext"
_PLACE = POD_CONTEXT / _FIELD
_PRINTED = f".spec.securityContext.{_FIELD}"


class LabelRule:
    """The rule, made ready: the label that is given and demanded."""

    __slots__ = ("_given", "_level", "_level_source", "_rest", "_source", "_voice", "_wanted")

    def __init__(self, voice: SccErrors, wanted: SELinuxOptions, level_source: Source) -> None:
        self._voice = voice
        self._wanted = wanted
        self._level = wanted.level or ""
        self._level_source = level_source
        self._source = voice.source(_STRATEGY, _FIELD)
        self._rest = (("role", wanted.role or ""), ("type", wanted.type or ""), ("user", wanted.user or ""))
        value = {name: part for name, part in (("level", self._level), *self._rest) if part}
        reason = f"unset: the label that the SCC demands, with the level {self._level}"
        self._given = Decision((Assignment(_PLACE, value, reason, level_source),))

    def pod(self, subject: SccPod) -> Decision:
        """The Pod's label."""
        asked = subject.context.se_linux_options
        return self._given if asked is None else self._decide(asked, _PRINTED, _PLACE)

    def container(self, subject: SccPod, member: SccContainer) -> Decision:
        """The container's effective label; without any it has the one that the Pod was given, which is right."""
        own = member.context.se_linux_options
        printed = f"{member.place.printed}.{_FIELD}"
        if own is not None:
            return self._decide(own, printed, member.place.context / _FIELD)
        inherited = subject.context.se_linux_options
        return NOTHING if inherited is None else self._decide(inherited, printed, _PLACE)

    def _decide(self, asked: SELinuxOptions, printed: str, place: Path) -> Decision:
        if asked == self._wanted:
            return NOTHING
        found: list[SccViolation] = []
        level = asked.level or ""
        if not _same_level(self._level, level):
            found.append(self._violation("level", level, self._level, printed, place))
        for name, wanted in self._rest:
            part: str = getattr(asked, name) or ""
            if part != wanted:
                found.append(self._violation(name, part, wanted, printed, place))
        return refused(*found) if found else NOTHING

    def _violation(self, name: str, part: str, wanted: str, printed: str, place: Path) -> SccViolation:
        source = self._level_source if name == "level" else self._source
        text = f"{quote(part)}: must be {wanted}"
        return self._voice.invalid(f"{printed}.{name}", place / name, part, text, source)


def label_rule(scc: str, strategy: SELinuxStrategy, ranges: NamespaceRanges) -> LabelRule | str | None:
    """The rule of this strategy, None if there is none, or why there can be none."""
    match strategy.type:
        case "MustRunAs":
            voice = SccErrors(scc, RULE)
            wanted = strategy.se_linux_options or SELinuxOptions()
            if wanted.level:
                return LabelRule(voice, wanted, voice.source(_STRATEGY, _FIELD, "level"))
            if isinstance(ranges.level, Unusable):
                return ranges.level.why
            completed = SELinuxOptions(wanted.user, wanted.role, wanted.type, ranges.level)
            return LabelRule(voice, completed, ranges.source(MCS))
        case "RunAsAny":
            return None
        case other:
            return f"Unrecognized SELinuxContext strategy type {other or ''}"


def _same_level(wanted: str, asked: str) -> bool:
    if wanted == asked:
        return True
    wanted_sensitivity, wanted_colon, wanted_categories = wanted.partition(":")
    sensitivity, colon, categories = asked.partition(":")
    return (
        bool(wanted_colon and colon)
        and wanted_sensitivity == sensitivity
        and sorted(wanted_categories.split(",")) == sorted(categories.split(","))
    )
