"""`podward check --fix` on the corpus of charts: every file meets its policy, still runs here, and stays itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import msgspec
import pytest
from chart_images import build_chart_images, run_pods, runs_on_linux, sources
from podward_command import PROJECT, Podward
from prepared_images import with_images_of
from warm_command import COMMAND

CORPUS = PROJECT / "tests" / "corpus"
CHARTS = CORPUS / "charts"


class Expected(msgspec.Struct):
    """A finding that a person listed, as far as it matters here."""

    rule: str
    kind: str
    name: str
    path: str
    fixable: bool


class Chart(msgspec.Struct):
    """What a person found in one file."""

    policy: str
    restricted: list[Expected]
    baseline: list[Expected]

    def at_its_policy(self) -> list[Expected]:
        return self.restricted if self.policy == "restricted" else self.baseline


class Charts(msgspec.Struct):
    """The whole list."""

    files: dict[str, Chart]


class Found(msgspec.Struct):
    """A finding as `-o json` tells it."""

    rule: str
    severity: str
    message: str
    remedy: str
    changes: list[object]


class Report(msgspec.Struct):
    """What `-o json` tells."""

    findings: list[Found]


EVERY = msgspec.json.decode((CORPUS / "expected_charts.json").read_bytes(), type=Charts).files
FILES = {file: chart for file, chart in EVERY.items() if chart.policy != "privileged"}
TO_FIX = [file for file, chart in FILES.items() if any(finding.fixable for finding in chart.at_its_policy())]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the charts' images."""
    return with_images_of(tmp_path_factory, "charts", build_chart_images)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charts, each fixed for its policy by itself, and those of infrastructure as they are."""
    directory = tmp_path_factory.mktemp("fixed")
    shutil.copytree(CHARTS, directory, dirs_exist_ok=True)
    for file in FILES:
        result = check(directory, file, "--fix")
        assert result.returncode == 0, result.stdout + result.stderr
        assert all(line == f"podward: fixed {file}" for line in result.stderr.splitlines())
    return directory


def check(directory: Path, file: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = Podward(directory / "nowhere")
    return command("check", file, "--level", FILES[file].policy, *words, cwd=str(directory))


def test_nothing_that_fails_is_left_in_any_file(fixed: Path) -> None:
    for policy in ("restricted", "baseline"):
        files = [file for file, chart in FILES.items() if chart.policy == policy]
        result = Podward(fixed)("check", *files, "--level", policy, "-o", "json", cwd=str(fixed))
        assert result.returncode == 0, result.stdout
        left = msgspec.json.decode(result.stdout, type=Report).findings
        assert {finding.severity for finding in left} <= {"warning"}


def test_only_files_with_something_to_fix_are_changed(fixed: Path) -> None:
    changed = {file for file in EVERY if (fixed / file).read_bytes() != (CHARTS / file).read_bytes()}
    assert changed == set(TO_FIX)


def test_a_second_fix_changes_nothing(fixed: Path, tmp_path: Path) -> None:
    shutil.copytree(fixed, tmp_path, dirs_exist_ok=True)
    for policy in ("restricted", "baseline"):
        files = [file for file in TO_FIX if FILES[file].policy == policy]
        result = Podward(tmp_path)("check", *files, "--level", policy, "--fix", cwd=str(tmp_path))
        assert (result.returncode, result.stderr) == (0, "")
    for file in TO_FIX:
        assert (tmp_path / file).read_bytes() == (fixed / file).read_bytes()


@pytest.mark.parametrize("file", TO_FIX)
def test_the_difference_is_what_is_written_and_writes_nothing(fixed: Path, tmp_path: Path, file: str) -> None:
    shutil.copy(CHARTS / file, tmp_path / file)
    # Not as text: one of the files has CRLF.
    result = subprocess.run(
        [*COMMAND, "check", file, "--level", FILES[file].policy, "--fix", "--diff"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (1, b"")
    assert (tmp_path / file).read_bytes() == (CHARTS / file).read_bytes()
    subprocess.run(["git", "apply", "-p1", "-"], input=result.stdout, cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / file).read_bytes() == (fixed / file).read_bytes()


@pytest.mark.parametrize("file", TO_FIX)
def test_comments_and_all_else_that_was_written_survive(fixed: Path, file: str) -> None:
    """What is lost of a file is less than four lines for each finding, and each lost comment stood on such a line."""
    before = (CHARTS / file).read_text(encoding="utf-8").splitlines()
    after = (fixed / file).read_text(encoding="utf-8").splitlines()
    lost: list[str] = []
    for kind, first, end, _, _ in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind in {"delete", "replace"}:
            lost += before[first:end]
    assert len(lost) <= 4 * len(FILES[file].at_its_policy())
    assert not [line for line in lost if line.lstrip().startswith("#")]
    comments = [line.partition("#")[2] for line in before if line.lstrip().startswith("#")]
    assert [text for text in comments if text in "\n".join(after)] == comments


@pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")
class TestRunning:
    """The fixed Pods, as processes of this machine."""

    @pytest.fixture
    def podward(self, state: Path) -> Iterator[Podward]:
        """The command with the images; afterwards nothing may be left of what it ran."""
        command = Podward(state)
        yield command
        assert command.leftovers() == []

    @pytest.mark.parametrize("file", TO_FIX)
    def test_what_was_fixed_runs_as_predicted(self, podward: Podward, fixed: Path, tmp_path: Path, file: str) -> None:
        text = (fixed / file).read_bytes()
        expected = [
            f"{source.kind}/{source.name}/{container.name}"
            for source in sources(text)
            if runs_on_linux(source)
            for container in (*(source.view.spec.init_containers or ()), *(source.view.spec.containers or ()))
        ]
        ran = run_pods(podward, text, str(tmp_path))
        assert ran.exit_code == 0, ran.said
        started = [f"{pod.kind}/{pod.name}/{process.name}" for pod in ran.pods for process in pod.processes]
        assert sorted(started) == sorted(expected), ran.said
        for pod in ran.pods:
            for process in pod.processes:
                assert (process.exit_code, process.differences) == (0, ()), ran.said
                if FILES[file].policy == "restricted":
                    assert process.uid != 0
                    assert (process.capabilities & ~_BIND, process.no_new_privs, process.seccomp) == (0, True, 2)


_BIND = 1 << 10
"""NET_BIND_SERVICE: the one that restricted Pods may have."""


def test_infrastructure_is_not_fixed_into_what_no_api_server_takes(tmp_path: Path) -> None:
    shutil.copy(CHARTS / "csi-driver.yaml", tmp_path)
    words = ("check", "csi-driver.yaml", "--level", "restricted", "-o", "json")
    result = Podward(tmp_path)(*words, "--fix", cwd=str(tmp_path))
    assert result.returncode == 1
    left = {each.rule: each for each in msgspec.json.decode(result.stdout, type=Report).findings}
    assert set(left) == {"pss/restrictedVolumes", "pss/privileged", "pss/allowPrivilegeEscalation"}
    assert left["pss/privileged"].changes == []
    assert "no API server takes: spec.containers[0].volumeMounts" in left["pss/privileged"].remedy
    assert "privileged: true" in (tmp_path / "csi-driver.yaml").read_text(encoding="utf-8")
    again = Podward(tmp_path)(*words, "--fix", cwd=str(tmp_path))
    assert again.stderr == ""
    assert again.stdout == result.stdout
