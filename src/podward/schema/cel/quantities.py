"""Quantities in CEL: `quantity("1Gi").isGreaterThan(quantity("1000Mi"))`.

Specification: k8s.io/apiserver pkg/cel/library/quantity.go. Quantities are equal if their amounts are.
"""

from __future__ import annotations

from podward.api.quantity import parse
from podward.schema.cel.rows import Function, accepts, content, opaque

_UNITS = 10**9
_LARGEST = (1 << 63) - 1


def _read(text: str) -> bytes:
    return _of(parse(text).units)


def _of(units: int) -> bytes:
    return opaque("Quantity", str(units))


def _units(value: bytes) -> int:
    return int(content(value))


def _compare(one: bytes, other: bytes) -> int:
    mine, its = _units(one), _units(other)
    return (mine > its) - (mine < its)


def _is_integer(value: bytes) -> bool:
    whole, rest = divmod(_units(value), _UNITS)
    return rest == 0 and -_LARGEST - 1 <= whole <= _LARGEST


def _as_integer(value: bytes) -> int:
    if not _is_integer(value):
        raise ValueError("cannot convert value to integer")
    return _units(value) // _UNITS


FUNCTIONS = (
    Function("quantity", ("string",), "Quantity", _read, method=False),
    Function("isQuantity", ("string",), "bool", accepts(_read), method=False),
    Function("sign", ("Quantity",), "int", lambda value: (_units(value) > 0) - (_units(value) < 0)),
    Function("isGreaterThan", ("Quantity", "Quantity"), "bool", lambda one, other: _compare(one, other) > 0),
    Function("isLessThan", ("Quantity", "Quantity"), "bool", lambda one, other: _compare(one, other) < 0),
    Function("compareTo", ("Quantity", "Quantity"), "int", _compare),
    Function("asInteger", ("Quantity",), "int", _as_integer),
    Function("isInteger", ("Quantity",), "bool", _is_integer),
    Function("asApproximateFloat", ("Quantity",), "double", lambda value: _units(value) / _UNITS),
    Function("add", ("Quantity", "Quantity"), "Quantity", lambda one, other: _of(_units(one) + _units(other))),
    Function("add", ("Quantity", "int"), "Quantity", lambda one, other: _of(_units(one) + other * _UNITS)),
    Function("sub", ("Quantity", "Quantity"), "Quantity", lambda one, other: _of(_units(one) - _units(other))),
    Function("sub", ("Quantity", "int"), "Quantity", lambda one, other: _of(_units(one) - other * _UNITS)),
)
