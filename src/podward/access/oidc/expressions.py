"""The expressions in CEL about claims and users, compiled once.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/cel and plugin/pkg/authenticator/token/oidc. `claims`
are all claims of the token, `user` is whom they name. Empty strings and lists are as if they were not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podward.access.oidc.issuer import Issuer, Rule
    from podward.api.caller import User
    from podward.schema.cel.environment import Expression
    from podward.schema.cel.source import Fields

_USER: Fields = {"username": None, "groups": None, "uid": None, "extra": None}
_LIST = "expression must return a string or a list of strings"


class Unmet(Exception):  # noqa: N818 - it is no error of the program, and never leaves this room
    """The token names nobody, and this is why."""


class ClaimExpressions:
    """The expressions of one issuer."""

    def __init__(self, issuer: Issuer) -> None:
        """Raises ValueError for an expression that is none."""
        self._username = _of_claims(issuer.username.expression)
        self._groups = _of_claims(issuer.groups.expression)
        self._uid = _of_claims(issuer.uid.expression)
        self._extra = [(key, _of_claims(text)) for key, text in issuer.extra]
        self._claim_rules = [(rule, _condition("claims", rule)) for rule in issuer.claim_rules]
        self._user_rules = [(rule, _condition("user", rule)) for rule in issuer.user_rules]

    def username(self, claims: Mapping[str, object]) -> str:
        """The user's name. Raises Unmet where there is none."""
        found = _text(self._username, claims, "username claim")
        if not found:
            raise Unmet("empty username via CEL expression is not allowed")
        return found

    def groups(self, claims: Mapping[str, object]) -> tuple[str, ...]:
        """The user's groups."""
        return _texts(self._groups, claims, "error evaluating group claim expression")

    def uid(self, claims: Mapping[str, object]) -> str:
        """The user's uid; empty where there is no expression for it."""
        return _text(self._uid, claims, "uid claim") if self._uid is not None else ""

    def more(self, claims: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
        """What else is known of the user."""
        found: dict[str, tuple[str, ...]] = {}
        for key, expression in self._extra:
            text = expression.text if expression is not None else ""
            values = _texts(expression, claims, f"error evaluating extra claim expression: {text}")
            if values:
                found[key] = values
        return found

    def require_claims(self, claims: Mapping[str, object]) -> None:
        """Raise Unmet where a rule about the claims does not hold."""
        _require(self._claim_rules, "claims", claims, "error evaluating claim validation expression")

    def require_user(self, user: User) -> None:
        """Raise Unmet where a rule about the user does not hold."""
        if not self._user_rules:
            return
        extra = {key: list(values) for key, values in user.extra.items()}
        of = {"username": user.username, "uid": user.uid, "groups": list(user.groups), "extra": extra}
        _require(self._user_rules, "user", of, "error evaluating user info validation rule")


def fault_of(text: str, variable: str, *, condition: bool) -> str:
    """Why this is no expression about claims or about a user; empty where it is one."""
    found = _compiled(text, variable)
    if isinstance(found, str):
        return found
    return "must evaluate to bool" if condition and found.yields != "bool" else ""


def _of_claims(text: str) -> Expression | None:
    return _sound(text, "claims") if text else None


def _condition(variable: str, rule: Rule) -> Expression:
    return _sound(rule.expression, variable)


def _sound(text: str, variable: str) -> Expression:
    found = _compiled(text, variable)
    if isinstance(found, str):
        raise ValueError(found)  # noqa: TRY004 - it is a value that means nothing
    return found


def _compiled(text: str, variable: str) -> Expression | str:
    from podward.schema.cel.environment import Environment, Uncompilable  # it takes its time, and few servers need it

    if variable == "claims":
        environment = Environment({"claims": "dyn"})
    else:
        environment = Environment({"user": "dyn"}, {"user": _USER})
    found = environment.compile(text)
    return found.reason if isinstance(found, Uncompilable) else found


def _evaluated(expression: Expression, variable: str, value: Mapping[str, object], doing: str) -> object:
    from podward.schema.cel.environment import Failed

    given = aliased(value) if "__" in expression.text else value
    found = expression.evaluate({variable: given})
    if isinstance(found, Failed):
        raise Unmet(f"{doing}: expression '{expression.text}' resulted in error: {found.reason}")
    return found


def _text(expression: Expression | None, claims: Mapping[str, object], what: str) -> str:
    if expression is None:
        return ""
    doing = f"error evaluating {what} expression"
    found = _evaluated(expression, "claims", claims, doing)
    if not isinstance(found, str):
        raise Unmet(f"{doing}: {what} expression must return a string")
    return found


def _texts(expression: Expression | None, claims: Mapping[str, object], doing: str) -> tuple[str, ...]:
    if expression is None:
        return ()
    found = _evaluated(expression, "claims", claims, doing)
    if found is None:
        return ()
    values = found if isinstance(found, list) else [found]
    texts = tuple(each for each in values if isinstance(each, str))
    if len(texts) != len(values):
        raise Unmet(f"{doing}: {_LIST}")
    return tuple(text for text in texts if text)


def _require(rules: Sequence[tuple[Rule, Expression]], variable: str, value: Mapping[str, object], doing: str) -> None:
    """All are evaluated before any decides."""
    for (rule, _), found in [(each, _evaluated(each[1], variable, value, doing)) for each in rules]:
        if not isinstance(found, bool):
            raise Unmet(f"{doing}: validation expression must return a boolean")
        if not found:
            raise Unmet(f"{doing}: validation expression '{rule.expression}' failed: {rule.message}")


def aliased(value: object) -> object:
    """The value where names that are no identifiers are there as identifiers, too: `a.b` as `a__dot__b`."""
    from podward.schema.custom_objects.rule_types import escaped

    if isinstance(value, list):
        return [aliased(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: aliased(each) for name, each in value.items()}
    return {escaped(name): each for name, each in found.items()} | found
