"""The sentence of a refused object."""

from __future__ import annotations

from podward.schema.validation.message import invalid_message


def test_one_error_stands_alone() -> None:
    assert invalid_message("Pod", "p", ("a: Required value",)) == 'Pod "p" is invalid: a: Required value'


def test_several_errors_stand_in_brackets_each_once() -> None:
    said = invalid_message("Pod", "p", ("a: Required value", "b: Required value", "a: Required value"))
    assert said == 'Pod "p" is invalid: [a: Required value, b: Required value]'


def test_without_errors_there_is_no_sentence() -> None:
    assert invalid_message("Pod", "p", ()) == ""
