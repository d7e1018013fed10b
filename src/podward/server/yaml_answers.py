"""JSON text as the YAML that the API server writes: keys sorted, nothing in flow style."""

from __future__ import annotations

import msgspec
import yaml


class _Dumper(yaml.CSafeDumper):
    """Lists that stand in mappings are not indented."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def yaml_of(body: bytes) -> bytes:
    """The text."""
    text: bytes = yaml.dump(
        msgspec.json.decode(body), Dumper=_Dumper, default_flow_style=False, allow_unicode=True, encoding="utf-8",
        width=1 << 20,
    )  # fmt: skip
    return text
