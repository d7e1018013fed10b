"""Words of a command as they are written, where variables were put into them."""

from __future__ import annotations

from podward.render.written_words import HIDDEN, as_written, with_written_words


def test_a_word_stands_as_it_is_written() -> None:
    words = as_written(("/bin/pass", "pass", "-v"), ("/bin/$(PW)", "$(PW)", "-v"))
    assert words == {"/bin/pass": "/bin/$(PW)", "pass": "$(PW)"}
    assert with_written_words("`/bin/pass` of pass, not passed", words) == "`/bin/$(PW)` of $(PW), not passed"


def test_without_words_to_compare_all_are_hidden() -> None:
    assert as_written(("a", "b"), ("a",)) == {"a": HIDDEN, "b": HIDDEN}
