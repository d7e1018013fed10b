"""URLs of webhooks, as Go reads them."""

from __future__ import annotations

import pytest

from podward.schema.strategies.webhooks import url_fault


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://h:1/x", ""),
        ("https://[::1]:1/x", ""),
        ("HTTPS://h/x?a=%zz", ""),
        ("", ""),
        ("https://h:port/x", 'invalid port ":port" after host'),
        ("://", "missing protocol scheme"),
        ("https://h/%zz", 'invalid URL escape "%zz"'),
        (" https://h", "first path segment in URL cannot contain colon"),
        ("https://h x/y", 'invalid character " " in host name'),
        ("https://h/\n", "net/url: invalid control character in URL"),
    ],
)
def test_what_cannot_be_read_is_told(url: str, fault: str) -> None:
    assert url_fault(url) == fault
