"""Pods of a real node in a network of their own: addresses, Services, names, variables, ports of the node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from network_lab import MACHINE, Lab, inside
from running_node import Node, Pod, kubeconfig, running

from podward.cli.serving import first_objects

pytestmark = pytest.mark.needs("root", "crun", "busybox", "nft", "cni")
_SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
WEB = "mkdir /tmp/w; echo hello > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"
FLAGS = ("--cluster-dns", "10.0.0.10", "--pod-cidr", "10.9.128.0/24", "--node-ip", MACHINE, "--cni-conf-dir")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with ExitStack() as ended:
        made = Lab(ended)
        with inside(made.machine):
            yield made


@pytest.fixture(scope="module")
def node(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    del lab
    directory = tmp_path_factory.mktemp("cluster")
    with running(directory, *FLAGS, str(directory / "none")) as made:
        admin = directory / "admin.kubeconfig"
        admin.write_text(kubeconfig(made.server, "admin", "system:masters"))
        first_objects.make(str(admin), "")
        yield made


def address_of(node: Node, name: str) -> str:
    return str(node.until(name, lambda pod: bool(pod["status"].get("podIP")))["status"]["podIP"])


def printed(node: Node, name: str, script: str) -> str:
    """What a Pod prints that does this and ends."""
    node.run(name, script, hostNetwork=False, restartPolicy="Never")
    ended: Pod = node.until(name, lambda pod: pod["status"].get("phase") in ("Succeeded", "Failed"))
    return node.log(ended)


def serve(node: Node, name: str, address: str, **spec: object) -> None:
    """A Service with this endpoint."""
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    of = {"metadata": {"name": name}, "spec": {"ports": ports, **spec}}
    assert node.server.ask("POST", "/api/v1/namespaces/default/services", of)[0] == 201
    slice_ = {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "nodeName": "n1"}],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }
    assert node.server.ask("POST", _SLICES, slice_)[0] == 201


def test_a_pod_finds_another_by_its_service(node: Node, lab: Lab) -> None:
    node.run("web", WEB, hostNetwork=False, container={"ports": [{"containerPort": 8080, "hostPort": 8088}]})
    address = address_of(node, "web")
    assert address.startswith("10.9.128.")
    node_port = {"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}
    serve(node, "web", address, type="NodePort", ports=[node_port])

    said = printed(
        node,
        "client",
        "until wget -q -O - http://web/ 2>/dev/null; do sleep 0.1; done; wget -q -O - http://web.default.svc.cluster.local;"
        "nslookup kubernetes.default.svc.cluster.local | grep -c 10.0.0.1$;"
        "nc -w 2 kubernetes.default 443 < /dev/null && echo reached; cat /etc/resolv.conf; env | sort",
    )

    assert said.startswith("hello\nhello\n1\nreached\nsearch default.svc.cluster.local svc.cluster.local cluster.local")
    assert "nameserver 10.0.0.10\noptions ndots:5\n" in said
    assert "\nKUBERNETES_SERVICE_HOST=10.0.0.1\n" in said
    assert "\nWEB_SERVICE_PORT_HTTP=80\n" in said
    request = b"GET / HTTP/1.0\r\n\r\n"
    for place, port, at in (
        (lab.outside, 30080, MACHINE),
        (lab.machine, 30080, "127.0.0.1"),
        (lab.outside, 8088, MACHINE),
        (lab.machine, 8088, "127.0.0.1"),
    ):
        assert b"200 OK" in place.exchange("tcp", at, port, request), (place, port)


def test_a_pod_reaches_itself_by_its_service_and_what_is_outside(node: Node, lab: Lab) -> None:
    lab.outside.listen("tcp", 9090)
    script = f"{WEB} & until wget -q -O - http://mine/ 2>/dev/null; do sleep 0.1; done; nc -w 2 192.0.2.2 9090"
    node.run("self", script.replace("exec ", ""), hostNetwork=False, restartPolicy="Never")
    serve(node, "mine", address_of(node, "self"))

    ended = node.until("self", lambda pod: pod["status"].get("phase") in ("Succeeded", "Failed"))

    assert node.log(ended) == "hello\nout 192.0.2.1\n"
