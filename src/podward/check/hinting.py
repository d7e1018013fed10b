"""The hints that a manifest alone gives, without the image and without a machine.

Nothing is claimed that the image could disprove: its user is unknown, and what a process will have is only foretold
where the manifest itself says who it is. With the image at hand, `podward explain` says more.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import msgspec

from podward.api.core import (
    Container,
    ObjectMeta,
    Pod,
    PodSecurityContext,
    PodSpec,
    SecurityContext,
    every_container,
)
from podward.api.effective import Place
from podward.api.explanation import Hint
from podward.check.assumed_facts import AssumedFacts, OrdinaryProgram
from podward.path import Path, path
from podward.pipeline import ContainerPlan, PodPlan, in_order, plan_container, plan_sandbox, user_namespace
from podward.policy.hints import (
    capability_without_root,
    empty_object_wipes_pod_value,
    from_manifest,
    seccomp_unset,
    unknown_capability,
)
from podward.policy.hints.facts import HintFacts
from podward.schema.workload import PodSource

_SECCOMP_UNSET = "No seccompProfile is set: unless the node's seccompDefault is true, every system call may be made."
_SECCOMP = (
    path("spec", "securityContext", "seccompProfile"),
    path("spec", "securityContext", "seccompProfile", "type"),
)
_UNWRITTEN, _UNWRITTEN_ON_POD = SecurityContext(), PodSecurityContext()


def hints(source: PodSource, pod: Pod, refused: AbstractSet[Path] = frozenset()) -> tuple[Hint, ...]:
    """The hints about every container; what a kubelet would refuse is for other rules to say.

    `pod` is the source's Pod as a cluster stores it, with what an SCC sets. `refused` are places of the document that a
    policy refuses: where the profile is one of them, nobody needs to hear once more that it is unset.
    """
    if pod.spec.os is not None and pod.spec.os.name == "windows":
        return ()  # all of them are about Linux
    if not _could_be_hinted(pod):
        return ()
    place = Place(source.document.name, source.prefix)
    facts = AssumedFacts(pod, place)
    shared = PodPlan(userns=user_namespace(facts))
    unset_matters = refused.isdisjoint(place.pod + seccomp for seccomp in _SECCOMP)
    found: list[Hint] = []
    for kind, at, container in in_order(pod, place):
        adds = _says_who_and_adds(pod, container) and _loses(pod, container)
        unset = unset_matters and seccomp_is_unset(pod, container)
        if not (adds or unset or may_be_hinted(pod, container)):
            continue
        # What values its variables have, a cluster knows; who its process is does not depend on them.
        asked = kind, at, msgspec.structs.replace(container, env=None)
        plan = plan_container(facts, shared, asked, "cri" if unset else "effective")  # only one hint looks beyond
        if plan.effective is None or plan.effective.decision.refused:
            continue
        about = HintFacts(
            pod=pod,
            container=container,
            kind=kind,
            place=at,
            image=plan.image,
            node=facts.node,
            effective=plan.effective,
            config=plan.config,
        )
        found += from_manifest.decide(about)
        if adds:
            found += _lost_capabilities(about)
    return tuple(map(_without_node, found))


def _without_node(hint: Hint) -> Hint:
    """The hint without what only a node could tell."""
    if hint.name != seccomp_unset.NAME:
        return hint
    return msgspec.structs.replace(hint, problem=_SECCOMP_UNSET)


def seccomp_is_unset(pod: Pod, container: Container) -> bool:
    """Whether neither the Pod nor the container says anything about system calls."""
    own, above = container.security_context, pod.spec.security_context
    return (own is None or own.seccomp_profile is None) and (above is None or above.seccomp_profile is None)


def may_be_hinted(pod: Pod, container: Container) -> bool:
    """Whether any of the hints about users, groups and profiles could be about this container: see `_loses` for others.

    True wherever the fields are written, or not written, that some hint begins with.
    """
    own = container.security_context or _UNWRITTEN
    above = pod.spec.security_context or _UNWRITTEN_ON_POD
    return (
        (above.run_as_user is None and above.run_as_group is not None)
        or (above.run_as_user is None and own.run_as_user is None and own.run_as_group is not None)
        or bool(empty_object_wipes_pod_value.wiped(above, own))
        or bool(own.capabilities is not None and unknown_capability.unknown(container))
    )


def _could_be_hinted(pod: Pod) -> bool:
    """Whether any of the hints could be about any container: most Pods need neither places nor facts."""
    return any(
        seccomp_is_unset(pod, container) or _says_who_and_adds(pod, container) or may_be_hinted(pod, container)
        for _, _, container in every_container(pod.spec)
    )


def _says_who_and_adds(pod: Pod, container: Container) -> bool:
    """Whether the manifest gives this container a user other than root, and capabilities."""
    own, above = container.security_context, pod.spec.security_context
    uid = own.run_as_user if own is not None and own.run_as_user is not None else above.run_as_user if above else None
    return bool(uid and own is not None and own.capabilities is not None and own.capabilities.add)


def _loses(pod: Pod, container: Container) -> bool:
    """Whether some capability that the container adds is lost."""
    told = _predicted(pod, container)
    added = container.security_context.capabilities if container.security_context is not None else None
    if told is None or told.predicted is None:
        return False
    return bool(capability_without_root.lost_of((added and added.add) or (), told.predicted.value))


def _lost_capabilities(about: HintFacts) -> tuple[Hint, ...]:
    told = _predicted(about.pod, about.container)
    if told is None or told.sandbox is None:
        return ()
    sysctls = tuple(told.sandbox.linux.sysctls.items())
    whole = msgspec.structs.replace(about, predicted=told.predicted, sysctls=sysctls)
    return tuple(
        msgspec.structs.replace(hint, problem=f"{hint.problem.rstrip('.')}, unless its program brings it along.")
        for hint in capability_without_root.hint(whole)
    )


def _predicted(pod: Pod, container: Container) -> ContainerPlan | None:
    """The way of the container as far as what becomes of its capabilities; None if some stage refuses.

    That follows from the user, the capabilities and the few fields around them, and most containers of a repository
    share theirs with others: a container that has nothing else is computed, once.
    """
    spec = pod.spec
    own, above = container.security_context or _UNWRITTEN, spec.security_context or _UNWRITTEN_ON_POD
    uid = own.run_as_user if own.run_as_user is not None else above.run_as_user
    matters = SecurityContext(
        run_as_user=_SOMEBODY if uid is not None and uid in _ORDINARY_IDS else uid,
        capabilities=own.capabilities,
        privileged=own.privileged,
        allow_privilege_escalation=own.allow_privilege_escalation,
    )
    hosts = (spec.host_network, spec.host_pid, spec.host_ipc, spec.host_users)
    key = msgspec.msgpack.encode((matters, above.sysctls, *hosts))
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        alone = Container(_NAME, image=_NAME, security_context=matters)
        around = Pod(
            ObjectMeta(name=_NAME),
            PodSpec(
                containers=(alone,),
                security_context=PodSecurityContext(sysctls=above.sysctls),
                host_network=spec.host_network,
                host_pid=spec.host_pid,
                host_ipc=spec.host_ipc,
                host_users=spec.host_users,
            ),
        )
        _KNOWN[key] = _computed(around, alone)
    return _KNOWN[key]


def _computed(pod: Pod, container: Container) -> ContainerPlan | None:
    facts, shared = OrdinaryProgram(pod, Place(_NAME, Path())), PodPlan()  # the hint says that it is about those
    if not plan_sandbox(facts, shared):  # what a node refuses before it is for other rules to say
        return None
    row = next(row for row in in_order(pod, facts.place) if row[2] is container)
    plan = plan_container(facts, shared, row)
    return plan if plan.predicted is not None else None


_NAME = "any"
_ORDINARY_IDS = range(1, 1 << 16)
"""Ids that are nobody special to a node: which of them a process has makes no difference to its capabilities."""
_SOMEBODY = _ORDINARY_IDS[0]
_MOST_KNOWN = 1000
_KNOWN: dict[bytes, ContainerPlan | None] = {}
