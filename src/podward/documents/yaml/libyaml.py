"""Importing libyaml's event parser without the rest of PyYAML.

`import yaml` also loads PyYAML's parsers, dumpers and constructors written in Python, and what they need: 12 ms, of a
budget of 85 ms for a whole run, for code that is never called. The C extension `yaml._yaml` only wants those modules'
exception classes while it initialises. So, unless somebody has imported `yaml` already, it is given a package that
has its events, tokens, nodes and marks for real, and the exception classes alone in place of the rest (2 ms). The
stand-ins are taken away again: a later `import yaml` gets the whole, real package.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from types import ModuleType

_ERRORS = {
    "reader": "ReaderError",
    "scanner": "ScannerError",
    "parser": "ParserError",
    "composer": "ComposerError",
    "constructor": "ConstructorError",
    "emitter": "EmitterError",
    "serializer": "SerializerError",
    "representer": "RepresenterError",
}


def _load_extension() -> None:
    spec = PathFinder.find_spec("yaml")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("PyYAML is not installed", name="yaml")
    package = ModuleType("yaml")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["yaml"] = package
    stand_ins = ["yaml"]
    try:
        import yaml.error
        import yaml.events
        import yaml.nodes
        import yaml.tokens

        for module, error in _ERRORS.items():
            stand_in = ModuleType(f"yaml.{module}")
            base = _ReaderError if module == "reader" else yaml.error.MarkedYAMLError
            setattr(stand_in, error, type(error, (base, yaml.error.YAMLError), {}))
            setattr(package, module, stand_in)
            sys.modules[stand_in.__name__] = stand_in
            stand_ins.append(stand_in.__name__)
        import yaml._yaml
    finally:
        for name in stand_ins:
            del sys.modules[name]


class _ReaderError(Exception):
    """Raised by libyaml's reader for a byte at `position` that is no text; it has the fields of PyYAML's class."""

    def __init__(self, name: str, position: int, character: int, encoding: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name
        self.position = position
        self.character = character
        self.encoding = encoding
        self.reason = reason


__all__ = [
    "AliasEvent",
    "CParser",
    "DocumentStartEvent",
    "Event",
    "MappingStartEvent",
    "MarkedYAMLError",
    "ScalarEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "YAMLError",
]
"""All that Podward needs of PyYAML to read. Import it from here; importing `yaml` loads the whole package."""

if "yaml" not in sys.modules:
    _load_extension()

from yaml._yaml import CParser  # noqa: E402  # after the extension is loaded
from yaml.error import MarkedYAMLError, YAMLError  # noqa: E402
from yaml.events import (  # noqa: E402
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
