"""Which rules count."""

from __future__ import annotations

import pytest

from podward.check import rules
from podward.check.rule_selection import choose, words_of
from podward.errors import UsageError


@pytest.mark.parametrize(
    ("select", "ignore", "rule", "counts"),
    [
        ((), (), "pss/hostPorts", True),
        (("pss",), (), "pss/hostPorts", True),
        (("pss",), (), "hint/seccomp-unset", False),
        (("pss/hostPorts",), (), "pss/hostPorts", True),
        (("pss/hostPorts",), (), "pss/privileged", False),
        ((), ("pss",), "pss/hostPorts", False),
        ((), ("pss",), "scc/hostPorts", True),
        (("pss/hostPorts",), ("pss",), "pss/hostPorts", True),
        (("pss/hostPorts",), ("pss",), "pss/privileged", False),
        (("pss",), ("pss/hostPorts",), "pss/hostPorts", False),
        (("pss", "scc"), ("pss",), "pss/hostPorts", False),
        (("ALL",), ("hint",), "hint/seccomp-unset", False),
        (("hint",), ("ALL",), "hint/seccomp-unset", True),
        (("hint",), ("ALL",), "pss/hostPorts", False),
    ],
)
def test_the_most_specific_word_decides(
    select: tuple[str, ...], ignore: tuple[str, ...], rule: str, *, counts: bool
) -> None:
    assert choose(select, ignore).counts(rule) is counts


@pytest.mark.parametrize("rule", ["input/syntax", "input/reading", "waiver/malformed"])
def test_what_was_not_read_always_counts(rule: str) -> None:
    assert choose(("hint",), ("ALL",)).counts(rule)


@pytest.mark.parametrize("word", ["input", "input/syntax", "waiver/malformed"])
def test_what_was_not_read_cannot_be_ignored(word: str) -> None:
    with pytest.raises(UsageError, match="cannot be ignored"):
        choose((), (word,))


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("pss/hostPort", "pss/hostPorts"),
        ("hostports", "pss/hostPorts"),
        ("PSS", "pss"),
        ("seccomp-unset", "hint/seccomp-unset"),
        ("zzzzzzzz", "a family: pss, scc, hint"),
    ],
)
def test_a_name_that_nothing_has_is_refused_with_what_was_meant(word: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"(?s)there is no rule '{word}'.*{meant}"):
        choose((word,))


def test_a_prefix_of_a_name_is_no_family() -> None:
    with pytest.raises(UsageError):
        choose(("pss/host",))


def test_words_may_be_listed_with_commas() -> None:
    assert words_of(["pss, hint", "scc/access", ","]) == ("pss", "hint", "scc/access")


def test_every_rule_is_covered_by_its_family_and_no_other() -> None:
    for name in rules.DESCRIPTIONS:
        assert [family for family in rules.FAMILIES if rules.covers(family, name)] == [name.split("/")[0]]


@pytest.mark.parametrize(
    ("select", "ignore"), [(("pss",), ("pss",)), ((), ("ALL",)), (("pss/sysctls",), ("pss/sysctls", "hint"))]
)
def test_words_that_leave_no_rule_are_an_error(select: tuple[str, ...], ignore: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="no rule is left"):
        choose(select, ignore)


def test_the_rules_about_reading_may_be_all_that_is_left() -> None:
    assert choose(("input",)).counts("input/syntax")
