"""Amounts below a byte, and variables that hide others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from podward.api.core import Container, Pod, every_container
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.documents.raw_fields import member, objects
from podward.path import Key, Path, path
from podward.schema.validation.raw import text

About: TypeAlias = Callable[[Pod, Container], Iterator[str]]
"""What is said of the annotations of one container."""

_IN_BYTES = ("memory", "ephemeral-storage")


def overhead(spec: JsonObject) -> Iterator[str]:
    """The Pod's `overhead`."""
    for name in _IN_BYTES:
        yield from _fraction(member(spec, "overhead"), name, path("spec", "overhead"))


def each(pod: Pod, raw: JsonObject, about: About) -> Iterator[str]:
    """Each container: its annotations, its resources, its variables."""
    spec = member(raw, "spec")
    for list_name, index, container in every_container(pod.spec):
        written, at = objects(spec, list_name)[index], path("spec", list_name, index)
        yield from about(pod, container)
        for name in _IN_BYTES:
            for kind in ("limits", "requests"):
                amounts = member(member(written, "resources"), kind)
                yield from _fraction(amounts, name, at / "resources" / kind)
        yield from _hidden(objects(written, "env"), at / "env")


def _fraction(amounts: JsonObject, name: str, at: Path) -> Iterator[str]:
    written = amounts.get(name)
    amount = parse(str(written)).rounded_to_milli() if written is not None else None
    if amount is not None and amount.milli_value % 1000:
        yield f"{at / Key(name)}: fractional byte value {quote(str(amount))} is invalid, must be an integer"


def _hidden(variables: list[JsonObject], at: Path) -> Iterator[str]:
    """Variables that stand again without using what they hide."""
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value = text(variable, "name"), text(variable, "value")
        reference = f"$({name})"
        uses = variable.get("valueFrom") is None and value != reference and reference in value
        if name in seen and not uses:
            yield f"{at / index}: hides previous definition of {quote(name)}, which may be dropped when using apply"
        seen.add(name)
