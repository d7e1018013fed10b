"""Requests that nobody is named by: anonymous, or not authenticated.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/request/anonymous: the user `system:anonymous` in the
group `system:unauthenticated`; with conditions only on the paths that they name, to the letter.
"""

from __future__ import annotations

from msgspec import Struct

from podward.access.authentication import Authenticated
from podward.api.caller import NOBODY


class AnonymousAccess(Struct, frozen=True):
    """Whether there are anonymous requests; with `paths`, only to these."""

    enabled: bool = True
    paths: frozenset[str] = frozenset()

    def authenticate(self, path: str) -> Authenticated | None:
        """The anonymous user, where the path may be asked for by it."""
        if not self.enabled or (self.paths and path not in self.paths):
            return None
        return Authenticated(NOBODY, "anonymous requests")
