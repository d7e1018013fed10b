"""The node's path: what is asked in which order, what a refusal ends, and what an unknown image hides."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import hint_facts
import pytest
import random_pods
from hint_facts import WorldFacts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from proofs import examples

import podward
from podward.api.capability import FULL
from podward.api.core import Container, Pod
from podward.api.cri import ContainerConfig, IDMapping, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import EntryFile, FileCapabilities, Image, ImageConfig, UnknownImage
from podward.api.oci import RuntimeSpec
from podward.decision import AwaitedViolation, Decision, Origin, Source, Unknown, refuse
from podward.documents.document import Document
from podward.path import path
from podward.pipeline import ContainerMounts, ContainerPlan, NodeFacts, PodPlan, plan_pod, predict_pod
from podward.schema.view import pod_view
from podward.schema.workload import pod_sources
from podward.stages.admission.order import completed
from podward.stages.kernel import ExecutionFacts
from podward.stages.oci import HostFacts

SOURCE = Path(podward.__file__).parent
HIDDEN = Unknown("image nowhere is not here", "bring it")
NO = refuse(path("spec"), "", "no", Source(Origin.RULE, "test"))
TWO = {
    "containers": [{"name": name, "image": "agnhost", "command": ["x"]} for name in "ab"],
    "initContainers": [{"name": "i", "image": "agnhost", "command": ["x"]}],
}


def stored(spec: dict[str, Any]) -> Pod:
    raw: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    (source,) = pod_sources(Document("pod.yaml", raw))
    return pod_view(completed(source.raw).stored)


class Asked(WorldFacts):
    """Notes what it is asked; refuses what `refused` names."""

    def __init__(self, spec: dict[str, Any], *refused: str, world: hint_facts.World | None = None) -> None:
        super().__init__(world or hint_facts.World(), stored(spec), Place("pod.yaml"))
        self.questions: list[str] = []
        self._refused = refused

    def id_range(self) -> IDMapping:
        self.questions.append("id range")
        return super().id_range()

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        self.questions.append("volumes")
        return NO if "volumes" in self._refused else super().volumes(sandbox, userns)

    def image(self, container: Container) -> Image | UnknownImage:
        if f"image {container.name}" not in self.questions:  # the entry file is looked for in it again
            self.questions.append(f"image {container.name}")
        return super().image(container)

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        self.questions.append(f"mounts {container.name}")
        return ContainerMounts(decision=NO) if container.name in self._refused else super().mounts(container, place)

    def host(self, config: ContainerConfig) -> HostFacts:
        self.questions.append(f"host {config.metadata.name}")
        return super().host(config)

    def execution(self, container: Container, spec: RuntimeSpec) -> ExecutionFacts:
        self.questions.append(f"execution {container.name}")
        return super().execution(container, spec)


def names(plan: PodPlan) -> dict[str, list[str]]:
    """The stages that spoke, of the Pod (empty name) and of each container."""
    listed = {"": [stage.name for stage in plan.stages]}
    return listed | {c.container.name: [stage.name for stage in c.stages] for c in plan.containers}


def test_facts_are_asked_for_in_the_order_of_the_stages_and_of_the_containers() -> None:
    facts = Asked({**TWO, "hostUsers": False})
    plan = predict_pod(facts)
    of_each = ["image", "mounts", "host", "execution"]
    containers = [f"{question} {name}" for name in "iab" for question in of_each]
    assert facts.questions == ["id range", "volumes", *containers]
    every = ["effective", "cri", "oci", "kernel"]
    assert names(plan) == {"": ["node", "sandbox", "volumes"], "i": every, "a": every, "b": every}


def test_before_a_pod_runs_nobody_asks_what_its_processes_will_be() -> None:
    facts = Asked(TWO)
    assert {stages[-1] for name, stages in names(plan_pod(facts)).items() if name} == {"oci"}
    assert not any(question.startswith("execution") for question in facts.questions)


def test_a_pod_that_its_node_refuses_has_nothing_made_for_it() -> None:
    facts = Asked({**TWO, "hostUsers": False, "securityContext": {"sysctls": [{"name": "kernel.x", "value": "1"}]}})
    plan = predict_pod(facts)
    assert (names(plan), facts.questions) == ({"": ["node"]}, [])
    assert plan.refusals.refused


class Waiting(Asked):
    """Its volumes wait for a Secret."""

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        super().volumes(sandbox, userns)
        return Decision(violations=(AwaitedViolation(path("spec"), "", "not found", Source(Origin.RULE, "test")),))


def test_what_a_pod_waits_for_ends_nothing_and_is_a_refusal_all_the_same() -> None:
    plan = predict_pod(Waiting(TWO))
    assert {stages[-1] for name, stages in names(plan).items() if name} == {"kernel"}
    assert plan.refusals.refused


def test_refused_volumes_end_the_pod_before_its_containers() -> None:
    facts = Asked(TWO, "volumes")
    plan = predict_pod(facts)
    assert (names(plan), facts.questions) == ({"": ["node", "sandbox", "volumes"]}, ["volumes"])
    assert plan.refusals == NO


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({"securityContext": {"runAsNonRoot": True, "runAsUser": 0}}, "effective"),
        (
            {
                "env": [
                    {"name": "A", "valueFrom": {"resourceFieldRef": {"containerName": "x", "resource": "limits.cpu"}}}
                ]
            },
            "cri",
        ),
        ({"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "gone.json"}}}, "oci"),
        ({"command": ["nowhere"]}, "kernel"),
    ],
)
def test_a_refusal_ends_that_container_only(changed: dict[str, Any], stage: str) -> None:
    first, second = TWO["containers"]
    world = hint_facts.World(entry=lambda _, spec: hint_facts.TRUE if spec.process.args == ("x",) else None)
    plan = predict_pod(Asked({"containers": [{**first, **changed}, second]}, world=world))
    every = ["effective", "cri", "oci", "kernel"]
    assert names(plan)["a"] == every[: every.index(stage) + 1]
    assert names(plan)["b"] == every
    assert plan.containers[0].refusals.refused


def test_refused_mounts_are_the_container_s_own_refusal() -> None:
    plan = predict_pod(Asked(TWO, "a"))
    assert names(plan)["a"] == ["volumes"]
    assert names(plan)["b"][-1] == "kernel"


# --- an image that nobody knows ---------------------------------------------------------------------------------------


Values = dict[tuple[str, str], Any]


def known(container: ContainerPlan) -> Values:
    """Every known value by stage and place; the items of a list as one list."""
    found: Values = {}
    for stage in container.stages:
        for made in stage.decision.assignments:
            segments = made.path.segments
            if isinstance(made.value, Unknown):
                found.pop((stage.name, str(made.path)), None)  # of the process as it was before execve(2)
            elif isinstance(segments[-1], int):
                found.setdefault((stage.name, str(path(*segments[:-1]))), []).append(made.value)
            else:
                found[stage.name, str(made.path)] = made.value
    return found


def holds(value: object, actual: object) -> bool:
    """Whether the value is the actual one, or a list of some of its items."""
    if isinstance(value, list) and isinstance(actual, list):
        return all(item in actual for item in value)
    return value == actual


@st.composite
def images(draw: st.DrawFn) -> Image:
    words = st.sampled_from(((), ("/entry",), ("/entry", "x")))
    user = draw(st.sampled_from(("", "0", "1000", "www-data", "1000:50000", "ghost", ":5", "70000")))
    env = draw(st.sampled_from(((), ("PATH=/x", "A=image"), ("HOSTNAME=h", "B"))))
    config = ImageConfig(user, env, draw(words), draw(words), draw(st.sampled_from(("", "/work"))))
    return Image("busybox", "sha256:1", config, hint_facts.PASSWD, hint_facts.GROUP)


@st.composite
def entries(draw: st.DrawFn) -> EntryFile:
    mode = draw(st.sampled_from((0o100755, 0o104755, 0o102755, 0o100700)))
    owned = draw(st.none() | st.just(FileCapabilities(FULL, FULL, effective=draw(st.booleans()))))
    return EntryFile("/entry", mode, draw(st.sampled_from((0, 1000))), draw(st.sampled_from((0, 50000))), owned)


@settings(max_examples=examples(60, 200), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    manifest=random_pods.pods(("busybox",), ("/entry",)),
    commanded=st.booleans(),
    runtimes=st.tuples(st.sampled_from(("containerd", "cri-o", "docker")), st.sampled_from(("crun", "runc", "runsc"))),
    image=images(),
    entry=entries(),
)
def test_what_is_known_without_an_image_holds_for_every_image(
    manifest: dict[str, Any], *, commanded: bool, runtimes: tuple[str, str], image: Image, entry: EntryFile
) -> None:
    spec, (runtime, kind) = manifest["spec"], runtimes
    for container in spec["containers"]:
        container["env"] = [{"name": "A", "value": "pod"}]
        if not commanded:
            del container["command"]
    node = structs.replace(hint_facts.NODE, runtime_defaults=runtime, runtime=kind)
    missing = UnknownImage("busybox", HIDDEN)
    without = predict_pod(Asked(spec, world=hint_facts.World(node=node, image=lambda _: missing)))
    with_it = predict_pod(
        Asked(spec, world=hint_facts.World(node=node, image=lambda _: image, entry=lambda _image, _spec: entry))
    )
    for blind, seeing in zip(without.containers, with_it.containers, strict=True):
        # An image may be refused first, for a user that it lacks: then the fault of the manifest is not reached.
        assert seeing.refusals.refused or not blind.refusals.refused
        whole = {stage.name for stage in seeing.stages if not stage.decision.refused}
        actual = known(seeing)
        for (stage, place), value in known(blind).items():
            if stage in whole or (stage, place) in actual:
                assert (stage, place) in actual, f"{stage} {place} = {value} is nothing of the image's Pod"
                assert holds(value, actual[stage, place]), f"{stage} {place}: {value}, {actual[stage, place]}"


def test_what_depends_on_the_image_alone_is_unknown_and_nothing_else_is() -> None:
    world = hint_facts.World(image=lambda _: UnknownImage("busybox", HIDDEN))
    spec = {"containers": [{"name": "a", "image": "busybox", "securityContext": {"runAsNonRoot": True}}]}
    (plan,) = predict_pod(Asked(spec, world=world)).containers
    hidden = [
        f"{stage.name} {made.path}"
        for stage in plan.stages
        for made in stage.decision.assignments
        if made.value == HIDDEN
    ]
    assert hidden == [
        "effective verifyRunAsNonRoot",
        "effective runAsUser",
        "cri linux.securityContext.runAsUser",
        "oci process.args",
        "oci process.env[0]",
        "oci process.cwd",
        "oci process.user.uid",
        "oci process.user.gid",
        "oci process.user.additionalGids[0]",
        "kernel uid",
        "kernel gid",
        "kernel groups",
        "kernel uid",
        "kernel gid",
        "kernel cap_permitted",
        "kernel cap_effective",
    ]
    assert not plan.refusals.refused


def test_a_manifest_that_says_everything_leaves_nothing_to_the_image() -> None:
    context = {
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {"name": "a", "image": "busybox", "command": ["x"], "workingDir": "/", "securityContext": context}
    world = hint_facts.World(image=lambda _: UnknownImage("busybox", HIDDEN))
    spec = {"containers": [container], "securityContext": {"supplementalGroupsPolicy": "Strict"}}
    (plan,) = predict_pod(Asked(spec, world=world)).containers
    hidden = [str(a.path) for stage in plan.stages for a in stage.decision.assignments if a.value == HIDDEN]
    assert hidden == ["process.env[0]"]
    assert plan.predicted is not None
    assert plan.predicted.value.uid == (1000,) * 4


# --- the order stands once --------------------------------------------------------------------------------------------


def _is_of_the_node(module: str) -> bool:
    """Whether it is one of the node's stages: admission is the API server's."""
    return module.startswith("podward.stages") and not module.startswith("podward.stages.admission")


def test_nobody_but_the_pipeline_asks_the_node_s_stages() -> None:
    asking = {}
    for file in SOURCE.rglob("*.py"):
        source = file.read_text()
        if "podward.stages" not in source:
            continue
        names = {
            alias.name
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ImportFrom) and _is_of_the_node(node.module or "")
            for alias in node.names
        }
        asked = {name for name in names if not name.endswith("Facts") and name != "Inherited"}
        if asked and "stages" not in file.relative_to(SOURCE).parts:
            asking[str(file.relative_to(SOURCE))] = asked
    assert asking == {
        "pipeline.py": {"cri", "effective", "kernel", "oci"},
        "runtime/service/container_deciding.py": {"oci"},  # below the CRI: it knows what a kubelet asks for, no Pod
        "cli/questions/effective.py": {"cri", "effective"},  # a question about a stage, not about a Pod
    }


def test_each_giver_answers_every_question() -> None:
    from podward.check.assumed_facts import AssumedFacts
    from podward.runtime.explaining.facts import DryFacts
    from podward.runtime.live_facts import LiveFacts

    questions = {name for name, member in vars(NodeFacts).items() if callable(member) and not name.startswith("_")}
    assert questions == {"id_range", "volumes", "image", "mounts", "host", "execution"}
    for giver in (AssumedFacts, DryFacts, LiveFacts):
        assert questions <= set(dir(giver))
