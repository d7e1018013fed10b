"""Lists that go on where an expired token left off: of what is there now."""

from __future__ import annotations

from urllib.parse import quote

from api_server import Server

from podward.server import continue_token

_MAPS = "/api/v1/namespaces/default/configmaps"


def test_a_page_of_what_is_there_now_says_how_much_remains(server: Server) -> None:
    names = [f"page-{number}" for number in range(6)]
    for name in names:
        assert server.ask("POST", _MAPS, {"metadata": {"name": name}})[0] == 201
    token = quote(continue_token.encoded(-1, "default/page-1"))
    code, found, _ = server.ask("GET", f"{_MAPS}?limit=2&continue={token}")
    for name in names:
        assert server.ask("DELETE", f"{_MAPS}/{name}")[0] == 200
    assert code == 200
    assert [each["metadata"]["name"] for each in found["items"]] == ["page-2", "page-3"]
    assert found["metadata"]["remainingItemCount"] == 2
    assert found["metadata"]["continue"]
