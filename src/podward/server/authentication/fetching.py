"""Documents of issuers, over HTTPS.

Certificates are always verified, by the issuer's own authorities or the machine's. No redirect is followed, no cookie
kept, and no more read than such a document may have.
"""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from podward.api.gotext import quote
from podward.server.webhooks.client import fault_of_connection, limited_body

_SECONDS, _MOST = 30.0, 1 << 20
_OK = 200


class Fetcher:
    """Fetches the documents of one issuer."""

    def __init__(self, authorities: str) -> None:
        """Raises ValueError and ssl.SSLError where there is no certificate to be trusted."""
        self._tls = ssl.create_default_context(cadata=authorities or None)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    async def get(self, url: str) -> bytes | tuple[str]:
        """The document, or, in a tuple, why there is none."""
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._answer(url)
        except TimeoutError:
            return (f"Get {quote(url)}: context deadline exceeded",)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return (f"Get {quote(url)}: {fault_of_connection(error, url)}",)

    async def _answer(self, url: str) -> bytes | tuple[str]:
        connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver(), force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(url, ssl=self._tls, allow_redirects=False, headers=_HEADERS) as response,
        ):
            found = await limited_body(response, _MOST)
            if found is None:
                return (f"Get {quote(url)}: the answer is longer than {_MOST} bytes",)
            if response.status != _OK:
                return (f"Get {quote(url)}: {response.status} {response.reason}",)
            return found


_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "kube-apiserver"}
