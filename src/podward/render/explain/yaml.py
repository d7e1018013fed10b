"""`explain -o yaml`: the JSON document as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import yaml

from podward.render.explain.json import shown
from podward.render.objects import Dumper

if TYPE_CHECKING:
    from podward.path import Path
    from podward.render.explain.rows import Explained


def document(explained: tuple[Explained, ...], field: Path | None = None) -> str:
    """The whole as one YAML document; with `field`, only what that field decides."""
    plain = msgspec.to_builtins(shown(explained, field))
    text: str = yaml.dump(plain, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
