"""Annotations that mean nothing any more: the API server's warnings, and what explain and check say."""

from __future__ import annotations

import pytest
from case_corpus import Checked, case, explained, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

APPARMOR = "container.apparmor.security.beta.kubernetes.io/app"
SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
ALPHA = "security.alpha.kubernetes.io"
CRITICAL = "scheduler.alpha.kubernetes.io/critical-pod"
DEAD = 'non-functional in v1.27+; use the "seccompProfile" field instead'

WARNINGS = {
    "identity/apparmor-annotation.yaml": [
        f'metadata.annotations[{APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead'
    ],
    "identity/seccomp-annotation.yaml": [
        f"metadata.annotations[{SECCOMP}]: {DEAD}",
        f"metadata.annotations[container.{SECCOMP.removesuffix('pod')}app]: {DEAD}",
    ],
    "identity/seccomp-annotation-template.yaml": [f"spec.template.metadata.annotations[{SECCOMP}]: {DEAD}"],
    "identity/dead-annotations.yaml": [
        f'metadata.annotations[{ALPHA}/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
        f'metadata.annotations[{CRITICAL}]: non-functional in v1.16+; use the "priorityClassName" field instead',
    ],
}


@pytest.mark.parametrize("name", WARNINGS)
def test_admit_prints_the_warnings_of_the_api_server(podward: Podward, name: str) -> None:
    done = podward("admit", "--cluster", "kubernetes", "-f", case(name))
    assert done.returncode == 0, done.stderr
    for warning in WARNINGS[name]:
        assert f"Warning: {warning}" in said(done)


@pytest.mark.parametrize("name", WARNINGS)
@pytest.mark.parametrize("command", ["explain", "run"])
def test_whoever_explains_or_runs_it_is_told(podward: Podward, command: str, name: str) -> None:
    done = podward(command, "-f", case(name))
    for warning in WARNINGS[name]:
        annotation = warning.partition("[")[2].partition("]")[0]
        assert annotation in said(done)
        assert warning.partition("]: ")[2].partition(";")[0] in said(done)


@pytest.mark.parametrize("name", WARNINGS)
def test_check_has_a_finding_at_the_annotation(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(name), "--level", "privileged")
    for warning in WARNINGS[name]:
        annotation = warning.partition("[")[2].partition("]")[0]
        (finding,) = [each for each in checked.about(annotation) if annotation in each["path"]]
        assert finding["severity"] in {"warning", "note"}
        with open(case(name), encoding="utf-8") as file:
            assert annotation in file.read().splitlines()[finding["line"] - 1]


def test_an_annotation_for_seccomp_does_nothing(podward: Podward) -> None:
    done = run(podward, case("identity/seccomp-annotation-template.yaml"))
    assert (done.returncode, done.stdout) == (0, "Seccomp:\t0\n"), done.stderr
    (pod,) = explained(podward, "-f", case("identity/seccomp-annotation-template.yaml"))
    assert pod["containers"][0]["predicted"]["seccomp"] == 0


def test_an_annotation_for_apparmor_still_counts(podward: Podward) -> None:
    """It becomes the container's field, which this machine may not be able to enforce."""
    done = podward("admit", "--cluster", "kubernetes", "-f", case("identity/apparmor-annotation.yaml"))
    assert "localhostProfile: test-profile" in done.stdout
    checked = Checked(podward, case("identity/apparmor-annotation.yaml"), "--level", "baseline")
    assert "pss/appArmorProfile" not in checked.errors, "a local profile is allowed"
