"""Where the processes of a Pod are limited, in either version of cgroups."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime import pod_cgroups


@pytest.mark.parametrize(("exists", "limited"), [("cgroup.controllers", "pod"), ("pids/tasks", "pids/pod")])
def test_each_version_of_cgroups_has_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: str, limited: str
) -> None:
    for file in (tmp_path / exists, tmp_path / limited / "pids.max"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("max\n")
    monkeypatch.setattr(pod_cgroups, "HOME", str(tmp_path))
    pod_cgroups.limit_processes("/pod", 7)
    assert (tmp_path / limited / "pids.max").read_text().startswith("7")


def test_where_nothing_counts_processes_no_pod_goes_without_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_cgroups, "HOME", str(tmp_path))
    with pytest.raises(NodeError, match="nothing counts processes"):
        pod_cgroups.limit_processes("/pod", 7)
