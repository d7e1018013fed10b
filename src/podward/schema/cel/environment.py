"""Compiling expressions, and evaluating them.

Specification: k8s.io/apiserver pkg/cel/environment (CEL with strings, sets, lists, optionals, two-valued comparisons
of numbers, and Kubernetes' own libraries), pkg/admission/plugin/cel; cel-go's texts of what is wrong.

There are two environments behind one: in the first, types such as Quantity are types of their own, which expressions
are held to; in the second, which evaluates, they are bytes (`library`), as the library can't hold other objects. An
optional value must not reach Python, where the library would end the process: an expression with optionals has no
functions that take lists, and yields no lists and maps.

Ours: what takes more than 10,000 steps of comprehensions fails, where Kubernetes counts costs. Two-variable macros
(`all(i, v, …)`) and the formats of `format` are not known: expressions with them don't compile.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from cel_expr_python import cel  # type: ignore[import-untyped]  # it has no types
from cel_expr_python.ext import (  # type: ignore[import-untyped]  # nor have these
    ext_bindings,
    ext_optional,
    ext_strings,
)
from msgspec import Struct

from podward.api.json_value import Json
from podward.schema.cel import library, source
from podward.schema.cel.authorizing import ASKED, Ask
from podward.schema.cel.source import Fields

CelValue: TypeAlias = "Json | bytes | dt.datetime | dt.timedelta | Mapping[str, CelValue] | list[CelValue]"
"""What variables are, and what expressions yield; bytes are also the objects of Kubernetes' libraries."""

BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"


class Uncompilable(Struct, frozen=True):
    """Why a text is no expression of this environment, in the API server's words."""

    reason: str


class Failed(Struct, frozen=True):
    """Why an expression has no value."""

    reason: str


class Expression:
    """A compiled expression; `yields` is its type as CEL prints it, `dyn` where only its evaluation tells."""

    def __init__(self, text: str, yields: str, make: Callable[[], Any]) -> None:
        self.text = text
        self.yields = yields
        self._make = make
        self._program: Any = None
        self._with_optionals = source.has_optionals(text)

    def evaluate(self, variables: Mapping[str, Any], ask: Ask | None = None) -> CelValue | Failed:
        """The value, with these variables; `ask` answers what the expression asks of `authorizer`."""
        before = ASKED.set(ask)
        try:
            if self._program is None:
                self._program = self._make()
            found = self._program.eval(data=variables)
            return self._read(found)
        except Exception as error:  # noqa: BLE001 - whatever the library says of it, there is no value
            return Failed(_translated(str(error)))
        finally:
            ASKED.reset(before)

    def _read(self, found: Any) -> CelValue | Failed:  # noqa: ANN401 - the library's own
        kind = str(found.type())
        if kind == "ERROR":
            return Failed(_translated(str(found.plain_value())))
        if kind in _SCALAR or (not self._with_optionals and kind.startswith(("LIST", "MAP"))):
            value: Any = found.plain_value()
            return bytes(value) if isinstance(value, bytearray) else value
        return Failed(f"unsupported result type: {_type_name(kind)}")


class Environment:
    """What expressions may speak of: variables with the names of their types, and the fields of some of them."""

    def __init__(self, variables: Mapping[str, str], fields: Fields | None = None) -> None:
        self._variables = dict(variables)
        self._fields: Fields = fields or {}

    def compile(self, text: str, inlined: str | None = None, fields: Fields | None = None) -> Expression | Uncompilable:
        """The expression; `inlined` is the same with what its variables stand for, which is evaluated in its place.

        `fields` are those of further variables.
        """
        evaluated = text if inlined is None else inlined
        unsafe = source.has_optionals(evaluated)
        named = tuple(self._variables.items())
        yields = ""
        try:
            for each in dict.fromkeys((text, evaluated)):
                yields = _type_name(str(_checking(named, unsafe).compile(each).return_type()))
        except Exception as error:  # noqa: BLE001 - the library has no exceptions of its own
            return Uncompilable(f"compilation failed: {_compiler_says(str(error), text)}")
        undefined = source.undefined_fields(text, {**self._fields, **(fields or {})})
        if undefined:
            return Uncompilable(f"compilation failed: {undefined}")
        return Expression(evaluated, yields, lambda: _evaluating(named, unsafe).compile(evaluated))


_SCALAR = frozenset(("BOOL", "INT", "UINT", "DOUBLE", "STRING", "BYTES", "NULL", "TIMESTAMP", "DURATION"))
_NAMES = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "type": "type",
}
_CODE = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_UNDECLARED = re.compile(
    r"(ERROR: <input>:\d+:\d+: undeclared reference to '(\w+)\.[\w.]+' \(in container ''\)\n \| [^\n]*\n \| \.*\^)"
)
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r'^Key not found in map : "(.*)"$', re.DOTALL), r"no such key: \1"),
    (re.compile(r"^Key not found in map : (.*)$", re.DOTALL), r"no such key: \1"),
    (re.compile(r"^divide by zero$"), "division by zero"),
    (re.compile(r"^modulus by zero$"), "modulus by zero"),
    (re.compile(r"^No matching overloads? found : \((\w+)\)\.(\w+)\(\)$"), r"no such overload: \2(\1)"),
    (re.compile(r"^No matching overloads? found : \((\w+)\)\.(\w+)\((.*)\)$"), r"no such overload: \2(\1, \3)"),
    (re.compile(r"^No matching overloads? found : (.*)$", re.DOTALL), r"no such overload: \1"),
    (re.compile(r"^Index error: index=(-?\d+) size=\d+$"), r"index out of bounds: \1"),
    (re.compile(r"^Applying SELECT to non-message type$"), "no such overload"),
    (re.compile(r"^Iteration budget exceeded$"), BUDGET),
)


def _translated(text: str) -> str:
    """What the library says of an evaluation, as cel-go says it where both say the same."""
    said = _CODE.sub("", _CODE.sub("", text.strip()))
    for pattern, words in _WORDS:
        if pattern.match(said):
            return pattern.sub(words, said).replace("int64", "int")
    return said


def _compiler_says(said: str, text: str) -> str:
    """Its errors as cel-go says them: of a field of what is not declared, that this is not declared."""
    said = _CODE.sub("", said).strip()
    for whole, root in _UNDECLARED.findall(said):
        said = said.replace(whole, source.undeclared(text, root))
    return said


def _type_name(kind: str) -> str:
    """A type as cel-go prints it: `LIST<INT>` is `list(int)`."""
    printed = re.sub(r"\b[A-Z_]+\b", lambda found: found.group().lower(), kind).replace("<", "(").replace(">", ")")
    return _NAMES.get(printed, printed)


_EXTENSIONS = (ext_strings.ExtStrings, ext_optional.ExtOptional, ext_bindings.ExtBindings)


@lru_cache(64)
def _checking(variables: tuple[tuple[str, str], ...], unsafe: bool) -> Any:  # noqa: ANN401, FBT001 - a key of the cache
    """The environment that knows types."""
    return cel.NewEnv(
        variables={name: library.checked_type(kind) for name, kind in variables},
        extensions=[each() for each in _EXTENSIONS],
        functions=library.declared(without_lists=unsafe),
    )


@lru_cache(64)
def _evaluating(variables: tuple[tuple[str, str], ...], unsafe: bool) -> Any:  # noqa: ANN401, FBT001 - as above
    """The environment that evaluates."""
    return cel.NewEnv(
        variables={name: library.evaluated_type(kind) for name, kind in variables},
        extensions=[each() for each in _EXTENSIONS],
        functions=library.implemented(without_lists=unsafe),
    )
