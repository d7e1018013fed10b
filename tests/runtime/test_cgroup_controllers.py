"""What can be limited is found where each version of cgroups has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.policy.runtime.linux import Controllers
from podward.runtime.cgroup_controllers import controllers


def made(root: Path, *files: str) -> str:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("cpu hugetlb memory\n" if file == "cgroup.controllers" else "")
    return str(root)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("memory/memory.memsw.limit_in_bytes", "hugetlb/tasks"), Controllers(swap=True, huge_pages=True)),
        (("memory/memory.limit_in_bytes",), Controllers()),
        (("cgroup.controllers", "us.slice/memory.swap.max"), Controllers(swap=True, huge_pages=True)),
        (("cgroup.controllers", "us.slice/memory.max"), Controllers(swap=False, huge_pages=True)),
    ],
)
def test_each_version_has_its_files(tmp_path: Path, files: tuple[str, ...], expected: Controllers) -> None:
    own = tmp_path / "own"
    own.write_text("4:memory:/x\n0::/us.slice\n")
    assert controllers(made(tmp_path / "cgroup", *files), str(own)) == expected


def test_nothing_is_known_where_nothing_is() -> None:
    assert controllers("/nowhere", "/nowhere") == Controllers()
