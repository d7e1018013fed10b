"""The static token file: who bears which token.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/token/tokenfile. A record is a token, a user's name, its
uid and perhaps its groups, which share one field, with commas between them. A record without a token is passed over; of
two with the same token the last one counts. Only digests of tokens are kept, so that looking one up takes as long
however much of it is right.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from podward.access.authentication import Authenticated, Outcome
from podward.access.csv_records import records_of
from podward.api.caller import AUTHENTICATED, User
from podward.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST, _WITH_GROUPS = 3, 4


class StaticTokens:
    """The tokens of one file. `warnings` tell what was passed over, without any token in them."""

    __slots__ = ("_audiences", "_name", "_users", "warnings")

    def __init__(self, text: str, name: str, audiences: Sequence[str] = ()) -> None:
        """Read the file's text. Raises InputError for what is no such file. Tokens are good for these audiences."""
        self._name = name
        self._audiences = tuple(audiences)
        self._users: dict[bytes, tuple[User, int]] = {}
        warnings = []
        for number, record in enumerate(records_of(text, name), 1):
            if len(record) < _LEAST:
                columns = "must have at least 3 columns (token, user name, user uid)"
                raise InputError(
                    f"token file '{name}' {columns}, found {len(record)}",
                    where=name,
                    advice='write one record a line: token,name,uid,"group,group"',
                )
            if not record[0]:
                warnings.append(f"empty token has been found in token file '{name}', record number '{number}'")
                continue
            digest = _digest(record[0])
            if digest in self._users:
                warnings.append(f"duplicate token has been found in token file '{name}', record number '{number}'")
            groups = tuple(record[3].split(",")) if len(record) >= _WITH_GROUPS else ()
            self._users[digest] = User(record[1], groups, record[2]), number
        self.warnings = tuple(warnings)

    def authenticate(self, token: str, audiences: Sequence[str] = ()) -> Outcome:
        """Who bears the token; nobody's, and one that is good for none of the audiences, is left to the others."""
        found = self._users.get(_digest(token))
        good_for = tuple(each for each in self._audiences if each in audiences) if audiences else self._audiences
        if found is None or (audiences and not good_for):
            return None
        user, number = found
        return Authenticated(user, f"static token file {self._name}, record {number}", good_for)

    def record_of(self, user: User) -> str | None:
        """The record that names this user, in words; None where none does."""
        plain = tuple(group for group in user.groups if group != AUTHENTICATED)
        for known, number in self._users.values():
            if (known.username, known.uid, known.groups) == (user.username, user.uid, plain):
                return f"static token file {self._name}, record {number}"
        return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
