"""Times as Go reads them and meta/v1 writes them."""

from __future__ import annotations

import pytest

from podward.schema.godecode.times import GoTimeError, parse, written

LAYOUT = '"2006-01-02T15:04:05Z07:00"'


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05.999999Z", "2024-01-02T03:04:05Z"),
        ("2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00Z"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"),
        ("2024-01-02T3:04:05Z", "2024-01-02T03:04:05Z"),
        ("0999-01-02T03:04:05Z", "0999-01-02T03:04:05Z"),
    ],
)
def test_a_time_is_written_in_utc_to_the_second(text: str, utc: str) -> None:
    assert written(text) == utc


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", f'parsing time "x" as {LAYOUT}: cannot parse "x" as "2006"'),
        ("2024", f'parsing time "2024" as {LAYOUT}: cannot parse "" as "-"'),
        ("2024-01-02", f'parsing time "2024-01-02" as {LAYOUT}: cannot parse "" as "T"'),
        ("2024-13-02T03:04:05Z", 'parsing time "2024-13-02T03:04:05Z": month out of range'),
        ("2023-02-29T03:04:05Z", 'parsing time "2023-02-29T03:04:05Z": day out of range'),
        ("2024-01-02T24:04:05Z", 'parsing time "2024-01-02T24:04:05Z": hour out of range'),
        ("2024-01-02T03:04:05", f'parsing time "2024-01-02T03:04:05" as {LAYOUT}: cannot parse "" as "Z07:00"'),
        ("2024-01-02T03:04:05Zx", 'parsing time "2024-01-02T03:04:05Zx": extra text: "x"'),
        ("\u00fc", f'parsing time "\\xc3\\xbc" as {LAYOUT}: cannot parse "\\xc3\\xbc" as "2006"'),
    ],
)
def test_what_is_no_time_is_refused_in_gos_words(text: str, said: str) -> None:
    with pytest.raises(GoTimeError) as raised:
        parse(text)
    assert str(raised.value) == said
