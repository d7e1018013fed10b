"""What the kubelet puts into every container: the termination log, and /etc/hosts with its aliases."""

from __future__ import annotations

import re

import pytest
from case_corpus import agrees, assigned, case, explained, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_process_that_is_not_root_writes_the_termination_log(podward: Podward, runtime: str) -> None:
    done = run(podward, case("identity/termlog.yaml"), "--runtime", runtime)
    assert (done.returncode, done.stdout) == (0, "installed\n"), done.stderr
    assert agrees(done)


def test_the_termination_log_is_where_the_container_wants_it_though_its_root_is_read_only(podward: Podward) -> None:
    done = run(podward, case("identity/termlog-own-path.yaml"))
    assert done.stdout == "-rw-rw-rw-\n", done.stderr
    assert "/dev/termination-log: No such file" in done.stderr
    assert agrees(done)


def test_each_container_has_a_termination_log_of_its_own(podward: Podward) -> None:
    done = run(podward, case("identity/termlog-each-its-own.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[second] 0\n[second] second\n"


def test_the_termination_log_is_a_mount_that_is_explained(podward: Podward) -> None:
    pods = explained(podward, "-f", case("identity/termlog.yaml"))
    (container,) = pods[0]["containers"]
    assert "/dev/termination-log" in [mount["destination"] for mount in container["predicted"]["mounts"]]
    reasons = [made["source"]["name"] for made in assigned(pods, "cri") if "termination-log" in str(made["value"])]
    assert reasons
    assert all("kubelet" in name or "termlog.yaml" in name for name in reasons)


def test_the_hosts_file_is_writable_for_root_though_the_root_is_read_only(podward: Podward) -> None:
    done = run(podward, case("identity/hosts-ro.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("hosts-writable\n")
    assert re.search(r"^10\.1\.2\.3\tdb\.example$", done.stdout, re.MULTILINE)
    assert agrees(done)
    (container,) = explained(podward, "-f", case("identity/hosts-ro.yaml"))[0]["containers"]
    (mount,) = [each for each in container["predicted"]["mounts"] if each["destination"] == "/etc/hosts"]
    assert mount["readonly"] is False


def test_the_hosts_file_is_the_kubelets(podward: Podward) -> None:
    done = run(podward, case("identity/hosts-non-root.yaml"))
    lines = done.stdout.splitlines()
    assert lines[0] == "# Kubernetes-managed hosts file.", done.stderr
    assert "127.0.0.1\tlocalhost" in lines
    assert any(re.fullmatch(r"\S+\taliases", line) for line in lines), "its own name"
    assert lines[-3:] == ["# Entries added by HostAliases.", "10.1.2.3\tdb.example\tdb", "fd00::7\tcache.example"]
    assert "/etc/hosts: Permission denied" in done.stderr
    assert done.returncode == 1


def test_on_the_hosts_network_the_hosts_file_is_the_hosts_with_the_aliases(podward: Podward) -> None:
    done = run(podward, case("identity/hosts-host-network.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# Kubernetes-managed hosts file (host network).\n")
    with open("/etc/hosts", encoding="utf-8") as host:
        assert host.read().strip() in done.stdout
    assert done.stdout.endswith("# Entries added by HostAliases.\n10.1.2.3\tdb.example\n")


def test_a_mount_at_the_hosts_file_takes_its_place(podward: Podward) -> None:
    done = run(podward, case("identity/hosts-own-mount.yaml"))
    assert (done.returncode, done.stdout) == (0, "127.0.0.1 mine\n"), done.stderr
    assert agrees(done)


@pytest.mark.parametrize(
    ("name", "path", "answer"),
    [
        ("identity/termlog.yaml", "/dev/termination-log:rw", 0),
        ("identity/hosts-ro.yaml", "/etc/hosts:w", 0),
        ("identity/hosts-non-root.yaml", "/etc/hosts:r", 0),
        ("identity/hosts-non-root.yaml", "/etc/hosts:w", 1),
    ],
    ids=["termination-log", "hosts-root", "hosts-read", "hosts-write"],
)
def test_access_to_the_kubelets_files_is_known(podward: Podward, name: str, path: str, answer: int) -> None:
    done = podward("explain", "-f", case(name), "--access", path)
    assert done.returncode == answer, said(done)
    assert ("denied EACCES" if answer else "allowed") in said(done)
