"""The table of defaults sets fields that there are, to values of their types."""

from __future__ import annotations

import pytest

from podward.schema.default_table import DEFAULTS
from podward.schema.filling import Default, Into
from podward.schema.fit import fits
from podward.schema.table import TYPES


@pytest.mark.parametrize("of", DEFAULTS)
def test_every_default_is_of_the_type_of_its_field(of: str) -> None:
    types = TYPES[of.partition("/")[0]]
    for row in DEFAULTS[of]:
        if isinstance(row, Default):
            assert fits(row.of({}), types[row.name])
        elif isinstance(row, Into):
            inner = types[row.name].lstrip("[")
            assert (row.of or inner).partition("/")[0] == inner
            assert (row.of or inner) in DEFAULTS
