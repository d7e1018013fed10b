"""The short way to a file's import statements finds what the parser finds."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from import_statements import import_statements, parsed_import_statements
from proofs import examples

import podward

FILES = sorted(Path(podward.__file__).parent.rglob("*.py"))


def written(statements: Iterable[ast.stmt]) -> list[str]:
    return sorted(map(ast.unparse, statements))


@pytest.mark.proof
def test_the_imports_of_our_files_are_found() -> None:
    for file in random.sample(FILES, min(len(FILES), examples(50, len(FILES)))):
        source = file.read_text()
        assert written(import_statements(source)) == written(parsed_import_statements(source)), file


@pytest.mark.parametrize(
    "source",
    [
        "import a, b.c as d",
        "def later():\n    from . import a  # why\n    from .b import (\n        c,  # and (this)\n        d,\n    )",
        "from a import b, \\\n    c",
        "if True:\n\timport a",
        '"""What\nimport contracts see is less."""\nimport a',
        "from a import *",
    ],
)
def test_an_import_is_found_however_it_is_written(source: str) -> None:
    assert written(import_statements(source)) == written(parsed_import_statements(source)) != []
