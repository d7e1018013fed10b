"""Whether labels fit a typed label selector (meta/v1 LabelSelector): all of its requirements.

No selector selects nothing, an empty one everything. `schema/strategies/selectors.py` says the same of raw selectors.
"""

from __future__ import annotations

from collections.abc import Mapping

from podward.api.claim import LabelSelector, SelectorRequirement


def selects(selector: LabelSelector, labels: Mapping[str, str | None]) -> bool:
    """Whether the labels fit the selector."""
    equal = all(key in labels and labels[key] == value for key, value in (selector.match_labels or {}).items())
    return equal and all(_meets(each, labels) for each in selector.match_expressions or ())


def _meets(requirement: SelectorRequirement, labels: Mapping[str, str | None]) -> bool:
    there, values = requirement.key in labels, requirement.values or ()
    answers = {
        "In": there and labels.get(requirement.key) in values,
        "NotIn": not there or labels.get(requirement.key) not in values,
        "Exists": there,
        "DoesNotExist": not there,
    }
    return answers.get(requirement.operator, False)
