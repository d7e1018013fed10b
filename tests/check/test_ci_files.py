"""The files that CI systems read, run as these run them: what comes from outside never becomes part of a script."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

PROJECT = Path(__file__).parent.parent.parent
ACTION = yaml.safe_load((PROJECT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
INPUTS, GITLAB = yaml.safe_load_all((PROJECT / "templates/gitlab-podward.yml").read_text(encoding="utf-8"))

# Stands for `python3 -I -m venv DIRECTORY`: pip notes its words, podward is the one that is tested. The real
# interpreter is asked for the module first: one in the checkout would run.
PYTHON = """#!/bin/bash
place=${!#}
"$REAL_PYTHON" "${@:1:$#-1}" --help > /dev/null || exit 99
set -- -m venv "$place"
mkdir -p "$3/bin"
printf '#!/bin/bash\\nprintf "%%s\\\\n" "$@" >> "$WORDS"\\n' > "$3/bin/pip"
printf '#!/bin/bash\\nprintf "%%s\\\\n" "$@" "" >> "$CALLS"\\nexec "$PODWARD" -m podward "$@"\\n' > "$3/bin/podward"
chmod +x "$3/bin/pip" "$3/bin/podward"
"""
POD = """apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: app
      image: registry.example.com/app:1
      securityContext: {privileged: %s, allowPrivilegeEscalation: %s} # ##[add-mask]web
# ::error::forged
# ~~~
"""
BAD = POD % ("true", "true")
GOOD = POD % ("false", "false")


class Ran(NamedTuple):
    """A job: its exit code, its log, what pip and podward were told, the action's output and its summary."""

    code: int
    log: str
    pip: list[str]
    calls: list[list[str]]
    file: str
    summary: str


def environment(directory: Path) -> dict[str, str]:
    """An empty one with the stand-in first on the PATH."""
    (directory / "bin").mkdir()
    (directory / "temp").mkdir()
    python = directory / "bin/python3"
    python.write_text(PYTHON)
    python.chmod(0o755)
    told = {"WORDS": "words", "CALLS": "calls", "GITHUB_OUTPUT": "outputs", "GITHUB_STEP_SUMMARY": "summary"}
    return {
        "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
        "PODWARD": sys.executable,
        "REAL_PYTHON": sys.executable,
        "PYTHONPATH": str(PROJECT / "src"),
        "HOME": str(directory),
        "RUNNER_TEMP": str(directory / "temp"),
        **{name: str(directory / "temp" / file) for name, file in told.items()},
    }


def ran(directory: Path, code: int, log: str) -> Ran:
    def said(name: str) -> str:
        file = directory / "temp" / name
        return file.read_text(encoding="utf-8") if file.exists() else ""

    calls = [call.split("\n") for call in said("calls").split("\n\n") if call]
    return Ran(code, log, said("words").splitlines(), calls, said("outputs"), said("summary"))


def action(directory: Path, files: dict[str, str], **inputs: str) -> Ran:
    """Run the steps of the action as GitHub does: expressions in `env`, each script by bash, until one fails."""
    repository = directory / "repository"
    repository.mkdir()
    for name, text in files.items():
        (repository / name).write_text(text, encoding="utf-8")
    base = environment(directory)
    known = {f"inputs.{name}": inputs.get(name, given["default"]) for name, given in ACTION["inputs"].items()}
    known["github.action_path"] = "/action"
    log, code = "", 0
    for step in STEPS:
        assert step["shell"] == "bash"
        told = {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found[1]], text)
            for name, text in step["env"].items()
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={**base, **told},
            cwd=repository,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )
        log += done.stdout.decode()
        code = done.returncode
        if code:
            break
    return ran(directory, code, log)


def commands(log: str) -> list[str]:
    """The lines of the log that GitHub's runner takes for commands, stopped and resumed as it does."""
    found: list[str] = []
    token = ""
    for line in log.splitlines():
        named = re.match(r"\s*::([a-z-]+|[0-9a-f]{32})(?: [^:]*)?::(.*)|.*##\[([a-z-]+)", line)
        if named is None:
            continue
        if token:
            token = "" if named[1] == token else token
        elif named[1] == "stop-commands":
            token = named[2]
        else:
            found.append(line)
    assert token == ""
    return found


def test_no_input_is_pasted_into_a_script_of_the_action() -> None:
    scripts = [step["run"] for step in STEPS]
    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)


def test_every_input_is_passed_on() -> None:
    used = " ".join(str(value) for step in STEPS for value in step["env"].values())
    assert all(f"inputs.{name} " in used for name in ACTION["inputs"])


@pytest.mark.parametrize(("version", "package"), [("", "/action"), ("1.2.3", "podward==1.2.3")])
def test_the_action_installs_itself_or_the_version_that_is_wanted(tmp_path: Path, version: str, package: str) -> None:
    done = action(tmp_path, {"good.yaml": GOOD}, args="--level\nbaseline", version=version)
    assert (done.code, done.pip[0], done.pip[-1]) == (0, "install", package)


def test_the_action_annotates_and_fails(tmp_path: Path) -> None:
    done = action(tmp_path, {"bad.yaml": BAD}, args="--level\nbaseline")
    assert done.code == 1
    assert [line.split("::")[1] for line in commands(done.log)] == ["error file=bad.yaml,line=9,title=pss/privileged"]
    assert done.summary.startswith("### podward check\n\n    bad.yaml:9  error  pss/privileged  Pod default/web, ")


TAKEN_OVER = "import os, pathlib\npathlib.Path(os.environ['RUNNER_TEMP'], 'taken-over').touch()\n"


def test_no_module_of_the_checkout_runs_in_the_action(tmp_path: Path) -> None:
    action(tmp_path, {"venv.py": TAKEN_OVER, "good.yaml": GOOD}, paths="good.yaml")
    assert not (tmp_path / "temp/taken-over").exists()


def test_no_module_of_the_checkout_runs_in_the_gitlab_job(tmp_path: Path) -> None:
    (tmp_path / "venv.py").write_text(TAKEN_OVER)
    gitlab(tmp_path, GOOD, paths="bad.yaml")
    assert not (tmp_path / "temp/taken-over").exists()


def test_the_action_passes_words_as_they_are(tmp_path: Path) -> None:
    files = {"--fix": BAD, "a b.yaml": BAD, "$(touch x).yaml": GOOD}
    done = action(tmp_path, files, paths="a b.yaml\n$(touch x).yaml\n\n--fix\n", args="--level\nbaseline\n")
    assert done.code == 1
    words = ["check", "--level", "baseline", "--output", "github", "--", "a b.yaml", "$(touch x).yaml", "--fix"]
    assert done.calls == [words, [word.replace("github", "table") for word in words]]
    assert not (tmp_path / "repository/x").exists()
    assert (tmp_path / "repository/--fix").read_text() == BAD


@pytest.mark.parametrize(("file", "said"), [("out.sarif", "file=out.sarif\n"), ("a\nfile=b", "file=a\n")])
def test_the_action_writes_its_report_and_the_log_tells_the_findings(tmp_path: Path, file: str, said: str) -> None:
    done = action(tmp_path, {"bad.yaml": BAD}, output="sarif", file=file)
    assert (done.code, done.file, commands(done.log)) == (1, said, [])
    assert (tmp_path / "repository" / file).read_text().startswith("{")
    assert "bad.yaml:9  error  pss/privileged  " in done.log


def test_the_report_is_not_among_what_is_checked(tmp_path: Path) -> None:
    done = action(tmp_path, {"good.yaml": GOOD}, output="json", file="report.json", args="--level\nbaseline")
    assert done.code == 0
    assert " in 1 file (1 workload)\n" in done.summary
    assert yaml.safe_load((tmp_path / "repository/report.json").read_text())["summary"]["files"] == 1


def test_a_difference_holds_no_command(tmp_path: Path) -> None:
    done = action(tmp_path, {"bad.yaml": BAD}, output="table", args="--level\nbaseline\n--fix\n--diff")
    assert done.code == 1
    assert "\n # ::error::forged\n" in done.log
    assert commands(done.log) == []
    # Each line is code: none ends it.
    assert all(line.startswith("    ") for line in done.summary.splitlines()[2:])


def test_what_could_not_be_read_is_2(tmp_path: Path) -> None:
    assert action(tmp_path, {"bad.yaml": "{"}).code == 2


def test_bad_usage_is_told_in_the_log(tmp_path: Path) -> None:
    done = action(tmp_path, {"good.yaml": GOOD}, args="--select\n::error::no/rule")
    assert done.code == 2
    assert "podward: " in done.log
    assert commands(done.log) == []


def test_hooks_check_whole_directories() -> None:
    hooks: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["podward-check", "podward-fix"]
    for hook in hooks:
        assert hook["entry"].startswith("podward check")
        assert (hook["language"], hook["pass_filenames"]) == ("python", False)


@pytest.mark.parametrize(("hook", "content", "code"), [(0, BAD, 1), (0, GOOD, 0), (1, BAD, 0)])
def test_a_hook_s_words_do_what_it_says(tmp_path: Path, hook: int, content: str, code: int) -> None:
    """Run `entry` and `args` as pre-commit does: split as by a shell, and run without one in the repository's root."""
    chosen = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[hook]
    (tmp_path / "podward.toml").write_text('[check]\nlevel = "baseline"\n')
    (tmp_path / "pod.yaml").write_text(content)
    program, *words = chosen["entry"].split()
    assert program == "podward"
    done = subprocess.run(
        [sys.executable, "-m", "podward", *words, *chosen["args"]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == code
    # A file that a hook has changed fails the commit, whatever the hook's exit code.
    assert ((tmp_path / "pod.yaml").read_text() == content) == (hook == 0)


def gitlab(directory: Path, content: str, **inputs: str) -> Ran:
    """Run the job as GitLab's runner does: inputs in the text, variables in the environment, the lines in one bash."""
    (job,) = GITLAB.values()
    given = {name: inputs.get(name, about["default"]) for name, about in INPUTS["spec"]["inputs"].items()}
    (directory / "bad.yaml").write_text(content)
    variables = {
        name: re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: given[found[1]], text)
        for name, text in job["variables"].items()
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        env={**environment(directory), **variables, "TMPDIR": str(directory / "temp")},
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    return ran(directory, done.returncode, done.stdout.decode())


@pytest.mark.parametrize(("content", "code"), [(BAD, 1), ("{", 2)])
def test_the_gitlab_job_fails_with_the_check_and_keeps_the_report(tmp_path: Path, content: str, code: int) -> None:
    (tmp_path / "other.yaml").write_text(GOOD)
    done = gitlab(tmp_path, content, paths="bad.yaml other.yaml", package="podward==1.2.3")
    assert (done.code, done.pip[-1]) == (code, "podward==1.2.3")
    assert done.calls[0][-3:] == ["--", "bad.yaml", "other.yaml"]
    assert (tmp_path / "podward.xml").read_text().startswith("<?xml")
    assert "bad.yaml:" in done.log


def test_the_gitlab_job_passes_where_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "podward.toml").write_text('[check]\nlevel = "baseline"\n')
    assert gitlab(tmp_path, GOOD, paths="bad.yaml").code == 0


def test_the_gitlab_template_has_what_gitlab_knows() -> None:
    """The keywords of GitLab's CI schema that it uses, and no input within a script."""
    (job,) = GITLAB.values()
    assert set(job) <= {"stage", "image", "variables", "script", "artifacts"}
    assert set(job["artifacts"]) <= {"when", "reports", "paths"}
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"] == {
        "junit": "podward.xml",
        "codequality": "podward-codequality.report",
    }
    for about in INPUTS["spec"]["inputs"].values():
        assert set(about) <= {"default", "description", "options", "regex", "type"}
        assert isinstance(about["default"], str)
    assert not any("$[[" in line for line in job["script"])
    assert all(isinstance(line, str) for line in job["script"])
    text = str(job)
    assert all(f"inputs.{name} ]]" in text for name in INPUTS["spec"]["inputs"])
