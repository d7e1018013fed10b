"""What only the image says: its volumes, its user; and what is told where the image is not here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from case_corpus import agrees, case, explained, hint_about, row, run, said, text_of, write
from podward_command import Podward

pytestmark = [
    pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci"),
    pytest.mark.usefixtures("case_images"),
]
VOLUME = "/var/cache/proxy"
ABSENT = "identity/nonexistent-image.yaml"


def mounted(podward: Podward, name: str, *words: str) -> dict[str, bool]:
    """The mounts that are predicted, and whether each is read-only."""
    (container,) = explained(podward, "-f", case(name), *words)[0]["containers"]
    return {mount["destination"]: mount["readonly"] for mount in container["predicted"]["mounts"]}


@pytest.mark.parametrize("runtime", ["crun", "runc"])
@pytest.mark.parametrize("defaults", ["containerd", "docker"])
def test_the_images_volume_is_a_writable_copy(podward: Podward, defaults: str, runtime: str) -> None:
    done = run(podward, case("identity/image-volume-ro.yaml"), "--runtime-defaults", defaults, "--runtime", runtime)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("uid=101")
    assert re.search(r" 101 +101 .* \.\n", done.stdout), "it keeps its owner"
    assert re.search(r" 101 +101 .* seed\n", done.stdout), "what the image has there is copied"
    assert done.stdout.endswith("written\n")
    assert agrees(done)
    assert mounted(podward, "identity/image-volume-ro.yaml", "--runtime-defaults", defaults)[VOLUME] is False


def test_cri_o_leaves_the_read_only_root(podward: Podward) -> None:
    done = run(podward, case("identity/image-volume-ro.yaml"), "--runtime-defaults", "cri-o")
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr
    assert agrees(done)
    assert VOLUME not in mounted(podward, "identity/image-volume-ro.yaml", "--runtime-defaults", "cri-o")


def test_a_volume_of_the_pod_takes_the_place_of_the_images(podward: Podward) -> None:
    done = run(podward, case("identity/image-volume-covered.yaml"))
    assert done.returncode == 0, done.stderr
    assert "seed" not in done.stdout
    assert done.stdout.endswith("written\n")
    assert agrees(done)


def test_an_image_volume_at_a_path_that_the_image_lacks_is_made(podward: Podward) -> None:
    done = run(podward, case("identity/image-volume-new-path.yaml"))
    assert done.returncode == 0, done.stderr
    assert re.match(r"drwxr-xr-x +\d+ 0 +0 ", done.stdout)
    assert done.stdout.endswith("written\n")


def test_the_row_of_an_image_volume_names_the_image(podward: Podward) -> None:
    table = podward("explain", "-f", case("identity/image-volume-ro.yaml"), "-o", "wide").stdout
    assert "vol:1" in row(table, f"mount {VOLUME}")


def test_access_to_an_image_volume_depends_on_the_runtime(podward: Podward) -> None:
    words = ("explain", "-f", case("identity/image-volume-ro.yaml"), "--access", f"{VOLUME}:w")
    assert podward(*words).returncode == 0
    refused = podward(*words, "--runtime-defaults", "cri-o")
    assert refused.returncode == 1
    assert "EROFS" in refused.stdout


@pytest.mark.parametrize("defaults", ["containerd", "cri-o", "docker"])
def test_the_group_behind_the_images_uid_is_dropped(podward: Podward, defaults: str) -> None:
    done = run(podward, case("identity/uidgid.yaml"), "--runtime-defaults", defaults)
    assert done.returncode == 0, done.stderr
    assert re.match(r"uid=1000 gid=0(\(root\))? groups=0", done.stdout)
    assert agrees(done)


def test_that_it_is_dropped_is_said_with_the_cure(podward: Podward) -> None:
    pods = explained(podward, "-f", case("identity/uidgid.yaml"))
    container = pods[0]["containers"][0]
    (gid,) = [
        made for stage in container["stages"] for made in stage["assignments"] if made["path"].endswith("user.gid")
    ]
    assert (gid["value"], "33" in gid["reason"]) == (0, True)
    assert "runAsGroup" in gid["reason"] or hint_about(pods, "runAsGroup", "33")
    cured = run(podward, case("identity/uidgid-cured.yaml"))
    assert re.match(r"uid=1000 gid=33\(www-data\) ", cured.stdout), cured.stderr
    assert agrees(cured)


@pytest.mark.parametrize("name", ["uidgid-known", "uidgid-name"])
def test_a_user_that_passwd_has_gets_its_own_group(podward: Podward, name: str) -> None:
    done = run(podward, case(f"identity/{name}.yaml"))
    assert re.match(r"uid=33\(www-data\) gid=33\(www-data\) groups=33\(www-data\)\n", done.stdout), done.stderr
    assert agrees(done)


def test_a_pod_whose_image_is_not_here_is_explained_to_the_end(podward: Podward) -> None:
    done = podward("explain", "-f", case(ABSENT), "-o", "wide")
    assert done.returncode == 0, done.stderr
    for name in ("user", "group", "groups", "no_new_privs", "caps asked for", "seccomp", "mount /run"):
        assert row(done.stdout, name), f"{name} has no row"
    assert "unknown" in row(done.stdout, "user")
    assert re.search(r"^group +\S+ +3000\b", done.stdout, re.MULTILINE)
    assert re.search(r"^no_new_privs +\S+ +yes\b", done.stdout, re.MULTILINE)
    assert "2000" in row(done.stdout, "groups")


def test_what_is_unknown_comes_with_how_to_know_it(podward: Podward) -> None:
    told = said(podward("explain", "-f", case(ABSENT)))
    assert "podward image pull nginx:1.27" in told
    assert "--pull" in told
    assert "--image-user" in told


def test_a_user_may_be_assumed_for_an_image(podward: Podward) -> None:
    done = podward("explain", "-f", case(ABSENT), "--image-user", "101:101", "-o", "wide")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^user +\S+ +101\b", done.stdout, re.MULTILINE)
    assert "unknown" not in row(done.stdout, "user")


def test_runas_non_root_is_decided_by_the_user_that_is_assumed(podward: Podward, tmp_path: Path) -> None:
    demanding = text_of(ABSENT).replace("{runAsGroup: 3000,", "{runAsNonRoot: true, runAsGroup: 3000,")
    file = write(tmp_path, "pod.yaml", demanding)
    assert podward("explain", "-f", file).returncode == 0, "nobody knows that it is refused"
    assert podward("explain", "-f", file, "--image-user", "101").returncode == 0
    refused = podward("explain", "-f", file, "--image-user", "0")
    assert refused.returncode == 1
    assert "container has runAsNonRoot and image will run as root" in said(refused)
    named = podward("explain", "-f", file, "--image-user", "nginx")
    assert "image has non-numeric user (nginx)" in said(named)


def test_the_ranking_of_sccs_needs_no_image(podward: Podward) -> None:
    words = ("explain", "-f", case(ABSENT), "--cluster", "openshift", "-o", "json")
    refused = podward(*words)
    (pod,) = json.loads(refused.stdout)["pods"]
    assert (refused.returncode, len(pod["admission"]["considered"])) == (1, 11), (
        "no SCC that it may use has fsGroup 2000"
    )
    (pod,) = json.loads(podward(*words, "--as", "admin", "--as-group", "system:masters").stdout)["pods"]
    assert len(pod["admission"]["considered"]) == 11
    assert pod["containers"], "and the container is explained"


def test_run_says_which_command_brings_the_image(podward: Podward) -> None:
    done = podward("run", "-f", case(ABSENT))
    assert done.returncode == 2
    assert "podward image pull nginx:1.27" in done.stderr


def test_a_pod_that_cannot_be_explained_does_not_silence_the_others(podward: Podward, tmp_path: Path) -> None:
    broken = text_of("hostile/clean.yaml").replace("runAsUser: 1000", "runAsUser: -1").replace("clean}", "broken}")
    file = write(tmp_path, "three.yaml", f"{text_of(ABSENT)}---\n{broken}---\n{text_of('hostile/clean.yaml')}")
    done = podward("explain", "-f", file)
    assert done.returncode == 2, "one of them is no valid Pod"
    assert "must be between 0 and 2147483647" in said(done)
    for name in ("web", "clean"):
        assert f"Pod default/{name}" in done.stdout
    assert re.search(r"^user +\S+ +1000\b", done.stdout, re.MULTILINE)
