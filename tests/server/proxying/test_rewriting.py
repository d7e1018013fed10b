"""Links that lead through a proxy."""

from __future__ import annotations

import gzip

import pytest

from podward.server.proxying.rewriting import Rewriting

_PREFIX = "/api/v1/namespaces/n/pods/p/proxy"
_LINKS = Rewriting(_PREFIX, "10.1.2.3:80", "api.example:6443")


@pytest.mark.parametrize(
    ("link", "rewritten"),
    [
        ("/in", f"{_PREFIX}/in"),
        ("/in/?a=1#b", f"{_PREFIX}/in/?a=1#b"),
        ("http://10.1.2.3:80/in", f"{_PREFIX}/in"),
        ("https://api.example:6443/in", f"https://api.example:6443{_PREFIX}/in"),
        ("http://other/in", "http://other/in"),
        ("//other/in", "//other/in"),
        ("beside", "beside"),
        ("#here", "#here"),
        ("mailto:jane@example.com", "mailto:jane@example.com"),
        (f"{_PREFIX}/in", f"{_PREFIX}/in"),
        ("http://[broken", "http://[broken"),
        ("", ""),
    ],
)
def test_links_to_the_server_itself_lead_through_us(link: str, rewritten: str) -> None:
    assert _LINKS.link(link) == rewritten


@pytest.mark.parametrize(
    ("page", "rewritten"),
    [
        ('<a href="/in">x</a>', f'<a href="{_PREFIX}/in">x</a>'),
        ("<IMG SRC=/in alt='a \"b\"'>", f'<img src="{_PREFIX}/in" alt="a &quot;b&quot;">'),
        ('<br/><img src="/in"/>', f'<br/><img src="{_PREFIX}/in"/>'),
        ("<!-- <a href='/in'> --><p class=x>", "<!-- <a href='/in'> --><p class=x>"),
        ("<script>x = \"<a href='/in'>\"</script>", "<script>x = \"<a href='/in'>\"</script>"),
        ('<a href="beside" title="/in">', '<a href="beside" title="/in">'),
        ("no end <a href='/in'", "no end <a href='/in'"),
        ("bytes \udcff <a href='/\u00e9'>", f'bytes \udcff <a href="{_PREFIX}/\u00e9">'),
    ],
)
def test_links_of_a_page_are_changed_and_nothing_else(page: str, rewritten: str) -> None:
    made = _LINKS.page(page.encode("utf-8", "surrogateescape"), "", 1000)
    assert made == rewritten.encode("utf-8", "surrogateescape")


def test_a_packed_page_has_its_bound() -> None:
    packed = gzip.compress(b"a" * 1000)
    assert _LINKS.page(packed, "gzip", 999) is None
    assert gzip.decompress(_LINKS.page(packed, "gzip", 1001) or b"") == b"a" * 1000
    assert _LINKS.page(b"no gzip", "gzip", 1000) is None
    assert _LINKS.page(packed, "br", 1000) is None
