"""Versions in CEL: `semver("1.2.3").isLessThan(semver("1.10.0"))`.

Specification: k8s.io/apiserver pkg/cel/library/semverlib.go; semver.org 2.0. With `true` as the second argument a
version may begin with `v`, leave out its last numbers, and have leading zeros.
"""

from __future__ import annotations

import re

from podward.schema.cel.rows import Function, accepts, content, opaque

_PART = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = re.compile(
    rf"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-({_PART}(?:\.{_PART})*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)
_LONGEST = 256
_NUMBERS = 3


def _read(text: str) -> bytes:
    if len(text) > _LONGEST or _SEMVER.fullmatch(text) is None:
        raise ValueError(f"semver parse error during conversion from string: {text[:_LONGEST]}")
    return opaque("Semver", text)


def _loosely(text: str, *, normalize: bool) -> bytes:
    return _read(_normalized(text) if normalize else text)


def _normalized(text: str) -> str:
    numbers, sign, rest = re.fullmatch(r"v?([^-+]*)([-+]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]  # it matches any text
    parts = [part.lstrip("0") or ("0" if part else "") for part in numbers.split(".")]
    return ".".join(parts + ["0"] * (_NUMBERS - len(parts))) + sign + rest


def _order(value: bytes) -> tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]:
    """What versions are compared by: a version without a release candidate comes after those with one."""
    found = _SEMVER.fullmatch(content(value))
    if found is None:
        raise ValueError("no version")
    numbers = tuple(int(found[each]) for each in (1, 2, 3))
    parts = found[4].split(".") if found[4] else []
    return numbers, not parts, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _compare(one: bytes, other: bytes) -> int:
    mine, its = _order(one), _order(other)
    return (mine > its) - (mine < its)


FUNCTIONS = (
    Function("semver", ("string",), "Semver", _read, method=False),
    Function("semver", ("string", "bool"), "Semver", lambda text, loose: _loosely(text, normalize=loose), method=False),
    Function("isSemver", ("string",), "bool", accepts(_read), method=False),
    Function(
        "isSemver",
        ("string", "bool"),
        "bool",
        lambda text, loose: accepts(lambda each: _loosely(each, normalize=loose))(text),
        method=False,
    ),
    Function("major", ("Semver",), "int", lambda value: _order(value)[0][0]),
    Function("minor", ("Semver",), "int", lambda value: _order(value)[0][1]),
    Function("patch", ("Semver",), "int", lambda value: _order(value)[0][2]),
    Function("isGreaterThan", ("Semver", "Semver"), "bool", lambda one, other: _compare(one, other) > 0),
    Function("isLessThan", ("Semver", "Semver"), "bool", lambda one, other: _compare(one, other) < 0),
    Function("compareTo", ("Semver", "Semver"), "int", _compare),
)
