"""The manifest adds a capability, but the process will not have it, because it is not root.

Specification (capabilities(7) "Transformation of capabilities during execve()"; containerd 2.2, CRI-O 1.33 and Docker
29, none of which sets ambient capabilities), in our words:
- `capabilities.add` adds to the bounding set, and to the permitted set until the entry's execve(2). There a process
  whose uid is not 0 keeps only the executed file's own capabilities and the ambient set, which is empty.
- The hint is given if an added capability is in the predicted bounding set and not in the predicted permitted set. The
  prediction includes capabilities of the file. A program can itself raise a permitted capability that is not effective.
- No hint is given if the capability is dropped again or missing on this machine, because root would not have it either.
- NET_BIND_SERVICE alone has a remedy that needs no root: a safe sysctl of the Pod's own network (kubelet). Where
  the Pod already sets that sysctl, or the runtime does (containerd and Docker do, CRI-O does not), the capability is
  not needed and no hint is given.
No hint is given for privileged containers, because they do not name the capabilities that they need.
"""

from __future__ import annotations

from podward.api.capability import BITS, FULL, names
from podward.api.explanation import Change, Hint
from podward.api.process import ProcessState
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts, container_field, pod_field, source_of
from podward.schema.user_namespace import may_have_own

NAME = "capability-without-root"
RULE = Source(Origin.RULE, "capabilities(7)")
LOW_PORTS = "net.ipv4.ip_unprivileged_port_start"
_BIND = BITS["CAP_NET_BIND_SERVICE"]


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint, which names all lost capabilities of the container."""
    context = facts.effective.value.security_context
    added = context.capabilities.add if context.capabilities is not None else None
    if not added or context.privileged or facts.predicted is None:
        return ()
    lost = lost_of(added, facts.predicted.value)
    if lost & _BIND and _low_ports_are_free(facts):
        lost &= ~_BIND
    if not lost:
        return ()
    remedy, changes = _cure(facts, lost)
    are, them = ("is", "it") if lost.bit_count() == 1 or _has_all(added) else ("are", "them")
    entry = f", and {facts.entry.path} has no such capability of its own" if facts.entry is not None else ""
    return (
        Hint(
            NAME,
            facts.container.name,
            container_field(facts, "securityContext", "capabilities", "add"),
            f"{_listed(added, lost)} {are} added, but uid {_uid(facts)} will not have {them}: execve(2) takes {them} "
            f"from all but root{entry}.",
            remedy,
            changes,
            source_of(facts.predicted.decision, path("cap_permitted"), RULE),
        ),
    )


def lost_of(added: tuple[str, ...], state: ProcessState) -> int:
    """The bits of the added capabilities that the process will not have; 0 if it has all of them."""
    return _mask(added) & state.cap_bounding & ~state.cap_permitted


def _mask(added: tuple[str, ...]) -> int:
    """The bits of these names in a manifest."""
    bits = 0
    for name in added:
        upper = name.upper()
        bits |= FULL if upper == "ALL" else BITS.get(upper if upper.startswith("CAP_") else f"CAP_{upper}", 0)
    return bits


def _listed(added: tuple[str, ...], lost: int) -> str:
    if _has_all(added):
        return "ALL"
    return ", ".join(name.removeprefix("CAP_") for name in names(lost))


def _has_all(added: tuple[str, ...]) -> bool:
    return any(name.upper() == "ALL" for name in added)


def _uid(facts: HintFacts) -> int:
    uid = facts.effective.value.security_context.run_as_user
    return facts.spec.value.process.user.uid if facts.spec is not None else uid or 0


def _cure(facts: HintFacts, lost: int) -> tuple[str, tuple[Change, ...]]:
    context = facts.effective.value
    if lost == _BIND and not facts.pod.spec.host_network:
        sysctls = facts.pod.spec.security_context.sysctls if facts.pod.spec.security_context else None
        field = pod_field(facts, "securityContext", "sysctls", len(sysctls or ()))
        return (
            f"Let everybody in the Pod listen on low ports: set the safe sysctl {LOW_PORTS} to 0.",
            (Change(field, {"name": LOW_PORTS, "value": "0"}),),
        )
    file = "give the capability to the program's file in the image (setcap(8))"
    if context.no_new_privs:
        file += " and leave out allowPrivilegeEscalation: false"
    if context.security_context.run_as_non_root:
        return f"G{file[1:]}; running as root would do as well, but runAsNonRoot forbids it.", ()
    changes = (Change(container_field(facts, "securityContext", "runAsUser"), 0),)
    best = "hostUsers: false and " if may_have_own(facts.pod.spec) else ""
    return f"Run this container as uid 0, best with {best}all other capabilities dropped; or {file}.", changes


def _low_ports_are_free(facts: HintFacts) -> bool:
    return (LOW_PORTS, "0") in facts.sysctls
