"""capabilities: which ones containers get, may add, and must drop.

Specification (OpenShift apiserver-library-go, `capabilities`), in our words:
- `defaultAddCapabilities` are added to each container that does not drop them itself, `requiredDropCapabilities` are
  dropped by each. If that changes anything, both lists become sorted and free of duplicates; otherwise they stay.
- Each capability that is added must then be among `defaultAddCapabilities` or `allowedCapabilities`; `*` in the latter
  allows all.
Names are compared as they are written: neither case nor a leading `CAP_` is evened out, and `ALL` is a name like
others. The drops can't be refused, because what must be dropped was just made to be.
"""

from __future__ import annotations

from podward.api.core import Capabilities
from podward.api.gotext import quote
from podward.api.scc import SecurityContextConstraints
from podward.decision import Assignment, Decision
from podward.policy.scc.subject import Default, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation

RULE = "capabilities"
SYS_ADMIN = "CAP_SYS_ADMIN"
"""The one name that privilege escalation asks for; `SYS_ADMIN`, as it is usually written, is not meant."""

_ANY = "*"
_NONE = Capabilities()


class CapabilityRule:
    """The rule, made ready."""

    __slots__ = (
        "_add_source", "_allowed", "_any", "_default", "_drop_source", "_given", "_refuse_source", "_required",
        "_voice",
    )  # fmt: skip

    def __init__(self, scc: SecurityContextConstraints) -> None:
        self._voice = voice = SccErrors(scc.metadata.name or "", RULE)
        self._default = frozenset(scc.default_add_capabilities or ())
        self._required = frozenset(scc.required_drop_capabilities or ())
        allowed = frozenset(scc.allowed_capabilities or ())
        self._any = _ANY in allowed
        self._allowed = allowed | self._default
        self._add_source = voice.source("defaultAddCapabilities")
        self._drop_source = voice.source("requiredDropCapabilities")
        self._refuse_source = voice.source("allowedCapabilities")
        self._given = []  # type: list[Default]
        for name, given, source in (
            ("add", self._default, self._add_source),
            ("drop", self._required, self._drop_source),
        ):
            if given:
                reason = _reason(name, sorted(given))
                self._given.append(Default((RULE, name), tuple(sorted(given)), reason, source))

    def container(self, _: SccPod, member: SccContainer) -> Decision:
        """The two lists of a container."""
        asked = member.context.capabilities
        if asked is None or not (asked.add or asked.drop):
            decided = NOTHING
            for given in self._given:
                at = given.at(member.place)
                decided = at if decided is NOTHING else decided + at
            return decided
        return self._decide(asked, member)

    def adds_sys_admin(self, asked: Capabilities | None) -> bool:
        """Whether a container with these capabilities adds CAP_SYS_ADMIN, by that name, after all."""
        asked = asked or _NONE
        added = SYS_ADMIN in (asked.add or ())
        return added or (SYS_ADMIN in self._default and SYS_ADMIN not in (asked.drop or ()))

    def _decide(self, asked: Capabilities, member: SccContainer) -> Decision:
        own_add, own_drop = frozenset(asked.add or ()), frozenset(asked.drop or ())
        add, drop = (self._default - own_drop) | own_add, self._required | own_drop
        assignments: list[Assignment] = []
        ordered = asked.add or ()
        if len(add) != len(own_add) or len(drop) != len(own_drop):
            ordered = tuple(sorted(add))
            place = member.place.context / RULE
            if ordered != (asked.add or ()):
                reason = _reason("add", sorted(add - own_add))
                assignments.append(Assignment(place / "add", ordered, reason, self._add_source))
            dropped = tuple(sorted(drop))
            if dropped != (asked.drop or ()):
                reason = _reason("drop", sorted(drop - own_drop))
                assignments.append(Assignment(place / "drop", dropped, reason, self._drop_source))
        refused = () if self._any or add <= self._allowed else self._refused(ordered, asked.add or (), member)
        return Decision(tuple(assignments), refused) if assignments or refused else NOTHING

    def _refused(
        self, added: tuple[str, ...], written: tuple[str, ...], member: SccContainer
    ) -> tuple[SccViolation, ...]:
        found: list[SccViolation] = []
        for index, name in enumerate(added):
            if name not in self._allowed:
                at = index if added is written else written.index(name)
                place = member.place.context / RULE / "add" / at
                printed = f"{member.place.printed}.{RULE}.add"
                text = f"{quote(name)}: capability may not be added"
                found.append(self._voice.invalid(printed, place, name, text, self._refuse_source))
        return tuple(found)


def _reason(name: str, given: list[str]) -> str:
    if not given:
        return "sorted, because the other list changed"
    verb = "adds" if name == "add" else "must be dropped:"
    return f"the SCC {verb} {', '.join(given)}" if name == "add" else f"{verb} {', '.join(given)}"
