"""Bad input gets one clear error with its place, exit code 2, no traceback, and leaves nothing behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: c, image: busybox:root}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
CASES = {
    "empty": (b"", r"no document"),
    "malformed yaml": (b"apiVersion: v1\nkind: [Pod\n", r"bad:\d+"),
    "malformed json": (b'{"apiVersion": "v1", "kind": "Pod",', r"bad:1: invalid"),
    "tab": (b"apiVersion: v1\n\tkind: Pod\n", r"bad:2"),
    "wrong type": (
        POD.replace("name: c,", "name: c, command: echo,").encode(),
        r"bad:6: .*spec\.containers\[0\]\.command",
    ),
    "unknown field": (
        POD.replace("spec:", "spec:\n  runAsUser: 5").encode(),
        r'bad:5: .*unknown field "spec\.runAsUser"',
    ),
    "duplicate key": (POD.encode() + b"  containers: []\n", r"bad:7.*containers"),
    "no kind": (b"apiVersion: v1\nmetadata: {}\n", r"kind not set"),
    "old version": (POD.replace("v1", "v1beta3").encode(), r"no matches for kind"),
    "not a pod": (b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n", r"no Pod in it"),
    "large": (POD.encode() + b"# " + b"x" * (50 << 20), r"52,428,903 bytes, more than the 3,145,728"),
    "deep": (b"[" * 100_000, r"deep|nest"),
    "alias bomb": (BOMB.encode(), r"alias"),
    "nul": (POD.encode() + b"\0", r"bad:7|NUL|control"),
    "not utf-8": (b"\xff\xff\xff\xff", r"bad"),
    "invalid value": (
        POD.replace("name: c,", "name: C_C,").encode(),
        r"bad:6: spec\.containers\[0\]\.name: Invalid value",
    ),
    "bad id": (
        POD.encode() + b"  securityContext: {runAsUser: -1}\n",
        r"bad:7: spec\.securityContext\.runAsUser: Invalid value: -1",
    ),
    "no image": (
        POD.replace(", image: busybox:root", "").encode(),
        r"bad:6: spec\.containers\[0\]\.image: Required value",
    ),
    "image missing": (POD.replace("busybox:root", "nowhere:1").encode(), r"image nowhere:1 is not here"),
    "image name": (POD.replace("busybox:root", '"Not A Name"').encode(), r"Not A Name"),
    "configMap volume": (POD.encode() + b"  volumes: [{name: v, configMap: {name: c}}]\n", r"bad:7.*configMap"),
}


def assert_clear(result: object, expected: str) -> None:
    stderr, stdout, code = result.stderr, result.stdout, result.returncode  # type: ignore[attr-defined]  # CompletedProcess
    assert "Traceback" not in stderr, stderr
    assert re.search(expected, stderr), stderr
    assert stdout == ""
    assert code in (1, 2)


@pytest.mark.parametrize("name", CASES)
def test_a_bad_manifest_is_one_clear_error(podward: Podward, tmp_path: Path, name: str) -> None:
    content, expected = CASES[name]
    (tmp_path / "bad").write_bytes(content)
    result = podward("run", "-f", str(tmp_path / "bad"))
    assert_clear(result, expected)
    assert result.returncode == (1 if name == "configMap volume" else 2), result.stderr


@pytest.mark.parametrize("name", ["malformed yaml", "deep", "unknown field", "empty"])
def test_standard_input_is_read_the_same_way(podward: Podward, name: str) -> None:
    content, expected = CASES[name]
    result = podward("run", "-f", "-", stdin=content.decode())
    assert_clear(result, expected.replace("bad", "<stdin>"))


def test_files_that_are_none(podward: Podward, tmp_path: Path) -> None:
    for place, expected in (
        (tmp_path / "absent.yaml", "No such file"),
        (tmp_path, "holds no"),
        (Path("/dev/zero"), "regular"),
    ):
        result = podward("run", "-f", str(place))
        assert result.returncode == 2
        assert_clear(result, expected)


def test_usage_errors_exit_with_2(podward: Podward) -> None:
    for words in (["run"], ["run", "--runtime", "nope", "-f", "x"], ["rn"], ["run", "-f"], ["rm"], ["rm", "nothing"]):
        result = podward(*words)
        assert (result.returncode, "Traceback" in result.stderr) == (2, False), words


@pytest.mark.parametrize(
    ("command", "code", "expected"),
    [
        ('["/no/such/program"]', 127, "no such file"),
        ('["no-such-program"]', 127, "not found"),
        ('["/etc/passwd"]', 126, "permission denied"),
        ('["sh", "-c", "exit 7"]', 7, ""),
        ('["sh", "-c", "kill -9 $$$$"]', 137, ""),
    ],
)
def test_the_exit_code_is_the_containers_or_says_why_it_could_not_start(
    podward: Podward, command: str, code: int, expected: str
) -> None:
    manifest = POD.replace("image:", f"command: {command}, image:") + "  shareProcessNamespace: true\n"
    result = podward("run", "-f", "-", stdin=manifest)
    assert result.returncode == code, result.stderr
    assert expected in result.stderr.lower()
    assert "Traceback" not in result.stderr
