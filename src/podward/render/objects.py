"""Printing objects as documents: YAML as kubectl prints it, or JSON."""

from __future__ import annotations

import msgspec
import yaml

from podward.api.json_value import Json, JsonObject


class _Dumper(yaml.CSafeDumper):
    """Writes no anchors: equal values are written twice. Quotes text that YAML 1.1 reads as something else."""

    def ignore_aliases(self, data: object) -> bool:
        """Always true."""
        del data
        return True


def yaml_documents(objects: tuple[JsonObject, ...]) -> str:
    """The objects as YAML documents, each with its fields in their order."""
    return "---\n".join(yaml_text(each, width=4096) for each in objects)


def yaml_text(value: object, *, width: int) -> str:
    """A value as YAML, with lines of about this width."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    return text


def json_document(objects: tuple[JsonObject, ...]) -> str:
    """One object as JSON; more objects, or none, as a List."""
    listed: list[Json] = list(objects)
    whole: Json = listed[0] if len(listed) == 1 else {"apiVersion": "v1", "kind": "List", "items": listed}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"
