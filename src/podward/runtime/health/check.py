"""One line of `podward doctor`."""

from __future__ import annotations

from msgspec import Struct

OK, LIMITED, MISSING = "ok", "limited", "missing"
"""It works; it works in part, or is carried and not enforced; it is not there."""


class Check(Struct, frozen=True, omit_defaults=True):
    """What was looked at, its state, what was found, and for anything but OK what follows and what to do.

    `required`: without it no Pod can run here.
    """

    group: str
    name: str
    state: str
    found: str = ""
    consequence: str = ""
    remedy: str = ""
    required: bool = False


def check(
    where: tuple[str, str], state: str, found: str, otherwise: tuple[str, str] = ("", ""), *, required: bool = False
) -> Check:
    """A check; `where` is its group and name, `otherwise` the consequence and remedy, which an OK one leaves out."""
    consequence, remedy = ("", "") if state == OK else otherwise
    return Check(*where, state, found, consequence, remedy, required)
