"""What the table of rules says quickly is what it says in full: of each rule alone, and of every type of object."""

from __future__ import annotations

import random
from typing import Any

import pytest
from changed_workloads import Raw, made
from proofs import examples

from podward.schema.default_table import DEFAULTS
from podward.schema.filling import Fills
from podward.schema.known_valid import QUICK
from podward.schema.quick_rules import QuickRules
from podward.schema.table import TYPES
from podward.schema.validation.field import NOTHING, Place
from podward.schema.validation.rules import Always, Items, May, Needed, Pointer, There
from podward.schema.validation.table import RULES, WALKS
from podward.schema.validation.walk import CodeRule, Scope, Walks

AT = Place(None, "here")
BY_TYPE_ALONE = QuickRules({}, {})
ENOUGH = examples(30, 100)
"""Objects of a type that are known to be valid."""
VALUES: dict[str, tuple[Any, ...]] = {
    "s": (
        "", "a", "a-b", "a.b", "a/b", "-", "A", "é", "x" * 64, "x" * 254, "..", "../a", "/a", "a/../b", "1.2.3.4",
        "::1", "01.2.3.4", "http", "Always", "TCP", "In", "A=B", "A B", "iqn.2001-04.com.example:disk",
        "eui.0123456789abcdef", "File", "None", "RuntimeDefault", "Merge", "Block", "HTTPS", "Honor", "a--b",
        "example.com/a", "NoExecute", "Restart", "DoNotSchedule", "Shared", "ReadOnly", "Recursive", "OnRootMismatch",
    ),
    "i": (-(2**31), -1, 0, 1, 2, 100, 101, 255, 256, 511, 512, 65535, 65536, 2**31 - 1),
    "l": (-(2**63), -1, 0, 1, 599, 600, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**63 - 1),
    "o": (0, 1, 65535, 65536, "http", "", "a--b", "80"),
}  # fmt: skip
ONE_FIELD = [
    pytest.param(of, rule, id=f"{of}.{rule.name}")
    for of, rules in RULES.items()
    for rule in rules
    if isinstance(rule, Needed | May | Pointer | Always | Items | There)
]


def values(code: str) -> list[Any]:
    """Values of a field of this type, right or wrong, and some more that are made by chance."""
    dice = random.Random(code)  # noqa: S311  # the same values each time, no secret
    if code[0] == "[":
        items = values(code[1:])
        return [[], *([item] for item in items), items]
    if code in VALUES:
        return [*VALUES[code]]
    some: list[Any] = [made(code, "", dice) for _ in range(50)]
    return [value for value in some if BY_TYPE_ALONE[code](value)]


@pytest.mark.parametrize(("of", "rule"), ONE_FIELD)
def test_a_rule_says_the_same_quickly_and_in_full(of: str, rule: Any) -> None:  # noqa: ANN401
    rules = {of: (rule,)}
    quick, in_full = QuickRules(rules, {})[of], Walks(rules)
    code = TYPES[of.partition("/")[0]][rule.name]
    for raw in ({}, {rule.name: None}, *({rule.name: value} for value in values(code))):
        valid = not in_full[of](raw, Scope(in_full, "", {}), AT).violations
        assert quick(raw) <= valid, f"not valid, though it is said to be: {raw}"
        if raw.get(rule.name):
            assert quick(raw) == valid, f"valid, and not known to be: {raw}"


def scope(walks: Any) -> Scope:  # noqa: ANN401
    around = Scope(walks, "p", {"spec": {}})
    around.mountable = {name: {} for name in ("app", "web", "data", "config")}
    return around


class Nothing(dict[str, CodeRule]):
    """Asks nothing about what is inside."""

    def __missing__(self, of: str) -> CodeRule:
        return lambda *_: NOTHING


def complete(value: Any, of: str, dice: random.Random) -> None:  # noqa: ANN401
    """Add what objects of this type must have: few that are made by chance would."""
    types = TYPES.get(of.partition("/")[0])
    if of[0] == "[":
        for item in value if isinstance(value, list) else ():
            complete(item, of[1:], dice)
    elif types is not None and isinstance(value, dict):
        for name in QUICK.needed(of):
            value.setdefault(name, made(types[name], name, dice, of))
        for name, item in value.items():
            complete(item, types.get(name, "s"), dice)


def is_known(of: str, raw: Raw) -> bool:
    asked = QUICK.asked_of(of, raw)
    around = scope(Nothing())
    return asked is not None and all(rule(owner, around, AT) is NOTHING for rule, owner in asked)


@pytest.mark.proof
@pytest.mark.parametrize("of", [of for of in RULES if of != "PodSpec"])  # which `test_known_valid` is about
def test_an_object_that_is_known_to_be_valid_is_so_with_its_defaults(of: str) -> None:
    base, dice, known, fills = of.partition("/")[0], random.Random(of), 0, Fills(DEFAULTS)  # noqa: S311
    for _ in range(5000):
        raw: Any = made(base, "", dice)
        complete(raw, of, dice)
        if is_known(of, raw):
            known += 1
            stored = fills[of if of in DEFAULTS else base](raw, (None, "here"), None)
            assert WALKS[of](stored, scope(WALKS), AT).violations == (), raw
            if known == ENOUGH:
                return
    assert known > 1, "hardly any of these were known to be valid: this proves nothing"
