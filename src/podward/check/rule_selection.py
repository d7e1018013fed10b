"""`--select` and `--ignore`: which rules count.

The words are rules (`pss/hostPorts`), families (`pss`) or `ALL`. As in ruff, the most specific word about a rule
decides; if two words are equally specific, `--ignore` decides. If nothing is selected, ALL is. What could not be read
always counts: a file that was not checked must not look like one that passed.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.finding import Finding
from podward.api.report import family_of
from podward.check import rules
from podward.errors import UsageError

ALL = "ALL"
_MAY_BE_IGNORED = tuple(name for name in rules.DESCRIPTIONS if not rules.is_always(name))


class RuleSelection(Struct, frozen=True):
    """The words of --select and --ignore, each of which names a rule, a family or ALL."""

    select: frozenset[str] = frozenset((ALL,))
    ignore: frozenset[str] = frozenset()

    def counts(self, rule: str) -> bool:
        """Whether findings of this rule count."""
        if rules.is_always(rule):
            return True
        for word in (rule, family_of(rule), ALL):  # the most specific first
            if word in self.ignore:
                return False
            if word in self.select:
                return True
        return False

    def of(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings that count."""
        decided: dict[str, bool] = {}
        kept: list[Finding] = []
        for finding in findings:
            if finding.rule not in decided:
                decided[finding.rule] = self.counts(finding.rule)
            if decided[finding.rule]:
                kept.append(finding)
        return tuple(kept)


def words_of(options: Iterable[str]) -> tuple[str, ...]:
    """The words of an option that may be given several times and may have several words, separated by commas."""
    return tuple(word.strip() for option in options for word in option.split(",") if word.strip())


def choose(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> RuleSelection:
    """The selection by these words.

    Raises UsageError for a word that names nothing or can't be ignored, and for words that leave no rule: such a check
    would pass whatever it reads.
    """
    selected, ignored = frozenset(select), frozenset(ignore)
    for option, words in (("--select", selected), ("--ignore", ignored)):
        for word in sorted(words):
            fault = fault_of(word, ignoring=option == "--ignore")
            if fault is not None:
                raise UsageError(f"{option}: {fault[0]}", advice=fault[1])
    selection = RuleSelection(selected or frozenset((ALL,)), ignored)
    if not any(map(selection.counts, rules.DESCRIPTIONS if any(map(rules.is_always, selected)) else _MAY_BE_IGNORED)):
        raise UsageError("no rule is left that could find anything", where="--select, --ignore", advice="ignore less")
    return selection


def fault_of(word: str, *, ignoring: bool) -> tuple[str, str] | None:
    """What is wrong with a word of --select or --ignore, and advice; None if it is right."""
    if word != ALL and not rules.is_known(word):
        return f"there is no rule {word!r}", rules.advice(word)
    if ignoring and rules.is_always(word):
        return f"{word} cannot be ignored: what was not read was not checked", "exclude the file instead"
    return None
