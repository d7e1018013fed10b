"""What all parts of a plain workload have in common.

A part's type accepts only what is surely sound on its own: a field that is not there, a null where Go has no pointer, a
number out of its range, and the workload is not plain. What several values have to do with each other is asked by the
functions beside the types, yes or no; `schema.validation` says what is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

Raw: TypeAlias = dict[str, Any]
"""An object that `schema.fit` and `validation` look into; to msgspec, JSON has no type that names itself."""
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""An integer that is not negative and fits 32 bits: also every user and group id that the API server takes."""
Number: TypeAlias = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Long: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535)]
Mode: TypeAlias = Annotated[int, Meta(ge=0, le=0o777)]


class PlainObject(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base: an object that has no other fields than these."""


class Nothing(PlainObject, frozen=True):
    """An object without fields, such as the `status: {}` that generators write."""


def is_inside(place: str) -> bool:
    """Whether a path surely stays below where it begins."""
    return bool(place) and not place.startswith("/") and ".." not in place
