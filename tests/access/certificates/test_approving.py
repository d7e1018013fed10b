"""Which requests of kubelets are approved by themselves."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from certificate_asked import request
from cryptography import x509

from podward.access.certificates.approving import approval, node_that_asks, serving_approval
from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.decision import Origin, Source

ALLOWED = Answer(Opinion.ALLOW, Source(Origin.POLICY, "x"))
NODE: dict[str, Any] = {"name": "system:node:n1", "groups": ("system:nodes",), "conditions": ()}
USAGES = ("digital signature", "client auth")


def message(obj: dict[str, Any], *allowed: str) -> str:
    """The message of the approval, where the requester may create these subresources."""
    asking = approval(obj)
    try:
        asked = next(asking)
        while True:
            assert (asked.verb, asked.resource) == ("create", "certificatesigningrequests")
            assert asked.user.username == obj["spec"]["username"]
            asked = asking.send(ALLOWED if asked.subresource in allowed else NO_OPINION)
    except StopIteration as end:
        return str(end.value)


@pytest.mark.parametrize(
    ("username", "allowed", "words"),
    [
        ("system:node:n1", ("selfnodeclient",), "Auto approving self kubelet client certificate"),
        ("system:node:n1", ("nodeclient",), "Auto approving kubelet client certificate"),
        ("bootstrap", ("nodeclient",), "Auto approving kubelet client certificate"),
        ("bootstrap", ("selfnodeclient",), ""),
        ("system:node:n1", (), ""),
    ],
)
def test_whoever_may_is_approved(username: str, allowed: tuple[str, ...], words: str) -> None:
    obj = request("kube-apiserver-client-kubelet", *USAGES, username=username, **NODE)
    found = message(obj, *allowed)
    assert found.startswith(words) if words else not found


@pytest.mark.parametrize(
    "obj",
    [
        request("kube-apiserver-client", *USAGES, username="x", **NODE),
        request("kube-apiserver-client-kubelet", "client auth", username="x", **NODE),
        request("kube-apiserver-client-kubelet", *USAGES, username="x", **{**NODE, "groups": ("system:masters",)}),
        request(
            "kube-apiserver-client-kubelet", *USAGES, username="x", **{**NODE, "conditions": ({"type": "Denied"},)}
        ),
    ],
)
def test_others_are_decided_by_hand(obj: dict[str, Any]) -> None:
    assert message(obj, "nodeclient", "selfnodeclient") == ""


_OBJECT: dict[str, Any] = {
    "metadata": {"name": "n1"},
    "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "host1"}]},
}


def serving(*names: x509.GeneralName, asks: str = "system:node:n1", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as it is
    usages = ("digital signature", "server auth")
    return request("kubelet-serving", *usages, username=asks, **{**NODE, "names": names, **more})


def asked_by(groups: list[str]) -> dict[str, Any]:
    obj = serving(x509.DNSName("n1"))
    obj["spec"]["groups"] = groups
    return obj


def test_a_node_that_asks_for_what_it_shows_is_known_by_its_user() -> None:
    assert node_that_asks(asked_by(["system:nodes", "system:authenticated"])) == "n1"
    assert node_that_asks(asked_by(["system:authenticated"])) == ""
    decided = asked_by(["system:nodes"])
    decided["status"]["conditions"] = [{"type": "Denied"}]
    assert node_that_asks(decided) == ""
    assert node_that_asks(request("kube-apiserver-client-kubelet", *USAGES, username="system:node:n1", **NODE)) == ""


def _address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_address(text))


@pytest.mark.parametrize(
    ("obj", "approved"),
    [
        (serving(x509.DNSName("n1"), _address("10.0.0.1")), True),
        (serving(x509.DNSName("host1")), True),
        (serving(x509.DNSName("n1"), _address("10.0.0.2")), False),
        (serving(x509.DNSName("kubernetes.default.svc"), _address("10.0.0.1")), False),
        (serving(x509.DNSName("n1"), x509.RFC822Name("a@example.com")), False),
        (serving(x509.DNSName("n1"), x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))), False),
        (serving(x509.DNSName("n1"), name="system:node:n2"), False),
        (serving(x509.DNSName("n1"), groups=("system:masters",)), False),
        (serving(), False),
    ],
)
def test_a_node_may_show_its_own_name_and_addresses_alone(obj: dict[str, Any], approved: bool) -> None:  # noqa: FBT001 - a row
    assert bool(serving_approval(obj, _OBJECT)) is approved
