"""Printing objects as documents: YAML as kubectl prints it, or JSON."""

from __future__ import annotations

import yaml

from podward.api.json_value import Json, JsonObject
from podward.render.escaping import json_text


class _Dumper(yaml.CSafeDumper):
    """Writes no anchors: equal values are written twice. Quotes text that YAML 1.1 reads as something else."""

    def ignore_aliases(self, data: object) -> bool:
        """Always true."""
        del data
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    """A text that is not printable is written in double quotes."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if _printable(value) else '"')


def _printable(text: str) -> bool:
    return text.replace("\n", "").isprintable()


_Dumper.add_representer(str, _text)


def yaml_documents(objects: tuple[JsonObject, ...]) -> str:
    """The objects as YAML documents, each with its fields in their order."""
    return "---\n".join(yaml_text(each, width=4096) for each in objects)


def yaml_text(value: object, *, width: int) -> str:
    """A value as YAML, with lines of about this width."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    if _printable(text):
        return text
    # Only a text that is not printable has such characters, and these stand in double quotes, where escapes are read.
    return "".join(c if c.isprintable() or c == "\n" else f"\\U{ord(c):08x}" for c in text)


def json_document(objects: tuple[JsonObject, ...]) -> str:
    """One object as JSON; more objects, or none, as a List."""
    listed: list[Json] = list(objects)
    whole: Json = listed[0] if len(listed) == 1 else {"apiVersion": "v1", "kind": "List", "items": listed}
    return json_text(whole, 2)
