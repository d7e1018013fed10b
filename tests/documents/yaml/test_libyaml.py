"""The parser is loaded without the rest of PyYAML, and does not stand in anybody's way."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from podward.documents.reader import decode_documents
decode_documents(b"a: [1, {b: c}]", "f")
loaded = {name for name in sys.modules if name.startswith("yaml")}
assert loaded == {"yaml.error", "yaml.events", "yaml.nodes", "yaml.tokens", "yaml._yaml"}, loaded
assert "json" not in sys.modules
import yaml
assert yaml.safe_load("a: 1") == yaml.load("a: 1", yaml.CSafeLoader) == {"a": 1}
assert yaml.reader.ReaderError.__module__ == "yaml.reader"
"""

AFTER = """
import yaml
from podward.documents.reader import decode_documents
from podward.errors import InputError
for text in (b"a: \\xc2\\x80", b"a: [", b"*x"):
    try:
        decode_documents(text, "f")
    except InputError as error:
        assert error.where.startswith("f:1"), error
    else:
        raise AssertionError(text)
"""


def run(script: str) -> None:
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_only_what_is_needed_is_imported_and_pyyaml_still_works() -> None:
    run(SCRIPT)


def test_an_imported_pyyaml_is_used_as_it_is() -> None:
    run(AFTER)
