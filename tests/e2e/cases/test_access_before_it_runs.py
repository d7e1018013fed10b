"""--access: devices that the device cgroup closes, and files that are not there before another container ran."""

from __future__ import annotations

import pytest
from case_corpus import agrees, case, explained, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")


@pytest.mark.parametrize("rights", ["rw", "r", "w"])
def test_a_device_that_is_not_in_the_list_is_eperm(podward: Podward, rights: str) -> None:
    done = podward("explain", "-f", case("identity/device.yaml"), "--access", f"/dev/fuse:{rights}")
    assert done.returncode == 1, said(done)
    assert "EPERM" in done.stdout
    assert "device" in done.stdout
    assert "privileged" in done.stdout, "the only thing that opens it"


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_the_kernel_says_so_too(podward: Podward, runtime: str) -> None:
    done = run(podward, case("identity/device.yaml"), "--runtime", runtime)
    assert done.returncode == 1
    assert "/dev/fuse: Operation not permitted" in done.stderr
    assert agrees(done)


def test_privileged_opens_every_device(podward: Podward) -> None:
    done = run(podward, case("identity/device-privileged.yaml"))
    assert (done.returncode, done.stdout) == (0, "opened\n"), done.stderr
    assert agrees(done)
    asked = podward("explain", "-f", case("identity/device-privileged.yaml"), "--access", "/dev/fuse:rw")
    assert (asked.returncode, "allowed" in asked.stdout) == (0, True), said(asked)


def test_a_device_below_a_mounted_directory_follows_the_same_list(podward: Podward) -> None:
    done = run(podward, case("identity/device-directory.yaml"))
    assert done.stdout == "null\n", done.stderr
    words = ("explain", "-f", case("identity/device-directory.yaml"), "--access")
    assert podward(*words, "/host-dev/null:rw").returncode == 0
    refused = podward(*words, "/host-dev/fuse:rw")
    assert (refused.returncode, "EPERM" in refused.stdout) == (1, True), said(refused)


@pytest.mark.parametrize("path", ["/dev/null:rw", "/dev/zero:r", "/dev/urandom:r"])
def test_the_runtimes_own_devices_are_open(podward: Podward, path: str) -> None:
    done = podward("explain", "-f", case("hostile/clean.yaml"), "--access", path)
    assert (done.returncode, "allowed" in done.stdout) == (0, True), said(done)


def test_the_device_list_is_predicted(podward: Podward) -> None:
    states = [
        explained(podward, "-f", case(f"identity/{name}.yaml"))[0]["containers"][0]["predicted"]
        for name in ("device", "device-privileged")
    ]
    assert all("devices" in state for state in states)
    assert states[0]["devices"] != states[1]["devices"]


UNKNOWN = {
    "identity/subpath-file-root.yaml": ("/app/key", "get"),
    "identity/volume-filled-by-init.yaml": ("/certs/tls.crt", "fetch"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_an_init_container_makes_is_not_known_before_it_has_run(podward: Podward, name: str) -> None:
    path, container = UNKNOWN[name]
    done = podward("explain", "-f", case(name), "--access", f"{path}:r", "--container", "app")
    assert done.returncode in {1, 2}, "no script may take it for a yes"
    told = said(done)
    assert f"{path}:r allowed" not in told
    assert "not known" in told or "cannot be known" in told or "unknown" in told
    assert container in told, "and which container decides it"


def test_the_same_path_is_known_when_it_runs(podward: Podward) -> None:
    denied = run(podward, case("identity/subpath-file-root.yaml"))
    assert denied.returncode == 1
    assert "'/app/key': Permission denied" in denied.stderr
    assert agrees(denied)
    allowed = run(podward, case("identity/volume-filled-by-init.yaml"))
    assert (allowed.returncode, allowed.stdout) == (0, "[app] cert\n"), allowed.stderr


def test_a_sub_path_that_only_the_kubelet_makes_is_known(podward: Podward) -> None:
    done = podward("explain", "-f", case("identity/subpath-known.yaml"), "--access", "/data:w")
    assert (done.returncode, "/data:w allowed" in said(done)) == (0, True), said(done)
    ran = run(podward, case("identity/subpath-known.yaml"))
    assert (ran.returncode, ran.stdout) == (0, "stored\n"), ran.stderr


def test_every_access_that_was_asked_for_is_answered(podward: Podward) -> None:
    words = ("--access", "/data:w", "--access", "/etc/passwd:w", "--access", "/etc/passwd:r")
    done = podward("explain", "-f", case("identity/subpath-known.yaml"), *words)
    assert done.returncode == 1, "one of them is denied"
    for answer in ("/data:w allowed", "/etc/passwd:w denied", "/etc/passwd:r allowed"):
        assert answer in said(done)
