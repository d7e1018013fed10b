"""As whom this server comes to API servers behind it, and what these are told of that and of whom else to believe.

Specification: Kubernetes, pkg/controlplane/controller/clusterauthenticationtrust: the ConfigMap
`extension-apiserver-authentication` in kube-system names the authorities of clients and of front proxies, and the
headers in which the latter say who calls.
"""

from __future__ import annotations

import datetime as dt
import os

from podward.api.json_value import JsonObject
from podward.server.own_authority import OwnAuthority, renewal_of

AUTHORITY = "front-proxy-ca"
_CLIENT = "front-proxy-client"


class FrontProxyPair:
    """The certificate that is shown, of an authority that nothing else is of, in a file."""

    def __init__(self, directory: str) -> None:
        """Raises InputError."""
        self._authority = OwnAuthority(directory, name=AUTHORITY)
        self.file = os.path.join(directory, "front-proxy-client.pem")
        self.due = self.renew()

    def renew(self) -> dt.datetime:
        """Make the certificate anew; when it is to be made anew again."""
        pair = self._authority.client(_CLIENT, ())
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pair.key + pair.certificate)
        self.due = renewal_of(pair)
        return self.due

    def trust(self, clients: bytes) -> JsonObject:
        """What servers behind this one are told; `clients` are the authorities (PEM) of clients."""
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
            "data": {
                "client-ca-file": clients.decode(),
                "requestheader-client-ca-file": self._authority.pem.decode(),
                "requestheader-allowed-names": f'["{_CLIENT}"]',
                "requestheader-username-headers": '["X-Remote-User"]',
                "requestheader-uid-headers": '["X-Remote-Uid"]',
                "requestheader-group-headers": '["X-Remote-Group"]',
                "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
            },
        }
