"""The import statements of a source file, without what it costs to parse all of the file: 1500 files take two seconds.

Formatted source has each of them on lines of its own, wherever it stands. A text may have such lines too: what is no
statement then is told by the parser, which reads the whole file in that case.
"""

from __future__ import annotations

import ast
import re

_IMPORTING = re.compile(
    r"^[ \t]*(from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]*\)|[^\n(]+)|import[ \t][^\n]+)", re.MULTILINE
)


def import_statements(source: str) -> list[ast.Import | ast.ImportFrom]:
    """Every import in this source: at its top, in functions and for type checkers."""
    try:
        tree = ast.parse("\n".join(_IMPORTING.findall(source)))
    except SyntaxError:
        return parsed_import_statements(source)
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def parsed_import_statements(source: str) -> list[ast.Import | ast.ImportFrom]:
    """As the parser of Python finds them."""
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
