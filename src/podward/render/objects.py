"""Objects as documents: YAML as kubectl prints it, or JSON."""

from __future__ import annotations

import msgspec
import yaml

from podward.api.json_value import Json, JsonObject


class Dumper(yaml.CSafeDumper):
    """No anchors: what is the same twice is written twice. Text that YAML 1.1 reads as something else is quoted."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        del data
        return True


def yaml_documents(objects: tuple[JsonObject, ...]) -> str:
    """Each object as a YAML document, in the order of its fields."""
    return "---\n".join(_yaml(each) for each in objects)


def json_document(objects: tuple[JsonObject, ...]) -> str:
    """One object as it is; more, or none, as a List."""
    listed: list[Json] = list(objects)
    whole: Json = listed[0] if len(listed) == 1 else {"apiVersion": "v1", "kind": "List", "items": listed}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _yaml(value: JsonObject) -> str:
    text: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=4096)
    return text
