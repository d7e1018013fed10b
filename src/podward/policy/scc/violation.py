"""What a rule of an SCC refuses, with the words in which OpenShift says it.

Specification: k8s.io/apimachinery util/validation/field and OpenShift apiserver-library-go,
sccmatching/provider.go. The paths that OpenShift prints are its own: most begin with the name of the SCC
and lack `spec` for containers. `path` is where the value really stands.
"""

from __future__ import annotations

from podward.decision import Decision, Origin, Source, Value, Violation
from podward.path import Path

NOTHING = Decision()
"""No objection and nothing to set: the answer of a rule that the Pod does not concern."""


class SccViolation(Violation, frozen=True):
    """A value that an SCC refuses.

    `printed` is the whole error as it stands in the refusal, its own path included; `reason` is the sentence after
    that path. `rule` names the rule and its page below `docs/rules/scc`; it is empty where none speaks.
    """

    printed: str
    rule: str = ""


class SccErrors:
    """A rule of an SCC that speaks: makes its sources and its violations."""

    __slots__ = ("_prefix", "_rule", "_source_name")

    def __init__(self, scc: str, rule: str) -> None:
        self._rule = rule
        self._source_name = f"scc {scc}"
        self._prefix = f"provider {scc}: "

    def source(self, *segments: str | int) -> Source:
        """A field of the SCC."""
        return Source(Origin.POLICY, self._source_name, Path(segments))

    def invalid(self, printed_path: str, place: Path, value: Value, text: str, source: Source) -> SccViolation:
        """A value is refused: `text` is what is printed of it, and why; `printed_path` begins with a dot."""
        reason = f"Invalid value: {text}"
        return SccViolation(place, value, reason, source, f"{self._prefix}{printed_path}: {reason}", self._rule)

    def forbidden(self, printed_path: str, place: Path, value: Value, text: str, source: Source) -> SccViolation:
        """A value may not be there at all; errors of this kind do not name the SCC."""
        reason = f"Forbidden: {text}"
        return SccViolation(place, value, reason, source, f"{printed_path}: {reason}", self._rule)


def refused(*violations: SccViolation) -> Decision:
    """A Decision of these violations."""
    return Decision(violations=violations)


def rule_of(violation: Violation) -> str:
    """The name of the rule that refused, which is also its page below `docs/rules/scc`; empty if no rule did."""
    return violation.rule if isinstance(violation, SccViolation) else ""
