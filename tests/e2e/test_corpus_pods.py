"""Forty Pods of the kinds that people run: each is explained to its end, those whose images are here are run.

The tables of tests/corpus/pods/README.md say what must be seen.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from case_corpus import agrees, row, said
from podward_command import PROJECT, Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")

PODS = PROJECT / "tests" / "corpus" / "pods"
ROWS = ("user", "group", "groups")


class Expected(NamedTuple):
    """A row of the tables; what only one of them has is empty in the other."""

    file: str
    exit: int
    decided: tuple[str, ...]
    unknown: tuple[str, ...]
    says: str
    run: tuple[str, ...]
    prints: tuple[str, ...]

    @property
    def path(self) -> str:
        return str(PODS / self.file)

    @property
    def beside(self) -> list[str]:
        """The options that give the objects beside it."""
        given = self.path.replace(".yaml", ".with.yaml")
        return ["--with", given] if Path(given).exists() else []


def expected() -> Iterator[Expected]:
    """The rows of both tables."""
    columns: list[str] = []
    for line in (PODS / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line[1:-1].split("|")] if line.startswith("| ") else []
        if "file" in cells:
            columns = cells
        elif cells:
            held = dict(zip(columns, cells, strict=True))
            yield Expected(
                file=held["file"],
                exit=int(held["exit"]),
                decided=tuple(filter(None, held["decided"].split("; "))),
                unknown=tuple(filter(None, held["unknown"].split("; "))),
                says=held.get("says", ""),
                run=tuple(held.get("run", "").split()),
                prints=tuple(filter(None, held.get("prints", "").split(" ¶ "))),
            )


ALL = list(expected())
RUN = [each for each in ALL if each.prints]


def by_file(each: Expected) -> str:
    return each.file.removesuffix(".yaml")


def test_there_is_a_row_for_every_manifest() -> None:
    files = {path.name for path in PODS.glob("*.yaml") if not path.name.endswith(".with.yaml")}
    assert {each.file for each in ALL} == files
    assert (len(ALL), len(RUN)) == (40, 20)
    beside = {path.name.replace(".with.yaml", ".yaml") for path in PODS.glob("*.with.yaml")}
    assert beside <= files


def test_every_manifest_is_one_that_a_cluster_takes(podward: Podward) -> None:
    """But for the one with a debug container, which nobody can create."""
    files = [word for each in ALL if each.file != "debugged.yaml" for word in ("-f", each.path)]
    done = podward("admit", "--cluster", "kubernetes", *files)
    assert done.returncode == 0, done.stderr


BESIDE = {"Secret", "ConfigMap", "PersistentVolumeClaim", "PersistentVolume"}


def spec_of(each: Expected) -> dict[str, Any]:
    """The Pod's spec, or that of the workload's template; `claims` are the workload's claim templates."""
    for held in yaml.safe_load_all(Path(each.path).read_text(encoding="utf-8")):
        if held["kind"] not in BESIDE:
            found: dict[str, Any] = held["spec"]
            for step in ("jobTemplate", "spec", "template", "spec"):
                found = found.get(step, found)
            assert found["containers"]
            return {**found, "claims": held["spec"].get("volumeClaimTemplates", [])}
    raise AssertionError(each.file)


def volume_names(each: Expected) -> list[str]:
    spec = spec_of(each)
    return [volume["name"] for volume in spec.get("volumes", [])] + [
        claim["metadata"]["name"] for claim in spec["claims"]
    ]


HEAD = r"^(?:\w+ )?container "


def section(table: str, container: str) -> str:
    """The part of the table that is about this container."""
    pattern = rf"{HEAD}{re.escape(container)}\b.*?(?={HEAD}|\Z)"
    found = re.search(pattern, table, re.MULTILINE | re.DOTALL)
    return found.group() if found else ""


def volume_rows(table: str) -> list[str]:
    return re.findall(r"^volume .*\n(?: +.*\n)*", table, re.MULTILINE)


def volume_row(table: str, name: str) -> str:
    """The row of the volume of this name, with or without its index before it."""
    wanted = re.compile(rf"volume (?:\[\d+\] +)?{re.escape(name)}(?!\S)")
    return next((found for found in volume_rows(table) if wanted.match(found)), "")


@pytest.mark.parametrize("each", ALL, ids=by_file)
def test_a_pod_is_explained_to_its_end(podward: Podward, each: Expected) -> None:
    done = podward("explain", "-f", each.path, *each.beside, "-o", "wide")
    assert done.returncode == each.exit, done.stderr
    assert each.says in said(done)
    if each.exit:
        return
    for words in each.decided:
        container, name, value = words.split()
        assert re.search(rf"^{name} +\S+ +{value}\b", section(done.stdout, container), re.MULTILINE), words
    names = volume_names(each)
    assert len(volume_rows(done.stdout)) == len(names)
    assert [name for name in names if not volume_row(done.stdout, name)] == []
    assert wrongly_unknown(each, done.stdout) == []


def wrongly_unknown(each: Expected, table: str) -> list[str]:
    """What is unknown though it is decided, and what is told though nobody can know it."""
    wrong = []
    for container in re.findall(rf"{HEAD}(\S+)", table, re.MULTILINE):
        for name in ROWS:
            found = row(section(table, container), name)
            known = not re.match(rf"{name} +\S+ +unknown\b", found)
            if f"{container} {name}" in each.unknown and "unknown" not in found:
                wrong.append(f"{container} {name} is told")
            if f"{container} {name}" not in each.unknown and not known:
                wrong.append(f"{container} {name} is unknown")
    volumes = {name: "unknown" in volume_row(table, name) for name in volume_names(each)}
    return wrong + [f"volume {name}" for name, found in volumes.items() if found != (f"volume {name}" in each.unknown)]


@pytest.mark.parametrize("each", RUN, ids=by_file)
def test_a_pod_runs_as_it_was_predicted(podward: Podward, tmp_path: Path, each: Expected) -> None:
    shutil.copytree(PODS / "stand-in", tmp_path / "stand-in")
    words = [word.replace("=stand-in", f"={tmp_path / 'stand-in'}") for word in each.run]
    done = podward("run", "--verify", "--restart", "Never", "-f", each.path, *each.beside, *words)
    assert done.returncode == 0, done.stderr
    left = done.stdout.splitlines()
    for line in each.prints:
        found = [given for given in left if re.fullmatch(line.replace("\\t", "\t"), given)]
        assert found, f"{line} is not printed: {done.stdout}"
        left.remove(found[0])
    assert agrees(done), done.stderr


@pytest.mark.parametrize("each", [each for each in RUN if "--stand-in" in each.run], ids=by_file)
def test_a_drivers_volume_is_refused_without_a_stand_in(podward: Podward, each: Expected) -> None:
    done = podward("run", "-f", each.path, *each.beside)
    assert done.returncode == 1
    assert "--stand-in" in done.stderr
