"""The tables of defaults."""

from __future__ import annotations

import pytest

from podward.api.capability import BITS
from podward.errors import UsageError
from podward.policy.runtime.defaults import NAMES, load


@pytest.mark.parametrize("name", NAMES)
def test_a_table_says_whose_it_is_and_of_which_version(name: str) -> None:
    defaults = load(name)
    assert defaults.name == name
    assert any(character.isdigit() for character in defaults.source.name)
    assert set(defaults.capabilities) <= set(BITS)


def test_cri_o_may_be_written_without_its_hyphen() -> None:
    assert load("crio") is load("cri-o")


def test_unknown_defaults_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="containerd") as caught:
        load("podman")
    assert "podman" in str(caught.value)
