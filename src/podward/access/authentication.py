"""The words of authentication: what a request carries, and what an authenticator makes of it.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication. An authenticator names the caller, fails, or has
nothing to say (None). They are asked in turn: the first that names the caller decides, whatever failed before it.
Where nobody does and somebody failed, the request is not authenticated; only where nobody had anything to say it is
anonymous.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from podward.access.errors import aggregated
from podward.api.caller import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User

INVALID_TOKEN = "invalid bearer token"  # noqa: S105 - a sentence
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
"""The extra by which a user's credential is known: `JTI=...` of a token, `X509SHA256=...` of a certificate."""


class Credentials(Struct, frozen=True):
    """What a request carries that may say who sends it.

    `authorization` is the header of that name, `headers` are all; `certificates` are those of the client, DER, its own
    first; `protocols` are a WebSocket's; `path` is the request's, since anonymous requests may be let in by it.
    """

    authorization: str = ""
    certificates: tuple[bytes, ...] = ()
    protocols: tuple[str, ...] = ()
    path: str = ""
    headers: Mapping[str, str] = {}


class Authenticated(Struct, frozen=True):
    """Who the caller is. `audiences` are those that the credential is good for, of those that were asked for.

    `authenticator` says in words which one named the caller; `annotations` are for the audit log, `warnings` for the
    caller.
    """

    user: User
    authenticator: str
    audiences: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


class Failed(Struct, frozen=True):
    """The credential is no good: each of the authenticators that looked at it says why."""

    errors: tuple[str, ...]

    @property
    def message(self) -> str:
        """All of them as one sentence."""
        return aggregated(self.errors)


Outcome = Authenticated | Failed | None
"""None where there was nothing to look at."""


def in_group_of_authenticated(found: Authenticated) -> Authenticated:
    """The caller as a member of the group of all who are authenticated; the anonymous user never is."""
    user = found.user
    if user.username == ANONYMOUS or AUTHENTICATED in user.groups or UNAUTHENTICATED in user.groups:
        return found
    named = User(user.username, (*user.groups, AUTHENTICATED), user.uid, user.extra)
    return Authenticated(named, found.authenticator, found.audiences, found.annotations, found.warnings)


def for_audiences(found: Outcome, own: Sequence[str], wanted: Sequence[str]) -> Outcome:
    """What an authenticator that knows no audiences has found: good for the server's own, of those that are wanted."""
    if not isinstance(found, Authenticated) or not wanted:
        return found
    good_for = tuple(each for each in own if each in wanted)
    return structs.replace(found, audiences=good_for) if good_for else None
