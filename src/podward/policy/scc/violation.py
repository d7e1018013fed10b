"""The violations of an SCC's rules, with OpenShift's messages.

Specification: k8s.io/apimachinery util/validation/field and OpenShift apiserver-library-go,
sccmatching/provider.go (July 2026). The paths in OpenShift's messages differ from the fields' paths: most begin with
the name of the SCC and lack `spec` for containers. A violation's `path` is the field's real path.
"""

from __future__ import annotations

from podward.decision import Decision, Origin, Source, Value, Violation
from podward.path import Path

NOTHING = Decision()
"""The Decision of a rule that sets nothing and refuses nothing."""


class SccViolation(Violation, frozen=True):
    """A value that an SCC refuses.

    `printed` is the whole error in the refusal, with OpenShift's path; `reason` is the sentence after that path. `rule`
    is the name of the rule and of its page below `docs/rules/scc`; it is empty if no rule refused.
    """

    printed: str
    rule: str = ""


class SccErrors:
    """Makes the sources and the violations of one rule of one SCC."""

    __slots__ = ("_prefix", "_rule", "_source_name")

    def __init__(self, scc: str, rule: str) -> None:
        self._rule = rule
        self._source_name = f"scc {scc}"
        self._prefix = f"provider {scc}: "

    def source(self, *segments: str | int) -> Source:
        """The source that names a field of the SCC."""
        return Source(Origin.POLICY, self._source_name, Path(segments))

    def invalid(self, printed_path: str, place: Path, value: Value, text: str, source: Source) -> SccViolation:
        """The violation of a value; `text` is the printed value and the reason; `printed_path` begins with a dot."""
        reason = f"Invalid value: {text}"
        return SccViolation(place, value, reason, source, f"{self._prefix}{printed_path}: {reason}", self._rule)

    def forbidden(self, printed_path: str, place: Path, value: Value, text: str, source: Source) -> SccViolation:
        """The violation of a field that must not be set; errors of this kind do not name the SCC."""
        reason = f"Forbidden: {text}"
        return SccViolation(place, value, reason, source, f"{printed_path}: {reason}", self._rule)


def refused(*violations: SccViolation) -> Decision:
    """A Decision with these violations."""
    return Decision(violations=violations)


def rule_of(violation: Violation) -> str:
    """The name of the rule that refused, and of its page below `docs/rules/scc`; empty if no rule refused."""
    return violation.rule if isinstance(violation, SccViolation) else ""
