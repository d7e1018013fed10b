"""Reading from a registry: manifests and blobs over HTTP, as nobody, with a password or with a token.

Specification (OCI distribution-spec 1.1 "Pull", RFC 7235, and the token service of github.com/distribution, in our
words):
- A registry that wants to know who asks answers 401 and says how: `Basic`, or `Bearer` with a realm, a service and a
  scope. From the realm we get a token: with GET and the password, or nothing; with an identity token, which is what
  OAuth2 calls a refresh token, with POST. A registry token is sent as it is.
- A blob may be elsewhere (307 and its like). Who we are is told to the registry and to its realm, never to another
  place, and over plain HTTP only where the registry may speak that.

What comes is hostile: every size has a limit, and no text of a registry goes into an error as it is.
"""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import BinaryIO, cast
from urllib.parse import SplitResult

import msgspec
from msgspec import Struct

from podward.errors import ImageError, RegistryError
from podward.runtime.images.connections import ADVICE, Answer, Connections, basic, failed
from podward.runtime.images.credentials import Credentials
from podward.runtime.images.endpoints import Endpoint
from podward.runtime.images.layout import INDEXES, MANIFESTS

_ACCEPT = ", ".join(sorted(INDEXES | MANIFESTS))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MOST_REDIRECTS = 5
_PARAMETER = re.compile(r'([A-Za-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


class _Said(Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(Struct, frozen=True):
    errors: tuple[_Said, ...] = ()


class _Token(Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class Registry:
    """One endpoint of one image."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        self.endpoint = endpoint
        self._credentials = credentials
        self._authorization = ""
        self._scheme = ""
        self._connections = Connections(endpoint)

    def manifest(self, name: str) -> bytes:
        """The manifest or index with this tag or digest. Raises ImageError if it can't be had."""
        with self._get(f"manifests/{name}", {"Accept": _ACCEPT}) as answer:
            return answer.document()

    def open(self, digits: str) -> BinaryIO:
        """The blob of this sha256 digest; it is the caller's to count and check. Raises ImageError."""
        return cast("BinaryIO", self._get(f"blobs/sha256:{digits}", {}))

    def another(self) -> Registry:
        """The same for another thread: who we are there is known, the connections are its own."""
        other = Registry(self.endpoint, self._credentials)
        other._authorization, other._scheme = self._authorization, self._scheme
        return other

    def close(self) -> None:
        """End the connections, also one from which another thread reads: it finds that it was broken off."""
        self._connections.close()

    def _get(self, what: str, headers: Mapping[str, str]) -> Answer:
        endpoint = self.endpoint
        path = f"{endpoint.root}/{endpoint.repository}/{what}"
        if endpoint.tells_namespace:
            path += f"?ns={urllib.parse.quote(endpoint.mirror_of, safe='')}"
        answer = self._first(path, {**self._own_headers(), **headers})
        if answer.status == 401:
            answer.document()
            self._authorization = self._identify(answer.headers.get_all("WWW-Authenticate") or [])
            answer = self._first(path, {**self._own_headers(), **headers})
        answer = self._followed(answer, f"{self._scheme}://{endpoint.host}{path}", headers)
        if answer.status != 200:
            raise self._refused(answer)
        return answer

    def _own_headers(self) -> dict[str, str]:
        """What the registry is told, and no other place."""
        known = {"Authorization": self._authorization} if self._authorization else {}
        return {**self.endpoint.headers, **known}

    def _followed(self, answer: Answer, url: str, headers: Mapping[str, str]) -> Answer:
        """The answer of where the registry sends us; its own if it does not."""
        for _ in range(_MOST_REDIRECTS):
            place = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not place:
                return answer
            answer.document()
            split = self._allowed(url, place)
            url = split.geturl()
            is_own = (split.scheme, split.netloc) == (self._scheme, self.endpoint.host)
            answer = self._connections.send(split, {**(self._own_headers() if is_own else {}), **headers})
        raise self._failed("it sends us on and on")

    def _first(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Ask the registry itself; the first scheme that works is kept."""
        schemes = (self._scheme,) if self._scheme else self.endpoint.schemes
        errors: list[ImageError] = []
        for scheme in schemes:
            try:
                url = urllib.parse.urlsplit(f"{scheme}://{self.endpoint.host}{path}")
                answer = self._connections.send(url, headers)
            except ImageError as error:
                errors.append(error)
                continue
            self._scheme = scheme
            return answer
        raise errors[-1]

    def _identify(self, challenges: list[str]) -> str:
        """What to send as Authorization. Raises ImageError if we are not known there."""
        wanted = [_challenge(text) for text in challenges]
        bearer = next((parameters for scheme, parameters in wanted if scheme == "bearer"), None)
        known = self._credentials
        if bearer is not None:
            return f"Bearer {known.registry_token or self._token(bearer)}"
        if known.username and any(scheme == "basic" for scheme, _ in wanted):
            return basic(f"{known.username}:{known.password}")
        raise self._failed("it wants to know who asks, and no credentials are known for it")

    def _token(self, challenge: Mapping[str, str]) -> str:
        realm = self._allowed("", challenge.get("realm", ""))
        known = self._credentials
        asked = {name: challenge[name] for name in ("service", "scope") if challenge.get(name)}
        asked.setdefault("scope", f"repository:{self.endpoint.repository}:pull")
        if known.identity_token:
            form = {"grant_type": "refresh_token", "refresh_token": known.identity_token, "client_id": "podward"}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._connections.send(realm, headers, urllib.parse.urlencode({**form, **asked}).encode())
        else:
            query = "&".join(filter(None, (realm.query, urllib.parse.urlencode(asked))))
            headers = {"Authorization": basic(f"{known.username}:{known.password}")} if known.username else {}
            answer = self._connections.send(realm._replace(query=query), headers)
        content = answer.document()
        if answer.status != 200:
            raise self._failed(f"it gives us no token ({answer.status})")
        try:
            given = msgspec.json.decode(content, type=_Token)
        except msgspec.MsgspecError:
            given = _Token()
        token = given.token or given.access_token
        if not token or not token.isascii() or not token.isprintable():
            raise self._failed("what it gives us is no token")
        return token

    def _allowed(self, base: str, place: str) -> SplitResult:
        """A place that the registry sends us to; one without TLS only if the registry itself need have none."""
        try:
            split = urllib.parse.urlsplit(urllib.parse.urljoin(base, place))
        except ValueError:
            split = urllib.parse.urlsplit("")
        if not split.netloc or split.scheme not in {"https", *self.endpoint.schemes}:
            raise self._failed("it sends us to no place, or to one without TLS")
        return split

    def _refused(self, answer: Answer) -> ImageError:
        try:
            said = msgspec.json.decode(answer.document(), type=_Errors).errors
        except msgspec.MsgspecError:
            said = ()
        first = said[0] if said else _Said()
        quoted = f": {(first.message or first.code)[:200]!a}" if first != _Said() else ""
        meaning = {401: "it does not let us in", 403: "it does not let us in", 404: "it does not have the image"}
        what = f"{meaning.get(answer.status, 'it fails')} ({answer.status}{quoted})"
        kind = ImageError if answer.status == 404 else RegistryError
        return kind(what, where=self.endpoint.name, advice=ADVICE)

    def _failed(self, what: str) -> RegistryError:
        return failed(what, self.endpoint.name)


def _challenge(text: str) -> tuple[str, dict[str, str]]:
    """The scheme of a WWW-Authenticate header, in lower case, and its parameters."""
    scheme, _, rest = text.strip().partition(" ")
    found = _PARAMETER.findall(rest)
    return scheme.lower(), {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in found}
