"""Explains Pods without running them: each stage's Decision, and the hints about every container."""

from __future__ import annotations

import msgspec

from podward.api.explanation import ContainerExplanation, Hint, PodExplanation, Stage
from podward.api.image import EntryFile
from podward.api.node import Node
from podward.pipeline import ContainerPlan, other_runtimes, predict_pod
from podward.policy.hints.facts import HintFacts
from podward.runtime.explaining.admitted import with_admission
from podward.runtime.explaining.facts import DryFacts
from podward.runtime.explaining.images import NO_USERS, AssumedUsers
from podward.runtime.explaining.machine import ExplainingMachine
from podward.runtime.explaining.subject import PodToExplain


class Explainer:
    """Explains Pods on one machine. Facts about an image or a mount are read once, however many Pods ask.

    `root` is the state directory; `cgroup_v2` is whether the OCI runtime finds a pure cgroup2 hierarchy; `assumed` is
    about images that are not here.
    """

    def __init__(self, node: Node, root: str, *, cgroup_v2: bool, assumed: AssumedUsers = NO_USERS) -> None:
        self.node = node
        self._machine = ExplainingMachine(node, root, cgroup_v2=cgroup_v2, assumed=assumed)

    def explain(self, subject: PodToExplain) -> PodExplanation:
        """Every stage's Decision about the Pod and its containers; those after a refusal are missing."""
        if subject.admitted is None:
            return self._on_node(subject)
        if subject.admitted.refused:
            stages = (Stage("admission", subject.admitted),)
            return msgspec.structs.replace(_explanation(subject, stages, ()), admission=subject.admission)
        return with_admission(self._on_node(subject), subject, subject.admitted)

    def _on_node(self, subject: PodToExplain) -> PodExplanation:
        facts = DryFacts(self._machine, subject)
        plan = predict_pod(facts)
        containers = tuple(self._container(facts, container) for container in plan.containers)
        return _explanation(subject, plan.stages, containers)

    def _container(self, facts: DryFacts, plan: ContainerPlan) -> ContainerExplanation:
        return ContainerExplanation(
            name=plan.container.name,
            kind=plan.kind,
            place=plan.place.container,
            image=plan.container.image or "",
            stages=plan.stages,
            hints=self._hints(facts, plan),
            predicted=plan.predicted.value if plan.predicted is not None else None,
        )

    def _hints(self, facts: DryFacts, plan: ContainerPlan) -> tuple[Hint, ...]:
        if plan.effective is None:
            return ()
        from podward.policy.hints.all import decide  # a refused Pod has no container to hint at, and `diff` shows none

        return decide(
            HintFacts(
                pod=facts.pod,
                container=plan.container,
                kind=plan.kind,
                place=plan.place,
                image=plan.image,
                node=facts.node,
                effective=plan.effective,
                config=plan.config,
                spec=plan.spec,
                predicted=plan.predicted,
                entry=plan.entry if isinstance(plan.entry, EntryFile) else None,
                image_has_writable_tmp=facts.writable_tmp(plan.container),
                volumes=facts.volume_facts(),
                alternatives=other_runtimes(facts, plan) if plan.config is not None else (),
                sysctls=tuple(plan.sandbox.linux.sysctls.items()) if plan.sandbox is not None else (),
                shared_uids=self._machine.shared_uids(),
            )
        )


def _explanation(
    subject: PodToExplain, stages: tuple[Stage, ...], containers: tuple[ContainerExplanation, ...]
) -> PodExplanation:
    """What the stages said, after the API's defaults."""
    return PodExplanation(
        subject.name,
        subject.pod.metadata.namespace or "default",
        subject.kind,
        subject.place.document,
        subject.place.pod,
        (Stage("defaults", subject.defaults.at(subject.place.pod)), *stages),
        containers,
    )
