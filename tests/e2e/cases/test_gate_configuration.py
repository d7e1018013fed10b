"""Where the check takes its configuration and its cache from, and words that would switch it off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from case_corpus import said, text_of, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

EVIL = text_of("hostile/namespace.yaml").partition("---\n")[2]
OFF = '[check]\nlevel = "privileged"\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a Pod that nothing but `privileged` admits."""
    (tmp_path / "outer" / "repository" / ".git").mkdir(parents=True)
    write(tmp_path, "outer/repository/deploy/pod.yaml", EVIL)
    return tmp_path / "outer" / "repository"


def test_configuration_is_taken_from_within_the_repository(podward: Podward, repository: Path) -> None:
    write(repository, "podward.toml", OFF)
    done = podward("check", "deploy", cwd=str(repository))
    assert done.returncode == 0, said(done)
    assert "podward.toml" in said(done), "and is named"


def test_configuration_above_the_repository_is_not_taken(podward: Podward, repository: Path) -> None:
    write(repository.parent, "podward.toml", OFF)
    assert podward("check", "deploy", cwd=str(repository)).returncode == 1
    assert podward("check", ".", cwd=str(repository / "deploy")).returncode == 1


def test_configuration_that_is_named_is_taken_from_anywhere(podward: Podward, repository: Path) -> None:
    write(repository.parent, "podward.toml", OFF)
    assert podward("check", "--config", "../podward.toml", "deploy", cwd=str(repository)).returncode == 0


@pytest.mark.parametrize("name", ["podward.toml", "pyproject.toml"])
def test_configuration_of_another_user_is_not_taken(podward: Podward, repository: Path, name: str) -> None:
    write(repository, name, OFF.replace("check", "tool.podward.check") if name == "pyproject.toml" else OFF)
    os.chown(repository / name, 12345, 12345)
    done = podward("check", "deploy", cwd=str(repository))
    assert done.returncode in {1, 2}, said(done)
    assert name in said(done), "and that is said"


def test_a_linked_configuration_of_another_user_is_not_taken(podward: Podward, repository: Path) -> None:
    write(repository.parent, "theirs.toml", OFF)
    os.chown(repository.parent / "theirs.toml", 12345, 12345)
    (repository / "podward.toml").symlink_to("../theirs.toml")
    assert podward("check", "deploy", cwd=str(repository)).returncode in {1, 2}


@pytest.mark.parametrize("place", ["deploy/cache", ".cache"], ids=["below-what-is-checked", "in-the-checkout"])
def test_no_cache_is_kept_within_the_checkout(podward: Podward, repository: Path, place: str) -> None:
    """Whoever commits a cache with it would say what is found."""
    for number in range(60):
        write(repository, f"deploy/pod-{number}.yaml", EVIL.replace("evil", f"evil-{number}"))
    podward.environment["XDG_CACHE_HOME"] = str(repository / place)
    assert podward("check", "deploy", cwd=str(repository)).returncode == 1
    assert [path for path in (repository / place).rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "words",
    [
        ("--select", "pss", "--ignore", "pss"),
        ("--select", "pss/privileged", "--ignore", "pss/privileged"),
        ("--select", "scc,hint", "--ignore", "scc,hint"),
        ("--ignore", "ALL"),
    ],
    ids=["family", "rule", "families", "all"],
)
def test_rules_that_leave_nothing_are_an_error(podward: Podward, repository: Path, words: tuple[str, ...]) -> None:
    done = podward("check", *words, "deploy", cwd=str(repository))
    assert done.returncode == 2, said(done)
    assert "no rule" in said(done) or "nothing" in said(done)


def test_select_and_ignore_may_leave_something(podward: Podward, repository: Path) -> None:
    words = ("--select", "pss", "--ignore", "pss/hostNamespaces")
    assert podward("check", *words, "deploy", cwd=str(repository)).returncode == 1


@pytest.mark.parametrize("name", ["--help", "-h", "--exit-zero", "--no-cache"])
def test_a_name_that_looks_like_an_option_opens_no_gate(podward: Podward, repository: Path, name: str) -> None:
    """What a shell makes of `podward check *`."""
    write(repository, f"deploy/{name}", "")
    words = sorted(entry.name for entry in (repository / "deploy").iterdir())
    done = podward("check", *words, cwd=str(repository / "deploy"))
    assert done.returncode != 0, said(done)
    assert name in done.stderr


def test_two_dashes_end_the_options(podward: Podward, repository: Path) -> None:
    write(repository, "deploy/--help", EVIL)
    done = podward("check", "--", "--help", "pod.yaml", cwd=str(repository / "deploy"))
    assert done.returncode == 1, said(done)
    assert "--help:" in done.stdout
    assert "pod.yaml:" in done.stdout
