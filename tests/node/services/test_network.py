"""Services and names on a node, with a real API server, a real engine and real rules, in a network of their own."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from api_server import Server, running
from network_lab import MACHINE, Lab, Place, inside

from podward.api.core import ObjectMeta, Pod, PodSpec
from podward.api.json_value import Json, JsonObject
from podward.client.api import Client
from podward.client.connection import load
from podward.client.events import Recorder
from podward.client.informer import Informers
from podward.node import machine_info
from podward.node.context import NodeContext
from podward.node.log import Log
from podward.node.options import Options
from podward.node.own_runtime import OwnRuntime
from podward.node.services.network import ServiceNetwork
from podward.node.verbs import VERBS
from podward.policy.dns import message
from podward.policy.kubelet.node_object import NodeIdentity
from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions
from podward.runtime.workers import engine
from podward.runtime.workers.client import EngineClient

pytestmark = pytest.mark.needs("root", "nft", "cni")
DNS = "10.0.0.10"
_DEADLINE = 15.0


class Running:
    """The lab with a server and a node's network in it; `during` has something done while that goes on."""

    def __init__(self, lab: Lab, server: Server, directory: Path) -> None:
        self.lab, self.server = lab, server
        self._directory = directory

    def during(self, do: Callable[[], None], endpoint: str = "") -> None:
        """Do it in a thread, with the network served meanwhile; `endpoint` is where another runtime would be."""
        asyncio.run(self._serve(do, endpoint))

    async def _serve(self, do: Callable[[], None], endpoint: str) -> None:
        root = str(self._directory / "node")
        options = Options(
            str(self._directory / "kubeconfig"),
            root,
            "n1",
            ServiceOptions(cni_conf_dir=f"{root}/none"),
            cluster_dns=(DNS,),
            pod_cidr="10.9.128.0/24",
            endpoint=endpoint,
        )
        service = RuntimeService(root, options.service)
        pid, control = engine.start(service, VERBS)
        client = EngineClient[RuntimeService](pid, control)
        api = Client(load(options.kubeconfig), "test")
        context = NodeContext(
            options,
            NodeIdentity("n1", MACHINE, 10250, {}, (), 110),
            machine_info.gather("/"),
            api,
            Informers(api),
            Recorder(api, "kubelet", "n1"),
            OwnRuntime(service, client, user_namespaces=False),
            client,
            Log(),
        )
        network = ServiceNetwork(context)
        self.network = network
        await network.start()
        try:
            await asyncio.wait_for(network.ready(), _DEADLINE)
            await asyncio.to_thread(do)
        finally:
            await network.close()
            await context.informers.close()
            await context.recorder.close()
            await context.runtime.close()
            await api.close()
            client.close()
            os.waitpid(pid, 0)  # noqa: ASYNC222 - it has ended


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("network")
    with ExitStack() as ended:
        lab = Lab(ended)
        for pod in (lab.a, lab.b):
            pod.listen("tcp", 8080)
            pod.listen("udp", 8080)
        ended.enter_context(inside(lab.machine))
        server = ended.enter_context(running(directory, "--kubeconfig", str(directory / "kubeconfig")))
        node = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1"}, "spec": {"podCIDR": "10.9.0.0/24"}}
        assert server.ask("POST", "/api/v1/nodes", node)[0] == 201
        yield Running(lab, server, directory)


def make(server: Server, name: str, *targets: str, protocol: str = "TCP", **spec: object) -> str:
    """A Service with endpoints; returns its address."""
    port = {"name": "p", "port": 80, "protocol": protocol}
    of = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [port], **spec}}
    code, answer, _ = server.ask("POST", "/api/v1/namespaces/default/services", of)
    assert code == 201, answer
    code, refused, _ = server.ask("POST", _SLICES, slice_of(name, *targets, protocol=protocol))
    assert code == 201, refused
    return str(answer["spec"]["clusterIP"])


_SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def slice_of(name: str, *targets: str, protocol: str = "TCP") -> JsonObject:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [each], "hostname": f"host-{each[-1]}"} for each in targets],
        "ports": [{"name": "p", "port": 8080, "protocol": protocol}],
    }


def until(expected: object, look: Callable[[], object]) -> None:
    """Look until it is as expected."""
    end = time.monotonic() + _DEADLINE
    while (found := look()) != expected:
        assert time.monotonic() < end, found
        time.sleep(0.02)


def resolved(place: Place, name: str, protocol: str = "udp", kind: int = message.A) -> str:
    """The addresses of a name, asked from there."""
    query = message.write_query(7, name, kind)
    framed = struct.pack("!H", len(query)) + query if protocol == "tcp" else query
    answer = place.exchange(protocol, DNS, 53, framed)[2 if protocol == "tcp" else 0 :]
    if not answer:
        return "no answer"
    if answer[3] & 15:
        return f"code {answer[3] & 15}"
    return " ".join(str(ipaddress.IPv4Address(each.data)) for each in message.read_answers(answer) if each.kind == kind)


def test_services_names_and_the_server_are_reached_from_pods(served: Running) -> None:
    lab, server = served.lab, served.server

    def look() -> None:
        web = make(server, "web", "10.9.0.3")
        until("b 10.9.0.2", lambda: lab.a.ask("tcp", web, 80))
        until(web, lambda: resolved(lab.a, "web.default.svc.cluster.local"))
        assert resolved(lab.a, "WEB.default.svc.cluster.local", "tcp") == web
        assert resolved(lab.a, "none.default.svc.cluster.local") == "code 3"
        assert resolved(lab.machine, "web.default.svc.cluster.local") == web
        assert resolved(lab.outside, "web.default.svc.cluster.local") == "no answer"
        assert resolved(lab.a, "kubernetes.default.svc.cluster.local") == "10.0.0.1"
        assert lab.a.ask("tcp", "10.0.0.1", 443) == "TimeoutError"  # connected: it waits for our first word
        assert lab.machine.ask("tcp", "10.0.0.1", 443) == "TimeoutError"
        port = int(server.url.rpartition(":")[2])  # where its Endpoints say, though it listens on 127.0.0.1 alone
        opened = f"timeout 0.5 bash -c 'exec 3<>/dev/tcp/{MACHINE}/{port}' && echo open || echo closed"
        assert (lab.a.run(opened), lab.outside.run(opened)) == ("open\n", "closed\n")
        assert lab.a.ask("tcp", "10.0.0.1", 80) == "ConnectionRefusedError"
        assert lab.a.ask("tcp", "10.0.0.99", 80) == "TimeoutError"
        assert server.ask("PUT", f"{_SLICES}/web", slice_of("web", "10.9.0.2"))[0] == 200
        until("a", lambda: lab.b.ask("tcp", web, 80).split()[0])
        assert server.ask("DELETE", "/api/v1/namespaces/default/services/web")[0] == 200
        until("code 3", lambda: resolved(lab.a, "web.default.svc.cluster.local"))

    served.during(look)

    assert lab.machine.run("nft list tables ip").count("podward") == 0


def test_services_are_served_for_pods_of_a_runtime_with_ranges_of_its_own(served: Running) -> None:
    lab = served.lab
    lab.outside.run(f"ip route add 10.0.0.0/24 via {MACHINE}")

    def look() -> None:
        address = make(served.server, "foreign", "10.9.0.2")
        until("a 192.0.2.2", lambda: lab.outside.ask("tcp", address, 80))
        until(address, lambda: resolved(lab.outside, "foreign.default.svc.cluster.local"))

    try:
        served.during(look, endpoint="/run/other.sock")
    finally:
        lab.outside.run("ip route del 10.0.0.0/24")


def test_a_headless_service_has_a_name_for_each_endpoint(served: Running) -> None:
    def look() -> None:
        make(served.server, "db", "10.9.0.2", "10.9.0.3", clusterIP="None")
        until("10.9.0.2", lambda: resolved(served.lab.a, "host-2.db.default.svc.cluster.local"))
        assert set(resolved(served.lab.a, "db.default.svc.cluster.local").split()) == {"10.9.0.2", "10.9.0.3"}

    served.during(look)


@pytest.mark.needs("conntrack")
def test_udp_clients_move_to_another_endpoint_when_theirs_is_gone(served: Running) -> None:
    lab = served.lab

    def look() -> None:
        address = make(served.server, "udp", "10.9.0.2", protocol="UDP")
        until("a", lambda: _name_of(lab.machine, address))
        moved = slice_of("udp", "10.9.0.3", protocol="UDP")
        assert served.server.ask("PUT", f"{_SLICES}/udp", moved)[0] == 200
        until("b", lambda: _name_of(lab.machine, address))

    served.during(look)


def _name_of(place: Place, address: str) -> str:
    return place.ask("udp", address, 80).split()[0]


def test_what_a_pod_is_told_of_services(served: Running) -> None:
    pod = Pod(metadata=ObjectMeta(name="p", namespace="shop"), spec=PodSpec(enable_service_links=False))
    served.during(
        lambda: until("10.0.0.1", lambda: served.network.service_variables(pod).get("KUBERNETES_SERVICE_HOST"))
    )


def test_a_network_policy_is_told_as_not_enforced(served: Running) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    assert served.server.ask("POST", path, policy)[0] == 201

    def told() -> list[str]:
        _, answer, _ = served.server.ask("GET", "/api/v1/namespaces/default/events")
        return [each["message"].partition(":")[0] for each in answer["items"] if each["reason"] == "NotEnforced"]

    served.during(lambda: until(["this node does not enforce NetworkPolicies"], told))


def balanced(server: Server, name: str, target: str) -> int:
    """A Service that keeps its clients' addresses, with an endpoint on this node; its port for health checks."""
    make(server, name, type="LoadBalancer", externalTrafficPolicy="Local")
    assert server.ask("PUT", f"{_SLICES}/{name}", _here(name, target))[0] == 200
    _, found, _ = server.ask("GET", f"/api/v1/namespaces/default/services/{name}")
    return int(found["spec"]["healthCheckNodePort"])


def _here(name: str, *targets: str) -> JsonObject:
    endpoints: Json = [{"addresses": [each], "nodeName": "n1"} for each in targets]
    return {**slice_of(name), "endpoints": endpoints}


def healthy(place: Place, port: int) -> str:
    """What a load balancer there hears: the code, and how many endpoints there are."""
    said = place.fetch(MACHINE, port, b"GET /any HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").decode()
    head, _, body = said.partition("\r\n\r\n")
    return f"{head.split()[1]} {json.loads(body)['localEndpoints']}" if body else "no answer"


def test_a_load_balancer_hears_whether_this_node_has_endpoints(served: Running) -> None:
    server, outside = served.server, served.lab.outside

    def look() -> None:
        port = balanced(server, "balanced", "10.9.0.2")
        until("200 1", lambda: healthy(outside, port))
        assert server.ask("PUT", f"{_SLICES}/balanced", slice_of("balanced", "10.9.0.3"))[0] == 200  # of no node
        until("503 0", lambda: healthy(outside, port))
        assert server.ask("DELETE", "/api/v1/namespaces/default/services/balanced")[0] == 200
        until("no answer", lambda: healthy(outside, port))

    served.during(look)


def test_a_port_for_health_checks_that_is_taken_is_told_and_had_once_it_is_free(served: Running) -> None:
    server, outside = served.server, served.lab.outside

    def told() -> list[str]:
        _, answer, _ = server.ask("GET", "/api/v1/namespaces/default/events")
        reason = "FailedToStartServiceHealthcheck"
        return [each["message"] for each in answer["items"] if each["reason"] == reason][:1]

    port = 30999

    def look() -> None:
        with socket.create_server(("0.0.0.0", port)):  # noqa: S104 - in a network of its own
            make(server, "late", type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=port)
            why = f"listen tcp4 0.0.0.0:{port}: bind: address already in use"
            message = f'node n1 failed to start healthcheck "default/late" on port {port}: {why}'
            until([message], told)
        assert server.ask("PUT", f"{_SLICES}/late", _here("late", "10.9.0.2"))[0] == 200
        until("200 1", lambda: healthy(outside, port))

    served.during(look)
