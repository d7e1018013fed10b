"""Quotas hold when many write at once, and a dry run takes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from api_server import Server

QUOTAS = "/api/v1/namespaces/default/resourcequotas"
MAPS = "/api/v1/namespaces/default/configmaps"


def _used(server: Server) -> str:
    used: str = server.ask("GET", f"{QUOTAS}/q")[1]["status"]["used"]["configmaps"]
    return used


def test_no_more_is_made_than_there_is_room_for(server: Server) -> None:
    amounts = {"hard": {"configmaps": "5"}, "used": {"configmaps": "0"}}
    server.ask("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": amounts["hard"]}})
    merge = "application/merge-patch+json"
    assert server.ask("PATCH", f"{QUOTAS}/q/status", {"status": amounts}, Content_Type=merge)[0] == 200
    assert server.ask("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "m"}})[0] == 201
    assert _used(server) == "0"

    def make(number: int) -> int:
        return server.ask("POST", MAPS, {"metadata": {"name": f"m{number}"}})[0]

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(make, range(12)))
    assert codes == [201] * 5 + [403] * 7
    assert _used(server) == "5"
