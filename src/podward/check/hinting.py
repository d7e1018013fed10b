"""The hints that a manifest alone gives, without the image and without a machine.

Nothing is claimed that the image could disprove: its user is taken for one that is not root, and what a process will
have is only foretold where the manifest itself says who it is. With the image at hand, `podward explain` says more.
"""

from __future__ import annotations

import stat

import msgspec

from podward.api.capability import FULL
from podward.api.core import Container
from podward.api.effective import Place
from podward.api.explanation import Hint
from podward.api.image import EntryFile, Image, ImageConfig
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.workload import PodSource
from podward.decision import Outcome
from podward.pipeline import ContainerPlan, OciFacts, PodFacts, in_order, plan_container, plan_runtime, plan_sandbox
from podward.pipeline import predict as foretold
from podward.policy.hints import (
    capability_without_root,
    empty_object_wipes_pod_value,
    group_without_user,
    seccomp_unset,
)
from podward.policy.hints.facts import HintFacts

_FROM_MANIFEST = (group_without_user.hint, empty_object_wipes_pod_value.hint, seccomp_unset.hint)
_NODE = Node(capabilities=FULL)
_SOMEBODY = ImageConfig(user="1000:1000", cmd=("/entry",))
_ORDINARY = EntryFile("/entry", stat.S_IFREG | 0o755, 0, 0)
"""A program without capabilities of its own: the hint says what holds for those."""


def hints(source: PodSource) -> tuple[Hint, ...]:
    """The hints about every container; what a kubelet would refuse is for other rules to say."""
    pod, place = source.view, Place(source.document.name, source.prefix)
    facts = PodFacts(pod, place, _NODE, "")
    found: list[Hint] = []
    for kind, at, container in in_order(pod, place):
        image = Image(container.image or "", "", _SOMEBODY)
        plan = plan_container(facts, at, container, image, ())
        if plan.effective.decision.refused:
            continue
        about = HintFacts(
            pod=pod,
            container=container,
            kind=kind,
            place=at,
            image=image,
            node=_NODE,
            effective=plan.effective,
            config=plan.config,
        )
        for rule in _FROM_MANIFEST:
            found += rule(about)
        if _says_who_and_adds(source, container):
            found += _lost_capabilities(facts, plan, about)
    return tuple(found)


def _says_who_and_adds(source: PodSource, container: Container) -> bool:
    """Whether the manifest gives this container a user other than root, and capabilities."""
    own, above = container.security_context, source.view.spec.security_context
    uid = own.run_as_user if own is not None and own.run_as_user is not None else above.run_as_user if above else None
    return bool(uid and own is not None and own.capabilities is not None and own.capabilities.add)


def _lost_capabilities(facts: PodFacts, plan: ContainerPlan, about: HintFacts) -> tuple[Hint, ...]:
    from podward.stages.kernel import KernelFacts  # few manifests come so far

    sandbox = plan_sandbox(facts)
    if plan.config is None or not isinstance(sandbox, Outcome):
        return ()
    decided = plan_runtime(
        OciFacts(plan.config.value, sandbox.value, plan.image, facts.node, "/rootfs", plan.config.decision)
    )
    if decided.refused:
        return ()
    spec = Outcome(decided.fold(RuntimeSpec), decided)
    predicted = foretold(KernelFacts(spec.value, _ORDINARY, facts.node, spec.decision))
    if not isinstance(predicted, Outcome):
        return ()
    whole = HintFacts(
        pod=about.pod,
        container=about.container,
        kind=about.kind,
        place=about.place,
        image=about.image,
        node=about.node,
        effective=about.effective,
        config=about.config,
        spec=spec,
        predicted=predicted,
        sysctls=tuple(sandbox.value.sysctls.items()),
    )
    return tuple(
        msgspec.structs.replace(hint, problem=f"{hint.problem.rstrip('.')}, unless its program brings it along.")
        for hint in capability_without_root.hint(whole)
    )
