"""Who may do what, and why: what `podward explain access` tells, as words and places."""

from __future__ import annotations

from msgspec import Struct


class Cited(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Something that has a say, and where it is written: file and line, where there is a file."""

    what: str
    where: str = ""


class Caller(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Who asks: `authenticator` says in words who named the caller, `acts_for` who it is that acts as him."""

    username: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    authenticator: str = ""
    acts_for: str = ""


class AuthorizerAnswer(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What one authorizer says: allow, deny, no opinion, or `not asked`, as one before it has decided."""

    authorizer: str
    opinion: str
    reason: str = ""
    cited: tuple[Cited, ...] = ()
    near: tuple[Cited, ...] = ()
    """What comes closest to allowing it, where nothing does."""


class ActingPlugin(Struct, frozen=True, rename="camel"):
    """An admission plugin that looks at the request, and whether it may change the object."""

    plugin: str
    phase: str


class Recorded(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the audit log says came of it."""

    where: str
    decision: str = ""
    reason: str = ""
    code: int = 0
    agrees: bool = True
    """Whether the same would be decided now, by what is known here."""


class AccessExplanation(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The whole answer. `decided_by` is the authorizer that decided, empty where none did."""

    caller: Caller
    asked: str
    allowed: bool
    decided_by: str
    authorizers: tuple[AuthorizerAnswer, ...]
    admission: tuple[ActingPlugin, ...] = ()
    recorded: Recorded | None = None
    remedies: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
