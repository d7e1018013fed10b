"""One check of `podward doctor`."""

from __future__ import annotations

from msgspec import Struct

OK, LIMITED, MISSING = "ok", "limited", "missing"
"""The states: it works; it works in part, or it is only shown and not enforced; it is missing."""


class HealthCheck(Struct, frozen=True, omit_defaults=True):
    """What was checked (`group` and `name`), its state, and what was found.

    Unless the state is OK, `consequence` says what does not work, and `remedy` what to do. `required` is whether no Pod
    can run without it.
    """

    group: str
    name: str
    state: str
    found: str = ""
    consequence: str = ""
    remedy: str = ""
    required: bool = False


def health_check(
    where: tuple[str, str], state: str, found: str, otherwise: tuple[str, str] = ("", ""), *, required: bool = False
) -> HealthCheck:
    """Make a check; `where` is its group and name, `otherwise` its consequence and remedy if it is not OK."""
    consequence, remedy = ("", "") if state == OK else otherwise
    return HealthCheck(*where, state, found, consequence, remedy, required)
