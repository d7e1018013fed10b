"""What imports contracts cannot see: built-ins that look outside, and the weight of what start-up imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import podward

SOURCE = Path(podward.__file__).parent
PROJECT = Path(__file__).parents[2] / "pyproject.toml"
PURE = (
    "path.py", "decision.py", "errors.py", "pipeline.py", "access", "api", "check", "documents", "policy", "render",
    "schema", "stages",
)  # fmt: skip

OUTWARD_BUILTINS = {"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"}
OUTWARD_MEMBERS = {
    "sys": {"argv", "executable", "exit", "path", "platform", "stderr", "stdin", "stdout"},
    "posixpath": {
        "abspath", "exists", "expanduser", "expandvars", "getatime", "getctime", "getmtime", "getsize", "isdir",
        "isfile", "islink", "ismount", "lexists", "realpath", "relpath", "samefile", "sameopenfile", "samestat",
    },
}  # fmt: skip

OUTWARD_NAMES = re.compile(rf"\b(?:{'|'.join((*OUTWARD_BUILTINS, *OUTWARD_MEMBERS))})\b")
"""A source without any of these names needs no closer look, which takes long."""

HEAVY = {
    "asyncio", "click", "concurrent", "dataclasses", "email", "http", "importlib.metadata", "inspect", "json",
    "kubernetes_validate", "logging", "multiprocessing", "pathlib", "random", "rich", "shtab", "shutil", "socket",
    "ssl", "subprocess", "tempfile", "typing_extensions", "unittest", "urllib",
}  # fmt: skip
"""Modules that cost start-up time and that a short command can do without."""


def pure_files() -> Iterator[Path]:
    for room in PURE:
        place = SOURCE / room
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def outward_looks(source: str) -> Iterator[str]:
    """Every use, in this source, of something that looks outside the program."""
    if not OUTWARD_NAMES.search(source):
        return
    tree = ast.parse(source)
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in OUTWARD_BUILTINS - own:
                yield f"line {node.lineno}: {name}()"
            case ast.Attribute(value=ast.Name(id=module), attr=member) if member in OUTWARD_MEMBERS.get(module, ()):
                yield f"line {node.lineno}: {module}.{member}"
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    if alias.name in OUTWARD_MEMBERS.get(module, ()):
                        yield f"line {node.lineno}: from {module} import {alias.name}"
            case _:
                pass


def test_rooms_that_decide_do_not_look_outside() -> None:
    files = {str(file.relative_to(SOURCE)): file.read_text() for file in pure_files()}
    assert [f"{file} {look}" for file, source in files.items() for look in outward_looks(source)] == []


@pytest.mark.parametrize(
    "source",
    [
        "open('/etc/passwd')",
        "def decide():\n    print('allowed')",
        "import sys\nsys.stdin.read()",
        "from sys import argv",
        "import posixpath\nposixpath.realpath('/x')",
    ],
)
def test_a_look_outside_is_found(source: str) -> None:
    assert list(outward_looks(source)) != []


def test_computing_on_paths_is_no_look_outside() -> None:
    assert list(outward_looks("import posixpath, sys\nposixpath.join('/a', 'b')\nsys.intern('x')")) == []


def imported_by(program: str) -> set[str]:
    """The modules that an interpreter has imported after `program`, in an environment without the developers' packages.

    msgspec imports typing_extensions where it is installed, and only mypy brings it: it is made absent.
    """
    program = f"import sys\nsys.modules['typing_extensions'] = None\n{program}\nprint(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return set(ran.stderr.splitlines()[-1].split()) - {"typing_extensions"}


def test_msgspec_is_imported_without_typing_extensions_which_can_be_imported_afterwards() -> None:
    program = (
        "from podward.cli.main import main; import sys\n"
        "main(['explain', '--no-such-option'])\n"
        "print('msgspec' in sys.modules, 'typing_extensions' in sys.modules)\n"
        "import typing_extensions"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["run", "--no-such-option"],  # everything that `run` imports before it has read its words
    ],
    ids=" ".join,
)
def test_start_up_imports_nothing_heavy(words: list[str]) -> None:
    imported = imported_by(f"from podward.cli.main import main; main({words})")
    assert "podward.cli.main" in imported
    assert sorted(imported & HEAVY) == []


def test_deciding_imports_nothing_heavy() -> None:
    assert sorted(imported_by("import podward.pipeline") & HEAVY) == []


def test_running_imports_nothing_that_explains_or_predicts() -> None:
    imported = imported_by("import podward.cli.running")
    explaining = {name for name in imported if name.startswith("podward.runtime.explaining.")}
    assert explaining == {"podward.runtime.explaining.subject"}
    assert not imported & {
        "podward.policy.hints",
        "podward.stages.kernel",
        "podward.policy.scc.passes",
        "podward.access",
    }


def test_a_command_does_not_import_the_others() -> None:
    imported = imported_by("from podward.cli.main import main; main(['completion', '--no-such-option'])")
    assert "podward.cli.completion" in imported
    assert not imported & {"podward.cli.run", "podward.cli.batch", "podward.runtime", "msgspec", "yaml"}


def is_imported(module: str, sources: Sequence[str]) -> bool:
    """Whether a source imports a module of this top name, anywhere in it."""
    said = (f"import {module}", f"from {module}")
    return any(module in imports(source) for source in sources if any(words in source for words in said))


def imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.partition(".")[0])
            case _:
                pass
    return found


def test_every_dependency_is_imported() -> None:
    wanted = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    brings: dict[str, list[str]] = {}
    for module, packages in packages_distributions().items():
        for package in packages:
            brings.setdefault(package.lower(), []).append(module)
    names = [re.split(r"[<>=~! ]", each)[0] for each in wanted]
    sources = [file.read_text() for file in SOURCE.rglob("*.py")]
    assert [name for name in names if not any(is_imported(module, sources) for module in brings[name])] == []
