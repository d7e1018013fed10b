"""An SCC with the values of a namespace, which can be applied to many Pods. OpenShift calls this a provider.

Specification (OpenShift apiserver-library-go, sccmatching/matcher.go and provider.go, July 2026), in our words:
- Values that the SCC leaves to the namespace come from its annotations, in the order user, label, fsGroup,
  supplementalGroups. Then the strategies are created. Only the first missing value or invalid strategy is reported.
- The SCC sets unset fields of a Pod and then checks the result: first the Pod, then each container (init, regular,
  ephemeral). Errors have this order, and the order of the lists of rules below.
"""

from __future__ import annotations

from podward.api.core import Pod
from podward.api.scc import SecurityContextConstraints
from podward.decision import Assignment, Decision, Violation
from podward.policy.scc import host
from podward.policy.scc.capabilities import CapabilityRule
from podward.policy.scc.container_flags import PrivilegedRule, RootFilesystemRule, privilege_escalation_rule
from podward.policy.scc.groups import GroupRule, fs_group_rule, supplemental_groups_rule
from podward.policy.scc.namespace import InvalidAnnotation, NamespaceRanges
from podward.policy.scc.scc_pod import ContainerRule, PodRule, SccPod
from podward.policy.scc.seccomp import SeccompRule
from podward.policy.scc.selinux import LabelRule, label_rule
from podward.policy.scc.sysctls import SysctlRule
from podward.policy.scc.user import UserRule, user_rule
from podward.policy.scc.violation import NOTHING
from podward.policy.scc.volumes import flex_rule, volume_rule

_MUST_RUN_AS = "MustRunAs"


class Provider:
    """An SCC with the ranges of a namespace.

    Its Decision about a Pod is stable: a second Decision about the changed Pod sets nothing more.
    """

    __slots__ = ("_container_rules", "_pod_rules", "name")

    def __init__(self, name: str, pod_rules: tuple[PodRule, ...], container_rules: tuple[ContainerRule, ...]) -> None:
        self.name = name
        self._pod_rules = pod_rules
        self._container_rules = container_rules

    def decide(self, pod: Pod) -> Decision:
        """The values that the SCC sets on the Pod, and the violations that remain, in OpenShift's order.

        The assignments' paths are in the Pod; an assignment of None clears a field.
        """
        scc_pod = SccPod(pod)
        assignments: list[Assignment] = []
        violations: list[Violation] = []
        for rule in self._pod_rules:
            made = rule.decide_pod(scc_pod)
            if made is not NOTHING:
                assignments += made.assignments
                violations += made.violations
        container_rules = self._container_rules
        for container in scc_pod.containers:
            for container_rule in container_rules:
                made = container_rule.decide_container(scc_pod, container)
                if made is not NOTHING:
                    assignments += made.assignments
                    violations += made.violations
        return Decision(tuple(assignments), tuple(violations))


def build(scc: SecurityContextConstraints, ranges: NamespaceRanges) -> Provider | str:
    """The provider of the SCC for the namespace; a text says in the server's words why it can't be made."""
    name = scc.metadata.name or ""
    missing = _missing(scc, ranges)
    if missing is not None:
        what, why = missing
        return (
            f"unable to find pre-allocated {what} annotation for namespace {ranges.name} "
            f"while trying to configure SCC {name}: {why}"
        )
    strategies = _strategies(scc, ranges)
    if isinstance(strategies, str):
        return f"error creating provider for SCC {name} in namespace {ranges.name}: {strategies}"
    user, label, fs_group, groups = strategies
    seccomp = SeccompRule(name, scc.seccomp_profiles or ())
    network = None if scc.allow_host_network else host.network_rule(name)
    pid = None if scc.allow_host_pid else host.pid_rule(name)
    ipc = None if scc.allow_host_ipc else host.ipc_rule(name)
    capabilities = CapabilityRule(scc)
    pod_rules = (
        fs_group,
        groups,
        seccomp,
        label,
        network,
        pid,
        ipc,
        host.UserNamespaceRule(name) if scc.user_namespace_level == host.REQUIRE_USER_NAMESPACE else None,
        SysctlRule(scc),
        volume_rule(scc),
        flex_rule(scc),
    )
    container_rules = (
        user,
        label,
        seccomp,
        None if scc.allow_privileged_container else PrivilegedRule(name),
        capabilities,
        network,
        None if scc.allow_host_ports else host.PortRule(name),
        pid,
        ipc,
        RootFilesystemRule(name) if scc.read_only_root_filesystem else None,
        privilege_escalation_rule(scc, capabilities),
    )
    return Provider(
        name,
        tuple(rule for rule in pod_rules if rule is not None),
        tuple(rule for rule in container_rules if rule is not None),
    )


def _missing(scc: SecurityContextConstraints, ranges: NamespaceRanges) -> tuple[str, str] | None:
    """The first value that the SCC needs from the namespace and that is invalid, and why; None if all are valid."""
    user, label = scc.run_as_user, scc.se_linux_context
    own_users = user.uid_range_min is not None or user.uid_range_max is not None
    if isinstance(ranges.users, InvalidAnnotation) and user.type == "MustRunAsRange" and not own_users:
        return "uid", ranges.users.why
    own_level = label.se_linux_options is not None and label.se_linux_options.level
    if isinstance(ranges.level, InvalidAnnotation) and label.type == _MUST_RUN_AS and not own_level:
        return "mcs", ranges.level.why
    if isinstance(ranges.groups, InvalidAnnotation):
        for strategy in (scc.fs_group, scc.supplemental_groups):
            if strategy.type == _MUST_RUN_AS and not strategy.ranges:
                return "group", ranges.groups.why
    return None


def _strategies(
    scc: SecurityContextConstraints, ranges: NamespaceRanges
) -> tuple[UserRule, LabelRule | None, GroupRule | None, GroupRule | None] | str:
    name = scc.metadata.name or ""
    user = user_rule(name, scc.run_as_user, ranges)
    if isinstance(user, str):
        return user
    label = label_rule(name, scc.se_linux_context, ranges)
    if isinstance(label, str):
        return label
    fs_group = fs_group_rule(name, scc.fs_group, ranges)
    if isinstance(fs_group, str):
        return fs_group
    groups = supplemental_groups_rule(name, scc.supplemental_groups, ranges)
    return groups if isinstance(groups, str) else (user, label, fs_group, groups)
