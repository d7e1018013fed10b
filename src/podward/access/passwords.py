"""HTTP basic: who has which password.

Specification: RFC 7617; k8s.io/apiserver of former releases, plugin/pkg/authenticator/password/passwordfile and
request/basicauth. A record is a password, a user's name, its uid and perhaps its groups, which share one field, with
commas between them; of two with the same name the last one counts. Only digests of passwords are kept, and looking
takes as long whoever asks, whether there is such a user or not. A record without a password or a name is passed over:
there it would have been a user whom everybody is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from podward.access.authentication import Authenticated, Failed, Outcome
from podward.access.csv_records import records_of
from podward.api.caller import User
from podward.errors import InputError

INVALID_PASSWORD = "invalid username/password combination"  # noqa: S105 - a sentence
_LEAST, _WITH_GROUPS = 3, 4
_NOBODY = (User(), 0, b"\0" * 32)


class Passwords:
    """The passwords of one file. `warnings` tell what was passed over, without any password in them."""

    __slots__ = ("_name", "_users", "warnings")

    def __init__(self, text: str, name: str) -> None:
        """Read the file's text. Raises InputError for what is no such file."""
        self._name = name
        self._users: dict[str, tuple[User, int, bytes]] = {}
        warnings = []
        for number, record in enumerate(records_of(text, name), 1):
            if len(record) < _LEAST:
                columns = "must have at least 3 columns (password, user name, user uid)"
                raise InputError(
                    f"password file '{name}' {columns}, found {len(record)}",
                    where=name,
                    advice='write one record a line: password,name,uid,"group,group"',
                )
            where = f"in password file '{name}', record number '{number}'"
            if not record[0] or not record[1]:
                warnings.append(f"empty {'user name' if record[0] else 'password'} has been found {where}")
                continue
            if record[1] in self._users:
                warnings.append(f"duplicate username '{record[1]}' has been found {where}")
            groups = tuple(record[3].split(",")) if len(record) >= _WITH_GROUPS and record[3] else ()
            self._users[record[1]] = User(record[1], groups, record[2]), number, _digest(record[0])
        self.warnings = tuple(warnings)

    def authenticate(self, authorization: str) -> Outcome:
        """Whose name and password are in the header; None where it is none of HTTP basic."""
        found = _credentials(authorization)
        if found is None:
            return None
        name, password = found
        user, number, digest = self._users.get(name, _NOBODY)
        if not hmac.compare_digest(digest, _digest(password)) or not number:
            return Failed((INVALID_PASSWORD,))
        return Authenticated(user, f"password file {self._name}, record {number}")


def _credentials(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon else None


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogateescape")).digest()
