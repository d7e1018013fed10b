"""What the value of one field may be: rules that say, for a value of the field's type, what is wrong with it.

Their sentences are the ends of field errors, from `Invalid value` on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from podward.api.gotext import quote
from podward.schema.validation.addresses import address_faults
from podward.schema.validation.field import between, printed
from podward.schema.validation.internal import go_json
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.ports import LARGEST, name_faults


class ValueRule(Struct, frozen=True):
    """Whether a value is sound, which is asked of every one; and what is to be said of one that is not."""

    is_sound: Callable[[Any], object]
    reasons: Callable[[Any], Sequence[str]]


def one_of(*words: str) -> ValueRule:
    """One of these words, which are told in this order. They are of a type of their own, and printed as JSON."""
    known, listed = frozenset(words), ", ".join(map(quote, words))

    def reasons(value: str) -> tuple[str, ...]:
        return () if value in known else (f"Unsupported value: {go_json(value)}: supported values: {listed}",)

    return ValueRule(known.__contains__, reasons)


def within(least: int, most: int, detail: str = "") -> ValueRule:
    """A number from `least` to `most`."""
    sentence = detail or between(least, most)

    def is_sound(value: int) -> bool:
        return least <= value <= most

    return ValueRule(is_sound, lambda value: () if is_sound(value) else (f"Invalid value: {value}: {sentence}",))


def at_least(least: int, detail: str) -> ValueRule:
    """A number that is not below `least`."""
    return within(least, _LARGEST, detail)


def at_most(most: int, detail: str) -> ValueRule:
    """A number that is not above `most`."""
    return within(_SMALLEST, most, detail)


def named(faults: Callable[[str], Sequence[str]]) -> ValueRule:
    """A text that has none of these faults. Remembered: the same few names stand in every manifest."""
    return text(lru_cache(1 << 12)(lambda value: not faults(value)), faults)


def text(is_sound: Callable[[str], object], faults: Callable[[str], Sequence[str]]) -> ValueRule:
    """The same where it costs less to ask than to remember, or where no two are the same."""
    return ValueRule(
        is_sound,
        lambda value: [f"Invalid value: {printed(value)}: {fault}" for fault in faults(value)],
    )


def as_json(faults: Callable[[str], Sequence[str]]) -> ValueRule:
    """The same for a text that is a pointer to the server, which prints it as JSON."""
    return ValueRule(
        lambda value: not faults(value),
        lambda value: [f"Invalid value: {go_json(value)}: {fault}" for fault in faults(value)],
    )


LABEL, SUBDOMAIN, KEY = named(label_faults), named(subdomain_faults), named(key_faults)
"""Names of RFC 1123, and the keys of labels, which are also called qualified names."""
ADDRESS, PORT_NAME = named(address_faults), named(name_faults)
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1
PORT = within(1, LARGEST)
ID = within(0, (1 << 31) - 1)
"""Of a user or a group."""
NOT_NEGATIVE = at_least(0, "must be greater than or equal to 0")
POSITIVE = at_least(1, "must be greater than zero")
MODE = within(0, 0o777, "must be a number between 0 and 0777 (octal), both inclusive")
"""Of a file."""


def _of_port(value: int | str) -> ValueRule:
    return PORT_NAME if isinstance(value, str) else PORT


PORT_REFERENCE = ValueRule(
    lru_cache(1 << 10)(lambda value: _of_port(value).is_sound(value)), lambda value: _of_port(value).reasons(value)
)
"""A port's number, or its name."""
PULL_POLICY = one_of("Always", "IfNotPresent", "Never")
"""Of an image."""
