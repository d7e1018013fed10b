"""What goes stale while a server runs: its own certificates, before they expire, and files that others change.

A leaf certificate is made anew when three quarters of its life are over: the server's, whose new connections have the
new one at once, and the admin's in the kubeconfig. Files of authorities are read again when they have changed; where
that fails, the log tells why, and what was known still counts.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from podward.api.caller import MASTERS
from podward.errors import PodwardError
from podward.server import kubeconfig
from podward.server.authentication.authorities import AuthorityFile
from podward.server.own_authority import KeyPair, OwnAuthority, renewal_of

ADMIN = "podward-admin"
_EVERY = 5.0
_log = logging.getLogger("podward.server")
Signature: TypeAlias = tuple[int, int, int]


class ServingCertificate:
    """The server's certificate, in a context for its connections.

    Clients' certificates are asked for, and looked at by the authenticators.
    """

    def __init__(
        self, directory: str, authority: OwnAuthority, names: Sequence[str], files: Sequence[AuthorityFile]
    ) -> None:
        self._path = os.path.join(directory, "serving.pem")
        self._authority = authority
        self._names = tuple(names)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self.context.load_verify_locations(authority.certificate_file)
        for file in files:
            self.context.load_verify_locations(file.path)
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.due = self.renew()

    def renew(self) -> dt.datetime:
        """Make the certificate anew; when it is to be made anew again."""
        pair = self._authority.serving(self._names)
        _write(self._path, pair)
        self.context.load_cert_chain(self._path)
        self.due = renewal_of(pair)
        return self.due


class AdminKubeconfig:
    """The kubeconfig of the server's admin."""

    def __init__(self, path: str, address: str, authority: OwnAuthority) -> None:
        """Write it. Raises UsageError, InputError."""
        self._path = path
        self._address = address
        self._authority = authority
        self.due = self.renew()

    def renew(self) -> dt.datetime:
        """Write it with a new certificate; when it is to be written again."""
        pair = self._authority.client(ADMIN, (MASTERS,))
        kubeconfig.refresh(self._path, kubeconfig.text_of(self._address, self._authority.pem, pair))
        self.due = renewal_of(pair)
        return self.due


class Followed:
    """A file, and what is done when it has changed."""

    def __init__(self, path: str, changed: Callable[[], None]) -> None:
        self.path = path
        self._changed = changed
        self._seen = _signature(path)

    def look(self) -> None:
        """Do it, if the file has changed since it was looked at last; where it fails, the log tells why."""
        found = _signature(self.path)
        if found is None or found == self._seen:
            return
        self._seen = found
        try:
            self._changed()
        except (PodwardError, ssl.SSLError, OSError) as error:
            _log.error("%s has changed and cannot be used: what was known still counts: %s", self.path, error)
        else:
            _log.warning("%s has changed and was read again", self.path)


class Renewed(Protocol):
    """What has to be made anew in time."""

    due: dt.datetime
    """When that is."""

    def renew(self) -> dt.datetime:
        """Make it anew; when it is to be made anew again."""


async def keep(renewed: Sequence[Renewed], files: Sequence[Followed], every: float = _EVERY) -> None:
    """Look after all of them, until cancelled."""
    while True:
        await asyncio.sleep(every)
        now = dt.datetime.now(dt.UTC)
        for each in renewed:
            if now >= each.due:
                try:
                    each.renew()
                except (PodwardError, OSError) as error:
                    each.due = now + dt.timedelta(minutes=10)
                    _log.error("a certificate cannot be renewed: %s", error)
        for file in files:
            file.look()


def _signature(path: str) -> Signature | None:
    """What changes when the file does; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(path: str, pair: KeyPair) -> None:
    """A certificate and its key, for the server's own eyes."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pair.key + pair.certificate)
