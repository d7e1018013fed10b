"""The expressions of admission: of policies, of match conditions of webhooks.

Specification: k8s.io/apiserver pkg/admission/plugin/cel compile.go and composition.go: `object` and `oldObject` (null
where there is none), `request`, `namespaceObject`, `params` where there are some, `authorizer`, and `variables`, each
of which may speak of those before it. A variable is what its expression says wherever it is spoken of, so that one that
fails fails only where it is needed.
"""

from __future__ import annotations

from functools import lru_cache

from podward.schema.cel import source
from podward.schema.cel.environment import Environment, Expression, Uncompilable
from podward.schema.cel.source import Fields

_GROUP_VERSION: Fields = {"group": None, "version": None}
_KIND: Fields = {**_GROUP_VERSION, "kind": None}
_RESOURCE: Fields = {**_GROUP_VERSION, "resource": None}
_REQUEST: Fields = {
    "kind": _KIND,
    "resource": _RESOURCE,
    "subResource": None,
    "requestKind": _KIND,
    "requestResource": _RESOURCE,
    "requestSubResource": None,
    "name": None,
    "namespace": None,
    "operation": None,
    "userInfo": dict.fromkeys(("username", "uid", "groups", "extra")),
    "dryRun": None,
    "options": None,
}
_METADATA = (
    "name", "generateName", "namespace", "labels", "annotations", "UID", "creationTimestamp",
    "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "resourceVersion", "finalizers",
)  # fmt: skip
_NAMESPACE: Fields = {
    "metadata": dict.fromkeys(_METADATA),
    "spec": {"finalizers": None},
    "status": {"conditions": None, "phase": None},
}
_LONGEST = 100_000  # characters of an expression with what its variables stand for: more is not compiled anyway

BOOL = ("bool",)
STRING = ("string",)
STRING_OR_NULL = ("string", "null_type")
ANY: tuple[str, ...] = ()


class AdmissionScope:
    """What the expressions of one policy may speak of. `define` adds a variable for those that come after it."""

    def __init__(self, *, params: bool, composed: bool = False) -> None:
        """`params`: whether there are some. `composed`: whether there are variables at all."""
        self._params = params
        self._composed = composed
        self._variables: dict[str, str] = {}

    def define(self, name: str, expression: str) -> Uncompilable | None:
        """Define a variable; why it cannot be, if so."""
        found = self.compile(expression, ANY)
        if isinstance(found, Uncompilable):
            return found
        self._variables[name] = self._inlined(expression)
        return None

    def compile(self, text: str, yields: tuple[str, ...], *, authorizer: bool = True) -> Expression | Uncompilable:
        """The expression, which must have one of these types."""
        inlined = self._inlined(text)
        if len(inlined) > _LONGEST:
            return Uncompilable(f"compilation failed: the variables of the expression are more than {_LONGEST} long")
        fields: Fields = {"variables": dict.fromkeys(self._variables)} if self._composed else {}
        found = _environment(self._params, authorizer, self._composed).compile(text, inlined, fields)
        if isinstance(found, Uncompilable) or not yields or found.yields in yields:
            return found
        if len(yields) == 1:
            return Uncompilable(f"must evaluate to {yields[0]} but got {found.yields}")
        return Uncompilable(f"must evaluate to one of [{' '.join(yields)}] but got {found.yields}")

    def _inlined(self, text: str) -> str:
        return source.inlined(text, "variables", self._variables) if self._variables else text


@lru_cache(8)
def _environment(params: bool, authorizer: bool, composed: bool) -> Environment:  # noqa: FBT001 - a key of the cache
    variables = {"object": "dyn", "oldObject": "dyn", "namespaceObject": "dyn", "request": "dyn"}
    if params:
        variables["params"] = "dyn"
    if authorizer:
        variables |= {"authorizer": "Authorizer", "authorizer.requestResource": "ResourceCheck"}
    if composed:
        variables["variables"] = "dyn"
    return Environment(variables, {"request": _REQUEST, "namespaceObject": _NAMESPACE})
