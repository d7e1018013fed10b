"""Regular expressions in Go's syntax, in linear time: strangers choose them, and the texts.

Specification: regexp, which is RE2, as in CEL's `matches`; regexp/syntax has the words about what is none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

_SAID = "invalid regular expression: "
_WORDS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid repetition size": "invalid repeat count",
    "trailing \\": "trailing backslash at end of expression",
}
"""What RE2 says otherwise than Go."""


@lru_cache(1)
def _matches() -> Any:  # noqa: ANN401 - the library's own
    from podward.schema.cel import engine  # few objects are asked about patterns

    return engine.evaluator({"text": "string", "pattern": "string"}, unsafe=True).compile("text.matches(pattern)")


def contains(text: str, pattern: str) -> bool:
    """Whether something in the text matches; a pattern that is none matches nothing."""
    try:
        return _matches().eval(data={"text": text, "pattern": pattern}).plain_value() is True
    except Exception:  # noqa: BLE001 - whatever the library says of it, it is no match
        return False


@lru_cache(512)
def fault_of(pattern: str) -> str:
    """What is wrong with a pattern, as Go says it; empty where nothing is."""
    try:
        found = _matches().eval(data={"text": "", "pattern": pattern})
        said = str(found.plain_value()) if str(found.type()) == "ERROR" else ""
    except Exception as error:  # noqa: BLE001 - as above
        said = str(error)
    if not said:
        return ""
    what, _, part = said.partition(_SAID)[2].partition(": ")
    return f"error parsing regexp: {_WORDS.get(what, what)}: `{part}`"
