"""Compiling expressions, and evaluating them.

Specification: k8s.io/apiserver pkg/cel/environment (CEL with strings, sets, lists, optionals, two-valued comparisons
of numbers, and Kubernetes' own libraries), pkg/admission/plugin/cel; cel-go's texts of what is wrong.

There are two environments behind one: in the first, types such as Quantity are types of their own, which expressions
are held to; in the second, which evaluates, they are bytes (`library`), as the library can't hold other objects. An
optional value must not reach Python, where the library would end the process: an expression with optionals has no
functions that take lists, and what it yields is read one value after the other.

Ours: what takes more than 10,000 steps of comprehensions fails, and so does what yields a text of over 8 MB or might
go through too much text (`volume`), where Kubernetes counts costs. Two-variable macros (`all(i, v, …)`) and the formats
of `format` are not known: expressions with them don't compile.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from msgspec import Struct, structs

from podward.api.json_value import Json
from podward.schema.cel import complaints, literals, source
from podward.schema.cel.authorizing import ASKED, Ask
from podward.schema.cel.source import Fields
from podward.schema.cel.volume import Volume

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
    """A compiled expression; `yields` is its type as CEL prints it, `dyn` where only its evaluation tells.

    `kind` is the same as the library has it.
    """

    def __init__(self, text: str, yields: str, make: Callable[[], Any], kind: Any = None) -> None:  # noqa: ANN401
        self.text = text
        self.yields = yields
        self.kind = kind
        self._make = make
        self._program: Any = None
        self._with_optionals = source.has_optionals(text)
        self._volume = Volume.of(text)

    def evaluate(self, variables: Mapping[str, Any], ask: Ask | None = None) -> CelValue | Failed:
        """The value, with these variables; `ask` answers what the expression asks of `authorizer`."""
        if self._volume.is_too_large(variables):
            return Failed(BUDGET)
        before = ASKED.set(ask)
        try:
            if self._program is None:
                self._program = self._make()
            found = self._program.eval(data=variables)
            return self._read(found, variables)
        except Exception as error:  # noqa: BLE001 - whatever the library says of it, there is no value
            return self._failed(str(error), variables)
        finally:
            ASKED.reset(before)

    def _failed(self, said: str, variables: Mapping[str, Any]) -> Failed:
        """Why there is no value. What is asked of a variable that is null is a key that it has not."""
        if _SELECTED_OF_NOTHING in said:
            missed = source.first_under(self.text, [name for name, value in variables.items() if value is None])
            if missed:
                return Failed(f"no such key: {missed}")
        return Failed(_translated(said))

    def _read(self, found: Any, variables: Mapping[str, Any]) -> CelValue | Failed:  # noqa: ANN401 - the library's own
        kind = str(found.type())
        if kind == "ERROR":
            return self._failed(str(found.plain_value()), variables)
        if self._with_optionals and kind.startswith(_CONTAINERS):
            walked: CelValue = _walked(found)
            return walked
        if kind in _SCALAR or kind.startswith(_CONTAINERS):
            value: Any = found.plain_value()
            if isinstance(value, (str, bytes)) and len(value) > _LONGEST:
                return Failed(BUDGET)
            return bytes(value) if isinstance(value, bytearray) else value
        return Failed(f"unsupported result type: {_type_name(kind)}")


def _walked(found: Any) -> Any:  # noqa: ANN401 - the library's own
    """A list or map that may hold optional values, which are not read: there is no value then."""
    kind = str(found.type())
    if kind.startswith("MAP"):
        return {key: _walked(value) for key, value in found.value().items()}
    if kind.startswith("LIST"):
        return [_walked(value) for value in found.value()]
    if kind not in _SCALAR:
        raise ValueError(f"unsupported result type: {_type_name(kind)}")
    return found.plain_value()


class Environment:
    """What expressions may speak of: variables with the names of their types, and the fields of some of them.

    `typed` are variables as the compiler alone sees them, `request.name` beside `request`: with the names of their
    types, or with types of the library's.
    """

    def __init__(
        self, variables: Mapping[str, str], fields: Fields | None = None, typed: Mapping[str, Any] | None = None
    ) -> None:
        self._variables = dict(variables)
        self._fields: Fields = fields or {}
        self._typed = dict(typed) if typed is not None else dict(_typed_fields(self._fields))
        self._roots = frozenset(name.partition(".")[0] for name in self._typed)
        self._checkers: dict[tuple[bool, frozenset[str]], Any] = {}

    def with_variables(self) -> Environment:
        """The same with `variables`, which has no fields yet."""
        return Environment({**self._variables, "variables": "dyn"}, {**self._fields, "variables": {}}, self._typed)

    def with_field(self, root: str, name: str, yields: Any = None) -> Environment:  # noqa: ANN401 - the library's own
        """The same where the object `root` has one more field, of the type that an expression yields."""
        of = self._fields.get(root)
        fields: Fields = {**self._fields, root: {**(of if isinstance(of, Mapping) else {}), name: None}}
        known = yields is not None and "optional" not in str(yields).lower()
        return Environment(self._variables, fields, {**self._typed, **({f"{root}.{name}": yields} if known else {})})

    def compile(self, text: str, inlined: str | None = None) -> Expression | Uncompilable:
        """The expression; `inlined` is what is evaluated in its place, where that is not the text itself."""
        made = literals.without(text, self._roots)
        return self._compiled(text, made if inlined is None else structs.replace(made, evaluated=inlined))

    def compile_with_objects(self, text: str, inlined: str | None = None) -> Expression | Uncompilable:
        """An expression that may make objects: `Object.spec{replicas: 1}`, `JSONPatch{op: "add"}`."""
        found = literals.read(text, self._roots)
        evaluated = found if inlined is None else literals.read(inlined, self._roots)
        if isinstance(found, str) or isinstance(evaluated, str):
            return Uncompilable(f"compilation failed: {found}")
        return self._compiled(text, structs.replace(found, evaluated=evaluated.evaluated))

    def _compiled(self, text: str, made: literals.Literals) -> Expression | Uncompilable:
        evaluated = made.evaluated
        unsafe = source.has_optionals(made.checked) or source.has_optionals(evaluated)
        try:
            kind = self._checker(made.names, unsafe=unsafe).compile(made.checked).return_type()
        except Exception as error:  # noqa: BLE001 - the library has no exceptions of its own
            return Uncompilable(
                f"compilation failed: {complaints.as_told(str(error), text, made.checked, made.original)}"
            )
        undefined = source.undefined_fields(text, self._fields)
        if undefined:
            return Uncompilable(f"compilation failed: {undefined}")
        named = tuple(self._variables.items())
        return Expression(evaluated, _type_name(str(kind)), lambda: _evaluating(named, unsafe).compile(evaluated), kind)

    def _checker(self, names: frozenset[str], *, unsafe: bool) -> Any:  # noqa: ANN401 - the library's own
        found = self._checkers.get((unsafe, names))
        if found is None:
            from podward.schema.cel import engine

            typed = {**self._variables, **self._typed}
            found = self._checkers[unsafe, names] = engine.checker(typed, names, unsafe=unsafe)
        return found


def _typed_fields(fields: Fields, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The fields whose types are known, under their whole names, with the names of these."""
    for name, of in fields.items():
        if isinstance(of, str):
            yield prefix + name, of
        elif of is not None:
            yield from _typed_fields(of, f"{prefix}{name}.")


_CONTAINERS = ("LIST", "MAP")
_LONGEST = 8 << 20
_SCALAR = frozenset(("BOOL", "INT", "UINT", "DOUBLE", "STRING", "BYTES", "NULL", "TIMESTAMP", "DURATION"))
_NAMES = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "type": "type",
}
_SELECTED_OF_NOTHING = "Applying SELECT to non-message type"
_CODE = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r'^Key not found in map : "(.*)"$', re.DOTALL), r"no such key: \1"),
    (re.compile(r"^Key not found in map : (.*)$", re.DOTALL), r"no such key: \1"),
    (re.compile(r"^divide by zero$"), "division by zero"),
    (re.compile(r"^modulus by zero$"), "modulus by zero"),
    (re.compile(r"^No matching overloads? found : .*$", re.DOTALL), "no such overload"),
    (re.compile(r"^cannot convert (\w+) to (\w+)$"), r"type conversion error from '\1' to '\2'"),
    (re.compile(rf"^{_SELECTED_OF_NOTHING}$"), "no such overload"),
    (re.compile(r"^Iteration budget exceeded$"), BUDGET),
    (re.compile(r"^Index error: index=(-?\d+) size=\d+$"), r"index out of bounds: \1"),
)


def _translated(text: str) -> str:
    """What the library says of an evaluation, as cel-go says it where both say the same."""
    said = _CODE.sub("", _CODE.sub("", text.strip()))
    for pattern, words in _WORDS:
        if pattern.match(said):
            return pattern.sub(words, said).replace("int64", "int")
    return said


def _type_name(kind: str) -> str:
    """A type as cel-go prints it: `LIST<INT>` is `list(int)`."""
    printed = re.sub(r"\b[A-Z_]+\b", lambda found: found.group().lower(), kind).replace("<", "(").replace(">", ")")
    return _NAMES.get(printed, printed)


@lru_cache(64)
def _evaluating(variables: tuple[tuple[str, str], ...], unsafe: bool) -> Any:  # noqa: ANN401, FBT001 - as above
    """The environment that evaluates."""
    from podward.schema.cel import engine

    return engine.evaluator(dict(variables), unsafe=unsafe)
