"""`podward apiserver`: what its flags may not be taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.cli import main
from podward.server import process


@pytest.mark.parametrize("word", ["off", "no", "flase", ""])
def test_what_is_no_boolean_lets_nobody_in(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda *_: pytest.fail("it has started"))
    assert main.main(["apiserver", "--data-dir", str(tmp_path), "--anonymous-auth", word]) == 2


@pytest.mark.parametrize(("word", "anonymous"), [("true", True), ("False", False), ("f", False), ("0", False)])
def test_anonymous_requests_are_let_in_or_not(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, anonymous: bool
) -> None:
    started: list[process.Options] = []
    monkeypatch.setattr(process, "run", lambda options, _say: started.append(options))
    assert main.main(["apiserver", "--data-dir", str(tmp_path), "--anonymous-auth", word]) == 0
    assert [options.authentication.anonymous for options in started] == [anonymous]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--disable-admission-plugins", "PodSecurity,LimitRangr"),
        ("--controllers", "deployments"),
        ("--bind-address", "localhost"),
        ("--secure-port", "65536"),
        ("--secure-port", "-1"),
        ("--service-cluster-ip-range", "10.0.0.0/33"),
        ("--service-cluster-ip-range", "10.0.0.0/30"),
        ("--authorization-mode", "RBAC,Nodes"),
        ("--client-ca-file", __file__),
        ("--data-dir", __file__),
    ],
)
def test_a_value_that_means_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flag: str, value: str
) -> None:
    assert main.main(["apiserver", "--data-dir", str(tmp_path), flag, value]) == 2
    assert flag in capsys.readouterr().err
