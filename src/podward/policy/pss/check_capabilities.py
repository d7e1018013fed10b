"""capabilities_baseline and capabilities_restricted: which capabilities containers may add and must drop.

Specification (k8s.io/pod-security-admission, in our words):

capabilities_baseline, level baseline:

- since 1.0: each name in a container's capabilities.add is one of `BASELINE_ALLOWED`, which container runtimes give by
  default anyway. The names must be written exactly so, without CAP_
- since 1.22: at restricted, capabilities_restricted replaces this check

capabilities_restricted, level restricted, overrides capabilities_baseline:

- since 1.22: each container's capabilities.drop has `ALL`, and capabilities.add has nothing but `NET_BIND_SERVICE`,
  written exactly so
- since 1.25: a Pod with os.name windows passes, whatever it adds
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.policy.pss.check import (
    WINDOWS_NEEDS_V1_25,
    Check,
    CheckResult,
    ContainerRef,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_list, container_title, quoted_list

BASELINE_ID = "capabilities_baseline"
BASELINE_ALLOWED = frozenset(
    (
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    )
)
RESTRICTED_ID = "capabilities_restricted"
RESTRICTED_ALLOWED = frozenset(("NET_BIND_SERVICE",))
_OVERRIDES = (BASELINE_ID,)
_ALL = "ALL"

_ForbiddenAdds = list[tuple[ContainerRef, list[tuple[int, str]]]]
"""Containers with the index and name of each capability that they must not add."""


def _forbidden_adds(facts: PssFacts, allowed: frozenset[str]) -> _ForbiddenAdds:
    bad: _ForbiddenAdds = []
    for container in facts.containers:
        capabilities = container.context.capabilities
        if capabilities is not None and capabilities.add and not allowed.issuperset(capabilities.add):
            bad.append((container, [(i, name) for i, name in enumerate(capabilities.add) if name not in allowed]))
    return bad


def _add_violations(adding: _ForbiddenAdds) -> list[FieldViolation]:
    return [
        (
            container.context_path("capabilities", "add", index),
            name,
            f"{container_title(container)} adds the capability {name}.",
        )
        for container, names in adding
        for index, name in names
    ]


def _add_detail(adding: _ForbiddenAdds) -> str:
    names = quoted_list(sorted({name for _, names in adding for _, name in names}))
    who = container_list([container for container, _ in adding])
    return f"{who} must not include {names} in securityContext.capabilities.add"


def _add_changes(facts: PssFacts, allowed: frozenset[str]) -> tuple[Change, ...]:
    """Removes the forbidden capabilities from each capabilities.add, and a list that would be empty."""
    return tuple(
        Change(
            container.context_path("capabilities", "add"),
            tuple(name for name in _adds(container) if name in allowed) or None,
        )
        for container, _ in _forbidden_adds(facts, allowed)
    )


def _adds(container: ContainerRef) -> tuple[str, ...]:
    capabilities = container.context.capabilities
    return (capabilities.add if capabilities else None) or ()


def _drops(container: ContainerRef) -> tuple[str, ...]:
    capabilities = container.context.capabilities
    return (capabilities.drop if capabilities else None) or ()


def _baseline(facts: PssFacts) -> CheckResult | None:
    adding = _forbidden_adds(facts, BASELINE_ALLOWED)
    if not adding:
        return None
    return failed(BASELINE_ID, "non-default capabilities", _add_detail(adding), _add_violations(adding))


def _baseline_remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del result
    return PssRemedy(
        "Take out of capabilities.add what is not among the runtimes' defaults.", _add_changes(facts, BASELINE_ALLOWED)
    )


def _written_drop(container: ContainerRef) -> Value:
    """The value of capabilities.drop: an empty list is not the same as none."""
    capabilities = container.context.capabilities
    return capabilities.drop if capabilities else None


def _not_dropping(facts: PssFacts) -> list[ContainerRef]:
    return [container for container in facts.containers if _ALL not in _drops(container)]


def _restricted(facts: PssFacts) -> CheckResult | None:
    not_dropping = _not_dropping(facts)
    adding = _forbidden_adds(facts, RESTRICTED_ALLOWED)
    if not (not_dropping or adding):
        return None
    violations: list[FieldViolation] = [
        (
            container.context_path("capabilities", "drop"),
            _written_drop(container),
            f"{container_title(container)} does not drop ALL capabilities.",
        )
        for container in not_dropping
    ]
    details: list[str] = []
    if not_dropping:
        details.append(f'{container_list(not_dropping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        details.append(_add_detail(adding))
    return failed(RESTRICTED_ID, "unrestricted capabilities", "; ".join(details), violations + _add_violations(adding))


def _restricted_on_linux(facts: PssFacts) -> CheckResult | None:
    return None if facts.windows else _restricted(facts)


def _restricted_remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del result
    if facts.windows:
        return WINDOWS_NEEDS_V1_25
    drops = [
        Change(container.context_path("capabilities", "drop"), _with_all(_drops(container)))
        for container in _not_dropping(facts)
    ]
    adds = _add_changes(facts, RESTRICTED_ALLOWED)
    return PssRemedy("Drop ALL capabilities, and add none but NET_BIND_SERVICE.", (*drops, *adds))


def _with_all(drops: tuple[str, ...]) -> tuple[str, ...]:
    """The drops with `ALL` added, or in the place of one written in another case: `all` does not pass this check."""
    meant = [name.upper() == _ALL for name in drops]
    if not any(meant):
        return (*drops, _ALL)
    first = meant.index(True)
    kept = [_ALL if index == first else name for index, name in enumerate(drops) if index <= first or not meant[index]]
    return tuple(kept)


BASELINE = Check(BASELINE_ID, Level.BASELINE, (Revision(0, _baseline),), _baseline_remedy)
RESTRICTED = Check(
    RESTRICTED_ID,
    Level.RESTRICTED,
    (Revision(22, _restricted, _OVERRIDES), Revision(25, _restricted_on_linux, _OVERRIDES)),
    _restricted_remedy,
)
