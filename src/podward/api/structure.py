"""The base of all typed views of API objects."""

from __future__ import annotations

from msgspec import Struct


class View(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Base of all views: immutable, field names in Kubernetes' camelCase."""
