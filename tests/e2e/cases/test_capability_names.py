"""Capability names that are none: what each runtime makes of them, and that somebody says so."""

from __future__ import annotations

import re

import pytest
from case_corpus import Checked, agrees, case, explained, hint_about, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")

DEFAULTS = {"containerd": 0xA80425FB, "cri-o": 0x5FB, "docker": 0xA80425FB}
SYS_CHROOT, CHOWN, NET_ADMIN = 1 << 18, 1, 1 << 12


def effective(output: str) -> list[int]:
    return [int(found, 16) for found in re.findall(r"CapEff:\s+([0-9a-f]+)", output)]


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_containerd_adds_a_second_prefix_and_the_capability_is_missing(podward: Podward, runtime: str) -> None:
    done = run(podward, case("identity/cap-prefix.yaml"), "--runtime", runtime)
    assert effective(done.stdout) == [0], done.stderr
    assert agrees(done)
    assert done.returncode == 1, "chroot(8) is refused"
    assert not done.stdout.endswith("\n0\n")


@pytest.mark.parametrize("defaults", ["cri-o", "docker"])
def test_others_take_the_prefix_for_what_it_is(podward: Podward, defaults: str) -> None:
    done = run(podward, case("identity/cap-prefix.yaml"), "--runtime-defaults", defaults)
    assert effective(done.stdout) == [SYS_CHROOT], done.stderr
    assert (done.returncode, done.stdout.endswith("\n0\n")) == (0, True)
    assert agrees(done)


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_under_containerd_unknown_names_change_nothing(podward: Podward, runtime: str) -> None:
    done = run(podward, case("identity/typo.yaml"), "--runtime", runtime)
    assert (done.returncode, effective(done.stdout)) == (0, [DEFAULTS["containerd"]]), done.stderr
    assert agrees(done)


def test_cri_o_refuses_a_name_that_it_does_not_know(podward: Podward) -> None:
    done = run(podward, case("identity/typo.yaml"), "--runtime-defaults", "cri-o")
    assert done.returncode == 1
    assert 'unknown capability "CAP_NET_ADMINN" to add' in said(done)


def test_a_typo_leaves_the_container_without_while_its_neighbour_has_it(podward: Podward) -> None:
    done = run(podward, case("identity/cap-typo-alone.yaml"))
    assert (done.returncode, effective(done.stdout)) == (0, [0, 1 << 13]), done.stderr
    assert agrees(done)


@pytest.mark.parametrize(
    ("defaults", "left"),
    [("containerd", 0xA80425FB), ("cri-o", 0x5FB & ~CHOWN), ("docker", 0xA80425FB & ~CHOWN)],
)
def test_a_drop_with_the_prefix_drops_nothing_under_containerd(podward: Podward, defaults: str, left: int) -> None:
    done = run(podward, case("identity/cap-drop-prefix.yaml"), "--runtime-defaults", defaults)
    assert (done.returncode, effective(done.stdout)) == (0, [left]), done.stderr
    assert agrees(done)


@pytest.mark.parametrize("defaults", DEFAULTS)
def test_lower_case_is_the_same_name(podward: Podward, defaults: str) -> None:
    done = run(podward, case("identity/cap-lower-case.yaml"), "--runtime-defaults", defaults)
    assert (done.returncode, effective(done.stdout)) == (0, [NET_ADMIN]), done.stderr
    assert agrees(done)


WRONG = {
    "identity/cap-prefix.yaml": "CAP_SYS_CHROOT",
    "identity/cap-drop-prefix.yaml": "CAP_CHOWN",
    "identity/typo.yaml": "NET_ADMINN",
    "identity/cap-typo-alone.yaml": "NETRAW",
}


@pytest.mark.parametrize("name", WRONG)
def test_explain_has_a_hint_about_the_name(podward: Podward, name: str) -> None:
    pods = explained(podward, "-f", case(name))
    assert not pods[0]["refused"]
    assert [hint for hint in hint_about(pods, WRONG[name]) if WRONG[name] in hint["problem"]]


def test_the_hint_about_a_prefix_offers_the_name_without_it(podward: Podward) -> None:
    (hint,) = hint_about(explained(podward, "-f", case("identity/cap-prefix.yaml")), "CAP_SYS_CHROOT")
    changes = [change for change in hint["changes"] if "capabilities.add" in change["path"]]
    assert changes
    assert changes[0]["value"] in ("SYS_CHROOT", ["SYS_CHROOT"])


def test_the_second_typo_of_a_container_is_named_too(podward: Podward) -> None:
    assert hint_about(explained(podward, "-f", case("identity/typo.yaml")), "SYSLOGG")


@pytest.mark.parametrize("name", WRONG)
def test_check_names_it_at_every_level(podward: Podward, name: str) -> None:
    for level in ("privileged", "baseline", "restricted"):
        checked = Checked(podward, case(name), "--level", level)
        found = [each for each in checked.about(WRONG[name]) if not each["rule"].startswith(("pss/", "scc/"))]
        assert found, level
        assert {each["severity"] for each in found} <= {"warning", "error"}
        assert all(WRONG[name] in each["message"] for each in found)


def test_good_names_have_no_such_hint(podward: Podward) -> None:
    assert not [hint for hint in hint_about(explained(podward, "-f", case("identity/cap-lower-case.yaml")), "net_admin")
                if "no capability" in hint["problem"]]  # fmt: skip
    checked = Checked(podward, case("identity/device.yaml"), "--level", "privileged")
    assert not [each for each in checked.about("NET_ADMIN") if each["rule"] != "hint/capability-without-root"]
