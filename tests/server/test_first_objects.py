"""What is there when a server has started: its own Service, default roles and bindings completed."""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from api_server import Server, running
from cryptography.x509 import IPAddress, SubjectAlternativeName, load_pem_x509_certificate

from podward.api import status
from podward.errors import StoreError
from podward.server import application, first_objects, registry
from podward.server.application import Application, Settings
from podward.server.authentication.opening import opened
from podward.server.authentication.options import AuthenticationOptions
from podward.server.own_authority import OwnAuthority
from podward.store.sqlite.store import SqliteStore

OWN_SERVICE = "/api/v1/namespaces/default/services/kubernetes"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
EMPTY, OWN, LEFT = "system:node-proxier", "system:discovery", "system:basic-user"
REBOUND = "system:public-info-viewer"
PATCH = {"Content_Type": "application/merge-patch+json"}
RULE = {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["cakes"]}


def role(server: Server, name: str) -> dict[str, object]:
    code, found, _ = server.ask("GET", f"{ROLES}/{name}")
    assert code == 200
    assert isinstance(found, dict)
    return found


def grants(server: Server, name: str) -> set[tuple[str, str]]:
    """The verbs and resources of a role, however its rules group them."""
    rules = role(server, name)["rules"]
    assert isinstance(rules, list)
    return {(verb, resource) for rule in rules for verb in rule["verbs"] for resource in rule.get("resources", [""])}


def test_roles_and_bindings_are_completed_and_left_alone_where_somebody_said_so(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        before = {name: grants(server, name) for name in (EMPTY, OWN)}
        untouched = role(server, "view")
        server.ask("PATCH", f"{ROLES}/{EMPTY}", {"rules": []}, **PATCH)
        server.ask("PATCH", f"{ROLES}/{OWN}", {"rules": [RULE]}, **PATCH)
        annotations = {"rbac.authorization.kubernetes.io/autoupdate": "false"}
        server.ask("PATCH", f"{ROLES}/{LEFT}", {"rules": [], "metadata": {"annotations": annotations}}, **PATCH)
        _, binding, _ = server.ask("GET", f"{BINDINGS}/{REBOUND}")
        server.ask("DELETE", f"{BINDINGS}/{REBOUND}")
        other = {**binding["roleRef"], "name": "view"}
        metadata = {"name": REBOUND}
        code, _, _ = server.ask("POST", BINDINGS, {**binding, "metadata": metadata, "roleRef": other})
        assert code == 201
    with running(tmp_path) as server:
        assert grants(server, EMPTY) == before[EMPTY]
        assert grants(server, OWN) == before[OWN] | {("get", "cakes")}
        assert not role(server, LEFT)["rules"]
        assert server.ask("GET", f"{BINDINGS}/{REBOUND}")[1]["roleRef"] == binding["roleRef"]
        assert role(server, "view") == untouched


def test_the_certificate_is_for_the_addresses_of_the_servers_own_service_and_its_endpoints(tmp_path: Path) -> None:
    with running(tmp_path, "--service-cluster-ip-range", "10.9.0.0/24") as server:
        _, service, _ = server.ask("GET", "/api/v1/namespaces/default/services/kubernetes")
        _, endpoints, _ = server.ask("GET", "/api/v1/namespaces/default/endpoints/kubernetes")
        address = service["spec"]["clusterIP"]
        where = urlsplit(server.url)
        certificate = ssl.get_server_certificate((str(where.hostname), int(where.port or 0)))
    names = load_pem_x509_certificate(certificate.encode()).extensions.get_extension_for_class(SubjectAlternativeName)
    assert address == "10.9.0.1"
    told = {each["ip"] for subset in endpoints.get("subsets", []) for each in subset["addresses"]}
    assert {address, *told} <= set(map(str, names.value.get_values_for_type(IPAddress)))


def test_the_own_service_leads_to_the_port_that_is_served(tmp_path: Path) -> None:
    ports = []
    for _ in range(2):
        with running(tmp_path) as server:
            _, service, _ = server.ask("GET", OWN_SERVICE)
            assert service["spec"]["ports"][0]["targetPort"] == urlsplit(server.url).port
            ports.append((service["metadata"]["uid"], service["spec"]["clusterIP"]))
    assert ports[0] == ports[1]


def test_a_service_that_is_refused_is_told_to_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.ask("DELETE", OWN_SERVICE)
        body = {"metadata": {"name": "mine"}, "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80}]}}
        assert server.ask("POST", "/api/v1/namespaces/default/services", body)[0] == 201
    server = Server(tmp_path)
    try:
        assert server.ask("GET", OWN_SERVICE)[0] == 404
    finally:
        server.process.send_signal(signal.SIGTERM)
        _, errors = server.process.communicate(timeout=30)
    assert "where the server is reached cannot be told" in errors
    assert "provided IP is already allocated" in errors


def test_without_its_first_objects_a_server_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> status.Status:
        return status.bad_request("no such luck")

    async def start() -> None:
        data = str(tmp_path / "data")
        store = SqliteStore.open(data)
        authentication = opened(AuthenticationOptions(), data, OwnAuthority(data).certificate)
        try:
            await first_objects.make(Application(store, Settings(authentication)).parts)
        finally:
            await store.close()

    monkeypatch.setattr(registry, "create", refuse)
    with pytest.raises(StoreError, match="the server's own Namespace kube-system is refused: no such luck"):
        asyncio.run(start())


def test_where_the_server_is_reached_is_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "ANNOUNCED_EVERY", 0.02)
    keys = [f"/registry/{place}/default/kubernetes" for place in ("services", "endpoints")]
    keys.append("/registry/discovery.k8s.io/endpointslices/default/kubernetes")

    async def start() -> None:
        data = str(tmp_path / "data")
        store = SqliteStore.open(data)
        authentication = opened(AuthenticationOptions(), data, OwnAuthority(data).certificate)
        served = Application(store, Settings(authentication))
        try:
            await first_objects.make(served.parts)
            await served.announce("192.0.2.1", 6443)
            for key in keys:
                stored = await store.get(key)
                assert stored is not None, key
                await store.delete(key, stored.revision)
            for _ in range(500):
                if None not in [await store.get(key) for key in keys]:
                    return
                await asyncio.sleep(0.01)
            pytest.fail("it is not said again")
        finally:
            await served.close()
            await store.close()

    asyncio.run(start())
