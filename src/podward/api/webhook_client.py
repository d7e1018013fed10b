"""Where a webhook is: admissionregistration.k8s.io/v1 WebhookClientConfig, and that of a CustomResourceDefinition."""

from __future__ import annotations

import binascii

from msgspec import Struct

from podward.api.json_value import JsonObject

_HTTPS = 443


class ServiceReference(Struct, frozen=True):
    """A Service in front of a webhook."""

    namespace: str
    name: str
    port: int = _HTTPS
    path: str = ""

    @property
    def host(self) -> str:
        """The name for which the webhook's certificate must be good."""
        return f"{self.name}.{self.namespace}.svc"


class WebhookClient(Struct, frozen=True):
    """A URL or a Service, and the certificates of the authorities that are trusted; without any, the machine's."""

    url: str = ""
    service: ServiceReference | None = None
    authorities: bytes = b""

    @classmethod
    def read(cls, config: JsonObject) -> WebhookClient:
        """What a `clientConfig` says."""
        service, bundle = config.get("service"), config.get("caBundle")
        authorities = _decoded(bundle) if isinstance(bundle, str) else b""
        if isinstance(service, dict):
            port, path = service.get("port"), service.get("path")
            reference = ServiceReference(
                str(service.get("namespace") or ""),
                str(service.get("name") or ""),
                port if isinstance(port, int) else _HTTPS,
                path if isinstance(path, str) else "",
            )
            return cls("", reference, authorities)
        return cls(str(config.get("url") or ""), None, authorities)


def _decoded(bundle: str) -> bytes:
    """The bundle's bytes. What is no base64 trusts nobody, which is not the same as trusting the machine's."""
    try:
        return binascii.a2b_base64(bundle)
    except ValueError:
        return b"?"
