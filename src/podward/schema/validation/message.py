"""The sentence with which the API server refuses an object in Go: NewInvalid and Aggregate of k8s.io/apimachinery."""

from __future__ import annotations

from collections.abc import Sequence

from podward.api.gotext import quote


def invalid_message(kind: str, name: str, errors: Sequence[str]) -> str:
    """`Pod "x" is invalid: …` with each error once, in brackets if there are several; empty without errors."""
    once = list(dict.fromkeys(errors))
    if not once:
        return ""
    listed = once[0] if len(once) == 1 else f"[{', '.join(once)}]"
    return f"{kind} {quote(name)} is invalid: {listed}"
