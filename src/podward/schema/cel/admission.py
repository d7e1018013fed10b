"""The expressions of admission: of policies, of match conditions of webhooks.

    scope = AdmissionScope(params=False, composed=True)
    scope.define("name", "object.metadata.name")              # why it cannot be, or None
    expression = scope.compile("variables.name != 'x'", BOOL)  # an Expression, or Uncompilable

Specification: k8s.io/apiserver pkg/admission/plugin/cel compile.go and composition.go: `object` and `oldObject` (null
where there is none), `request`, `namespaceObject`, `params` where there are some, `authorizer`, and `variables`, each
of which may speak of those before it. A variable is evaluated when an expression speaks of it, and one that fails fails
only where it is needed. Values of variables are kept in the `variables` of what expressions are evaluated with.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from podward.schema.cel import source
from podward.schema.cel.authorizing import Ask
from podward.schema.cel.environment import BUDGET, CelValue, Environment, Expression, Failed, Uncompilable
from podward.schema.cel.source import Fields

_KIND: Fields = {"group": "string", "version": "string", "kind": "string"}
_RESOURCE: Fields = {"group": "string", "version": "string", "resource": "string"}
_USER: Fields = {
    "username": "string", "uid": "string", "groups": "list(string)", "extra": "map(string, list(string))",
}  # fmt: skip
_REQUEST: Fields = {
    "kind": _KIND, "resource": _RESOURCE, "subResource": "string", "requestKind": _KIND, "requestResource": _RESOURCE,
    "requestSubResource": "string", "name": "string", "namespace": "string", "operation": "string", "userInfo": _USER,
    "dryRun": "bool", "options": None,
}  # fmt: skip
_METADATA: Fields = {
    "name": "string", "generateName": "string", "namespace": "string", "labels": "map(string, string)",
    "annotations": "map(string, string)", "UID": "string", "creationTimestamp": "timestamp",
    "deletionGracePeriodSeconds": "int", "deletionTimestamp": "timestamp", "generation": "int",
    "resourceVersion": "string", "finalizers": "list(string)",
}  # fmt: skip
_NAMESPACE: Fields = {
    "metadata": _METADATA, "spec": {"finalizers": "list(string)"}, "status": {"conditions": "list", "phase": "string"},
}  # fmt: skip
_LONGEST = 100_000  # characters of an expression with what is put into it: more is not compiled anyway
_NO_SUCH_KEY = "no such key: "

BOOL = ("bool",)
STRING = ("string",)
STRING_OR_NULL = ("string", "null_type")
OBJECT = ("Object",)
PATCHES = ("list(JSONPatch)",)
ANY: tuple[str, ...] = ()


class AdmissionScope:
    """What the expressions of one policy may speak of. `define` adds a variable for those that come after it."""

    def __init__(self, *, params: bool, composed: bool = False) -> None:
        """`params`: whether there are some. `composed`: whether there are variables at all."""
        known = {authorizer: _environment(params, authorizer) for authorizer in (False, True)}
        if composed:
            known = {authorizer: each.with_variables() for authorizer, each in known.items()}
        self._environments = known
        self._variables: dict[str, Expression | Uncompilable] = {}
        self._inlined: dict[str, str] = {}

    def define(self, name: str, expression: str) -> Uncompilable | None:
        """Define a variable; why it cannot be, if so. What speaks of one that cannot be fails."""
        found = self.compile(expression, ANY)
        kind = found.kind if isinstance(found, Expression) else None
        if isinstance(found, Expression) and "optional" in str(kind).lower():  # no such value can be handed on
            self._inlined[name] = found.text
        self._environments = {
            which: known.with_field("variables", name, kind) for which, known in self._environments.items()
        }
        self._variables[name] = found
        return found if isinstance(found, Uncompilable) else None

    def compile(self, text: str, yields: tuple[str, ...], *, authorizer: bool = True) -> Expression | Uncompilable:
        """The expression, which must have one of these types; objects can be made where one is wanted."""
        evaluated = source.inlined(text, "variables", self._inlined) if self._inlined else text
        if len(evaluated) > _LONGEST:
            return Uncompilable(f"compilation failed: the expression with its variables is more than {_LONGEST} long")
        known = self._environments[authorizer]
        compile_it = known.compile_with_objects if yields in {OBJECT, PATCHES} else known.compile
        found = compile_it(text, evaluated)
        if isinstance(found, Expression) and yields and found.yields not in yields:
            wanted = yields[0] if len(yields) == 1 else f"one of [{' '.join(yields)}]"
            return Uncompilable(f"must evaluate to {wanted} but got {found.yields}")
        if isinstance(found, Uncompilable):
            return found
        names = source.names_under(evaluated, "variables") & self._variables.keys()
        return Composed(found, names, self._needed(names)) if names else found

    def _needed(self, names: frozenset[str]) -> dict[str, Expression | Uncompilable]:
        """These variables with those that they speak of, in the order of their definitions."""
        wanted = set(names)
        for name in names:
            of = self._variables[name]
            if isinstance(of, Composed):
                wanted |= of.needed
        return {name: of for name, of in self._variables.items() if name in wanted}


class Composed(Expression):
    """An expression that speaks of variables: `variables` are those and what these speak of, in their order."""

    def __init__(
        self, of: Expression, names: frozenset[str], variables: Mapping[str, Expression | Uncompilable]
    ) -> None:
        super().__init__(of.text, of.yields, lambda: None, of.kind)
        self._of = of
        self._names = names
        self._variables = variables
        self.needed = frozenset(variables)

    def evaluate(self, variables: Mapping[str, Any], ask: Ask | None = None) -> CelValue | Failed:
        """The value; what variables are is kept in the `variables` of these."""
        known: dict[str, CelValue | Failed] = variables["variables"]
        for name, expression in self._variables.items():
            if name not in known:
                known[name] = _value(expression, variables, known, ask)
        return self.with_known(variables, known, ask)

    def with_known(
        self, variables: Mapping[str, Any], known: Mapping[str, CelValue | Failed], ask: Ask | None
    ) -> CelValue | Failed:
        """The value, where all variables are known."""
        there = {name: known[name] for name in self._names if not isinstance(known[name], Failed)}
        found = self._of.evaluate({**variables, "variables": there}, ask)
        if not isinstance(found, Failed) or not found.reason.startswith(_NO_SUCH_KEY):
            return found
        name = found.reason.removeprefix(_NO_SUCH_KEY)
        why = known.get(name) if name in self._names else None
        if not isinstance(why, Failed) or why.reason == BUDGET:
            return why if isinstance(why, Failed) else found
        verb = "compile" if isinstance(self._variables[name], Uncompilable) else "evaluate"
        return Failed(f'composited variable "{name}" fails to {verb}: {why.reason}')


def _value(
    of: Expression | Uncompilable,
    variables: Mapping[str, Any],
    known: Mapping[str, CelValue | Failed],
    ask: Ask | None,
) -> CelValue | Failed:
    if isinstance(of, Uncompilable):
        return Failed(of.reason)
    return of.with_known(variables, known, ask) if isinstance(of, Composed) else of.evaluate(variables, ask)


@lru_cache(4)
def _environment(params: bool, authorizer: bool) -> Environment:  # noqa: FBT001 - a key of the cache
    variables = {"object": "dyn", "oldObject": "dyn", "namespaceObject": "dyn", "request": "dyn"}
    if params:
        variables["params"] = "dyn"
    if authorizer:
        variables |= {"authorizer": "Authorizer", "authorizer.requestResource": "ResourceCheck"}
    return Environment(variables, {"request": _REQUEST, "namespaceObject": _NAMESPACE})
