"""The generated table of how lists and maps are merged, and the tool that writes it."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from podward.schema.merge_table import ATOMIC_TYPES, KEY_DEFAULTS, KEYED_LISTS, PATCH_STRATEGIES
from podward.schema.table import TYPES

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "src" / "podward" / "schema" / "merge_table.py"


@pytest.fixture(name="tool")
def loaded(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools")
    spec = spec_from_file_location("generate_merge_table", ROOT / "tools" / "generate_merge_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_the_generated_one(tool: ModuleType) -> None:
    assert tool.table() == TABLE.read_text(), "run make tables"


def test_every_key_is_a_field_of_the_items() -> None:
    for name, fields in KEYED_LISTS.items():
        for field, keys in fields.items():
            item = TYPES.get(name, {}).get(field, "").removeprefix("[")
            if item in TYPES:
                assert set(keys.split()) <= set(TYPES[item]), (name, field)


def test_a_key_that_kubernetes_gives_a_default_has_it() -> None:
    assert KEY_DEFAULTS["ContainerPort"] == {"containerPort": 0, "protocol": "TCP"}
    assert PATCH_STRATEGIES["PodSpec"]["volumes"] == "merge,retainKeys name"
    assert "LabelSelector" in ATOMIC_TYPES


@pytest.mark.parametrize("words", [["--", "-x.py"], []])
def test_the_tool_writes_no_file_whose_name_looks_like_an_option(
    tool: ModuleType, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate_merge_table.py", *words])
    with pytest.raises(SystemExit) as ended:
        tool.main()
    assert ended.value.code == 2
    assert not list(tmp_path.iterdir())
