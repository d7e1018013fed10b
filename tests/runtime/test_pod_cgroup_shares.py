"""How much CPU the cgroups of Pods have beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.runtime import pod_cgroups


@pytest.fixture(params=["v1", "v2"])
def shares(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """The directory of three Pods' cgroups, by this version, and the file that says how much each has."""
    monkeypatch.setattr(pod_cgroups, "HOME", str(tmp_path))
    unified = request.param == "v2"
    if unified:
        (tmp_path / "cgroup.controllers").write_text("cpu\n")
    above, file = tmp_path / ("pods" if unified else "cpu/pods"), "cpu.weight" if unified else "cpu.shares"
    for name, amount in (("a", 100), ("b", 20), ("c", 4)):
        (above / name).mkdir(parents=True)
        (above / name / file).write_text(f"{amount}\n")
    (above / file).touch()
    return above, file


def test_they_have_what_each_has(shares: tuple[Path, str]) -> None:
    above, file = shares
    pod_cgroups.weigh("/pods", by_those_below=True)
    assert (above / file).read_text() == "124"


def test_they_have_the_least_however_many_they_are(shares: tuple[Path, str]) -> None:
    above, file = shares
    pod_cgroups.weigh("/pods", by_those_below=False)
    assert (above / file).read_text() == {"cpu.weight": "1", "cpu.shares": "2"}[file]


def test_what_is_no_cgroup_has_no_share(shares: tuple[Path, str]) -> None:
    pod_cgroups.weigh("/nobody", by_those_below=True)
    assert not (shares[0].parent / "nobody").exists()
