"""Every numbered example does what its first lines say, and its processes are what was predicted."""

import re
from pathlib import Path

import pytest
from podward_command import PROJECT, Podward

EXAMPLES = sorted((PROJECT / "examples").glob("[0-9]*.yaml"))


def promised(example: Path, word: str) -> list[str]:
    return re.findall(rf"^# {word}: (.*)$", example.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci", "catatonit")
@pytest.mark.parametrize("runtime", ["crun", "runc"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_does_what_it_says(podward: Podward, example: Path, runtime: str) -> None:
    result = podward("run", "--verify", "--runtime", runtime, "-f", str(example))
    shown = f"{result.stdout}\n{result.stderr}"
    assert result.returncode == int((promised(example, "exit") or ["0"])[0]), shown
    for expected in promised(example, "prints"):
        assert re.search(expected, result.stdout, re.MULTILINE), shown
    for expected in promised(example, "says"):
        assert re.search(expected, result.stderr, re.MULTILINE), shown
    if not promised(example, "says"):
        assert re.search(r"\d+ fields, 0 differ", result.stderr), shown
    assert not re.search(r"[1-9]\d* differ", result.stderr), shown


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 15
