"""Advice that can be followed: no change that the API forbids, the smallest one first, at the path of the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from case_corpus import Checked, case, explained, hint_about, hints, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")


@pytest.mark.parametrize("name", ["hostnet-lowport", "hostpid-capability"])
def test_no_hint_offers_a_user_namespace_to_a_pod_on_the_host(podward: Podward, name: str) -> None:
    pods = explained(podward, "-f", case(f"identity/{name}.yaml"))
    assert hint_about(pods, "capability-without-root"), "the hint itself is right"
    assert [hint for hint in hints(pods) if "hostUsers" in json.dumps(hint)] == []
    checked = Checked(podward, case(f"identity/{name}.yaml"), "--level", "privileged")
    assert checked.about("hostUsers") == []


def test_a_user_namespace_is_still_offered_where_it_may_be(podward: Podward, tmp_path: Path) -> None:
    text = Path(case("identity/hostpid-capability.yaml")).read_text(encoding="utf-8").replace("  hostPID: true\n", "")
    (tmp_path / "pod.yaml").write_text(text, encoding="utf-8")
    assert hint_about(explained(podward, "-f", str(tmp_path / "pod.yaml")), "capability-without-root", "hostUsers")


def test_root_that_may_not_chown_is_told(podward: Podward) -> None:
    pods = explained(podward, "-f", case("identity/init-chown-drop-all.yaml"))
    found = [hint for hint in hint_about(pods, "CHOWN") if "initContainers[0]" in hint["path"]]
    assert found
    assert any("CHOWN" in json.dumps(change["value"]) for hint in found for change in hint["changes"])
    done = run(podward, case("identity/init-chown-drop-all.yaml"))
    assert done.returncode == 1
    assert "Operation not permitted" in done.stderr


def test_a_chown_that_is_the_command_itself_is_seen_too(podward: Podward) -> None:
    pods = explained(podward, "-f", case("identity/chown-direct.yaml"))
    assert [hint for hint in hint_about(pods, "CHOWN") if "initContainers[0]" in hint["path"]]


def test_the_hint_about_chown_cures(podward: Podward, tmp_path: Path) -> None:
    source = Path(case("identity/init-chown-drop-all.yaml")).read_text(encoding="utf-8")
    cured = tmp_path / "cured.yaml"
    cured.write_text(source.replace("capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [CHOWN]}"))
    assert hint_about(explained(podward, "-f", str(cured)), "CHOWN", "cannot chown") == []
    done = run(podward, str(cured))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[store] stored\n")


@pytest.mark.parametrize("name", ["chown-allowed", "subpath-known"])
def test_nothing_is_said_of_chown_where_all_is_well(podward: Podward, name: str) -> None:
    pods = explained(podward, "-f", case(f"identity/{name}.yaml"))
    assert [hint for hint in hints(pods) if "chown" in hint["name"]] == []


PATHS = {
    "identity/daemonset.yaml": "spec.template.spec.containers[0].securityContext.procMount",
    "identity/unmasked-cronjob.yaml": "spec.jobTemplate.spec.template.spec.containers[0].securityContext.procMount",
}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("command", ["explain", "run", "admit"])
def test_a_fault_in_a_template_has_the_path_of_the_file(podward: Podward, command: str, name: str) -> None:
    done = podward(command, "-f", case(name))
    assert done.returncode == 2, said(done)
    assert f'{PATHS[name]}: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`' in said(done)


@pytest.mark.parametrize("name", PATHS)
def test_check_says_the_path_of_the_file_in_its_sentence(podward: Podward, name: str) -> None:
    (finding,) = Checked(podward, case(name), "--level", "privileged").findings("api/validation")
    assert finding["path"] == PATHS[name]
    assert finding["message"].startswith(f"{PATHS[name]}: ")


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("level", ["privileged", "baseline"])
def test_fix_makes_the_unmasked_proc_possible_before_it_takes_it_away(
    podward: Podward, tmp_path: Path, level: str, name: str
) -> None:
    file = shutil.copy(case(name), tmp_path / "workload.yaml")
    done = podward("check", "--level", level, "--fix", str(file))
    text = Path(file).read_text(encoding="utf-8")
    assert "hostUsers: false" in text, said(done)
    assert "procMount: Unmasked" in text
    assert Checked(podward, str(file), "--level", level).errors == set()


def test_fix_offers_no_user_namespace_where_the_host_is_shared(podward: Podward, tmp_path: Path) -> None:
    file = shutil.copy(case("identity/unmasked-host-pid.yaml"), tmp_path / "workload.yaml")
    podward("check", "--level", "privileged", "--fix", str(file))
    text = Path(file).read_text(encoding="utf-8")
    assert "hostUsers" not in text
    assert "procMount: Unmasked" not in text
    assert Checked(podward, str(file), "--level", "privileged").errors == set()
