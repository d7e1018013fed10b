"""The commands of `podward image`, as a person calls them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from warm_command import run

pytestmark = pytest.mark.needs("root", "umoci")

Podward = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def podward(tmp_path: Path) -> Podward:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PODWARD_ROOT": str(tmp_path / "state")}
        return run("image", *words, environment=environment, cwd=tmp_path)

    return call


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/Containerfile").write_text("FROM scratch\nCOPY Containerfile /x\nUSER 7\n")
    return tmp_path / "app"


@pytest.mark.usefixtures("context")
def test_an_image_is_built_listed_and_removed(podward: Podward) -> None:
    built = podward("build", "-t", "app", "app")
    assert (built.returncode, built.stderr) == (0, "")
    name, short = built.stdout.split()
    assert name == "docker.io/library/app:latest"
    (listed,) = json.loads(podward("ls", "-o", "json").stdout)
    assert listed["names"] == [name]
    assert (listed["user"], listed["id"][7:19]) == ("7", short)
    table = podward("ls").stdout.splitlines()
    assert table[0].split() == ["NAME", "IMAGE", "ID", "USER", "SIZE"]
    assert table[1].split()[:3] == [name, short, "7"]
    removed = podward("rm", "app")
    assert (removed.returncode, removed.stdout) == (0, f"removed {short}\n")
    assert podward("ls", "-o", "json").stdout == "[]\n"


@pytest.mark.parametrize(
    "words", [("app",), ("-f", "app"), ("-f", "app/Containerfile"), ("-f", "app/Containerfile", "app")]
)
@pytest.mark.usefixtures("context")
def test_the_containerfile_may_be_said_in_every_usual_way(words: tuple[str, ...], podward: Podward) -> None:
    assert podward("build", "-t", "app", *words).returncode == 0


@pytest.mark.usefixtures("context")
def test_json_says_what_was_made(podward: Podward) -> None:
    (shown,) = json.loads(podward("build", "app", "-t", "app:2", "-o", "json").stdout)
    assert shown["names"] == ["docker.io/library/app:2"]
    assert json.loads(podward("rm", shown["id"], "-o", "json").stdout) == [shown["id"]]


@pytest.mark.usefixtures("context")
def test_an_image_without_a_name_says_how_to_give_it_one(podward: Podward) -> None:
    built = podward("build", "app")
    assert built.stdout.startswith("<none> ")
    assert "-t gives it one" in built.stderr
    assert podward("ls").stdout.splitlines()[1].startswith("<none>")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "ACTION"),
        (("build",), 2, "say what to build"),
        (("build", "nowhere"), 2, "can't be read"),
        (("build", "-t", "A", "app"), 2, "not an image's name"),
        (("import", "nowhere.tar"), 2, "no such file or directory"),
        (("import", "app"), 2, "no OCI layout"),
        (("import", "app/Containerfile"), 2, "no tar archive"),
        (("pull", "Bad"), 2, "not an image's name"),
        (("pull", "x", "--tls-verify=maybe"), 2, "neither true nor false"),
        (("rm", "missing"), 2, "image missing is not here"),
        (("rm", "abc"), 2, "image abc is not here"),
        (("rm", "\x1b[31m"), 2, "not an image's name"),
    ],
)
@pytest.mark.usefixtures("context")
def test_a_mistake_is_one_clear_error(
    words: tuple[str, ...], code: int, said: str, *, podward: Podward, tmp_path: Path
) -> None:
    done = podward(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    work = tmp_path / "state/images/tmp"
    assert not work.exists() or list(work.iterdir()) == []


@pytest.mark.usefixtures("context")
def test_an_image_is_imported_from_what_the_store_itself_is(podward: Podward, tmp_path: Path) -> None:
    podward("build", "app", "-t", "app:1")
    os.rename(tmp_path / "state/images", tmp_path / "layout")
    done = podward("import", "layout")
    assert (done.returncode, done.stdout.split()[0]) == (0, "docker.io/library/app:1")


@pytest.mark.usefixtures("context")
def test_a_damaged_image_is_listed_with_a_word_on_what_to_do(podward: Podward, tmp_path: Path) -> None:
    podward("build", "app", "-t", "app:1")
    (home,) = (tmp_path / "state/images/rootfs").iterdir()
    (home / "image.json").write_text("{")
    done = podward("ls")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split()[2] == "?"
    assert "app:1 is damaged" in done.stderr
    assert podward("rm", "app:1").returncode == 0
    assert podward("build", "app", "-t", "app:1").returncode == 0
    assert podward("ls").stderr == ""


def test_pruning_removes_what_has_no_name(podward: Podward, context: Path) -> None:
    assert podward("prune").stdout == ""
    old = podward("build", "-t", "app", "app").stdout.split()[1]
    (context / "Containerfile").write_text("FROM scratch\nCOPY Containerfile /x\nUSER 8\n")
    podward("build", "-t", "app", "app")
    assert podward("prune").stdout == f"removed {old}\n"
    (kept,) = json.loads(podward("ls", "-o", "json").stdout)
    assert (kept["names"], kept["user"]) == (["docker.io/library/app:latest"], "8")
