"""Which options of a log are refused."""

from __future__ import annotations

import pytest
from aiohttp import web

from podward.node.server.log_reading import LogOptions
from podward.node.server.logs import options_of


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"tailLines": "1", "stream": "Stderr"}, 422),
        ({"tailLines": "1", "stream": "Nope"}, 422),
        ({"tailLines": "-1"}, 422),
        ({"sinceSeconds": "0"}, 422),
        ({"tailLines": "x"}, 400),
    ],
)
def test_what_is_wrong_with_options_is_refused(query: dict[str, str], code: int) -> None:
    found = options_of(query, 0)
    assert isinstance(found, web.Response)
    assert found.status == code


@pytest.mark.parametrize("stream", ["", "All"])
def test_the_last_lines_of_both_streams_may_be_asked_for(stream: str) -> None:
    assert isinstance(options_of({"tailLines": "1", "stream": stream}, 0), LogOptions)
