"""An empty object on the container removes the Pod's value.

Specification (kubelet `DetermineEffectiveSecurityContext`, `getSeccompProfile`, `getAppArmorProfile`), in our
words: an object on the container replaces the Pod's object as a whole; their fields are not merged.
- With `seLinuxOptions: {}` the kubelet requests no label. containerd 2.2, CRI-O 1.33 and Docker 29 then use the label
  of the sandbox, so the process has the Pod's label after all.
- `seccompProfile: {}` means Unconfined. The API server refuses an empty seccompProfile or appArmorProfile (its type is
  required), but static Pods do not pass through it.
"""

from __future__ import annotations

from podward.api.core import PodSecurityContext, Profile, SecurityContext, SELinuxOptions
from podward.api.explanation import Change, Hint
from podward.policy.hints.facts import HintFacts, container_field, manifest_source, pod_field

NAME = "empty-object-wipes-pod-value"
_FIELDS = {
    "seLinuxOptions": ("se_linux_options", "the kubelet asks for no label, and what there is, is the sandbox's"),
    "seccompProfile": ("seccomp_profile", "no seccomp profile applies"),
    "appArmorProfile": ("app_armor_profile", "the Pod's AppArmor profile does not apply"),
}
_Object = SELinuxOptions | Profile


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each such field of the container."""
    of_pod, own = facts.pod.spec.security_context, facts.container.security_context
    if of_pod is None or own is None:
        return ()
    return tuple(_hint(facts, name, pod_value, _FIELDS[name][1]) for name, pod_value in wiped(of_pod, own))


def wiped(of_pod: PodSecurityContext, own: SecurityContext) -> tuple[tuple[str, _Object], ...]:
    """The Pod's fields that an empty object of the container removes, each with the Pod's value."""
    return tuple(
        (name, pod_value)
        for name, (attribute, _) in _FIELDS.items()
        if (own_value := _object(own, attribute)) is not None
        and not _values(own_value)
        and (pod_value := _object(of_pod, attribute)) is not None
        and _values(pod_value)
    )


def _hint(facts: HintFacts, name: str, pod_value: _Object, consequence: str) -> Hint:
    field = container_field(facts, "securityContext", name)
    return Hint(
        NAME,
        facts.container.name,
        field,
        f"{name}: {{}} on the container replaces the Pod's ({', '.join(_values(pod_value))}): {consequence}.",
        f"Leave {name} out on the container: then {pod_field(facts, 'securityContext', name)} applies.",
        (Change(field, None),),
        manifest_source(facts, field),
    )


def _object(context: PodSecurityContext | SecurityContext, attribute: str) -> _Object | None:
    value: _Object | None = getattr(context, attribute)
    return value


def _values(value: _Object) -> tuple[str, ...]:
    """The fields that are set in the object; in Go null and the empty string are the same."""
    return tuple(f"{name}: {text}" for name in value.__struct_fields__ if (text := getattr(value, name)))
