"""The smallest change of a manifest after which an SCC has nothing against a field any more.

Most fields are best left to the SCC, which sets what it demands on a Pod that says nothing. Where a container inherits
from its Pod, what it would inherit after the change is looked at as well. What kind of volume would do instead is not
for a machine to say; and nothing in a Pod helps against an SCC that refuses what it sets itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from podward.api.core import Container, Pod, PodSecurityContext, SecurityContext, every_container
from podward.api.explanation import Change
from podward.decision import Decision, Value, Violation
from podward.path import Key, Path, path
from podward.policy.scc import (
    capabilities,
    groups,
    host,
    privilege,
    privilege_escalation,
    root_filesystem,
    seccomp,
    selinux,
    sysctls,
    user,
    user_namespace,
    volumes,
)
from podward.policy.scc.subject import POD_CONTEXT
from podward.policy.scc.violation import rule_of


class SccRemedy(Struct, frozen=True):
    """What to do about a violation, in one sentence, and the changes that do it.

    Paths are in the Pod; a change to None removes the field. Without changes the cure is not a matter of the fields
    that are refused.
    """

    sentence: str
    changes: tuple[Change, ...] = ()


class Case(Struct, frozen=True):
    """A violation of a Decision about a Pod, the Pod, and its parts that are most often asked for."""

    pod: Pod
    violation: Violation
    decision: Decision

    @property
    def context(self) -> PodSecurityContext:
        """The Pod's security context; an empty one if it has none."""
        return self.pod.spec.security_context or _NO_POD_CONTEXT

    @property
    def containers(self) -> tuple[tuple[Path, Container], ...]:
        """All containers with their places."""
        return tuple((path("spec", name, index), found) for name, index, found in every_container(self.pod.spec))

    def refused_below(self, place: Path) -> list[Violation]:
        """What the Decision refuses at this place, or inside it, by the same rule."""
        rule = rule_of(self.violation)
        return [each for each in self.decision.violations if rule_of(each) == rule and each.path.startswith(place)]


def remedy(pod: Pod, violation: Violation, decision: Decision) -> SccRemedy:
    """The cure of a violation that an SCC's Decision about this Pod lists."""
    cure = _CURES.get(rule_of(violation))
    return _ACCESS if cure is None else cure(Case(pod, violation, decision))


_NO_POD_CONTEXT = PodSecurityContext()
_NO_CONTEXT = SecurityContext()
_ACCESS = SccRemedy("Let the Pod's service account use an SCC that the Pod fits.")
_OWN_FAULT = SccRemedy("The SCC refuses what it sets itself: correct its range, or that of the namespace.")
_POD_UID = POD_CONTEXT / "runAsUser"
_POD_NON_ROOT = POD_CONTEXT / "runAsNonRoot"
_POD_LABEL = POD_CONTEXT / "seLinuxOptions"
_POD_PROFILE = POD_CONTEXT / "seccompProfile"
_POD_PROFILE_KEY = path("metadata", "annotations", Key(seccomp.POD_ANNOTATION))


def _removing(*places: Path) -> tuple[Change, ...]:
    return tuple(Change(place, None) for place in places)


def _context(container: Container) -> SecurityContext:
    return container.security_context or _NO_CONTEXT


def _holder(case: Case) -> tuple[Path, Container] | None:
    """The container that the violation's place is in."""
    return next((found for found in case.containers if case.violation.path.startswith(found[0])), None)


def _user(case: Case) -> SccRemedy:
    if case.violation.path.segments[-1] == "runAsNonRoot":
        return _non_root(case)
    places = _uids(case)
    if not places:
        return _OWN_FAULT
    return SccRemedy("Remove runAsUser; the SCC names a user, or else the image does.", _removing(*places))


def _uids(case: Case) -> list[Path]:
    """Where uids are written that must go for the container of this violation to have none, or a right one."""
    holder = _holder(case)
    pod_uid = case.context.run_as_user
    if holder is None:
        return [_POD_UID]
    places: list[Path] = []
    if _context(holder[1]).run_as_user is not None:
        places.append(holder[0] / "securityContext" / "runAsUser")
    heirs = any(_context(container).run_as_user is None for _, container in case.containers)
    refused = any(violation.path == _POD_UID for violation in case.decision.violations)
    # Nobody has the Pod's uid so far, and whether it is right is not known: the container shall not have it either.
    if pod_uid is not None and (refused or not heirs):
        places.append(_POD_UID)
    return places


def _non_root(case: Case) -> SccRemedy:
    changes: list[Change] = [Change(case.violation.path, True)]
    holder = _holder(case)
    heirs = case.containers if holder is None else (holder,)
    own = [
        place / "securityContext" / "runAsUser" for place, heir in heirs if _context(heir).run_as_user == 0
    ]  # which would be refused next
    changes += _removing(*own)
    if case.context.run_as_user == 0:
        changes += _removing(_POD_UID)
    sentence = "Set runAsNonRoot to true, and name no root user." if len(changes) > 1 else "Set runAsNonRoot to true."
    return SccRemedy(sentence, tuple(changes))


def _label(case: Case) -> SccRemedy:
    holder = _holder(case)
    places = [] if holder is None else [holder[0] / "securityContext" / "seLinuxOptions"]
    if holder is None or case.refused_below(_POD_LABEL):
        places.append(_POD_LABEL)
    return SccRemedy("Remove seLinuxOptions; the SCC sets the label that it demands.", _removing(*places))


def _fs_group(case: Case) -> SccRemedy:
    if case.context.fs_group is None:
        return _OWN_FAULT
    return SccRemedy("Remove fsGroup; the SCC sets one that it allows.", _removing(case.violation.path))


def _supplemental_groups(case: Case) -> SccRemedy:
    asked = case.context.supplemental_groups
    if asked is None:
        return _OWN_FAULT
    place = POD_CONTEXT / groups.SUPPLEMENTAL_GROUPS
    kept = _without(case, place, asked)
    if kept:
        return SccRemedy("Remove the groups that the SCC does not allow.", (Change(place, kept),))
    return SccRemedy("Remove supplementalGroups; the SCC sets one that it allows.", _removing(place))


def _capabilities(case: Case) -> SccRemedy:
    holder = _holder(case)
    asked = None if holder is None else _context(holder[1]).capabilities
    if holder is None or asked is None or not asked.add:
        return _OWN_FAULT
    place = holder[0] / "securityContext" / "capabilities" / "add"
    refused = {each.value for each in case.refused_below(place)}
    kept = tuple(name for name in asked.add if name not in refused)
    sentence = "Remove the capabilities that the SCC does not allow to be added."
    return SccRemedy(sentence, (Change(place, kept or None),))


def _seccomp(case: Case) -> SccRemedy:
    """A profile is removed wherever it is written: both the field and the old annotation say it."""
    holder = _profile_holder(case)
    places: list[Path] = []
    if holder is not None:
        place, container = holder
        key = seccomp.CONTAINER_ANNOTATION + container.name
        if key in (case.pod.metadata.annotations or {}):
            places.append(path("metadata", "annotations", Key(key)))
        if _context(container).seccomp_profile is not None:
            places.append(place / "securityContext" / "seccompProfile")
    if not places or any(each.path in (_POD_PROFILE, _POD_PROFILE_KEY) for each in case.decision.violations):
        if seccomp.POD_ANNOTATION in (case.pod.metadata.annotations or {}):
            places.append(_POD_PROFILE_KEY)
        if case.context.seccomp_profile is not None:
            places.append(_POD_PROFILE)
    return SccRemedy("Remove the seccomp profile; the SCC sets one that it allows, if it has any.", _removing(*places))


def _profile_holder(case: Case) -> tuple[Path, Container] | None:
    last = case.violation.path.segments[-1]
    if isinstance(last, Key) and last.name.startswith(seccomp.CONTAINER_ANNOTATION):
        name = last.name[len(seccomp.CONTAINER_ANNOTATION) :]
        return next((found for found in case.containers if found[1].name == name), None)
    return _holder(case)


def _sysctls(case: Case) -> SccRemedy:
    place = POD_CONTEXT / sysctls.RULE
    asked = tuple({"name": each.name, "value": each.value} for each in case.context.sysctls or ())
    kept = _without(case, place, asked)
    return SccRemedy("Remove the sysctls that the SCC does not allow.", (Change(place, kept or None),))


def _without(case: Case, place: Path, items: Iterable[Value]) -> tuple[Value, ...]:
    """The items of a list but for those that are refused."""
    refused = {each.path for each in case.refused_below(place)}
    return tuple(item for index, item in enumerate(items) if place / index not in refused)


def _sharing(case: Case) -> SccRemedy:
    return SccRemedy(f"Remove {rule_of(case.violation)}.", _removing(case.violation.path))


def _ports(case: Case) -> SccRemedy:
    if not case.pod.spec.host_network:
        return SccRemedy("Remove hostPort; a Service makes ports reachable.", _removing(case.violation.path))
    # With hostNetwork the API server makes each containerPort a hostPort, so this one would be there again.
    sentence = "Remove hostNetwork, which makes every containerPort one of the node's, and hostPort."
    return SccRemedy(sentence, _removing(path("spec", host.NETWORK), case.violation.path))


def _own_users(case: Case) -> SccRemedy:
    return SccRemedy("Set hostUsers to false.", (Change(case.violation.path, False),))


def _privileged(case: Case) -> SccRemedy:
    return SccRemedy("Remove privileged.", _removing(case.violation.path))


def _escalation(case: Case) -> SccRemedy:
    return SccRemedy("Set allowPrivilegeEscalation to false.", (Change(case.violation.path, False),))


def _root_filesystem(case: Case) -> SccRemedy:
    sentence = "Set readOnlyRootFilesystem to true, and mount an emptyDir wherever the container writes."
    return SccRemedy(sentence, (Change(case.violation.path, True),))


def _volumes(case: Case) -> SccRemedy:
    del case
    return SccRemedy("Use a volume of a kind that the SCC allows.")


def _drivers(case: Case) -> SccRemedy:
    del case
    return SccRemedy("Use a driver that the SCC allows.")


_CURES: dict[str, Callable[[Case], SccRemedy]] = {
    user.RULE: _user,
    selinux.RULE: _label,
    groups.FS_GROUP: _fs_group,
    groups.SUPPLEMENTAL_GROUPS: _supplemental_groups,
    capabilities.RULE: _capabilities,
    seccomp.RULE: _seccomp,
    sysctls.RULE: _sysctls,
    volumes.RULE: _volumes,
    volumes.FLEX_RULE: _drivers,
    host.NETWORK: _sharing,
    host.PID: _sharing,
    host.IPC: _sharing,
    host.PORTS: _ports,
    user_namespace.RULE: _own_users,
    privilege.RULE: _privileged,
    root_filesystem.RULE: _root_filesystem,
    privilege_escalation.RULE: _escalation,
}

RULES = frozenset(_CURES)
"""The names of all rules."""
