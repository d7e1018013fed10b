"""The table of rules is about fields that there are, and says the same of a value quickly and in full."""

from __future__ import annotations

import random

import pytest
from changed_workloads import made

from podward.schema.table import TYPES
from podward.schema.validation.container_table import CONTAINERS
from podward.schema.validation.rules import Always, Items, May, Needed, Pointer
from podward.schema.validation.scheduling_table import SCHEDULING
from podward.schema.validation.table import PODS, RULES
from podward.schema.validation.values import ValueRule
from podward.schema.validation.volume_table import VOLUMES

TEXTS = (
    "", "a", "a-b", "a.b", "a/b", "-", "A", "é", "x" * 64, "x" * 254, "..", "../a", "/a", "a/../b", "1.2.3.4", "::1",
    "01.2.3.4", "http", "Always", "TCP", "In", "A=B", "A B", "iqn.2001-04.com.example:disk", "eui.0123456789abcdef",
)  # fmt: skip
NUMBERS = (-(2**63), -1, 0, 1, 2, 100, 101, 255, 256, 511, 512, 65535, 65536, 2**31 - 1, 2**31, 2**63 - 1)


@pytest.mark.parametrize("of", RULES)
def test_every_rule_is_about_fields_of_its_type(of: str) -> None:
    types = TYPES[of.partition("/")[0]]
    for rule in RULES[of]:
        names = (rule.name,) if hasattr(rule, "name") else rule.names
        assert set(names) <= set(types)
        inner = getattr(rule, "of", "")
        assert not inner or (inner in RULES and inner.partition("/")[0] == types[names[0]].lstrip("["))


def value_rules() -> list[tuple[str, str, ValueRule]]:
    return [
        (of, types[rule.name], rule.rule)
        for of, rules in RULES.items()
        for types in (TYPES[of.partition("/")[0]],)
        for rule in rules
        if isinstance(rule, Needed | May | Pointer | Always | Items) and rule.rule is not None
    ]


def test_a_value_is_sound_where_there_is_nothing_to_say_about_it() -> None:
    dice = random.Random(7)  # noqa: S311
    texts = (
        *TEXTS,
        *(str(made("s", name, dice)) for name in ("name", "key", "path", "ip", "prefix") for _ in range(40)),
    )
    for of, code, rule in value_rules():
        values: tuple[str | int, ...] = (
            NUMBERS if code[-1] in "il" else texts if code[-1] == "s" else (*texts, *NUMBERS)
        )
        for value in values:
            assert bool(rule.is_sound(value)) == (not rule.reasons(value)), (of, value)


@pytest.mark.parametrize("of", RULES)
def test_no_rule_stands_twice(of: str) -> None:
    rules = list(RULES[of])
    assert [rule for rule in rules if rules.count(rule) > 1] == []


def test_no_type_has_rules_in_two_tables() -> None:
    tables = (PODS, CONTAINERS, VOLUMES, SCHEDULING)
    assert sum(map(len, tables)) == len(RULES)
