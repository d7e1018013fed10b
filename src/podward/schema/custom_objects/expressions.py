"""Regular expressions in Go's syntax, in linear time: strangers choose them, and the texts.

Specification: regexp, which is RE2, as in CEL's `matches`.
"""

from __future__ import annotations

from cel_expr_python import cel  # type: ignore[import-untyped]  # it has no types

_ENV = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
_MATCHES = _ENV.compile("text.matches(pattern)")


def contains(text: str, pattern: str) -> bool:
    """Whether something in the text matches; a pattern that is none matches nothing."""
    try:
        return _MATCHES.eval(data={"text": text, "pattern": pattern}).plain_value() is True
    except Exception:  # noqa: BLE001 - whatever the library says of it, it is no match
        return False
