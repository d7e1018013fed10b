"""Files of certificate authorities that are read again when they change, without a restart.

Specification: Kubernetes, k8s.io/apiserver, pkg/server/dynamiccertificates: what cannot be read leaves what was known.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from podward.access.authentication import Failed, Outcome
from podward.access.client_certificates import ClientCertificates
from podward.errors import InputError
from podward.server import private_file


class AuthorityFile:
    """The authorities of a file, as they are now: a `ClientCertificates` that changes with it."""

    def __init__(self, path: str, flag: str) -> None:
        """Raises InputError for what holds no certificate."""
        self.path = path
        self._flag = flag
        self._current = self._read()

    def shares_with(self, other: AuthorityFile) -> bool:
        """Whether an authority is in both files."""
        return bool(set(self._certificates()) & set(other._certificates()))

    def authenticate(self, chain: Sequence[bytes], now: datetime) -> Outcome:
        """Who the bearer of the first certificate is."""
        return self._current.authenticate(chain, now)

    def verified(self, chain: Sequence[bytes], now: datetime) -> x509.Certificate | Failed | None:
        """The first certificate, if it leads to one of the authorities."""
        return self._current.verified(chain, now)

    def reload(self, tls: ssl.SSLContext) -> None:
        """Read the file again, and let clients of its authorities connect. Raises InputError, and nothing changes.

        Those of authorities that are gone may still connect, and are nobody: the library forgets none.
        """
        current = self._read()
        tls.load_verify_locations(self.path)
        self._current = current

    def _read(self) -> ClientCertificates:
        return ClientCertificates(self._certificates(), self.path)

    def _certificates(self) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(private_file.public_content_of(self.path))
        except ValueError:
            advice = f"{self._flag} takes PEM"
            raise InputError("there is no certificate in it that can be read", where=self.path, advice=advice) from None
