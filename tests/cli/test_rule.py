"""Rules are explained by name, and a name that is none leads to those that are."""

from __future__ import annotations

import pytest

from podward.check import rules
from podward.cli.main import main


@pytest.mark.parametrize("name", rules.DESCRIPTIONS)
def test_every_rule_has_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", name]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"# {name}\n\n")
    assert "](" not in printed


def test_a_family_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "--list", "waiver"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        name for name in rules.DESCRIPTIONS if name.startswith("waiver/")
    ]


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ([], "--list"),
        (["pss"], "podward rule --list pss"),
        (["seccomp-unset"], "hint/seccomp-unset"),
        (["pss/hostport"], "pss/hostPorts"),
        (["../pss/hostPorts"], "pss/hostPorts"),
        (["--list", "pps"], "pss"),
    ],
)
def test_what_is_no_rule_is_bad_usage(words: list[str], advice: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", *words]) == 2
    assert advice in capsys.readouterr().err
