"""hostPath's types against what is there, in the kubelet's words."""

from __future__ import annotations

import pytest

from podward.api.effective import Place
from podward.api.volume import HostPath
from podward.decision import Decision
from podward.path import Path, path
from podward.policy.kubelet import host_path

WHERE = path("spec", "volumes", 0, "hostPath")
PLACE = Place("pod.yaml", Path(), Path())


def _decide(kind: str | None, found: str, at: str = "/x") -> Decision:
    return host_path.decide(HostPath(at, kind), found, WHERE, PLACE)


@pytest.mark.parametrize(
    ("kind", "found", "reason"),
    [
        ("Directory", "File", "hostPath type check failed: /x is not a directory"),
        ("DirectoryOrCreate", "Socket", "hostPath type check failed: /x is not a directory"),
        ("File", "Directory", "hostPath type check failed: /x is not a file"),
        ("FileOrCreate", "Directory", "hostPath type check failed: /x is not a file"),
        ("Socket", "File", "hostPath type check failed: /x is not a socket file"),
        ("CharDevice", "BlockDevice", "hostPath type check failed: /x is not a character device"),
        ("BlockDevice", "CharDevice", "hostPath type check failed: /x is not a block device"),
        ("Directory", "", "hostPath type check failed: /x is not a directory"),
        ("Socket", "", "hostPath type check failed: /x is not a socket file"),
        ("Tape", "File", "Tape is an invalid volume type"),
        ("File", "Other", "hostPath type check failed: /x is not a file"),
    ],
)
def test_the_wrong_kind_is_refused(kind: str, found: str, reason: str) -> None:
    assert [v.reason for v in _decide(kind, found).violations] == [reason]


@pytest.mark.parametrize(
    ("kind", "found", "create"),
    [
        (None, "", "Directory"), ("", "", "Directory"), (None, "Other", ""), ("", "File", ""),
        ("DirectoryOrCreate", "", "Directory"), ("DirectoryOrCreate", "Directory", ""),
        ("FileOrCreate", "", "File"), ("FileOrCreate", "File", ""), ("Socket", "Socket", ""),
    ],
)  # fmt: skip
def test_what_is_missing_is_made(kind: str | None, found: str, create: str) -> None:
    assert _decide(kind, found).fold(host_path.HostFile) == host_path.HostFile("/x", create)


@pytest.mark.parametrize("bad", ["/a/../b", "..", "/.."])
def test_a_path_that_goes_up_is_refused(bad: str) -> None:
    (violation,) = _decide(None, "Directory", bad).violations
    assert violation.reason == f"invalid HostPath `{bad}`: must not contain '..'"
    assert str(violation.path) == "spec.volumes[0].hostPath.path"


def test_dots_in_a_name_do_not_go_up() -> None:
    assert not _decide(None, "Directory", "/a/..b/c..").refused
