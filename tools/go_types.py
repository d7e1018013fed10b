"""Reads the Go types of Kubernetes' APIs from a checkout of its source: structs with fields and tags, named types.

Only what these sources use of Go is understood: one field a line, types that are named, pointers, slices or maps, and
struct tags in backquotes. Comments are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FIELD = re.compile(r"^\t(?:([A-Z]\w*)\s+)?([\w.*\[\]]+)\s*(?:`([^`]*)`)?\s*(?://.*)?$")
TAG = re.compile(r'(\w+):"([^"]*)"')
NAMED = re.compile(r"^type (\w+) (=? ?)([\w.*\[\]]+)\s*(?://.*)?$")
STRUCT = re.compile(r"^type (\w+) struct ?\{")
IMPORT = re.compile(r'^\s*(?:import )?(?:(\w+) )?"(k8s\.io/[^"]+)"$')


@dataclass(frozen=True)
class Field:
    """A field of a struct: its type as it is written there, and its tags."""

    name: str
    type: str
    tags: dict[str, str]
    package: str

    @property
    def json(self) -> str:
        """Its name in JSON: empty where there is none, as of a struct that is inlined."""
        return self.tags.get("json", "").partition(",")[0]

    @property
    def is_inline(self) -> bool:
        """Whether its own fields stand in its place."""
        return not self.name and ("inline" in self.tags.get("json", "") or not self.json)

    @property
    def is_omitted(self) -> bool:
        """Whether Go leaves it out of JSON where it is empty."""
        return "omitempty" in self.tags.get("json", "")

    @property
    def number(self) -> int:
        """Its number in Protobuf; 0 where it has none."""
        parts = self.tags.get("protobuf", "").split(",")
        return int(parts[1]) if len(parts) > 1 else 0


class Source:
    """The packages that were asked for, by their import paths: `k8s.io/api/core/v1`."""

    def __init__(self, checkout: Path) -> None:
        self._staging = checkout / "staging" / "src"
        self.structs: dict[str, dict[str, list[Field]]] = {}
        self.named: dict[str, dict[str, str]] = {}
        self._imports: dict[str, dict[str, str]] = {}

    def read(self, package: str) -> None:
        """Read all files of a package that hold types."""
        if package in self.structs:
            return
        self.structs[package], self.named[package], self._imports[package] = {}, {}, {}
        files = sorted((self._staging / package).glob("*.go"))
        if not files:
            raise SystemExit(f"no Go files in {self._staging / package}: name a checkout of Kubernetes")
        for file in files:
            if not file.name.startswith(("zz_generated", "generated")) and not file.name.endswith("_test.go"):
                self._read_file(package, file.read_text())

    def resolve(self, package: str, name: str) -> tuple[str, str]:
        """The package and name of a type that is named in this package."""
        alias, _, own = name.rpartition(".")
        return (self._imports[package].get(alias, alias), own) if alias else (package, own)

    def _read_file(self, package: str, text: str) -> None:
        fields: list[Field] | None = None
        for line in text.splitlines():
            if fields is not None:
                if line.startswith("}"):
                    fields = None
                elif (found := FIELD.match(line)) and not line.lstrip().startswith("//"):
                    name, of, tags = found.groups()
                    fields.append(Field(name or "", of, dict(TAG.findall(tags or "")), package))
            elif opened := STRUCT.match(line):
                fields = self.structs[package].setdefault(opened.group(1), [])
                if line.rstrip().endswith("}"):
                    fields = None
            elif found := NAMED.match(line):
                self.named[package][found.group(1)] = found.group(3)
            elif found := IMPORT.match(line):
                path = found.group(2)
                self._imports[package][found.group(1) or path.rpartition("/")[2]] = path
