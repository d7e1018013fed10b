"""The generated table, and the tool that writes it."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "src" / "podward" / "schema" / "table.py"


@pytest.fixture(name="tool")
def loaded() -> ModuleType:
    spec = spec_from_file_location("generate_schema_table", ROOT / "tools" / "generate_schema_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_the_generated_one(tool: ModuleType) -> None:
    assert tool.table() == TABLE.read_text(), "run make tables"


def test_a_fact_about_a_field_that_kubernetes_does_not_have_is_refused(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tool.GO, "PodOS", "name:OSName flavour:*")
    with pytest.raises(SystemExit, match=r"has no PodOS\.flavour"):
        tool.table()


def test_a_release_without_definitions_is_refused(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "KUBERNETES", "1.999")
    with pytest.raises(SystemExit, match=r"no definitions of 1\.999, only of v1\.25\.0, .*: pin a newer"):
        tool.table()


@pytest.mark.parametrize("words", [["--help.py"], ["--", "-x.py"], ["--", "/nowhere/--help"], []])
def test_the_tool_writes_no_file_whose_name_looks_like_an_option(
    tool: ModuleType, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate_schema_table.py", *words])
    with pytest.raises(SystemExit) as ended:
        tool.main()
    assert ended.value.code == 2
    assert not list(tmp_path.iterdir())
