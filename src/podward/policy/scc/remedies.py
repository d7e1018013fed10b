"""The smallest change of a manifest after which an SCC no longer refuses a field.

The best remedy for most fields is to remove them, because the SCC then sets the value that it demands. If a container
would then inherit a value of its Pod, the remedy also considers that value. The remedy for a volume does not say which
kind to use instead. If an SCC refuses a value that it sets itself, no change of the Pod helps.
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
    container_flags,
    groups,
    host,
    seccomp,
    selinux,
    sysctls,
    user,
    volumes,
)
from podward.policy.scc.scc_pod import POD_CONTEXT
from podward.policy.scc.violation import rule_of


class SccRemedy(Struct, frozen=True):
    """The remedy for a violation: a sentence, and the changes of the Pod that apply it.

    Paths are in the Pod; a change to None removes the field. There are no changes if no change of the refused fields
    helps.
    """

    sentence: str
    changes: tuple[Change, ...] = ()


class RefusedField(Struct, frozen=True):
    """A violation in an SCC's Decision about a Pod, with the Decision and the Pod."""

    pod: Pod
    violation: Violation
    decision: Decision

    @property
    def context(self) -> PodSecurityContext:
        """The Pod's security context; an empty one if it has none."""
        return self.pod.spec.security_context or _NO_POD_CONTEXT

    @property
    def containers(self) -> tuple[tuple[Path, Container], ...]:
        """All containers with their paths."""
        return tuple((path("spec", name, index), found) for name, index, found in every_container(self.pod.spec))

    def refused_below(self, place: Path) -> list[Violation]:
        """The violations of the same rule at this path or below it."""
        rule = rule_of(self.violation)
        return [each for each in self.decision.violations if rule_of(each) == rule and each.path.startswith(place)]


def remedy(pod: Pod, violation: Violation, decision: Decision) -> SccRemedy:
    """The remedy for a violation in an SCC's Decision about this Pod."""
    of_rule = _REMEDIES.get(rule_of(violation))
    return _ACCESS if of_rule is None else of_rule(RefusedField(pod, violation, decision))


_NO_POD_CONTEXT = PodSecurityContext()
_NO_CONTEXT = SecurityContext()
_ACCESS = SccRemedy("Let the Pod's service account use an SCC that the Pod fits.")
_SCC_REFUSES_ITS_OWN_VALUE = SccRemedy(
    "The SCC refuses what it sets itself: correct its range, or that of the namespace."
)
_POD_UID = POD_CONTEXT / "runAsUser"
_POD_NON_ROOT = POD_CONTEXT / "runAsNonRoot"
_POD_LABEL = POD_CONTEXT / "seLinuxOptions"
_POD_PROFILE = POD_CONTEXT / "seccompProfile"
_POD_PROFILE_KEY = path("metadata", "annotations", Key(seccomp.POD_ANNOTATION))


def _removal(*places: Path) -> tuple[Change, ...]:
    return tuple(Change(place, None) for place in places)


def _context(container: Container) -> SecurityContext:
    return container.security_context or _NO_CONTEXT


def _container_of(field: RefusedField) -> tuple[Path, Container] | None:
    """The container that the violation is about, and its path; None if the violation is about the Pod."""
    return next((found for found in field.containers if field.violation.path.startswith(found[0])), None)


def _user(field: RefusedField) -> SccRemedy:
    if field.violation.path.segments[-1] == "runAsNonRoot":
        return _non_root(field)
    places = _uids(field)
    if not places:
        return _SCC_REFUSES_ITS_OWN_VALUE
    return SccRemedy("Remove runAsUser; the SCC names a user, or else the image does.", _removal(*places))


def _uids(field: RefusedField) -> list[Path]:
    """The paths of the uids to remove, so that the violation's container has no uid or an allowed one."""
    found = _container_of(field)
    pod_uid = field.context.run_as_user
    if found is None:
        return [_POD_UID]
    places: list[Path] = []
    if _context(found[1]).run_as_user is not None:
        places.append(found[0] / "securityContext" / "runAsUser")
    inherited = any(_context(container).run_as_user is None for _, container in field.containers)
    refused = any(violation.path == _POD_UID for violation in field.decision.violations)
    # If no container inherits the Pod's uid, the SCC has not checked it, so the container must not inherit it either.
    if pod_uid is not None and (refused or not inherited):
        places.append(_POD_UID)
    return places


def _non_root(field: RefusedField) -> SccRemedy:
    changes: list[Change] = [Change(field.violation.path, True)]
    found = _container_of(field)
    affected = field.containers if found is None else (found,)
    root_uids = [
        place / "securityContext" / "runAsUser"
        for place, container in affected
        if _context(container).run_as_user == 0  # the SCC would refuse it next
    ]
    changes += _removal(*root_uids)
    if field.context.run_as_user == 0:
        changes += _removal(_POD_UID)
    sentence = "Set runAsNonRoot to true, and name no root user." if len(changes) > 1 else "Set runAsNonRoot to true."
    return SccRemedy(sentence, tuple(changes))


def _label(field: RefusedField) -> SccRemedy:
    found = _container_of(field)
    places = [] if found is None else [found[0] / "securityContext" / "seLinuxOptions"]
    if found is None or field.refused_below(_POD_LABEL):
        places.append(_POD_LABEL)
    return SccRemedy("Remove seLinuxOptions; the SCC sets the label that it demands.", _removal(*places))


def _fs_group(field: RefusedField) -> SccRemedy:
    if field.context.fs_group is None:
        return _SCC_REFUSES_ITS_OWN_VALUE
    return SccRemedy("Remove fsGroup; the SCC sets one that it allows.", _removal(field.violation.path))


def _supplemental_groups(field: RefusedField) -> SccRemedy:
    written = field.context.supplemental_groups
    if written is None:
        return _SCC_REFUSES_ITS_OWN_VALUE
    place = POD_CONTEXT / groups.SUPPLEMENTAL_GROUPS
    kept = _allowed_items(field, place, written)
    if kept:
        return SccRemedy("Remove the groups that the SCC does not allow.", (Change(place, kept),))
    return SccRemedy("Remove supplementalGroups; the SCC sets one that it allows.", _removal(place))


def _capabilities(field: RefusedField) -> SccRemedy:
    found = _container_of(field)
    written = None if found is None else _context(found[1]).capabilities
    if found is None or written is None or not written.add:
        return _SCC_REFUSES_ITS_OWN_VALUE
    place = found[0] / "securityContext" / "capabilities" / "add"
    refused = {each.value for each in field.refused_below(place)}
    kept = tuple(name for name in written.add if name not in refused)
    sentence = "Remove the capabilities that the SCC does not allow to be added."
    return SccRemedy(sentence, (Change(place, kept or None),))


def _seccomp(field: RefusedField) -> SccRemedy:
    """Remove the profile from both the field and the old annotation."""
    found = _profile_holder(field)
    places: list[Path] = []
    if found is not None:
        place, container = found
        key = seccomp.CONTAINER_ANNOTATION + container.name
        if key in (field.pod.metadata.annotations or {}):
            places.append(path("metadata", "annotations", Key(key)))
        if _context(container).seccomp_profile is not None:
            places.append(place / "securityContext" / "seccompProfile")
    if not places or any(each.path in (_POD_PROFILE, _POD_PROFILE_KEY) for each in field.decision.violations):
        if seccomp.POD_ANNOTATION in (field.pod.metadata.annotations or {}):
            places.append(_POD_PROFILE_KEY)
        if field.context.seccomp_profile is not None:
            places.append(_POD_PROFILE)
    return SccRemedy("Remove the seccomp profile; the SCC sets one that it allows, if it has any.", _removal(*places))


def _profile_holder(field: RefusedField) -> tuple[Path, Container] | None:
    last = field.violation.path.segments[-1]
    if isinstance(last, Key) and last.name.startswith(seccomp.CONTAINER_ANNOTATION):
        name = last.name[len(seccomp.CONTAINER_ANNOTATION) :]
        return next((found for found in field.containers if found[1].name == name), None)
    return _container_of(field)


def _sysctls(field: RefusedField) -> SccRemedy:
    place = POD_CONTEXT / sysctls.RULE
    written = tuple({"name": each.name, "value": each.value} for each in field.context.sysctls or ())
    kept = _allowed_items(field, place, written)
    return SccRemedy("Remove the sysctls that the SCC does not allow.", (Change(place, kept or None),))


def _allowed_items(field: RefusedField, place: Path, items: Iterable[Value]) -> tuple[Value, ...]:
    """The items of the list at `place` that are not refused."""
    refused = {each.path for each in field.refused_below(place)}
    return tuple(item for index, item in enumerate(items) if place / index not in refused)


def _sharing(field: RefusedField) -> SccRemedy:
    return SccRemedy(f"Remove {rule_of(field.violation)}.", _removal(field.violation.path))


def _ports(field: RefusedField) -> SccRemedy:
    if not field.pod.spec.host_network:
        return SccRemedy("Remove hostPort; a Service makes ports reachable.", _removal(field.violation.path))
    # With hostNetwork the API server makes each containerPort a hostPort, so the removed one would come back.
    sentence = "Remove hostNetwork, which makes every containerPort one of the node's, and hostPort."
    return SccRemedy(sentence, _removal(path("spec", host.NETWORK), field.violation.path))


def _own_users(field: RefusedField) -> SccRemedy:
    return SccRemedy("Set hostUsers to false.", (Change(field.violation.path, False),))


def _privileged(field: RefusedField) -> SccRemedy:
    return SccRemedy("Remove privileged.", _removal(field.violation.path))


def _escalation(field: RefusedField) -> SccRemedy:
    return SccRemedy("Set allowPrivilegeEscalation to false.", (Change(field.violation.path, False),))


def _root_filesystem(field: RefusedField) -> SccRemedy:
    sentence = "Set readOnlyRootFilesystem to true, and mount an emptyDir wherever the container writes."
    return SccRemedy(sentence, (Change(field.violation.path, True),))


def _volumes(field: RefusedField) -> SccRemedy:
    del field
    return SccRemedy("Use a volume of a kind that the SCC allows.")


def _drivers(field: RefusedField) -> SccRemedy:
    del field
    return SccRemedy("Use a driver that the SCC allows.")


_REMEDIES: dict[str, Callable[[RefusedField], SccRemedy]] = {
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
    host.USERS: _own_users,
    container_flags.PRIVILEGED: _privileged,
    container_flags.READ_ONLY_ROOT: _root_filesystem,
    container_flags.ESCALATION: _escalation,
}

RULES = frozenset(_REMEDIES)
"""The names of all rules."""
