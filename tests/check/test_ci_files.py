"""The files that CI systems read: what comes from outside never becomes part of a script."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parent.parent.parent
ACTION = yaml.safe_load((PROJECT / "action.yml").read_text(encoding="utf-8"))
FAKE = '#!/bin/bash\nprintf "%s\\n" "$@" > "$WORDS"\nexit 1\n'


def scripts() -> list[str]:
    return [step["run"] for step in ACTION["runs"]["steps"]]


def test_no_input_is_pasted_into_a_script_of_the_action() -> None:
    assert scripts()
    assert not any("${{" in script for script in scripts())


def check(directory: Path, **inputs: str) -> tuple[int, list[str], str]:
    """Run the action's check with a podward that notes its words: the exit code, the words, the action's outputs."""
    podward = directory / "podward/bin/podward"
    podward.parent.mkdir(parents=True)
    podward.write_text(FAKE)
    podward.chmod(podward.stat().st_mode | stat.S_IXUSR)
    words, outputs = directory / "words", directory / "outputs"
    told = {"RUNNER_TEMP": str(directory), "WORDS": str(words), "GITHUB_OUTPUT": str(outputs)}
    defaults = {"PATHS": ".", "ARGS": "", "OUTPUT": "github", "FILE": ""}
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", scripts()[1]],
        env={"PATH": os.environ["PATH"], **told, **defaults, **inputs},
        cwd=directory,
        check=False,
        timeout=30,
    )
    return ran.returncode, words.read_text().splitlines(), outputs.read_text() if outputs.exists() else ""


def test_the_action_passes_words_as_they_are(tmp_path: Path) -> None:
    code, words, _ = check(tmp_path, PATHS="a b/\n$(touch x)\n\n--fix\n", ARGS="--select\npss\n")
    assert code == 1
    assert words == ["check", "--select", "pss", "--output", "github", "--", "a b/", "$(touch x)", "--fix"]
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("file", "said"), [("out.sarif", "file=out.sarif\n"), ("a\nfile=b", "file=a\n")])
def test_the_action_names_its_report_once(tmp_path: Path, file: str, said: str) -> None:
    code, _, outputs = check(tmp_path, FILE=file)
    assert (code, outputs) == (1, said)
    assert (tmp_path / file).exists()


def test_every_input_is_passed_on() -> None:
    used = " ".join(str(value) for step in ACTION["runs"]["steps"] for value in step["env"].values())
    assert all(f"inputs.{name} " in used for name in ACTION["inputs"])


def test_hooks_check_whole_directories() -> None:
    hooks: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["podward-check", "podward-fix"]
    for hook in hooks:
        assert hook["entry"].startswith("podward check")
        assert (hook["language"], hook["pass_filenames"]) == ("python", False)


def test_the_gitlab_job_fails_with_the_check_and_keeps_the_report() -> None:
    inputs, jobs = yaml.safe_load_all((PROJECT / "templates/gitlab-podward.yml").read_text(encoding="utf-8"))
    (job,) = jobs.values()
    assert job["artifacts"] == {"when": "always", "reports": {"junit": "podward.xml"}}
    assert job["script"][-1].endswith("podward check -- $PODWARD_PATHS")
    assert not any("$[[" in line for line in job["script"])
    text = str(job)
    assert all(f"inputs.{name} ]]" in text for name in inputs["spec"]["inputs"])
