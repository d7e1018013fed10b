"""Groups that an API server behind ours serves: proxied, in discovery, with a condition that says whether it is."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from api_server import Server, running

from podward.server.own_authority import OwnAuthority
from podward.server.process import advertised

ADDRESS = advertised("0.0.0.0")  # noqa: S104 - asked about, not bound
pytestmark = pytest.mark.skipif(
    not ADDRESS, reason="no way leads out of this machine, so it has no address to serve at"
)
GROUP = "/apis/wardle.example.com"
_LIST = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": "wardle.example.com/v1",
    "resources": [
        {
            "name": "flunders",
            "singularName": "flunder",
            "namespaced": True,
            "kind": "Flunder",
            "verbs": ["get", "list"],
        },
        {"name": "flunders/status", "singularName": "", "namespaced": True, "kind": "Flunder", "verbs": ["get"]},
    ],
}


class Wardle(BaseHTTPRequestHandler):
    """Answers with who asked for what."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == f"{GROUP}/v1":
            told: Any = _LIST
        else:
            told = {
                "path": self.path,
                "user": self.headers.get("X-Remote-User"),
                "groups": self.headers.get_all("X-Remote-Group"),
                "authorization": self.headers.get("Authorization"),
            }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def wardle(server: Server, directory: Path) -> Iterator[int]:
    """A server that believes nobody but the front proxy; its port."""
    pair = OwnAuthority(str(directory)).serving(["wardle.default.svc"])
    (directory / "pair.pem").write_bytes(pair.key + pair.certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(directory / "pair.pem")
    trust = server.ask("GET", "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")[1]["data"]
    tls.load_verify_locations(cadata=trust["requestheader-client-ca-file"])
    tls.verify_mode = ssl.CERT_REQUIRED
    with ThreadingHTTPServer((ADDRESS, 0), Wardle) as found:
        found.socket = tls.wrap_socket(found.socket, server_side=True)
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found.server_port
        found.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as started:
        yield started


def condition(server: Server, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The condition, once this holds of it."""
    deadline = time.monotonic() + 30
    while True:
        obj = server.ask("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.wardle.example.com")[1]
        found: dict[str, Any] = next(iter(obj.get("status", {}).get("conditions") or [{}]))
        if holds(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_a_group_is_served_by_the_server_behind(server: Server, tmp_path: Path) -> None:
    with wardle(server, tmp_path) as port:
        authority = base64.b64encode((tmp_path / "ca.crt").read_bytes()).decode()
        spec = {
            "group": "wardle.example.com", "version": "v1", "groupPriorityMinimum": 2000, "versionPriority": 200,
            "service": {"namespace": "default", "name": "wardle", "port": 7443}, "caBundle": authority,
        }  # fmt: skip
        obj = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "spec": spec}
        obj["metadata"] = {"name": "v1.wardle.example.com"}
        assert server.ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", obj)[0] == 201
        missing = condition(server, lambda found: found.get("status") == "False")
        assert (missing["reason"], missing["message"]) == (
            "ServiceNotFound", 'service/wardle in "default" is not present',
        )  # fmt: skip
        assert server.ask("GET", f"{GROUP}/v1/namespaces/default/flunders")[0] == 503
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "wardle"}}
        service["spec"] = {"ports": [{"name": "api", "port": 7443}]}
        assert server.ask("POST", "/api/v1/namespaces/default/services", service)[0] == 201
        condition(server, lambda found: found.get("reason") == "EndpointsNotFound")
        piece = {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "w", "labels": {"kubernetes.io/service-name": "wardle"}},
            "endpoints": [{"addresses": [ADDRESS]}], "ports": [{"name": "api", "port": port}],
        }  # fmt: skip
        assert server.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", piece)[0] == 201
        condition(server, lambda found: found.get("status") == "True")

        told = server.ask("GET", f"{GROUP}/v1/namespaces/default/flunders?a=1", X_Remote_User="somebody")[1]
        assert told["path"] == f"{GROUP}/v1/namespaces/default/flunders?a=1"
        assert (told["user"], told["authorization"]) == ("admin", None)
        assert "system:masters" in told["groups"]
        assert server.ask("GET", f"{GROUP}/v1/namespaces/default/flunders", token="bob-token")[0] == 403  # noqa: S106

        groups = [each["name"] for each in server.ask("GET", "/apis")[1]["groups"]]
        assert "wardle.example.com" in groups
        assert server.ask("GET", GROUP)[1]["preferredVersion"]["version"] == "v1"
        wanted = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        every = server.ask("GET", "/apis", Accept=wanted)[1]["items"]
        mine = next(each for each in every if each["metadata"]["name"] == "wardle.example.com")
        assert mine["versions"][0]["resources"][0]["resource"] == "flunders"
    condition_path = "/apis/apiregistration.k8s.io/v1/apiservices/v1.wardle.example.com"
    assert server.ask("DELETE", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/w")[0] == 200
    condition(server, lambda found: found.get("status") == "False")
    assert "wardle.example.com" not in [each["name"] for each in server.ask("GET", "/apis")[1]["groups"]]
    assert server.ask("DELETE", condition_path)[0] == 200


def test_a_group_of_the_servers_own_stays_its_own(server: Server) -> None:
    spec = {
        "group": "apps", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1,
        "service": {"namespace": "default", "name": "thief"}, "insecureSkipTLSVerify": True,
    }  # fmt: skip
    obj = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.apps"},
        "spec": spec,
    }
    assert server.ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", obj)[0] == 201
    deadline = time.monotonic() + 30
    while (
        not server.ask("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps")[1]
        .get("status", {})
        .get("conditions")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.ask("GET", "/apis/apps/v1/deployments")[0] == 200
