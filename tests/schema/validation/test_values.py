"""What the value of one field may be, rule by rule."""

from __future__ import annotations

import time

import pytest

from podward.schema.validation.values import (
    ID,
    MODE,
    NOT_NEGATIVE,
    PORT,
    PORT_REFERENCE,
    POSITIVE,
    PULL_POLICY,
    ValueRule,
    at_least,
    at_most,
    one_of,
    within,
)

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("rule", "sound", "unsound"),
    [
        (within(2, 4), (2, 3, 4), (1, 5, -2, LARGEST)),
        (at_least(600, "long"), (600, LARGEST), (599, 0, -1)),
        (at_most(600, "short"), (600, 0, -(2**63)), (601, LARGEST)),
        (one_of("a", "b"), ("a", "b"), ("", "A", "ab")),
        (ID, (0, 2**31 - 1), (-1, 2**31)),
        (MODE, (0, 0o777), (-1, 0o1000)),
        (NOT_NEGATIVE, (0, LARGEST), (-1,)),
        (POSITIVE, (1, LARGEST), (0, -1)),
        (PORT, (1, 65535), (0, 65536)),
        (PORT_REFERENCE, (1, 65535, "http", "a"), (0, 65536, "", "80", "a--b", "x" * 16)),
        (PULL_POLICY, ("Always", "IfNotPresent", "Never"), ("", "always")),
    ],
)
def test_what_is_sound_and_what_is_not(
    rule: ValueRule, sound: tuple[int | str, ...], unsound: tuple[int | str, ...]
) -> None:
    for value in sound:
        assert rule.is_sound(value)
        assert not rule.reasons(value)
    for value in unsound:
        assert not rule.is_sound(value)
        assert rule.reasons(value)


def test_a_fraction_is_looked_for_among_no_numbers() -> None:
    start = time.process_time()
    assert not NOT_NEGATIVE.is_sound(-0.5)
    assert NOT_NEGATIVE.is_sound(0.5)  # that it is no whole number, its type says
    assert time.process_time() - start < 1


def test_the_sentence_has_the_value_and_the_range() -> None:
    assert within(2, 4).reasons(5) == ("Invalid value: 5: must be between 2 and 4, inclusive",)
    assert within(2, 4, "must be few").reasons(5) == ("Invalid value: 5: must be few",)
    assert one_of("b", "a").reasons("c") == ('Unsupported value: "c": supported values: "b", "a"',)
