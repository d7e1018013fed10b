"""The command line's words, the configuration's, and the defaults."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from podward.cli import check
from podward.cli.checking.settings import Settings, repositories_of, settings_of
from podward.errors import InputError, UsageError

WHOLE = """[check]
select = ["pss"]
ignore = ["pss/hostPorts"]
exclude = ["old"]
level = "baseline"
version = "v1.30"
scc = ["anyuid", "ours.yaml"]
namespace = "shop"
as = "jane"
as-group = ["dev"]
baseline = "known.json"
output = "json"
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: `repo/deploy`; whatever stands above it in this machine says nothing."""
    below = tmp_path / "repo" / "deploy"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return below


def of(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    check.configure(parser)
    return settings_of(parser.parse_args([*words, "x.yaml"]))


def test_without_a_configuration_the_defaults_hold(place: Path) -> None:
    found = of()
    assert (found.options.level, found.options.namespace, found.shape.form, found.baseline) == (
        None,
        "default",
        "table",
        "",
    )
    assert (found.naming.root, found.exclude, found.waivers) == (str(place), (), ())
    assert found.selection.counts("pss/hostPorts")


def test_the_configuration_goes_before_the_defaults(place: Path) -> None:
    (place.parent / "podward.toml").write_text(WHOLE, encoding="ascii")
    found = of()
    wishes = found.options
    assert (wishes.level, wishes.version, wishes.namespace) == ("baseline", "v1.30", "shop")
    assert (wishes.user, wishes.groups) == ("jane", ("dev",))
    assert wishes.scc == ("anyuid", "../ours.yaml")
    assert (found.baseline, found.shape.form, found.naming.root) == ("../known.json", "json", str(place.parent))
    assert [found.selection.counts(rule) for rule in ("pss/sysctls", "pss/hostPorts", "hint/seccomp-unset")] == [
        True,
        False,
        False,
    ]
    assert [each.pattern for each in found.exclude] == ["old"]


def test_the_command_line_goes_before_the_configuration(place: Path) -> None:
    (place / "podward.toml").write_text(WHOLE, encoding="ascii")
    found = of(
        *("--level", "restricted", "--version", "latest", "--scc", "nonroot", "--namespace", "n", "--as", "joe"),
        *("--as-group", "ops", "--baseline", "b.json", "-o", "sarif", "--select", "scc,hint", "--exclude", "new"),
    )
    wishes = found.options
    assert (wishes.level, wishes.version, wishes.scc, wishes.namespace) == ("restricted", "latest", ("nonroot",), "n")
    assert (wishes.user, wishes.groups, found.baseline, found.shape.form) == ("joe", ("ops",), "b.json", "sarif")
    assert [found.selection.counts(rule) for rule in ("scc/volumes", "pss/sysctls")] == [True, False]
    assert [each.pattern for each in found.exclude] == ["old", "new"]


def test_the_closest_configuration_counts_and_podward_toml_before_pyproject(place: Path) -> None:
    (place.parent.parent / "podward.toml").write_text('[check]\nlevel = "privileged"\n', encoding="ascii")
    assert of().options.level == "privileged"
    project = '[project]\nname = "x"\n[tool.podward.check]\nlevel = "baseline"\n'
    (place.parent / "pyproject.toml").write_text(project, encoding="ascii")
    assert of().options.level == "baseline"
    (place / "pyproject.toml").write_text('[project]\nname = "no configuration"\n', encoding="ascii")
    assert of().options.level == "baseline"
    (place.parent / "podward.toml").write_text('[check]\nlevel = "restricted"\n', encoding="ascii")
    assert of().options.level == "restricted"


def test_a_named_configuration_is_the_only_one(place: Path) -> None:
    (place / "podward.toml").write_text('[check]\nlevel = "privileged"\n', encoding="ascii")
    (place.parent / "other.toml").write_text('[check]\nbaseline = "b.json"\n', encoding="ascii")
    found = of("--config", "../other.toml")
    assert (found.options.level, found.baseline, found.naming.root) == (None, "../b.json", str(place.parent))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[check]\nlevel = 'strict'\n", "podward.toml:2"),
        ("[check]\n\nlevels = 'baseline'\n", "podward.toml:3"),
        ("[check]\nselect = 'pss'\n", "podward.toml:2"),
        ("[check\n", "podward.toml:1"),
        ("[check]\nselect = ['pss', 'nothing']\n", "podward.toml:2"),
        ("[[check.waivers]]\nrule = 'pss'\nreason = 'x'\n", "podward.toml:1"),
    ],
)
def test_a_fault_in_the_configuration_is_told_with_its_line(place: Path, text: str, said: str) -> None:
    (place / "podward.toml").write_text(text, encoding="ascii")
    with pytest.raises(InputError) as caught:
        of()
    assert caught.value.where == said


def test_a_word_that_is_no_rule_is_told() -> None:
    with pytest.raises(UsageError, match="there is no rule"):
        of("--select", "nothing")


def test_configuration_above_the_repository_is_not_taken(place: Path) -> None:
    (place.parent.parent / "podward.toml").write_text(WHOLE, encoding="ascii")
    assert of().configuration == "../../podward.toml"
    (place.parent / ".git").write_text("gitdir: elsewhere\n", encoding="ascii")
    assert of().configuration == ""
    assert of("--config", "../../podward.toml").configuration == "../../podward.toml"


def test_the_stricter_term_of_waivers_counts(place: Path) -> None:
    (place / "podward.toml").write_text("[check]\nmax-waiver-days = 30\n", encoding="ascii")
    assert (of().max_waiver_days, of("--max-waiver-days", "90").max_waiver_days) == (30, 30)
    assert of("--max-waiver-days", "0").max_waiver_days == 0
    assert of().inline_waivers
    (place / "podward.toml").write_text("[check]\nno-inline-waivers = true\n", encoding="ascii")
    assert not of().inline_waivers


def test_the_repository_of_every_file_is_known(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "deploy"
    other.mkdir(parents=True)
    (tmp_path / "other" / ".git").mkdir()
    names = ("a.yaml", "b/c.yaml", str(other / "d.yaml"))
    assert set(repositories_of(names, str(place))) == {str(place), str(place / "b"), str(tmp_path / "other")}
