"""Which trusted certificates are projected."""

from __future__ import annotations

import pytest

from podward.api.claim import LabelSelector
from podward.api.referenced_objects import TrustAnchors
from podward.api.volume import TrustBundle
from podward.policy.kubelet.trust_bundles import NoAnchors, decide


def pem(body: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


KNOWN = (
    TrustAnchors("plain", f"a comment\n{pem('AAAA')}{pem('BBBB')}"),
    TrustAnchors("x:one", pem("CCCC"), "x", {"set": "live"}),
    TrustAnchors("x:two", pem("CC\nCC") + pem("DDDD"), "x", {"set": "live"}),
    TrustAnchors("x:three", pem("EEEE"), "x", {"set": "old"}),
)
LIVE = LabelSelector({"set": "live"})


@pytest.mark.parametrize(
    ("wanted", "bodies"),
    [
        (TrustBundle(name="plain"), ["AAAA", "BBBB"]),
        (TrustBundle(signer_name="x", label_selector=LIVE), ["CCCC", "DDDD"]),
        (TrustBundle(signer_name="x", label_selector=LabelSelector()), ["CCCC", "DDDD", "EEEE"]),
        (TrustBundle(signer_name="x", optional=True), []),
        (TrustBundle(name="none", optional=True), []),
    ],
)
def test_each_certificate_stands_there_once(wanted: TrustBundle, bodies: list[str]) -> None:
    assert decide(wanted, KNOWN) == "".join(map(pem, bodies))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            TrustBundle(name="none"),
            'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "none" not found',
        ),
        (TrustBundle(signer_name="x"), "combination of signerName and labelSelector matched zero ClusterTrustBundles"),
        (TrustBundle(), "ClusterTrustBundle projection requires either name or signerName to be set"),
    ],
)
def test_what_is_missing_is_told(wanted: TrustBundle, said: str) -> None:
    assert decide(wanted, KNOWN) == NoAnchors(said)
