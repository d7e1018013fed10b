"""Which requests of kubelets are approved by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from certificate_asked import request

from podward.access.certificates.approving import approval
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
