"""seLinuxOptions: processes keep an SELinux label for containers.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: in the seLinuxOptions of the Pod and of each container, type is empty or one of container_t,
  container_init_t, container_kvm_t; user and role are empty; level may be anything
- since 1.31: the type container_engine_t is allowed too

The detail names each forbidden type once, sorted, then says whether user and role are set anywhere.
"""

from __future__ import annotations

from podward.api.core import SELinuxOptions
from podward.api.explanation import Change
from podward.policy.pss.check import (
    Check,
    CheckResult,
    ContainerRef,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
    pod_context_path,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_title, plural, quoted_list, setter_list

ID = "seLinuxOptions"
_TYPES = frozenset((None, "", "container_t", "container_init_t", "container_kvm_t"))
_TYPES_31 = _TYPES | {"container_engine_t"}


def _bad_fields(options: SELinuxOptions | None, types: frozenset[str | None]) -> list[tuple[str, str]]:
    """The name and value of each forbidden field."""
    if options is None:
        return []
    bad: list[tuple[str, str]] = []
    if options.type not in types:
        bad.append(("type", options.type or ""))
    bad += [(name, value) for name, value in (("user", options.user), ("role", options.role)) if value]
    return bad


def _options(facts: PssFacts, types: frozenset[str | None]) -> CheckResult | None:
    pod = _bad_fields(facts.context.se_linux_options, types)
    bad = [
        (container, fields)
        for container in facts.containers
        if (fields := _bad_fields(container.context.se_linux_options, types))
    ]
    if not (pod or bad):
        return None
    violations: list[FieldViolation] = [
        (pod_context_path(ID, name), value, f'The Pod sets the SELinux {name} "{value}".') for name, value in pod
    ]
    violations += [
        (container.context_path(ID, name), value, f'{container_title(container)} sets the SELinux {name} "{value}".')
        for container, fields in bad
        for name, value in fields
    ]
    return failed(ID, ID, _detail(pod, bad), violations)


def _detail(pod: list[tuple[str, str]], bad: list[tuple[ContainerRef, list[tuple[str, str]]]]) -> str:
    every = pod + [field for _, fields in bad for field in fields]
    types = sorted({value for name, value in every if name == "type"})
    words = [f"{plural('type', 'types', types)} {quoted_list(types)}"] if types else []
    names = {name for name, _ in every}
    words += [f"{name} may not be set" for name in ("user", "role") if name in names]
    who = setter_list([container for container, _ in bad], pod=bool(pod))
    return f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(words)}"


def _since_0(facts: PssFacts) -> CheckResult | None:
    return _options(facts, _TYPES)


def _since_31(facts: PssFacts) -> CheckResult | None:
    return _options(facts, _TYPES_31)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    """Remove the forbidden fields, or the whole object if nothing else is in it: an empty one would hide the Pod's."""
    forbidden = {violation.path for violation in result.decision.violations}
    places = [(pod_context_path(ID), facts.context.se_linux_options)]
    places += [(container.context_path(ID), container.context.se_linux_options) for container in facts.containers]
    changes: list[Change] = []
    for at, options in places:
        if options is None:
            continue
        written = [(name, value) for name, value in _fields(options) if value]
        bad = [at / name for name, _ in written if at / name in forbidden]
        changes += [Change(at, None)] if bad and len(bad) == len(written) else [Change(field, None) for field in bad]
    return PssRemedy("Remove the SELinux user, role and type; the runtime gives containers theirs.", tuple(changes))


def _fields(options: SELinuxOptions) -> tuple[tuple[str, str | None], ...]:
    return ("user", options.user), ("role", options.role), ("type", options.type), ("level", options.level)


CHECK = Check(ID, Level.BASELINE, (Revision(0, _since_0), Revision(31, _since_31)), _remedy)
