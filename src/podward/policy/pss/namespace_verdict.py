"""What Pod Security admission answers to a namespace that is created or changed.

Specification (k8s.io/pod-security-admission, admission/admission.go `ValidateNamespace`, in our words):
- Labels that do not parse refuse a creation, and an update unless the same ones were there before.
- An exempt namespace with a policy that is neither privileged nor the cluster's own gets a warning that its labels do
  nothing; on an update only where the next rule lets it come so far.
- An update that changes enforce to something other than privileged, and neither keeps the version while relaxing the
  level, has the Pods that are there evaluated, those of exempt runtime classes left out. Pods with the same reasons
  share a warning, which names the first of them.

Upstream stops after 3,000 Pods or one second; here every Pod that is given is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from podward.api.core import Pod
from podward.api.gotext import quote
from podward.decision import Origin, Source, Violation
from podward.path import path
from podward.policy.pss.check import POLICY
from podward.policy.pss.labels import AUDIT, ENFORCE, WARN, Configuration, Policy, errors_text, policy_of
from podward.policy.pss.standard import STRICTNESS, Level, Standard
from podward.policy.pss.standards import evaluate
from podward.policy.pss.verdict import Verdict
from podward.policy.pss.wording import reasons

_LET_THROUGH = Verdict()


def admit_namespace(
    name: str,
    labels: Mapping[str, str | None],
    configuration: Configuration,
    old_labels: Mapping[str, str | None] | None = None,
    pods: Iterable[Pod] = (),
) -> Verdict:
    """The verdict on a namespace with these labels; `old_labels` and the `pods` in it where it is there already."""
    new = policy_of(labels, configuration.defaults)
    exempt = name in configuration.exemptions.namespaces if name else False
    if old_labels is None:
        if new.errors:
            return _invalid(name, new.errors)
        return _ignored(name, new.policy, labels, configuration) if exempt else _LET_THROUGH
    old = policy_of(old_labels, configuration.defaults)
    if new.errors and new.errors != old.errors:
        return _invalid(name, new.errors)
    enforce, before = new.policy.enforce, old.policy.enforce
    relaxed = enforce.version == before.version and STRICTNESS[enforce.level] <= STRICTNESS[before.level]
    if enforce.level is Level.PRIVILEGED or relaxed:
        return _LET_THROUGH
    if exempt:
        return _ignored(name, new.policy, labels, configuration)
    return Verdict(warnings=_violating(name, enforce, configuration, pods))


def _invalid(name: str, errors: tuple[Violation, ...]) -> Verdict:
    text = f"Namespace {quote(name)} is invalid: {errors_text(errors)}"
    return Verdict(Violation(path("metadata", "labels"), None, text, Source(Origin.RULE, f"{POLICY} labels")))


def _ignored(name: str, policy: Policy, labels: Mapping[str, str | None], configuration: Configuration) -> Verdict:
    default = configuration.defaults
    modes = (
        ("enforce", ENFORCE, policy.enforce, default.enforce),
        ("audit", AUDIT, policy.audit, default.audit),
        ("warn", WARN, policy.warn, default.warn),
    )
    if policy.fully_privileged or all(_equivalent(mine, theirs) for _, _, mine, theirs in modes):
        return _LET_THROUGH
    said = ", ".join(
        f"{mode}={standard}"
        for mode, label, standard, _ in modes
        if standard.level is not Level.PRIVILEGED and (label in labels or f"{label}-version" in labels)
    )
    warning = f"namespace {quote(name)} is exempt from Pod Security, and the policy ({said}) will be ignored"
    return Verdict(warnings=(warning,))


def _equivalent(one: Standard, other: Standard) -> bool:
    return one == other or one.level is other.level is Level.PRIVILEGED


def _violating(name: str, enforce: Standard, configuration: Configuration, pods: Iterable[Pod]) -> tuple[str, ...]:
    named: dict[str, list[str]] = {}
    for pod in pods:
        if (pod.spec.runtime_class_name or "") in configuration.exemptions.runtime_classes - {""}:
            continue
        results = evaluate(enforce.level, enforce.version, pod)
        if results:
            named.setdefault(reasons(results), []).append(pod.metadata.name or "")
    if not named:
        return ()
    head = f"existing pods in namespace {quote(name)} violate the new PodSecurity enforce level {quote(str(enforce))}"
    return head, *sorted(f"{_who(names)}: {why}" for why, names in named.items())


def _who(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{min(names)} (and {others} other {'pod' if others == 1 else 'pods'})"
