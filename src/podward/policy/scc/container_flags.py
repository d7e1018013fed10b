"""privileged, allowPrivilegeEscalation and readOnlyRootFilesystem of containers.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go, July 2026), in our words:
- privileged: a privileged container is refused unless the SCC allows it.
- allowPrivilegeEscalation: a container that sets nothing gets the SCC's `defaultAllowPrivilegeEscalation`, unless it is
  privileged or adds the capability `CAP_SYS_ADMIN`, written exactly so. An SCC whose `allowPrivilegeEscalation` is
  false sets false on a container that still has no value, even on a privileged one, and refuses true, even if its own
  default set it.
- readOnlyRootFilesystem: an SCC that demands it sets true on containers that set nothing, and refuses false.
"""

from __future__ import annotations

from podward.api.core import SecurityContext
from podward.api.scc import SecurityContextConstraints
from podward.decision import Decision
from podward.policy.scc.capabilities import CapabilityRule
from podward.policy.scc.scc_pod import ContainerDefault, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, refused

PRIVILEGED = "privileged"
ESCALATION = "allowPrivilegeEscalation"
READ_ONLY_ROOT = "readOnlyRootFilesystem"
_DEFAULT_ESCALATION = "defaultAllowPrivilegeEscalation"


class PrivilegedRule:
    """The rule of an SCC that does not allow privileged containers."""

    __slots__ = ("_errors", "_source")

    def __init__(self, scc: str) -> None:
        self._errors = SccErrors(scc, PRIVILEGED)
        self._source = self._errors.source("allowPrivilegedContainer")

    def decide_container(self, _: SccPod, container: SccContainer) -> Decision:
        """A violation if the container is privileged."""
        if container.context.privileged is not True:
            return NOTHING
        place = container.place.context / PRIVILEGED
        printed = f"{container.place.printed}.{PRIVILEGED}"
        text = "true: Privileged containers are not allowed"
        return refused(self._errors.invalid(printed, place, True, text, self._source))


class PrivilegeEscalationRule:
    """The rule of an SCC that forbids privilege escalation or has a default for it."""

    __slots__ = ("_allowed", "_capabilities", "_default", "_errors", "_scc_default", "_set_false", "_source")

    def __init__(self, scc: SecurityContextConstraints, capabilities: CapabilityRule) -> None:
        self._errors = SccErrors(scc.metadata.name or "", ESCALATION)
        self._capabilities = capabilities
        self._allowed = scc.allow_privilege_escalation is not False
        self._default = scc.default_allow_privilege_escalation
        self._source = self._errors.source(ESCALATION)
        default_source = self._errors.source(_DEFAULT_ESCALATION)
        self._scc_default = ContainerDefault((ESCALATION,), self._default, "unset: the SCC's default", default_source)
        self._set_false = ContainerDefault((ESCALATION,), False, "unset: the SCC does not allow it", self._source)

    def decide_container(self, _: SccPod, container: SccContainer) -> Decision:
        """The container's allowPrivilegeEscalation."""
        value = container.context.allow_privilege_escalation
        decided = NOTHING
        if value is None:
            if self._default is not None and not self._needs_escalation(container.context):
                value = self._default
                decided = self._scc_default.at(container.place)
            elif not self._allowed:
                return self._set_false.at(container.place)
        if value is not True or self._allowed:
            return decided
        place = container.place.context / ESCALATION
        printed = f"{container.place.printed}.{ESCALATION}"
        text = "true: Allowing privilege escalation for containers is not allowed"
        return decided + refused(self._errors.invalid(printed, place, True, text, self._source))

    def _needs_escalation(self, context: SecurityContext) -> bool:
        return context.privileged is True or self._capabilities.adds_sys_admin(context.capabilities)


class RootFilesystemRule:
    """The rule of an SCC that demands read-only root file systems."""

    __slots__ = ("_errors", "_set_true", "_source")

    def __init__(self, scc: str) -> None:
        self._errors = SccErrors(scc, READ_ONLY_ROOT)
        self._source = self._errors.source(READ_ONLY_ROOT)
        self._set_true = ContainerDefault((READ_ONLY_ROOT,), True, "unset: the SCC demands it", self._source)

    def decide_container(self, _: SccPod, container: SccContainer) -> Decision:
        """The container's readOnlyRootFilesystem."""
        read_only = container.context.read_only_root_filesystem
        if read_only is None:
            return self._set_true.at(container.place)
        if read_only:
            return NOTHING
        place = container.place.context / READ_ONLY_ROOT
        printed = f"{container.place.printed}.{READ_ONLY_ROOT}"
        text = "false: ReadOnlyRootFilesystem must be set to true"
        return refused(self._errors.invalid(printed, place, False, text, self._source))


def privilege_escalation_rule(
    scc: SecurityContextConstraints, capabilities: CapabilityRule
) -> PrivilegeEscalationRule | None:
    """The rule; None if the SCC allows privilege escalation and has no default."""
    if scc.allow_privilege_escalation is not False and scc.default_allow_privilege_escalation is None:
        return None
    return PrivilegeEscalationRule(scc, capabilities)
