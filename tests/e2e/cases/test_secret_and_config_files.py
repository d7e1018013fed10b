"""Secrets and ConfigMaps as files: content, modes, owners, layout; taken from the same input or from --with."""

from __future__ import annotations

import re

import pytest
from case_corpus import agrees, case, row, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")


def test_a_script_of_a_config_map_is_not_executable_by_default(podward: Podward) -> None:
    done = run(podward, case("identity/configmap-script.yaml"))
    assert done.returncode == 126, done.stderr
    assert "/scripts/run.sh" in done.stderr
    told = podward("explain", "-f", case("identity/configmap-script.yaml"))
    assert "EACCES" in said(told)
    assert "defaultMode" in said(told), "with the change that cures it"
    access = podward("explain", "-f", case("identity/configmap-script.yaml"), "--access", "/scripts/run.sh:rx")
    assert access.returncode == 1
    assert re.search(r"-rw-r--r-- root:root .*denied EACCES", said(access))


def test_a_script_of_a_config_map_with_a_mode_runs(podward: Podward) -> None:
    done = run(podward, case("volumes/configmap-script-mode.yaml"))
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr
    assert agrees(done)


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_fs_group_opens_a_secret_for_its_group(podward: Podward, runtime: str) -> None:
    done = run(podward, case("identity/secret-mode.yaml"), "--runtime", runtime)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^-r--r----- +\d+ 0 +2000 +3 .* id$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("abc")
    assert agrees(done)
    access = podward("explain", "-f", case("identity/secret-mode.yaml"), "--access", "/ssh/id:r")
    assert (access.returncode, "allowed" in access.stdout) == (0, True), said(access)


def test_without_fs_group_a_secret_of_mode_0400_is_roots(podward: Podward) -> None:
    done = run(podward, case("identity/secret-nofsgroup.yaml"))
    assert done.returncode == 1, done.stderr
    assert re.search(r"^-r-------- +\d+ 0 +0 +3 .* id$", done.stdout, re.MULTILINE)
    assert "'/ssh/id': Permission denied" in done.stderr
    assert agrees(done)
    access = podward("explain", "-f", case("identity/secret-nofsgroup.yaml"), "--access", "/ssh/id:r")
    assert access.returncode == 1
    assert re.search(r"-r-------- root:root .*denied EACCES", said(access))


def test_a_secret_that_keeps_its_reader_out_has_a_hint(podward: Podward) -> None:
    told = podward("explain", "-f", case("identity/secret-nofsgroup.yaml"))
    assert told.returncode == 0, told.stderr
    assert "token-not-readable" in told.stdout
    assert "fsGroup" in told.stdout


def test_the_files_of_a_secret_are_links_into_one_directory_that_is_replaced_at_once(podward: Podward) -> None:
    done = run(podward, case("volumes/secret-layout.yaml"))
    link, data, modes, top, mount = done.stdout.splitlines()[:5]
    assert link == "..data/id", done.stderr
    assert re.fullmatch(r"\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+", data)
    assert (modes, top) == ("755", "1777")
    assert mount.startswith("tmpfs ro"), "every container mounts a Secret read-only"
    assert "Read-only file system" in done.stderr
    assert agrees(done)


def test_modes_of_single_files_go_before_the_default_one(podward: Podward) -> None:
    done = run(podward, case("volumes/secret-modes.yaml"))
    assert done.stdout == "-r-------- 0 0 closed\n-r--r--r-- 0 0 open\nabc\n", done.stderr
    assert agrees(done)


def test_items_choose_rename_and_nest(podward: Podward) -> None:
    done = run(podward, case("volumes/configmap-items.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "644 a.conf\n644 bin\n400 nested/b.conf\na.conf\nbin\nnested\ntwo\nthree\n"


def test_a_sub_path_of_a_config_map_is_one_file_and_read_only(podward: Podward) -> None:
    done = run(podward, case("volumes/configmap-sub-path.yaml"))
    assert done.stdout == "port=80\n1\n", done.stderr
    assert "Read-only file system" in done.stderr
    assert agrees(done)


def test_what_is_optional_may_be_absent(podward: Podward) -> None:
    done = run(podward, case("volumes/secret-optional.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["/absent:", "/some:", "id", "listed"]
    assert agrees(done)


ABSENT = {
    "volumes/secret-absent.yaml": ("s", 'secret "nobody-made-it" not found'),
    "volumes/secret-key-absent.yaml": ("s", "references non-existent secret key: tls.key"),
}


@pytest.mark.parametrize("name", ABSENT)
@pytest.mark.parametrize("command", ["run", "explain"])
def test_what_is_absent_keeps_the_pod_from_starting(podward: Podward, command: str, name: str) -> None:
    volume, reason = ABSENT[name]
    done = podward(command, "-f", case(name))
    assert done.returncode == 1, done.stderr
    assert f'volume "{volume}"' in said(done)
    assert reason in said(done)
    assert "--with" in said(done), "and how to give it"


def test_with_gives_what_the_input_lacks(podward: Podward) -> None:
    words = ("-f", case("volumes/secret-absent.yaml"), "--with", case("volumes/secret-absent.with.yaml"))
    done = podward("run", "--verify", *words)
    assert (done.returncode, done.stdout) == (0, "beside\n"), done.stderr
    assert podward("explain", *words).returncode == 0


def test_with_may_be_repeated(podward: Podward) -> None:
    words = ["--with", case("volumes/secret-absent.with.yaml"), "--with", case("volumes/claim-unbound.yaml")]
    done = podward("run", "-f", case("volumes/secret-absent.yaml"), *words)
    assert (done.returncode, done.stdout) == (0, "beside\n"), done.stderr


def test_workloads_of_with_are_not_run(podward: Podward) -> None:
    done = podward("run", "-f", case("hostile/clean.yaml"), "--with", case("volumes/secret-layout.yaml"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_secret_of_another_namespace_is_another_one(podward: Podward) -> None:
    done = run(podward, case("volumes/secret-other-namespace.yaml"))
    assert (done.returncode, done.stdout) == (0, "of this namespace\n"), done.stderr


@pytest.mark.parametrize(
    ("name", "owner"),
    [("identity/secret-mode.yaml", ("2000", "0440")), ("identity/secret-nofsgroup.yaml", ("0400",))],
    ids=["fs-group", "none"],
)
def test_the_row_of_a_secret_tells_its_mode_and_group(podward: Podward, name: str, owner: tuple[str, ...]) -> None:
    told = podward("explain", "-f", case(name))
    found = row(told.stdout, "volume .*")
    assert found, told.stdout + told.stderr
    for word in ("secret", *owner):
        assert word in found
    assert "unknown" not in found
