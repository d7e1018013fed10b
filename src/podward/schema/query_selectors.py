"""Selectors in queries: by labels and by fields.

Specification: Kubernetes, k8s.io/apimachinery, pkg/labels and pkg/fields: their grammar, and the errors of their
parsers. A selector that cannot be read is a sentence, not an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from podward.api.gotext import quote
from podward.schema.validation.labels import key_faults, value_faults

_TOKEN = re.compile(r"\s*(?:(==|!=|[=!(),<>])|([^=!(),<>\s]+))?")
_BINARY = {"in": "in", "=": "in", "==": "in", ">": ">", "<": "<", "notin": "notin", "!=": "notin"}
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_NOT, _COMMA, _OPEN = "!", ",", "("
_WORDS = frozenset(("in", "notin"))


class Requirement(Struct, frozen=True):
    """What a label must be. `operator`: in, notin, exists, absent, > or <."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet it."""
        value = labels.get(self.key)
        if self.operator == "in":
            return value is not None and value in self.values
        if self.operator == "notin":
            return value is None or value not in self.values
        if self.operator in {"exists", "absent"}:
            return (value is not None) == (self.operator == "exists")
        number, bound = _integer(value), _integer(next(iter(self.values), None))
        if number is None or bound is None:
            return False
        return number > bound if self.operator == ">" else number < bound


class LabelSelector(Struct, frozen=True):
    """All of these requirements. Without any, everything is selected."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)


class FieldTerm(Struct, frozen=True):
    """A field that must have, or must not have, a value."""

    field: str
    value: str
    equal: bool


class FieldSelector(Struct, frozen=True):
    """All of these terms. Without any, everything is selected."""

    terms: tuple[FieldTerm, ...] = ()

    def exact(self, field: str) -> str | None:
        """The one value that the field must have."""
        return next((term.value for term in self.terms if term.field == field and term.equal), None)

    def matches(self, value_of: Callable[[str], str]) -> bool:
        """Whether an object is selected whose fields are these."""
        return all((value_of(term.field) == term.value) == term.equal for term in self.terms)


EVERYTHING = LabelSelector()
EVERY_FIELD = FieldSelector()


def parse_labels(text: str) -> LabelSelector | str:
    """The selector, or why it is none."""
    return _Parser(text).selector() if text else EVERYTHING


def parse_fields(text: str) -> FieldSelector | str:
    """The selector, or why it is none."""
    if not text:
        return EVERY_FIELD
    terms = []
    for part in sorted(_field_terms(text)):
        if not part:
            continue
        found = re.search("!=|==|=", part)
        if found is None:
            return f"invalid selector: '{text}'; can't understand '{part}'"
        value = _unescaped(part[found.end() :])
        if isinstance(value, _Fault):
            return value.sentence
        terms.append(FieldTerm(part[: found.start()], value, found.group() != "!="))
    return FieldSelector(tuple(terms))


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[+-]?[0-9]{1,19}", text) else None


def _field_terms(text: str) -> list[str]:
    """The terms between commas that no backslash stands before."""
    terms, start, escaped = [], 0, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == ",":
            terms.append(text[start:index])
            start = index + 1
    return [*terms, text[start:]]


class _Fault(Struct, frozen=True):
    """Why a text could not be read."""

    sentence: str


def _unescaped(text: str) -> str | _Fault:
    plain, escaped = [], False
    for char in text:
        if escaped:
            if char not in "\\,=":
                return _Fault(f"invalid field selector: invalid escape sequence: \\{char}")
            plain.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in ",=":
            return _Fault(f"invalid field selector: unescaped character in value: {ord(char)}")
        else:
            plain.append(char)
    return _Fault("invalid field selector: invalid escape sequence: \\") if escaped else "".join(plain)


class _Parser:
    """A reader of label selectors; every method that can fail returns a `_Fault` then."""

    def __init__(self, text: str) -> None:
        self._tokens = [token for match in _TOKEN.finditer(text) if (token := match.group(1) or match.group(2))]
        self._at = 0

    def selector(self) -> LabelSelector | str:
        """The whole text."""
        requirements: list[Requirement] = []
        while (token := self._look()) != "":
            if token != _NOT and not _identifier(token):
                return f"found '{token}', expected: !, identifier, or 'end of string'"
            found = self._requirement()
            if isinstance(found, _Fault):
                return f"unable to parse requirement: {found.sentence}"
            requirements.append(found)
            after = self._take()
            if after == "":
                break
            if after != ",":
                return f"found '{after}', expected: ',' or 'end of string'"
            following = self._look()
            if following != "!" and not _identifier(following):
                return f"found '{following}', expected: identifier after ','"
        return LabelSelector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))

    def _look(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._look()
        self._at += 1
        return token

    def _requirement(self) -> Requirement | _Fault:
        key = self._take()
        absent = key == "!"
        if absent:
            key = self._take()
        if not _identifier(key):
            return _Fault(f"found '{key}', expected: identifier")
        if faults := key_faults(key):
            return _Fault(f"<nil>: Invalid value: {quote(key)}: {'; '.join(faults)}")
        if absent or self._look() in {"", ","}:
            return Requirement(key, "absent" if absent else "exists")
        word = self._take()
        if word not in _BINARY:
            return _Fault(f"found '{word}', expected: {_OPERATORS}")
        values = self._values() if word in _WORDS else self._exact()
        if isinstance(values, _Fault):
            return values
        return _checked(key, _BINARY[word], values)

    def _exact(self) -> list[str] | _Fault:
        if self._look() in {"", ","}:
            return [""]
        token = self._take()
        return [token] if _identifier(token) else _Fault(f"found '{token}', expected: identifier")

    def _values(self) -> list[str] | _Fault:
        token = self._take()
        if token != _OPEN:
            return _Fault(f"found '{token}' expected: '('")
        first = self._look()
        if first == ")":
            self._take()
            return [""]
        if first != "," and not _identifier(first):
            return _Fault(f"found '{first}', expected: ',', ')' or identifier")
        values = self._list()
        if not isinstance(values, _Fault) and self._take() != ")":
            return _Fault(f"found '{first}', expected: ')'")
        return values

    def _list(self) -> list[str] | _Fault:
        values: list[str] = []
        while True:
            token = self._take()
            if _identifier(token):
                values.append(token)
                if self._look() == ")":
                    return values
                if self._look() != ",":
                    return _Fault(f"found '{self._look()}', expected: ',' or ')'")
            elif token == _COMMA:
                if not values or self._look() in {")", ","}:
                    values.append("")
                if self._look() == ")":
                    return values
            else:
                return _Fault(f"found '{token}', expected: ',', or identifier")


def _identifier(token: str) -> bool:
    return token not in {"", "==", "!=", "=", "!", "(", ")", ",", "<", ">"}


def _checked(key: str, operator: str, values: list[str]) -> Requirement | _Fault:
    """The requirement, if its values are possible ones."""
    faults = []
    once = sorted(set(values))
    if operator in {">", "<"} and _integer(once[0]) is None:
        detail = "for 'Gt', 'Lt' operators, the value must be an integer"
        faults.append(f"values[0]: Invalid value: {quote(once[0])}: {detail}")
    for index, value in enumerate(once):
        if wrong := value_faults(value):
            faults.append(f"values[{index}][{key}]: Invalid value: {quote(value)}: {'; '.join(wrong)}")
    if faults:
        return _Fault(faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]")
    return Requirement(key, operator, frozenset(once))
