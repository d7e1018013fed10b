"""Downward API, projected tokens, claims, ephemeral and image volumes, and those of drivers that are not here."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from case_corpus import agrees, case, row, run, said, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

PV = """apiVersion: v1
kind: PersistentVolume
metadata: {{name: disk}}
spec:
  capacity: {{storage: 5Gi}}
  accessModes: [ReadWriteOnce]
  storageClassName: fast-ssd
  {source}
"""
LOCAL = """local: {{path: {path}}}
  nodeAffinity:
    required: {{nodeSelectorTerms: [{{matchExpressions: [{{key: kubernetes.io/hostname, operator: Exists}}]}}]}}"""


def test_the_downward_api_is_files(podward: Podward) -> None:
    done = run(podward, case("volumes/downward.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'app="web"\ntier="front"\ntwo\nlines\ndownward1500\n644\n400\ntmpfs\n'
    assert agrees(done)


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a JWT."""
    head, claims, signature = token.split(".")
    assert len(signature) > 40
    unpacked = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, claims)]
    return unpacked[0], unpacked[1]


def test_a_projected_token_is_a_signed_jwt_of_a_local_issuer(podward: Podward) -> None:
    done = run(podward, case("volumes/projected.yaml"))
    assert done.returncode == 0, done.stderr
    token, mode, secret, labels, *rights = done.stdout.splitlines()
    head, claims = decoded(token)
    assert head["alg"] in {"RS256", "ES256"}
    assert claims["aud"] == ["vault"]
    assert claims["sub"] == "system:serviceaccount:shop:robot"
    assert claims["exp"] - claims["iat"] == 7200
    assert "local" in claims["iss"]
    assert claims["kubernetes.io"]["namespace"] == "shop"
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == "robot"
    assert (mode, secret, labels) == ("fast", "abc", 'app="web"')
    assert rights == ["-rw-r--r-- 0 0", "-rw------- 1000 0"], "a token is its user's alone where all have one uid"
    assert agrees(done)


def test_fs_group_opens_a_token_for_containers_of_several_uids(podward: Podward) -> None:
    done = run(podward, case("volumes/projected-fs-group.yaml"))
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["[a] -rw-r----- 0 2000", "[b] ey"]
    assert agrees(done)


def test_a_claim_without_a_volume_gets_a_stand_in_that_says_so(podward: Podward) -> None:
    done = run(podward, case("volumes/claim-unbound.yaml"))
    assert (done.returncode, done.stdout) == (0, "999:999\n"), done.stderr
    assert agrees(done)
    assert re.search(r"stands? in|stand-in", said(done))
    told = podward("explain", "-f", case("volumes/claim-unbound.yaml"))
    assert told.returncode == 0, told.stderr
    assert re.search(r"stands? in|stand-in", row(told.stdout, "volume .*"))


def test_a_claim_that_is_read_only_stays_so(podward: Podward) -> None:
    done = run(podward, case("volumes/claim-unbound-read-only.yaml"))
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr


@pytest.mark.parametrize("bound", ["by-name", "by-class"])
def test_a_claim_is_bound_to_a_host_path_volume_that_keeps_its_owner(
    podward: Podward, tmp_path: Path, bound: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    os.chown(disk, 999, 0)
    volume = PV.format(source=f"hostPath: {{path: {disk}}}")
    if bound == "by-name":
        volume += "  claimRef: {namespace: default, name: data}\n"
    beside = write(tmp_path, "pv.yaml", volume)
    done = run(podward, case("volumes/claim-unbound.yaml"), "--with", beside)
    assert (done.returncode, done.stdout) == (0, "999:999\n"), done.stderr
    assert (disk / "table").read_text(encoding="ascii") == "row\n"
    assert disk.stat().st_gid == 0, "fsGroup leaves a hostPath alone"
    assert agrees(done)


def test_a_local_volume_is_given_to_the_fs_group(podward: Podward, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o755)
    beside = write(tmp_path, "pv.yaml", PV.format(source=LOCAL.format(path=disk)))
    done = run(podward, case("volumes/claim-unbound.yaml"), "--with", beside)
    assert (done.returncode, done.stdout) == (0, "999:999\n"), done.stderr
    assert (disk / "table").exists()
    assert (disk.stat().st_gid, stat.S_IMODE(disk.stat().st_mode)) == (999, 0o2775)


def test_explain_changes_nothing_on_a_volume(podward: Podward, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o755)
    beside = write(tmp_path, "pv.yaml", PV.format(source=LOCAL.format(path=disk)))
    told = podward("explain", "-f", case("volumes/claim-unbound.yaml"), "--with", beside)
    assert told.returncode == 0, told.stderr
    assert str(disk) in said(told)
    assert (disk.stat().st_gid, stat.S_IMODE(disk.stat().st_mode)) == (0, 0o755)


def test_a_claim_bound_to_a_driver_has_an_unknown_owner(podward: Podward, tmp_path: Path) -> None:
    source = "csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}"
    beside = write(tmp_path, "pv.yaml", PV.format(source=source))
    told = podward("explain", "-f", case("volumes/claim-unbound.yaml"), "--with", beside)
    assert told.returncode == 0, told.stderr
    found = row(told.stdout, "volume .*")
    assert "unknown" in found
    assert "ebs.csi.aws.com" in said(told)
    refused = podward("run", "-f", case("volumes/claim-unbound.yaml"), "--with", beside)
    assert refused.returncode == 1
    assert "--stand-in data=" in said(refused)


@pytest.mark.parametrize(
    ("name", "owner"),
    [("claim-templates", "999:999"), ("ephemeral-volume", "1000:3000")],
    ids=["template", "ephemeral"],
)
def test_claims_that_a_controller_makes_are_stood_in_for(podward: Podward, name: str, owner: str) -> None:
    done = run(podward, case(f"volumes/{name}.yaml"))
    assert (done.returncode, done.stdout) == (0, f"{owner}\n"), done.stderr
    assert agrees(done)


def test_volumes_of_drivers_are_explained_with_what_is_known(podward: Podward) -> None:
    told = podward("explain", "-f", case("volumes/drivers.yaml"))
    assert told.returncode == 0, told.stderr
    rows = re.findall(r"^volume .*\n(?: +.*\n)*", told.stdout, re.MULTILINE)
    assert [("nfs" in found, "unknown" in found) for found in rows] == [(True, True), (False, True)]
    assert "secrets-store.csi.k8s.io" in said(told)
    assert "fsGroup" in said(told), "what it does to these volumes, or not"


@pytest.mark.parametrize("name", ["drivers", "iscsi"])
def test_run_refuses_volumes_of_drivers_with_what_to_do(podward: Podward, name: str) -> None:
    done = podward("run", "-f", case(f"volumes/{name}.yaml"))
    assert done.returncode == 1
    volume = {"drivers": "share", "iscsi": "disk"}[name]
    assert f"--stand-in {volume}=" in said(done)
    assert f"{name}.yaml:" in said(done), "and the line"


def test_a_directory_stands_in_for_a_drivers_volume(podward: Podward, tmp_path: Path) -> None:
    words: list[str] = []
    for name in ("share", "secrets"):
        write(tmp_path, f"{name}/who", f"{name}\n")
        words += ["--stand-in", f"{name}={tmp_path / name}"]
    done = run(podward, case("volumes/drivers.yaml"), *words)
    assert (done.returncode, done.stdout) == (0, "share\nsecrets\n"), done.stderr
    assert agrees(done)


@pytest.mark.parametrize("word", ["nobody=/tmp", "share=/nowhere/at/all", "share"])
def test_a_stand_in_for_nothing_is_an_error(podward: Podward, word: str) -> None:
    done = podward("run", "-f", case("volumes/drivers.yaml"), "--stand-in", word)
    assert done.returncode == 2
    assert word.partition("=")[0] in done.stderr
    assert "unrecognized" not in done.stderr


def test_an_image_is_mounted_read_only(podward: Podward) -> None:
    done = run(podward, case("volumes/image-source.yaml"))
    assert done.stdout == "/model/etc/passwd\n", done.stderr
    assert "/model/x: Read-only file system" in done.stderr
    assert agrees(done)
