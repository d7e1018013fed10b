"""What goes to standard output and standard error is what was meant, whatever the locale and whatever names are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

POD = """apiVersion: v1
kind: Pod
metadata: {name: a, annotations: {who: "Gr\u00fcn"}}
spec: {containers: [{name: app, image: "a:1", securityContext: {privileged: true}}]}
"""


def podward(*words: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "podward", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_manifest_stays_as_it_is_in_a_locale_that_lacks_its_characters(tmp_path: Path, form: str) -> None:
    tmp_path.joinpath("a.yaml").write_text(POD.replace("true", "false"), encoding="utf-8")
    ran = podward("admit", "-f", "a.yaml", "-o", form, cwd=tmp_path)
    assert ran.returncode == 0
    assert "Gr\u00fcn" in ran.stdout.decode()


def test_a_comparison_is_json_in_such_a_locale(tmp_path: Path) -> None:
    tmp_path.joinpath("gr\u00fcn.yaml").write_text(POD, encoding="utf-8")
    ran = podward("check", "--compare", "privileged", "baseline", "gr\u00fcn.yaml", "-o", "json", cwd=tmp_path)
    assert "gr\u00fcn.yaml" in json.dumps(json.loads(ran.stdout), ensure_ascii=False)


@pytest.mark.parametrize("name", ["##[error]x.yaml", "a\n::error::x.yaml"])
def test_no_name_in_an_error_is_a_command_for_who_reads_the_log(tmp_path: Path, name: str) -> None:
    tmp_path.joinpath(name).write_text("kind: [\n", encoding="utf-8")
    for words in (("admit", "-f", name), ("explain", "-f", name)):
        said = podward(*words, cwd=tmp_path).stderr.decode()
        assert "invalid YAML" in said
        assert "##[" not in said
        assert not any(line.lstrip().startswith("::") for line in said.split("\n"))
