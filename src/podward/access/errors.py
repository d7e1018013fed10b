"""Several errors in one sentence, as the API server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def aggregated(errors: Iterable[str]) -> str:
    """The errors as Kubernetes' aggregate prints them: each once, in brackets where they are several."""
    each = list(dict.fromkeys(errors))
    return each[0] if len(each) == 1 else f"[{', '.join(each)}]" if each else ""
