"""Debug containers of Pods that are in a cluster: explained and run beside the others."""

from __future__ import annotations

import re

import pytest
from case_corpus import Checked, agrees, case, explained, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")
REFUSAL = "container has runAsNonRoot and image will run as root"


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_debug_container_sees_the_processes_of_its_target(podward: Podward, runtime: str) -> None:
    done = run(podward, case("identity/ephemeral-runs.yaml"), "--runtime", runtime)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "[app] 1000" in lines
    assert lines[-2:] == ["[debugger] debugger 2000", "[debugger] 1"] or "[debugger] 1" in lines
    assert agrees(done)
    assert len(re.findall(r"\d+ fields, 0 differ", done.stderr)) == 2


def test_a_debug_container_is_explained_with_its_kind(podward: Podward) -> None:
    (pod,) = explained(podward, "-f", case("identity/ephemeral-runs.yaml"))
    kinds = {each["name"]: each["kind"] for each in pod["containers"]}
    assert kinds == {"app": "regular", "debugger": "ephemeral"}
    (debugger,) = [each for each in pod["containers"] if each["kind"] == "ephemeral"]
    assert debugger["predicted"]["uid"] == [2000] * 4
    assert debugger["path"] == "spec.ephemeralContainers[0]"


def test_the_kubelet_refuses_a_debug_container_that_is_root(podward: Podward) -> None:
    done = podward("explain", "-f", case("identity/ephemeral-refused.yaml"))
    assert done.returncode == 1, done.stderr
    assert REFUSAL in said(done)
    assert "container: debugger" in said(done)
    assert re.search(r"^container app\b", done.stdout, re.MULTILINE), "the other one is explained"


def test_a_refused_debug_container_does_not_keep_the_pod_from_running(podward: Podward) -> None:
    done = run(podward, case("identity/ephemeral-refused.yaml"))
    assert "1000\n" in done.stdout, done.stderr
    assert REFUSAL in said(done)
    assert "uid=0" not in done.stdout
    assert done.returncode == 1


def test_without_uid_it_is_explained_and_said_how_it_comes_into_a_pod(podward: Podward) -> None:
    """No Pod is created with them: `kubectl debug` adds them to one that runs."""
    done = podward("explain", "-f", case("identity/ephemeral.yaml"))
    assert done.returncode == 1, said(done)
    assert REFUSAL in said(done)
    assert "kubectl debug" in said(done)


def test_check_holds_debug_containers_against_what_is_created_only(podward: Podward) -> None:
    created = Checked(podward, case("identity/ephemeral.yaml"), "--level", "privileged")
    assert "api/validation" in created.errors
    read = Checked(podward, case("identity/ephemeral-runs.yaml"), "--level", "privileged")
    assert "api/validation" not in read.errors
