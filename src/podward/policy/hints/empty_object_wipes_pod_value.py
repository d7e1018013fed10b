"""An empty object on the container that takes away what the Pod says.

Specification (kubelet `DetermineEffectiveSecurityContext`, `getSeccompProfile`, `getAppArmorProfile`), in our
words: an object on the container replaces the Pod's whole; its fields are not merged.
- With `seLinuxOptions: {}` the kubelet asks the runtime for no label at all. That the process has the Pod's all the
  same is the runtime's doing: containerd 2.2, CRI-O 1.33 and Docker 29 then fall back to the label of the sandbox.
- `seccompProfile: {}` means Unconfined. The API server refuses an empty seccompProfile or appArmorProfile (its type is
  required), but static Pods do not pass there.
"""

from __future__ import annotations

from podward.api.core import PodSecurityContext, Profile, SecurityContext, SELinuxOptions
from podward.api.explanation import Change, Hint
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.manifest import of_container, of_pod, written

NAME = "empty-object-wipes-pod-value"
_FIELDS = {
    "seLinuxOptions": ("se_linux_options", "the kubelet asks for no label, and what there is, is the sandbox's"),
    "seccompProfile": ("seccomp_profile", "no seccomp profile applies"),
    "appArmorProfile": ("app_armor_profile", "the Pod's AppArmor profile does not apply"),
}
_Object = SELinuxOptions | Profile


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each such field of the container."""
    above, own = facts.pod.spec.security_context, facts.container.security_context
    if above is None or own is None:
        return ()
    return tuple(_hint(facts, name, pods, _FIELDS[name][1]) for name, pods in wiped(above, own))


def wiped(above: PodSecurityContext, own: SecurityContext) -> tuple[tuple[str, _Object], ...]:
    """The Pod's fields that an empty object of the container takes away, each with the Pod's value."""
    return tuple(
        (name, pods)
        for name, (attribute, _) in _FIELDS.items()
        if (mine := _object(own, attribute)) is not None
        and not _values(mine)
        and (pods := _object(above, attribute)) is not None
        and _values(pods)
    )


def _hint(facts: HintFacts, name: str, pods: _Object, consequence: str) -> Hint:
    field = of_container(facts, "securityContext", name)
    return Hint(
        NAME,
        facts.container.name,
        field,
        f"{name}: {{}} on the container replaces the Pod's ({', '.join(_values(pods))}): {consequence}.",
        f"Leave {name} out on the container: then {of_pod(facts, 'securityContext', name)} applies.",
        (Change(field, None),),
        written(facts, field),
    )


def _object(context: PodSecurityContext | SecurityContext, attribute: str) -> _Object | None:
    value: _Object | None = getattr(context, attribute)
    return value


def _values(value: _Object) -> tuple[str, ...]:
    """What is set in the object; in Go null and the empty string are the same."""
    return tuple(f"{name}: {text}" for name in value.__struct_fields__ if (text := getattr(value, name)))
