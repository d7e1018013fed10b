"""capabilities: which ones the SCC adds to containers, which ones they may add, and which ones they must drop.

Specification (OpenShift apiserver-library-go, `capabilities`, July 2026), in our words:
- The SCC adds `defaultAddCapabilities` to each container that does not drop them itself, and adds
  `requiredDropCapabilities` to each container's drops. If that changes anything, it sorts both lists and removes
  duplicates; otherwise they stay.
- After that each added capability must be in `defaultAddCapabilities` or `allowedCapabilities`; `*` in the latter
  allows all. Names are compared as they are written: `cap`, `CAP` and `CAP_` make a difference, and `ALL` is a name
  like others. The drops are never refused, because the SCC itself has just added the required ones.
"""

from __future__ import annotations

from podward.api.core import Capabilities
from podward.api.gotext import quote
from podward.api.scc import SecurityContextConstraints
from podward.decision import Assignment, Decision
from podward.policy.scc.scc_pod import ContainerDefault, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation

RULE = "capabilities"
SYS_ADMIN = "CAP_SYS_ADMIN"
"""The name that the rule of allowPrivilegeEscalation looks for; the usual name `SYS_ADMIN` does not count there."""

_ANY = "*"
_NONE = Capabilities()


class CapabilityRule:
    """The rule of an SCC's defaultAddCapabilities, requiredDropCapabilities and allowedCapabilities."""

    __slots__ = (
        "_add_source", "_allowed", "_any_allowed", "_default_add", "_drop_source", "_errors", "_refuse_source",
        "_required_drop", "_set_defaults",
    )  # fmt: skip

    def __init__(self, scc: SecurityContextConstraints) -> None:
        self._errors = errors = SccErrors(scc.metadata.name or "", RULE)
        self._default_add = frozenset(scc.default_add_capabilities or ())
        self._required_drop = frozenset(scc.required_drop_capabilities or ())
        allowed = frozenset(scc.allowed_capabilities or ())
        self._any_allowed = _ANY in allowed
        self._allowed = allowed | self._default_add
        self._add_source = errors.source("defaultAddCapabilities")
        self._drop_source = errors.source("requiredDropCapabilities")
        self._refuse_source = errors.source("allowedCapabilities")
        self._set_defaults = []  # type: list[ContainerDefault]
        for name, names, source in (
            ("add", self._default_add, self._add_source),
            ("drop", self._required_drop, self._drop_source),
        ):
            if names:
                reason = _reason(name, sorted(names))
                self._set_defaults.append(ContainerDefault((RULE, name), tuple(sorted(names)), reason, source))

    def decide_container(self, _: SccPod, container: SccContainer) -> Decision:
        """The container's capabilities.add and capabilities.drop."""
        own = container.context.capabilities
        if own is None or not (own.add or own.drop):
            decided = NOTHING
            for default in self._set_defaults:
                set_default = default.at(container.place)
                decided = set_default if decided is NOTHING else decided + set_default
            return decided
        return self._decide(own, container)

    def adds_sys_admin(self, own: Capabilities | None) -> bool:
        """Whether a container with these capabilities adds CAP_SYS_ADMIN, by that name, itself or by the default."""
        own = own or _NONE
        added = SYS_ADMIN in (own.add or ())
        return added or (SYS_ADMIN in self._default_add and SYS_ADMIN not in (own.drop or ()))

    def _decide(self, own: Capabilities, container: SccContainer) -> Decision:
        own_add, own_drop = frozenset(own.add or ()), frozenset(own.drop or ())
        add, drop = (self._default_add - own_drop) | own_add, self._required_drop | own_drop
        assignments: list[Assignment] = []
        ordered = own.add or ()
        if len(add) != len(own_add) or len(drop) != len(own_drop):
            ordered = tuple(sorted(add))
            place = container.place.context / RULE
            if ordered != (own.add or ()):
                reason = _reason("add", sorted(add - own_add))
                assignments.append(Assignment(place / "add", ordered, reason, self._add_source))
            dropped = tuple(sorted(drop))
            if dropped != (own.drop or ()):
                reason = _reason("drop", sorted(drop - own_drop))
                assignments.append(Assignment(place / "drop", dropped, reason, self._drop_source))
        refused = () if self._any_allowed or add <= self._allowed else self._refused(ordered, own.add or (), container)
        return Decision(tuple(assignments), refused) if assignments or refused else NOTHING

    def _refused(
        self, added: tuple[str, ...], written: tuple[str, ...], container: SccContainer
    ) -> tuple[SccViolation, ...]:
        """The violations of the `added` capabilities, of which the container itself has `written`."""
        violations: list[SccViolation] = []
        for index, name in enumerate(added):
            if name not in self._allowed:
                at = index if added is written else written.index(name)
                place = container.place.context / RULE / "add" / at
                printed = f"{container.place.printed}.{RULE}.add"
                text = f"{quote(name)}: capability may not be added"
                violations.append(self._errors.invalid(printed, place, name, text, self._refuse_source))
        return tuple(violations)


def _reason(name: str, names: list[str]) -> str:
    if not names:
        return "sorted, because the other list changed"
    verb = "adds" if name == "add" else "must be dropped:"
    return f"the SCC {verb} {', '.join(names)}" if name == "add" else f"{verb} {', '.join(names)}"
