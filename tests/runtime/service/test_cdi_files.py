"""Files of CDI: JSON and YAML, of root alone; a broken one takes nobody else's devices away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podward.api import oci
from podward.decision import Origin, Source, assign, merge
from podward.path import path
from podward.runtime.service import cdi_files

pytestmark = pytest.mark.needs("root")

HERE = Source(Origin.RULE, "test")
DECIDED = merge(
    assign(path("ociVersion"), "1.0.2", "", HERE),
    assign(path("process"), oci.Process(), "", HERE),
    assign(path("root"), oci.Root(), "", HERE),
)
EDITS = {"deviceNodes": [{"path": "/dev/x", "hostPath": "/dev/null"}]}
JSON = json.dumps({"kind": "v/k", "devices": [{"name": "a", "containerEdits": EDITS}]})
YAML = "cdiVersion: 0.6.0\nkind: v/k\ndevices:\n- name: b\n  containerEdits:\n    env: [B=1]\n"


def test_both_languages_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(JSON)
    (tmp_path / "b.yaml").write_text(YAML)
    (tmp_path / "c.txt").write_text("no")
    (files, broken) = cdi_files.read((str(tmp_path), "/nowhere"))
    assert [(Path(file.file).name, file.priority, file.spec.kind) for file in files] == [
        ("a.json", 0, "v/k"),
        ("b.yaml", 0, "v/k"),
    ]
    assert broken == ()


def test_a_node_of_the_host_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(JSON)
    spec = cdi_files.inject(DECIDED, ("v/k=a",), (str(tmp_path),)).fold(oci.RuntimeSpec)
    assert [(d.path, d.type, d.major, d.minor, d.file_mode) for d in spec.linux.devices] == [
        ("/dev/x", "c", 1, 3, 0o666)
    ]


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_what_others_may_write_is_not_used(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a.json").write_text(JSON)
    (tmp_path / "a.json").chmod(mode)
    (tmp_path / "b.yaml").write_text(YAML)
    files, broken = cdi_files.read((str(tmp_path),))
    assert [Path(file.file).name for file in files] == ["b.yaml"]
    assert broken == (f"{tmp_path}/a.json: is no file that root alone may write",)
    (violation,) = cdi_files.inject(DECIDED, ("v/k=a",), (str(tmp_path),)).violations
    assert "unresolvable CDI devices v/k=a" in violation.reason


@pytest.mark.parametrize("content", ["{", "[]", '{"devices":[]}'])
def test_a_broken_file_is_told_of(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    files, broken = cdi_files.read((str(tmp_path),))
    assert files == ()
    assert broken[0].startswith(f"{tmp_path}/a.json: ")
