"""Every rule of `check`, with its description and its documentation page.

A rule is `family/name`. Its page is podward/rule_pages/FAMILY/NAME.md, which `podward rule` prints; `make pages` writes
docs/rules and docs/hints from these and from the descriptions below. The names of `pss` are the checks' own in
k8s.io/pod-security-admission, `_baseline` and `_restricted` where both levels have one; those of `scc` are the parts of
a SecurityContextConstraints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from podward.api.report import Rule, family_of

ALWAYS = frozenset(("input", "waiver/malformed"))
"""Rules and families that no selection can leave out: what could not be read was not checked."""
_MAY_BE_WAIVED = "input/pod-spec-patch"
"""The only one of them that a waiver or a baseline may silence: its author may have no other way to write it."""

_PSS = {
    "allowPrivilegeEscalation": "A container may gain more privileges than its parent process (restricted).",
    "appArmorProfile": "An AppArmor profile is set that is neither the runtime's default nor a local one (baseline).",
    "capabilities_baseline": "A capability is added beyond the usual set of a container runtime (baseline).",
    "capabilities_restricted": "A container does not drop ALL capabilities, or adds one that may not be (restricted).",
    "hostNamespaces": "The Pod shares the host's network, process or IPC namespace (baseline).",
    "hostPathVolumes": "The Pod mounts a path of the host (baseline).",
    "hostPorts": "A container takes a port of the host (baseline).",
    "hostProbesAndHostLifecycle": "A probe or a lifecycle hook names a host of its own to connect to (baseline).",
    "privileged": "A container is privileged (baseline).",
    "procMount": "A container asks for an unmasked /proc (baseline).",
    "procMount_restricted": "A container asks for an unmasked /proc (restricted).",
    "restrictedVolumes": "A volume is of a type that restricted Pods may not use (restricted).",
    "runAsNonRoot": "A container is not required to run as a user other than root (restricted).",
    "runAsUser": "The Pod or a container asks for uid 0 (restricted).",
    "seLinuxOptions": "SELinux options set a user, a role or a type of their own (baseline).",
    "seccompProfile_baseline": "Seccomp is switched off: the profile is Unconfined (baseline).",
    "seccompProfile_restricted": "No seccomp profile is set, or one that is not allowed (restricted).",
    "sysctls": "A sysctl is set that is not known to be safe (baseline).",
    "windowsHostProcess": "The Pod or a container runs as a process of a Windows host (baseline).",
}
_SCC = {
    "access": "Whoever makes the Pod may use no SecurityContextConstraints at all.",
    "allowPrivilegeEscalation": "A container may gain privileges, and the SCC does not allow it.",
    "capabilities": "A capability is added that the SCC does not allow, or one is not dropped that it requires.",
    "flexVolumes": "A FlexVolume uses a driver that the SCC does not list.",
    "fsGroup": "The Pod's fsGroup is outside the range of the SCC or of the namespace.",
    "hostIPC": "The Pod shares the host's IPC namespace, and the SCC does not allow it.",
    "hostNetwork": "The Pod shares the host's network, and the SCC does not allow it.",
    "hostPID": "The Pod shares the host's process namespace, and the SCC does not allow it.",
    "hostPorts": "A container takes a port of the host, and the SCC does not allow it.",
    "hostUsers": "The Pod shares the host's user namespace, and the SCC requires one of its own.",
    "privileged": "A container is privileged, and the SCC does not allow it.",
    "readOnlyRootFilesystem": "A container's root file system is writable, and the SCC requires a read-only one.",
    "runAsUser": "A container's uid is none that the SCC or the namespace allows.",
    "seLinux": "SELinux options are not those that the SCC or the namespace requires.",
    "seccomp": "A seccomp profile is set that the SCC does not list.",
    "supplementalGroups": "A supplemental group is outside the range of the SCC or of the namespace.",
    "sysctls": "A sysctl is set that the SCC does not allow.",
    "volumes": "A volume is of a type that the SCC does not allow.",
}
_HINT = {
    "capability-without-root": "A capability is added to a process that is not root, and the process does not have it.",
    "container-field-on-pod": "A field that only containers have is written in the Pod's securityContext.",
    "empty-object-wipes-pod-value": "An empty object on the container takes away what the Pod says.",
    "group-from-image": "A supplementary group that only the image's /etc/group asks for.",
    "group-without-user": "runAsGroup without runAsUser: root in another group, or no Pod at all.",
    "host-path-keeps-its-group": "fsGroup does nothing for a hostPath.",
    "image-user-not-numeric": "runAsNonRoot refuses an image whose user is a name, even if it is nobody's root.",
    "privileged-drops-profile": "privileged silently takes away the seccomp or AppArmor profile written beside it.",
    "read-only-root-without-tmp": "A read-only root and nothing writable at /tmp.",
    "root-cannot-chown": "The command changes owners as root, and CHOWN is not among its capabilities.",
    "runtime-defaults-differ": "Something is left to the runtime that another runtime decides otherwise.",
    "seccomp-unset": "No seccomp profile anywhere means none: every system call may be made.",
    "setuid-without-new-privileges": "A setuid program that allowPrivilegeEscalation: false makes an ordinary one.",
    "token-not-readable": "A secret's or a token's files have a mode that keeps this process out.",
    "uid-shared-with-pods": "Other Pods on the machine run as the same host uid and share its limits.",
    "uid-without-passwd": "A uid that the image's /etc/passwd does not have: no name, no home, often group 0.",
    "unknown-capability": "A name in capabilities is no capability, and adds or drops nothing.",
    "volume-not-writable": "A volume is mounted for writing, and these ids may not write it.",
}
_INPUT = {
    "kind": "A kind that no API has: misspelt, or of a version that is gone.",
    "kustomize": "A kustomization or one of its patches, which is no object until it is built.",
    "limits": "A file is too large, nests too deep or grows too much when its aliases are resolved.",
    "link": "A link to a directory, which the search does not follow.",
    "other": "A document is no object of Kubernetes: it has neither a kind nor metadata.",
    "pod-spec-patch": "A podSpecPatch of Argo's could not be applied: no rule has looked at what it makes of the Pods.",
    "reading": "A file cannot be opened or read.",
    "schema": "A document has a field that its kind does not have, or a value of another type.",
    "syntax": "A file is not valid YAML or JSON.",
    "template": "A file is a template of Helm, which is no manifest until it is rendered.",
    "unknown-kind": "A custom resource holds containers, and it is not known where its Pods are.",
}
_API = {
    "deprecated": "An annotation has no effect any more, or a field has taken its place.",
    "inlineVolumes": "On OpenShift: an inline CSI volume's driver is not labelled for the namespace's level.",
    "validation": "The API server would refuse the object, whatever policies say.",
}
_WAIVER = {
    "expired": "A waiver has expired, and what it covered counts again.",
    "inline": "A waiver in an annotation does not count, because this check forbids waivers there.",
    "malformed": "A waiver in an annotation does not say what it must: rule, last day and reason.",
    "too-long": "A waiver does not count, because its last day is further away than this check allows.",
    "unused": "A waiver covers nothing.",
}
_POLICY = {
    "left-out": "A policy of the checked files does not count, because the check takes its policies from elsewhere.",
    "lowered": "A policy of the checked files allows more than the check would allow without it.",
    "unguarded": "No SecurityContextConstraints looks at a Pod, because of its namespace.",
}
_FAMILIES = {
    "pss": _PSS,
    "scc": _SCC,
    "hint": _HINT,
    "input": _INPUT,
    "api": _API,
    "waiver": _WAIVER,
    "policy": _POLICY,
}

FAMILIES = tuple(_FAMILIES)
DESCRIPTIONS: Mapping[str, str] = {
    f"{family}/{name}": description for family, names in _FAMILIES.items() for name, description in names.items()
}
"""The description of every rule, by the rule's name."""


def page_of(name: str) -> str:
    """The page about a rule, as a path from the root of the repository."""
    family, _, rest = name.partition("/")
    return f"docs/hints/{rest}.md" if family == "hint" else f"docs/rules/{family}/{rest}.md"


def rule(name: str) -> Rule:
    """The rule of this name. Raises KeyError if there is none, which is a defect of the code that made the finding."""
    return Rule(name, DESCRIPTIONS[name], page_of(name))


def named(rules: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of these names, each once, in the order of their names."""
    return tuple(rule(name) for name in sorted(set(rules)))


def is_known(name: str) -> bool:
    """Whether this is the name of a rule or a family."""
    return name in DESCRIPTIONS or name in _FAMILIES


def covers(selector: str, name: str) -> bool:
    """Whether `selector` is the rule's name or that of its family."""
    return selector in (name, family_of(name))


def is_always(name: str) -> bool:
    """Whether this rule or family can't be left out of a check."""
    return name in ALWAYS or family_of(name) in ALWAYS


def may_be_waived(name: str) -> bool:
    """Whether a waiver or a baseline may have findings of this rule: none about what was not read, or about waivers."""
    return name == _MAY_BE_WAIVED or not (is_always(name) or family_of(name) == "waiver")


def advice(name: str) -> str:
    """Advice for a name that no rule and no family has: the names that are similar."""
    from difflib import get_close_matches

    lowered = {known.lower(): known for known in (*DESCRIPTIONS, *FAMILIES)}
    by_last_part = {known.partition("/")[2].lower(): known for known in DESCRIPTIONS}
    near = [lowered[match] for match in get_close_matches(name.lower(), lowered, 3)]
    near += [by_last_part[match] for match in get_close_matches(name.lower(), by_last_part, 3)]
    listed = list(dict.fromkeys(near))[:3]
    if listed:
        return f"did you mean {', '.join(listed)}?"
    return f"name a rule, such as pss/hostPorts, or a family: {', '.join(FAMILIES)}"
