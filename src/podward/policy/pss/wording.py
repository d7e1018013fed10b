"""The parts of upstream's messages: names in quotes without escaping, and plurals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from podward.policy.pss.check import CheckResult, ContainerRef


def quoted_list(words: Iterable[str]) -> str:
    """`"a", "b"`, without escaping."""
    return '"' + '", "'.join(words) + '"'


def plural(one: str, many: str, things: Collection[object]) -> str:
    """`one` for exactly one thing, else `many`."""
    return one if len(things) == 1 else many


def container_list(containers: Sequence[ContainerRef]) -> str:
    """`container "a"` or `containers "a", "b"`, in their order."""
    return f"{plural('container', 'containers', containers)} {quoted_list(container.name for container in containers)}"


def setter_list(containers: Sequence[ContainerRef], *, pod: bool) -> str:
    """The Pod and the containers that set a bad value: `pod and container "a"`."""
    if not containers:
        return "pod"
    return f"pod and {container_list(containers)}" if pod else container_list(containers)


def container_title(container: ContainerRef) -> str:
    """The beginning of our own sentences about a container: `Container "a"`."""
    return f'Container "{container.name}"'


def reasons(results: Sequence[CheckResult]) -> str:
    """The reasons of all results, separated by commas."""
    return ", ".join(result.reason for result in results)


def details(results: Sequence[CheckResult]) -> str:
    """The reasons of all results, each with its detail in parentheses."""
    return ", ".join(f"{result.reason} ({result.detail})" if result.detail else result.reason for result in results)
