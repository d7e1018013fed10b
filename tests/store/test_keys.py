"""The end of a prefix: all keys that begin with it are before it, all others are not between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podward.store.keys import end_of

LETTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("/0\ud7ff\ue000\U0010ffff")
KEYS = st.text(LETTERS, max_size=4).filter(lambda key: not key.startswith("\U0010ffff"))


@given(KEYS, KEYS)
def test_a_key_is_in_the_range_of_a_prefix_if_it_begins_with_it(prefix: str, key: str) -> None:
    assert (prefix <= key < end_of(prefix)) == key.startswith(prefix)
    assert (prefix.encode() <= key.encode() < end_of(prefix).encode()) == key.startswith(prefix)


def test_the_next_key_is_out() -> None:
    assert end_of("/pods/") == "/pods0"
    assert end_of("/\ud7ff") == "/\ue000"
    assert end_of("/\U0010ffff") == "0"
