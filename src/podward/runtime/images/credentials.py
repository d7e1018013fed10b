"""Who we are to a registry: what came with the call, else what `skopeo login` and its like left in files.

Specification (containers-auth.json(5) and CRI's AuthConfig; in our words):
- Of a call's AuthConfig the first of these counts: a token for the registry, an identity token, user name and
  password, `auth` (base64 of NAME:PASSWORD). With a `serverAddress` it is for that host alone, else for the registry
  that the image's name says. It is never sent to a mirror that it does not name.
- Files: the one that is given, or `REGISTRY_AUTH_FILE`, else the first of these that knows the registry:
  containers/auth.json in XDG_RUNTIME_DIR (or /run/containers/UID), in XDG_CONFIG_HOME (or ~/.config), and
  ~/.docker/config.json. In `auths` the longest beginning of HOST/PATH counts; `credHelpers` and `credsStore` name a
  program `docker-credential-NAME` to be asked.

Secrets stay in this process: they are on no command line and in no file of ours, and no error quotes them.
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess

import msgspec
from msgspec import Struct, field

from podward.api.cri_status import AuthConfig
from podward.errors import ImageError, InputError
from podward.runtime.images.endpoints import DOCKER_HOST, Endpoint

_DOCKER_KEY = "index.docker.io"
_ADVICE = "log in again: `skopeo login` (or podman, docker) writes the file anew"


class Credentials(Struct, frozen=True):
    """A name with a password, or one of the two tokens; without any of them a registry is asked as nobody."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"


NOBODY = Credentials()


class _Login(Struct, frozen=True):
    auth: str = ""
    identity_token: str = field(default="", name="identitytoken")


class _AuthFile(Struct, frozen=True, rename="camel"):
    auths: dict[str, _Login] = {}
    cred_helpers: dict[str, str] = {}
    creds_store: str = ""


class _Answer(Struct, frozen=True, rename="pascal"):
    username: str
    secret: str


class Logins:
    """What is known of registries: the call's credentials, and the files."""

    def __init__(self, given: AuthConfig | None, authfile: str, domain: str) -> None:
        self._given = given
        self._files = (authfile,) if authfile else _usual_files()
        self._required = bool(authfile)
        self._domain = domain

    def at(self, endpoint: Endpoint) -> Credentials:
        """What this endpoint may be told. Raises ImageError or InputError for what can't be read."""
        if self._given is not None and _is_meant(self._given, endpoint, self._domain):
            found = _of_call(self._given)
            if found != NOBODY:
                return found
        for file in self._files:
            found = _of_file(_read(file, required=self._required), endpoint, file)
            if found != NOBODY:
                return found
        return NOBODY


def _is_meant(given: AuthConfig, endpoint: Endpoint, domain: str) -> bool:
    if not given.server_address:
        return not endpoint.mirror_of
    host = given.server_address.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return _key_of(host) == _key_of(endpoint.host) or (not endpoint.mirror_of and host == domain)


def _of_call(given: AuthConfig) -> Credentials:
    if given.registry_token:
        return Credentials(registry_token=given.registry_token)
    if given.identity_token:
        return Credentials(identity_token=given.identity_token)
    if given.username:
        return Credentials(given.username, given.password)
    return _decoded(given.auth, "the credentials that came with the call") if given.auth else NOBODY


def _of_file(content: _AuthFile, endpoint: Endpoint, file: str) -> Credentials:
    host = _key_of(endpoint.host)
    helper = next((name for key, name in content.cred_helpers.items() if _key_of(key) == host), content.creds_store)
    if helper:
        return _ask(helper, host)
    place = f"{host}/{endpoint.repository}"
    logins = {_without_scheme(key): login for key, login in content.auths.items()}
    while place:
        login = logins.get(place)
        if login is not None and login.identity_token:
            return Credentials(identity_token=login.identity_token)
        if login is not None and login.auth:
            return _decoded(login.auth, file)
        place = place.rpartition("/")[0]
    return NOBODY


def _without_scheme(key: str) -> str:
    """A key of `auths`: HOST/PATH; Docker wrote `https://HOST/v1/`."""
    for scheme in ("https://", "http://"):
        if key.startswith(scheme):
            return _key_of(key.removeprefix(scheme).partition("/")[0])
    host, slash, path = key.partition("/")
    return _key_of(host) + slash + path


def _key_of(host: str) -> str:
    return _DOCKER_KEY if host in {"docker.io", DOCKER_HOST} else host


def _decoded(auth: str, where: str) -> Credentials:
    try:
        text = base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    username, colon, password = text.partition(":")
    if not colon:
        raise ImageError("`auth` is not base64 of NAME:PASSWORD", where=where, advice=_ADVICE)
    return Credentials(username, password.strip("\0"))


def _read(file: str, *, required: bool) -> _AuthFile:
    try:
        with open(file, "rb") as opened:
            return msgspec.json.decode(opened.read(), type=_AuthFile)
    except FileNotFoundError:
        if required:
            raise InputError("there is no such file of credentials", where=file, advice=_ADVICE) from None
        return _AuthFile()
    except (OSError, msgspec.MsgspecError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no auth.json"  # never what is in it
        raise InputError(f"the credentials can't be read: {what}", where=file, advice=_ADVICE) from None


def _ask(helper: str, host: str) -> Credentials:
    """What a credential helper says; it answers with an error for a host that it does not know."""
    program = f"docker-credential-{helper}"
    if "/" in helper:
        raise InputError(f"{helper!a} is no name of a credential helper", where=host, advice=_ADVICE)
    try:
        done = subprocess.run((program, "get"), input=host.encode(), capture_output=True, check=False, timeout=60)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        raise InputError(f"{program} is not installed, or does not answer", where=host, advice=_ADVICE) from None
    if done.returncode:
        return NOBODY
    try:
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except msgspec.MsgspecError:
        raise InputError(f"what {program} answers is not its protocol", where=host, advice=_ADVICE) from None
    if answer.username == "<token>":
        return Credentials(identity_token=answer.secret)
    return Credentials(answer.username, answer.secret)


def _usual_files() -> tuple[str, ...]:
    named = os.environ.get("REGISTRY_AUTH_FILE")
    if named:
        return (named,)
    home = os.path.expanduser("~")
    session = os.environ.get("XDG_RUNTIME_DIR")
    running = f"{session}/containers" if session else f"/run/containers/{os.getuid()}"
    return (
        f"{running}/auth.json",
        f"{os.environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/containers/auth.json",
        f"{os.environ.get('DOCKER_CONFIG') or f'{home}/.docker'}/config.json",
    )
