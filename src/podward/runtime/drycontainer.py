"""One container explained without running it: through the stages, with the facts that each of them asks for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from podward.api.core import Container
from podward.api.cri import PodSandboxConfig
from podward.api.effective import Place
from podward.api.explanation import ContainerExplanation, Hint, Stage
from podward.api.image import EntryFile
from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.decision import Decision, Outcome
from podward.pipeline import ContainerPlan, PodFacts, plan_container, plan_runtime
from podward.policy.hints.facts import HintFacts
from podward.runtime.dryfacts import shifted
from podward.runtime.dryvolumes import POD, DryVolumes
from podward.stages import kernel

if TYPE_CHECKING:
    from podward.runtime.explainer import Explainer

RUNTIME_DEFAULTS = ("containerd", "cri-o", "docker")
_ORDINARY = EntryFile("", stat.S_IFREG | 0o755, 0, 0)


class PodContext(Struct, frozen=True):
    """The Pod that the container is in."""

    facts: PodFacts
    sandbox: PodSandboxConfig
    volumes: DryVolumes


class DryContainer:
    """One container on its way through the stages."""

    def __init__(self, dry: Explainer, around: PodContext, kind: str, place: Place, container: Container) -> None:
        self._dry = dry
        self._facts = around.facts
        self._sandbox = around.sandbox
        self._volumes = around.volumes
        self._kind = kind
        self._place = place
        self._container = container
        self._image = dry.image(container.image or "")
        self._stages: list[Stage] = []
        self._spec: Outcome[RuntimeSpec] | None = None
        self._entry: EntryFile | None = None
        self._predicted: Outcome[ProcessState] | None = None
        self._plan: ContainerPlan | None = None

    def explain(self) -> ContainerExplanation:
        """The stages as far as they come, and the hints."""
        self._decide()
        plan, predicted = self._plan, self._predicted
        return ContainerExplanation(
            name=self._container.name,
            kind=self._kind,
            place=self._place.container,
            image=self._container.image or "",
            stages=tuple(self._stages),
            hints=() if plan is None else _hints(self._hint_facts(plan)),
            predicted=predicted.value if predicted is not None else None,
        )

    def _decide(self) -> None:
        attached = self._volumes.mounts(self._container, self._place)
        if attached.decision.refused:
            self._stages.append(Stage("volumes", Decision(violations=attached.decision.violations)))
            return
        image = self._image.image
        plan = self._plan = plan_container(self._facts, self._place, self._container, image, attached.mounts)
        self._stages.append(Stage("effective", plan.effective.decision))
        if plan.config is None:
            if not plan.effective.decision.refused:
                self._stages.append(Stage("cri", plan.refusals))
            return
        self._stages.append(Stage("cri", plan.config.decision))
        decided = plan_runtime(self._dry.oci_facts(plan, self._sandbox, self._facts, f"{POD}/rootfs"))
        self._stages.append(Stage("oci", decided))
        if decided.refused:
            return
        self._spec = spec = Outcome(decided.fold(RuntimeSpec), decided)
        self._entry = self._find_entry(spec.value)
        foreseen = kernel.decide(self._dry.kernel_facts(spec, self._entry, self._volumes))
        self._stages.append(Stage("kernel", foreseen))
        if not foreseen.refused:
            self._predicted = Outcome(foreseen.fold(ProcessState), foreseen)

    def _find_entry(self, spec: RuntimeSpec) -> EntryFile | None:
        """The entry file as the host will see it in the container.

        A file of an emptyDir can't be known yet: an ordinary program of root's is assumed there.
        """
        process = spec.process
        search = next((word[5:] for word in process.env if word.startswith("PATH=")), "")
        mounts = tuple(
            (m.destination, self._volumes.on_disk(m.source) if os.path.isabs(m.source) else "") for m in spec.mounts
        )
        found = self._image.entry(process.args[0], search, process.cwd, mounts)
        named = os.path.normpath(os.path.join(process.cwd, process.args[0]))
        if found is None and "/" in process.args[0] and self._volumes.holds(self._container, named):
            found = msgspec.structs.replace(_ORDINARY, path=named)
        mapping = self._facts.userns
        return found if found is None or mapping is None else shifted(found, mapping)

    def _hint_facts(self, plan: ContainerPlan) -> HintFacts:
        return HintFacts(
            pod=self._facts.pod,
            container=self._container,
            kind=self._kind,
            place=self._place,
            image=self._image.image,
            node=self._dry.node,
            effective=plan.effective,
            config=plan.config,
            spec=self._spec,
            predicted=self._predicted,
            entry=self._entry,
            image_has_writable_tmp=self._image.writable_tmp(),
            volumes=self._volumes.facts,
            alternatives=self._alternatives(plan),
            sysctls=tuple(self._sandbox.sysctls.items()),
            shared_uids=self._dry.shared_uids(),
        )

    def _alternatives(self, plan: ContainerPlan) -> tuple[tuple[str, RuntimeSpec], ...]:
        """The runtime spec under the other runtimes' defaults, where they would not refuse the container."""
        if plan.config is None:
            return ()
        facts = self._dry.oci_facts(plan, self._sandbox, self._facts, f"{POD}/rootfs")
        found = []
        for name in RUNTIME_DEFAULTS:
            if name == facts.node.runtime_defaults:
                continue
            node = msgspec.structs.replace(facts.node, runtime_defaults=name)
            decided = plan_runtime(msgspec.structs.replace(facts, node=node))
            if not decided.refused:
                found.append((name, decided.fold(RuntimeSpec)))
        return tuple(found)


def _hints(facts: HintFacts) -> tuple[Hint, ...]:
    from podward.policy.hints.all import decide  # a refused Pod has no container to hint at, and `diff` shows none

    return decide(facts)
