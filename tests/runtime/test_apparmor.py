"""AppArmor's policy on a machine: what is loaded, what can be loaded, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.errors import RefusedError
from podward.policy.runtime import apparmor_default
from podward.runtime import apparmor, machine
from podward.runtime.health import LIMITED, kernel

DEFAULT = "cri-containerd.apparmor.d"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The kernel's policy as everybody sees it, whose list is root's."""
    for place, name in (("mine.0", "mine"), ("mine.0/profiles/part.1", "mine//part")):
        (tmp_path / "policy/profiles" / place).mkdir(parents=True)
        (tmp_path / "policy/profiles" / place / "name").write_text(f"{name}\n")
    return tmp_path


@pytest.fixture
def parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the place of apparmor_parser: it keeps what it is given."""
    program = tmp_path / "parser"
    program.write_text(f'#!/bin/sh\ncat > {tmp_path}/given\necho "$@" > {tmp_path}/words\n')
    program.chmod(0o755)
    monkeypatch.setattr(apparmor, "PARSERS", (str(program),))
    return program


def test_the_list_is_read_where_it_may_be(home: Path) -> None:
    (home / "profiles").write_text("mine (enforce)\nan other one (complain)\n")
    assert apparmor.loaded(str(home)) == {"mine", "an other one"}


def test_who_may_not_read_the_list_reads_the_names(home: Path) -> None:
    assert apparmor.loaded(str(home)) == {"mine", "mine//part"}


@pytest.mark.usefixtures("parser")
def test_it_is_usable_where_profiles_can_be_loaded(home: Path, tmp_path: Path) -> None:
    assert apparmor.usable(DEFAULT, may_load=True, home=str(home))
    assert not apparmor.usable(DEFAULT, may_load=False, home=str(home))
    assert not apparmor.usable(DEFAULT, may_load=True, home=str(tmp_path / "not mounted"))


def test_it_is_usable_where_the_default_profile_is_loaded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apparmor, "PARSERS", ())
    assert not apparmor.usable(DEFAULT, may_load=True, home=str(home))
    assert apparmor.usable("mine", may_load=False, home=str(home))


@pytest.mark.parametrize("profile", sorted(apparmor_default.PROFILES))
def test_a_default_profile_is_loaded_when_it_is_wanted(home: Path, parser: Path, profile: str) -> None:
    apparmor.ensure(profile, str(home))
    assert f'profile "{profile}" flags=' in (parser.parent / "given").read_text()
    assert "--replace" in (parser.parent / "words").read_text()


def test_what_is_loaded_is_not_loaded_again(home: Path, parser: Path) -> None:
    for profile in ("", "unconfined", "mine"):
        apparmor.ensure(profile, str(home))
    assert not (parser.parent / "given").exists()


def test_a_profile_of_the_node_that_is_not_loaded_is_refused(home: Path, parser: Path) -> None:
    with pytest.raises(RefusedError, match="apparmor profile not found other"):
        apparmor.ensure("other", str(home))
    assert not (parser.parent / "given").exists()


@pytest.mark.parametrize(
    ("place", "parsers", "found", "remedy"),
    [
        ("not mounted", ("/bin/true",), "in the kernel, and not in sight", "mount -t securityfs"),
        ("policy", (), "in the kernel, without apparmor_parser", "apt install apparmor"),
        ("policy", ("/bin/true",), "in the kernel; no profile can be loaded", "as root"),
    ],
)
def test_doctor_says_why_there_is_none_though_the_kernel_has_it(
    home: Path, place: str, parsers: tuple[str, ...], found: str, remedy: str
) -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(machine, "apparmor_enforced", lambda: True)
        changed.setattr(machine, "security_module", lambda: "")
        changed.setattr(apparmor, "HOME", str(home / place))
        changed.setattr(apparmor, "PARSERS", parsers)
        (check, _) = kernel.labels()
    assert (check.state, check.found) == (LIMITED, found)
    assert "containers get no profile" in check.consequence
    assert check.remedy.startswith(remedy)
