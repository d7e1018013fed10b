"""How upstream's sentences are put together: names in quotes without escaping, and plurals by count."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from podward.policy.pss.check import CheckResult, ContainerRef


def joined(words: Iterable[str]) -> str:
    """`"a", "b"`; nothing of a word is escaped."""
    return '"' + '", "'.join(words) + '"'


def plural(one: str, many: str, things: Collection[object]) -> str:
    """`one` where there is exactly one thing."""
    return one if len(things) == 1 else many


def containers(spots: Sequence[ContainerRef]) -> str:
    """`container "a"` or `containers "a", "b"`: one name for each, in their order."""
    return f"{plural('container', 'containers', spots)} {joined(spot.name for spot in spots)}"


def setters(spots: Sequence[ContainerRef], *, pod: bool) -> str:
    """Who set a bad value: `pod and container "a"`."""
    if not spots:
        return "pod"
    return f"pod and {containers(spots)}" if pod else containers(spots)


def owner(spot: ContainerRef) -> str:
    """A container in our own sentences: `Container "a"`."""
    return f'Container "{spot.name}"'


def reasons(results: Sequence[CheckResult]) -> str:
    """All reasons in one line."""
    return ", ".join(result.reason for result in results)


def details(results: Sequence[CheckResult]) -> str:
    """All reasons in one line, each with its detail in parentheses."""
    return ", ".join(f"{result.reason} ({result.detail})" if result.detail else result.reason for result in results)
