"""seLinuxContext: which SELinux labels processes may have.

Specification (OpenShift apiserver-library-go, `selinux` and sccmatching/matcher.go, July 2026), in our words:
- MustRunAs sets its label on a Pod that has none; if the strategy has no level, it is the namespace's. Containers
  without their own label have the Pod's, so none is set on them.
- The label of the Pod, and the effective label of each container, must have the strategy's level, role, type and user.
  A part that the strategy does not set must not be set. Two levels are equal if the texts before the colon are equal
  and the categories after it are the same, in any order. Categories are compared as text; ranges are not expanded.
- RunAsAny sets nothing and refuses nothing.
"""

from __future__ import annotations

from podward.api.core import SELinuxOptions
from podward.api.gotext import quote
from podward.api.scc import SELinuxStrategy
from podward.decision import Assignment, Decision, Source
from podward.path import Path
from podward.policy.scc.namespace import MCS, InvalidAnnotation, NamespaceRanges
from podward.policy.scc.scc_pod import POD_CONTEXT, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

RULE = "seLinux"
_FIELD = "seLinuxOptions"
_STRATEGY = "seLinuxContext"
_PLACE = POD_CONTEXT / _FIELD
_PRINTED = f".spec.securityContext.{_FIELD}"


class LabelRule:
    """The rule of a MustRunAs strategy with its label."""

    __slots__ = ("_errors", "_level", "_level_source", "_parts", "_required", "_set_label", "_source")

    def __init__(self, errors: SccErrors, required: SELinuxOptions, level_source: Source) -> None:
        self._errors = errors
        self._required = required
        self._level = required.level or ""
        self._level_source = level_source
        self._source = errors.source(_STRATEGY, _FIELD)
        self._parts = (("role", required.role or ""), ("type", required.type or ""), ("user", required.user or ""))
        value = {name: part for name, part in (("level", self._level), *self._parts) if part}
        reason = f"unset: the label that the SCC demands, with the level {self._level}"
        self._set_label = Decision((Assignment(_PLACE, value, reason, level_source),))

    def decide_pod(self, pod: SccPod) -> Decision:
        """The Pod's label."""
        label = pod.context.se_linux_options
        return self._set_label if label is None else self._decide(label, _PRINTED, _PLACE)

    def decide_container(self, pod: SccPod, container: SccContainer) -> Decision:
        """The container's effective label; without any label it has the default that was set on the Pod."""
        own = container.context.se_linux_options
        printed = f"{container.place.printed}.{_FIELD}"
        if own is not None:
            return self._decide(own, printed, container.place.context / _FIELD)
        inherited = pod.context.se_linux_options
        return NOTHING if inherited is None else self._decide(inherited, printed, _PLACE)

    def _decide(self, label: SELinuxOptions, printed: str, place: Path) -> Decision:
        if label == self._required:
            return NOTHING
        violations: list[SccViolation] = []
        level = label.level or ""
        if not _same_level(self._level, level):
            violations.append(self._violation("level", level, self._level, printed, place))
        for name, wanted in self._parts:
            value: str = getattr(label, name) or ""
            if value != wanted:
                violations.append(self._violation(name, value, wanted, printed, place))
        return refused(*violations) if violations else NOTHING

    def _violation(self, name: str, value: str, wanted: str, printed: str, place: Path) -> SccViolation:
        source = self._level_source if name == "level" else self._source
        text = f"{quote(value)}: must be {wanted}"
        return self._errors.invalid(f"{printed}.{name}", place / name, value, text, source)


def label_rule(scc: str, strategy: SELinuxStrategy, ranges: NamespaceRanges) -> LabelRule | str | None:
    """The rule of this strategy; None for a strategy that does nothing, a text for one that can't be used."""
    match strategy.type:
        case "MustRunAs":
            errors = SccErrors(scc, RULE)
            required = strategy.se_linux_options or SELinuxOptions()
            if required.level:
                return LabelRule(errors, required, errors.source(_STRATEGY, _FIELD, "level"))
            if isinstance(ranges.level, InvalidAnnotation):
                return ranges.level.why
            completed = SELinuxOptions(required.user, required.role, required.type, ranges.level)
            return LabelRule(errors, completed, ranges.source(MCS))
        case "RunAsAny":
            return None
        case other:
            return f"Unrecognized SELinuxContext strategy type {other or ''}"


def _same_level(wanted: str, level: str) -> bool:
    if wanted == level:
        return True
    wanted_sensitivity, wanted_colon, wanted_categories = wanted.partition(":")
    sensitivity, colon, categories = level.partition(":")
    return (
        bool(wanted_colon and colon)
        and wanted_sensitivity == sensitivity
        and sorted(wanted_categories.split(",")) == sorted(categories.split(","))
    )
