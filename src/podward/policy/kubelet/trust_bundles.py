"""Which trusted certificates a projected clusterTrustBundle holds.

Specification (kubelet, pkg/kubelet/clustertrustbundle, in our words): those of the bundle that it names; or those of
all bundles of its signer whose labels its selector selects: none without a selector, all with an empty one. Each
certificate stands there once, whatever is between them is dropped. Where there is no such bundle, that is an error, and
no certificate where it is optional. A kubelet puts them in an order of chance; here they are sorted.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.referenced_objects import TrustAnchors
from podward.api.volume import TrustBundle
from podward.schema.label_selection import selects

_LINE = 64


class NoAnchors(Struct, frozen=True):
    """Why there are none, in the kubelet's words."""

    reason: str


def decide(wanted: TrustBundle, known: tuple[TrustAnchors, ...]) -> str | NoAnchors:
    """The certificates, in PEM."""
    if wanted.name is not None:
        found = [each for each in known if each.name == wanted.name]
        missing = f"clustertrustbundle.certificates.k8s.io {quote(wanted.name)} not found"
        fault = f"while getting ClusterTrustBundle: {missing}"
    elif wanted.signer_name is not None:
        found = [each for each in known if each.signer == wanted.signer_name and _selected(wanted, each)]
        fault = "combination of signerName and labelSelector matched zero ClusterTrustBundles"
    else:
        return NoAnchors("ClusterTrustBundle projection requires either name or signerName to be set")
    if not found and not wanted.optional:
        return NoAnchors(fault)
    return "".join(sorted({block for each in found for block in _blocks(each.certificates)}))


def _selected(wanted: TrustBundle, bundle: TrustAnchors) -> bool:
    return wanted.label_selector is not None and selects(wanted.label_selector, bundle.labels)


def _blocks(text: str) -> list[str]:
    """The certificates of a text, each written alike."""
    found = []
    for part in text.split("-----BEGIN ")[1:]:
        label, _, rest = part.partition("-----")
        content, end, _ = rest.partition(f"-----END {label}-----")
        if not end:
            continue
        body = "".join(content.split())
        lines = [body[start : start + _LINE] for start in range(0, len(body), _LINE)]
        found.append("\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")))
    return found
