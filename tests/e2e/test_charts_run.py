"""The corpus of charts runs here: what its policy already allows starts, as the users that were predicted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from chart_images import IMAGES, Process, Ran, RanPod, build_chart_images, run_pods, runs_on_linux, sources
from podward_command import PROJECT, Podward
from prepared_images import with_images_of

from podward.api.core import Container, PodSpec
from podward.schema.workload import PodSource

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

CHARTS = PROJECT / "tests" / "corpus" / "charts"
KINDS = {
    "CronJob",
    "DaemonSet",
    "Deployment",
    "DeploymentConfig",
    "Job",
    "Pod",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
}


class Expected(msgspec.Struct):
    """One finding of expected_charts.json, as far as it matters here."""

    kind: str
    name: str


class Chart(msgspec.Struct):
    """What expected_charts.json says about one file."""

    policy: str
    restricted: list[Expected]
    baseline: list[Expected]

    def refused(self, policy: str) -> set[str]:
        """The `Kind/name` of workloads against which this policy has something."""
        found = {"restricted": self.restricted, "baseline": self.baseline, "privileged": []}[policy]
        return {f"{finding.kind}/{finding.name}" for finding in found}


class Charts(msgspec.Struct):
    """The whole of expected_charts.json."""

    files: dict[str, Chart]


EXPECTED = msgspec.json.decode((CHARTS.parent / "expected_charts.json").read_bytes(), type=Charts).files


def workloads(file: str) -> dict[str, PodSource]:
    found = sources((CHARTS / file).read_bytes(), file)
    return {f"{source.kind}/{source.name}": source for source in found}


def allowed(file: str, policy: str) -> frozenset[str]:
    """The workloads of a file that this policy lets in as they are, and that are not of Windows."""
    refused = EXPECTED[file].refused(policy)
    return frozenset(who for who, source in workloads(file).items() if who not in refused and runs_on_linux(source))


HARDENED = [file for file in EXPECTED if allowed(file, "restricted")]
OTHERS = [file for file in EXPECTED if file not in HARDENED and allowed(file, EXPECTED[file].policy)]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the charts' images."""
    return with_images_of(tmp_path_factory, "charts", build_chart_images)


@pytest.fixture
def podward(state: Path) -> Iterator[Podward]:
    """The command with these images; afterwards nothing may be left of what it ran."""
    command = Podward(state)
    yield command
    assert command.leftovers() == []


def processes(pods: tuple[RanPod, ...]) -> list[Process]:
    return [process for pod in pods for process in pod.processes]


def containers(file: str, chosen: frozenset[str]) -> list[tuple[str, str]]:
    """Each container that must have run: its workload and its name."""
    found = [(who, source.view.spec) for who, source in workloads(file).items() if who in chosen]
    return [(who, one.name) for who, spec in found for one in (*(spec.init_containers or ()), *(spec.containers or ()))]


def asked_user(spec: PodSpec, container: Container) -> int:
    """The uid that the manifest names for a container or, if it names none, its image."""
    for context in (container.security_context, spec.security_context):
        if context is not None and context.run_as_user is not None:
            return context.run_as_user
    return int(IMAGES[(container.image or "").partition("@")[0]].partition(":")[0] or 0)


def assert_ran(ran: Ran, file: str, chosen: frozenset[str]) -> None:
    """Every container of the chosen Pods ran to its end, and was what had been predicted."""
    assert ran.exit_code == 0, ran.said
    started = [(f"{pod.kind}/{pod.name}", process.name) for pod in ran.pods for process in pod.processes]
    assert sorted(started) == sorted(containers(file, chosen)), ran.said
    for pod in ran.pods:
        spec = workloads(file)[f"{pod.kind}/{pod.name}"].view.spec
        named = {one.name: one for one in (*(spec.init_containers or ()), *(spec.containers or ()))}
        for process in pod.processes:
            assert (process.exit_code, process.differences) == (0, ()), f"{process}\n{ran.said}"
            assert process.uid == asked_user(spec, named[process.name])


@pytest.mark.parametrize("file", HARDENED)
def test_what_restricted_already_allows_runs_without_root_and_writes_its_volumes(
    podward: Podward, tmp_path: Path, file: str
) -> None:
    chosen = allowed(file, "restricted")
    ran = run_pods(podward, (CHARTS / file).read_bytes(), str(tmp_path), chosen)
    assert_ran(ran, file, chosen)
    for process in processes(ran.pods):
        assert process.uid != 0
        assert (process.capabilities, process.no_new_privs, process.seccomp) == (0, True, 2)
        assert process.cannot_write == ()


@pytest.mark.parametrize("file", OTHERS)
def test_what_its_policy_already_allows_runs(podward: Podward, tmp_path: Path, file: str) -> None:
    chosen = allowed(file, EXPECTED[file].policy)
    assert_ran(run_pods(podward, (CHARTS / file).read_bytes(), str(tmp_path), chosen), file, chosen)


def test_what_is_not_root_by_word_of_the_manifest_alone_is_refused(podward: Podward, tmp_path: Path) -> None:
    """The images count: mysql's is root's, and demanding another user of it without naming one starts nothing."""
    before = b"    spec:\n      # The entry script"
    text = (CHARTS / "mysql.yaml").read_bytes()
    assert text.count(before) == 1
    demanding = text.replace(
        before, b"    spec:\n      securityContext: {runAsNonRoot: true}\n      # The entry script"
    )
    ran = run_pods(podward, demanding, str(tmp_path))
    assert ran.exit_code == 1
    assert "image will run as root" in ran.said
    assert processes(ran.pods) == []


def test_the_corpus_has_every_kind_of_workload() -> None:
    assert {source.kind for file in EXPECTED for source in workloads(file).values()} == KINDS


def test_every_chart_is_reviewed() -> None:
    assert {path.name for path in CHARTS.glob("*.*")} - {"README.md"} == set(EXPECTED)
