"""The unified diff: what difflib prints, what `git apply` takes."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.documents.editing.unified_diff import unified

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "# d\n", "\n", "  e: 1\n"]), max_size=40)


@given(LINES, st.integers(0, 1 << 32))
def test_it_is_difflibs_diff(old: list[str], seed: int) -> None:
    random = Random(seed)  # noqa: S311  # the same case for the same seed
    new = list(old)
    for _ in range(random.randint(0, 3)):
        at = random.randint(0, len(new))
        new[at : at + random.randint(0, 2)] = [f"new {seed}\n"] * random.randint(0, 2)
    wanted = "".join(difflib.unified_diff(old, new, "a/f.yaml", "b/f.yaml"))
    assert unified("".join(old).encode(), "".join(new).encode(), "f.yaml") == wanted


@given(st.integers(0, 1 << 32))
def test_documents_that_pair_up_show_no_more_than_what_changed(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # the same case for the same seed
    old = [random.choice(("---\n", "- x\n", f"  line {at}\n", f"  line {at}\n")) for at in range(60)]
    new = list(old)
    changed = [at for at in range(60) if old[at].startswith("  ") and random.random() < 0.1]
    for at in changed:
        new[at] = f"  new {at}\n"
    text = unified("".join(old).encode(), "".join(new).encode(), "f")
    assert [line for line in text.splitlines()[2:] if line.startswith("+")] == [f"+  new {at}" for at in changed]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a: 1\n---\nb: 2\nc: 3\n---\nd: 4\n", b"a: 9\n---\nb: 2\n---\nd: 4\ne: 5\n"),
        (b"a: 1\nb: 2", b"a: 1\nb: 3"),
        (b"a: 1\nb: 2", b"a: 1\nb: 2\n"),
        (b"a: 1\r\nb: 2\r\n", b"a: 1\r\nb: 3\r\n"),
        (b"\xef\xbb\xbfa: 1\n" + b"x: 1\n" * 20, b"\xef\xbb\xbfa: 1\n" + b"x: 1\n" * 20 + b"y: 2\n"),
        ("a: \u2028 1\x85\nb: 2\n".encode(), "a: \u2028 1\x85\nb: 3\n".encode()),
        (b"a:\n- x\n- y\nb: 1\n", b"a:\n- x\n- y\n- z\nb: 2\n"),
        (b"", b"a: 1\n"),
        (b"a: 1\n", b""),
    ],
)
def test_git_applies_it(tmp_path: Path, old: bytes, new: bytes) -> None:
    (tmp_path / "f.yaml").write_bytes(old)
    (tmp_path / "patch").write_bytes(unified(old, new, "f.yaml").encode())
    subprocess.run(["git", "apply", "patch"], cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "f.yaml").read_bytes() == new


@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1", "-s", "-i"]])
@pytest.mark.parametrize("name", ["a b", " ", "ü\u202e", "a\nb", "a\tb", 'a"b', "a\\b", "a\x1b[1m", "-a", "a\udcff"])
def test_a_file_of_any_name_is_found(tmp_path: Path, tool: list[str], name: str) -> None:
    (tmp_path / name).mkdir()
    file = tmp_path / name / (name + ".yaml")
    file.write_bytes(b"a: 1\n")
    text = unified(b"a: 1\n", b"a: 2\n", f"{name}/{name}.yaml")
    assert all(line.removesuffix("\t").isprintable() for line in text.splitlines())
    subprocess.run([*tool, "-"], input=text.encode(), cwd=tmp_path, check=True, timeout=30)
    assert file.read_bytes() == b"a: 2\n"


def test_equal_texts_have_no_diff_and_an_absolute_name_stays() -> None:
    assert unified(b"a: 1\n", b"a: 1\n", "f.yaml") == ""
    assert unified(b"a: 1\n", b"a: 2\n", "/srv/f.yaml").startswith("--- /srv/f.yaml\n+++ /srv/f.yaml\n@@ -1 +1 @@\n")


def test_utf_16_is_shown_as_text() -> None:
    assert "+b: ü" in unified("a: 1\n".encode("utf-16"), "a: 1\nb: ü\n".encode("utf-16"), "f")
