"""The verdict that opens an explanation, from Decisions made by hand."""

from __future__ import annotations

import pytest

from podward.api.capability import BITS, NAMES
from podward.api.cri import Mount, SecurityProfile
from podward.api.explanation import AdmissionExplanation, ConsideredScc, ContainerExplanation, PodExplanation, Stage
from podward.decision import Assignment, Decision, Origin, Source, Unknown, Value, Violation
from podward.path import Path, path
from podward.render.explain import verdict

TABLE = Source(Origin.DEFAULT, "containerd 2.2")
HIDDEN = Unknown("image img:1 is not here", "pull it")
ALL_IDS = ((0, 0, (1 << 32) - 1),)
PLACE = path("spec", "containers", 0)


def stage(name: str, *made: tuple[Path, Value]) -> Stage:
    return Stage(name, Decision(tuple(Assignment(place, value, "because", TABLE) for place, value in made)))


def container(
    uid: Value = 1000, gid: Value = 3000, groups: tuple[Value, ...] = (3000,), kernel: dict[str, Value] | None = None
) -> ContainerExplanation:
    state: dict[str, Value] = {
        "uid_map": ALL_IDS,
        "cap_permitted": 0,
        "cap_bounding": 0,
        "seccomp": 0,
        **(kernel or {}),
    }
    user = path("process", "user")
    listed = ((user / "additionalGids" / at, value) for at, value in enumerate(groups))
    oci = stage("oci", (user / "uid", uid), (user / "gid", gid), *listed)
    effective = stage("effective", (path("seccomp"), SecurityProfile("RuntimeDefault", "")))
    kernel_stage = stage("kernel", *((path(name), value) for name, value in state.items()))
    return ContainerExplanation("ctr", "regular", PLACE, "img:1", (effective, oci, kernel_stage))


def pod(*stages: Stage, admission: AdmissionExplanation | None = None) -> PodExplanation:
    return PodExplanation("p", "default", "Pod", "pod.yaml", Path(), stages, (), admission)


def said(found: ContainerExplanation, of: PodExplanation | None = None) -> str:
    return verdict.of_container(found, of or pod())


def test_it_says_who_and_what_in_one_line() -> None:
    found = container(groups=(50000, 3000, 4000))
    assert said(found) == "runs as 1000:3000, groups 3000 4000 50000 · no capabilities · seccomp unconfined"


def test_the_primary_group_alone_is_not_told_twice() -> None:
    assert said(container()).startswith("runs as 1000:3000 · ")


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, "no capabilities"),
        (1 << BITS["CAP_NET_BIND_SERVICE"].bit_length() - 1, "capability NET_BIND_SERVICE"),
        ((1 << len(NAMES)) - 1, "all capabilities"),
        (0b11111, "5 capabilities"),
    ],
)
def test_few_capabilities_are_named_many_are_counted(bits: int, words: str) -> None:
    assert said(container(kernel={"cap_permitted": bits})).split(" · ")[1] == words


def test_what_only_the_image_decides_is_unknown_with_its_name() -> None:
    found = said(container(uid=HIDDEN, groups=(2000, HIDDEN), kernel={"cap_permitted": HIDDEN, "cap_bounding": 1}))
    assert found.startswith(
        "runs as unknown:3000, groups 2000 unknown (image img:1 is not here) · at most capability CHOWN"
    )


def test_an_entry_file_that_changes_the_user_is_told() -> None:
    assert said(container(kernel={"uid": (1000, 0, 0, 0)})).startswith("runs as 1000 (effective 0):3000")


def test_a_user_namespace_is_told_with_the_ids_that_the_container_sees() -> None:
    mapped: dict[str, Value] = {"uid_map": ((0, 65536, 65536),), "uid": (65536,) * 4}
    assert said(container(0, 0, (0,), mapped)).startswith("runs as 0:0, in a user namespace of its own · ")


def test_namespaces_of_the_host_are_told() -> None:
    shared: dict[str, Value] = {"host_namespaces": ("cgroup", "net", "pid", "user"), "seccomp": 2}
    assert said(container(kernel=shared)).endswith("in the host's net pid namespaces · seccomp RuntimeDefault")


def test_paths_of_the_host_are_told_as_it_may_use_them() -> None:
    found = container()
    mounts = (Mount("/a", "/var/log/x", readonly=True), Mount("/b", "/run/podward/POD/volumes/b", readonly=False))
    cri = stage("cri", *((path("mounts", at), mount) for at, mount in enumerate(mounts)))
    whole = ContainerExplanation("ctr", "regular", PLACE, "img:1", (*found.stages, cri))
    for root in ("/var/log", "/"):
        volumes = stage("volumes", (path("spec", "volumes", 0, "hostPath", "path"), root))
        assert said(whole, pod(volumes)).endswith(" · the host's /var/log/x (read-only)")


def test_the_scc_that_let_it_in_is_named() -> None:
    sccs = (ConsideredScc("anyuid", 10, (), "not usable", ""), ConsideredScc("restricted-v2", 0, (), "chosen", ""))
    admission = AdmissionExplanation("alice", "", sccs)
    assert " · SCC restricted-v2 · no capabilities" in said(container(), pod(admission=admission))


def test_a_refusal_is_all_that_is_said() -> None:
    refused = Decision(violations=(Violation(PLACE, 0, "image will run as root", TABLE),))
    assert said(ContainerExplanation("c", "regular", PLACE, "i", (Stage("effective", refused),))) == (
        "refused: image will run as root"
    )


def test_of_a_pod_that_no_scc_lets_in_the_closest_refusal_is_told() -> None:
    first = (Violation(path("spec", "x"), 1, "may not", TABLE), Violation(path("spec", "y"), 1, "nor this", TABLE))
    sccs = (
        ConsideredScc("anyuid", 10, (), "not usable", ""),
        ConsideredScc("restricted-v2", 0, (), "refused", "", first),
    )
    admission = AdmissionExplanation("alice", "", sccs)
    stages = Stage("admission", Decision(violations=(Violation(Path(), None, "a very long sentence", TABLE),)))
    assert verdict.of_pod(pod(stages, admission=admission)) == (
        "refused: no SCC lets it in; restricted-v2: spec.x: may not (and 1 more)"
    )
    defaults = stage("defaults")
    assert verdict.of_pod(pod(defaults, stages, admission=admission)).startswith("refused: no SCC lets it in; ")
    assert verdict.of_pod(pod(stages)) == "refused: a very long sentence"
    assert verdict.of_pod(pod()) == ""


def test_of_a_pod_that_pod_security_refuses_the_scc_that_it_fits_is_not_blamed() -> None:
    sccs = (
        ConsideredScc("restricted-v2", 0, (), "refused", "", (Violation(path("spec", "x"), 1, "may not", TABLE),)),
        ConsideredScc("privileged", 0, (), "chosen", ""),
    )
    stages = Stage("admission", Decision(violations=(Violation(Path(), None, "violates PodSecurity", TABLE),)))
    admission = AdmissionExplanation("alice", "", sccs)
    assert verdict.of_pod(pod(stages, admission=admission)) == "refused: violates PodSecurity"
