"""No module imports itself by way of others: import contracts see the rooms, not the modules inside of one."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest
from import_statements import import_statements

import podward

SOURCE = Path(podward.__file__).parent


def module_files(root: Path) -> dict[str, Path]:
    """Every module of the package in this directory, by its dotted name."""
    files: dict[str, Path] = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return files


def imports_of(source: str, modules: Mapping[str, object]) -> set[str]:
    """The modules that this source imports anywhere: at its top, in functions and for type checkers."""
    found: set[str] = set()
    for node in import_statements(source):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in modules else node.module)
    return found & modules.keys()


def circles(imports: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """The groups of modules in which each one leads to each other one."""
    reached = {module: reachable(module, imports) for module in imports}
    found = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    return sorted(found)


def reachable(start: str, imports: Mapping[str, set[str]]) -> set[str]:
    """The modules to which imports lead from `start`."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def package_imports(root: Path) -> dict[str, set[str]]:
    files = module_files(root)
    return {module: imports_of(file.read_text(), files) - {module} for module, file in files.items()}


def test_modules_import_each_other_in_no_circle() -> None:
    assert circles(package_imports(SOURCE)) == []


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "made"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "above.py").write_text("from made import below\n")
    return root


@pytest.mark.parametrize(
    "source",
    [
        "import made.above",
        "from made.above import below",
        "def later():\n    from made import above",
        "try:\n    a = 1\nexcept OSError:\n    import made.above",
        "try:\n    a = 1\nfinally:\n    import made.above",
        "match a:\n    case 1:\n        import made.above",
        "class A:\n    if a:\n        b = 1\n    else:\n        with a:\n            import made.above",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from made.above import below",
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(package: Path, source: str) -> None:
    (package / "below.py").write_text(source)
    assert circles(package_imports(package)) == [("made.above", "made.below")]


def test_modules_without_a_circle_have_none(package: Path) -> None:
    (package / "below.py").write_text("import sys\n")
    assert circles(package_imports(package)) == []
