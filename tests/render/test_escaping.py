"""Messages and documents from which nothing drives a terminal or forges a line."""

import json

import yaml

from podward.render import objects
from podward.render.escaping import json_text, message, printable_json

HOSTILE = "\x1b]0;PWN\x07\x9b31m\u202e\u2028\x7f\U000e0041"


def test_a_message_is_printable_and_its_further_lines_are_indented() -> None:
    said = message(f"podward: a: {HOSTILE}\npodward: all is well\n  advice\n::error::forged")
    first, *rest = said.split("\n")
    assert said.replace("\n", "").isprintable()
    assert first.startswith("podward: a: \\x1b")
    assert rest == ["  podward: all is well", "  advice", "  :\\x3aerror:\\x3aforged"]


def test_a_plain_message_is_as_it_was() -> None:
    assert message("größe: “a” → b") == "größe: “a” → b"


def test_json_says_the_same_and_is_printable() -> None:
    value = {"a": HOSTILE, "b##[error]": ["ä"]}
    text = json_text(value, 2)
    assert text.replace("\n", "").isprintable()
    assert "##[" not in text
    assert json.loads(text) == value
    assert printable_json('{"a":"ä"}') == '{"a":"ä"}'


def test_json_has_every_printable_character_as_it_is_and_no_other() -> None:
    characters = [chr(code) for code in (*range(32, 0x2100), *range(0xD7F0, 0xD800), *range(0xE000, 0x110000, 97))]
    text = "\n".join(each for each in characters if each not in '"\\')
    found = printable_json(text)
    for before, after in zip(text.split("\n"), found.split("\n"), strict=True):
        assert json.loads(f'"{after}"') == before
        assert (after == before) == before.isprintable()
    assert found.replace("\n", "").isprintable()


def test_yaml_says_the_same_and_is_printable() -> None:
    value: dict[str, object] = {"a": HOSTILE, HOSTILE: [f"two\nlines {HOSTILE}", "plain", "no", "ä\nb"]}
    text = objects.yaml_text(value, width=80)
    assert text.replace("\n", "").isprintable()
    assert yaml.safe_load(text) == value
    assert "ä" in text
