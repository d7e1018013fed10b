"""allowPrivilegeEscalation: whether processes may gain more privileges than their parent has.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go), in our words:
- `defaultAllowPrivilegeEscalation` is given to a container that says nothing, unless it is privileged or adds the
  capability `CAP_SYS_ADMIN`, written exactly so.
- An SCC whose `allowPrivilegeEscalation` is false sets false on what still says nothing, even on privileged containers,
  and refuses true, even if its own default said so.
"""

from __future__ import annotations

from podward.api.core import SecurityContext
from podward.api.scc import SecurityContextConstraints
from podward.decision import Decision
from podward.policy.scc.capabilities import CapabilityRule
from podward.policy.scc.subject import Default, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, refused

RULE = "allowPrivilegeEscalation"
_DEFAULT = "defaultAllowPrivilegeEscalation"


class PrivilegeEscalationRule:
    """The rule, made ready."""

    __slots__ = ("_allowed", "_capabilities", "_default", "_forbidden", "_given", "_source", "_voice")

    def __init__(self, scc: SecurityContextConstraints, capabilities: CapabilityRule) -> None:
        self._voice = SccErrors(scc.metadata.name or "", RULE)
        self._capabilities = capabilities
        self._allowed = scc.allow_privilege_escalation is not False
        self._default = scc.default_allow_privilege_escalation
        self._source = self._voice.source(RULE)
        self._given = Default((RULE,), self._default, "unset: the SCC's default", self._voice.source(_DEFAULT))
        self._forbidden = Default((RULE,), False, "unset: the SCC does not allow it", self._source)

    def container(self, _: SccPod, member: SccContainer) -> Decision:
        """The container's allowPrivilegeEscalation."""
        value = member.context.allow_privilege_escalation
        decided = NOTHING
        if value is None:
            if self._default is not None and not self._needs_it(member.context):
                value = self._default
                decided = self._given.at(member.place)
            elif not self._allowed:
                return self._forbidden.at(member.place)
        if value is not True or self._allowed:
            return decided
        place = member.place.context / RULE
        text = "true: Allowing privilege escalation for containers is not allowed"
        printed = f"{member.place.printed}.{RULE}"
        return decided + refused(self._voice.invalid(printed, place, True, text, self._source))

    def _needs_it(self, context: SecurityContext) -> bool:
        return context.privileged is True or self._capabilities.adds_sys_admin(context.capabilities)


def privilege_escalation_rule(
    scc: SecurityContextConstraints, capabilities: CapabilityRule
) -> PrivilegeEscalationRule | None:
    """The rule, None if the SCC neither gives nor forbids."""
    if scc.allow_privilege_escalation is not False and scc.default_allow_privilege_escalation is None:
        return None
    return PrivilegeEscalationRule(scc, capabilities)
