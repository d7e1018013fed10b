"""The command line's frame: finding the command, help, errors, exit codes, completion."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from warm_command import run

import podward
from podward.cli.main import COMMANDS, load, main
from podward.cli.parser import Parser, for_command, require_no_such_file
from podward.cli.terminal import printable
from podward.errors import ImageError, RefusedError, UsageError

ROOT = Path(__file__).parents[2]


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(*words, environment=os.environ | environment)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which the test may write further commands' modules: `give_a_command` lists them."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def give_a_command(name: str, body: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"command_{name}"
    monkeypatch.delitem(sys.modules, module, raising=False)
    (place / f"{module}.py").write_text(
        "from podward.errors import *\n"
        "SUMMARY, EXAMPLES = 'do it', (('do it', 'podward do it'),)\n"
        f"def configure(parser): parser.add_argument('word', nargs='?')\n"
        f"def run(args):\n    {body}\n"
    )
    monkeypatch.setitem(COMMANDS, name, (module, "do it"))


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_a_listed_command_keeps_to_the_protocol(name: str) -> None:
    command = load(name)
    assert COMMANDS[name][1] == command.SUMMARY
    assert command.SUMMARY[0].islower() or command.SUMMARY.split()[0].isupper()
    assert not command.SUMMARY.endswith(".")
    assert for_command(name, command).prog == f"podward {name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: podward {name}")
    assert all(f"  {line}" in printed for _, line in load(name).EXAMPLES)
    assert load(name).EXAMPLES


def test_examples_begin_with_the_programs_name() -> None:
    lines = [line for name in COMMANDS for _, line in load(name).EXAMPLES]
    assert [line for line in lines if "podward " not in line] == []


# --- help and version -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]], ids=str)
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed and summary in printed for name, (_, summary) in COMMANDS.items())


def test_help_of_a_command_is_that_commands_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["help", "completion"])
    assert capsys.readouterr().out.startswith("usage: podward completion")


def test_without_words_the_help_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: podward")


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version(word: str) -> None:
    ran = call(word)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"podward {podward.__version__}\n", "")


def test_the_package_and_the_project_name_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == podward.__version__


# --- bad usage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["completoin"], "there is no command 'completoin'\n  Did you mean `podward completion`?"),
        (["frobnicate"], "there is no command 'frobnicate'\n  `podward --help` lists the commands."),
        (["--frobnicate"], "there is no option '--frobnicate'\n  `podward --help` lists the commands."),
        (["completion"], "completion: the following arguments are required: shell\n  `podward completion --help`"),
        (["completion", "bash", "--frob"], "completion: unrecognized arguments: --frob\n  `podward completion --help`"),
        (["help", "frobnicate"], "there is no command 'frobnicate'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_one_clear_error(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"podward: {said}")


def test_options_cannot_be_abbreviated() -> None:
    parser = Parser(prog="podward do")
    parser.add_argument("--verify", action="store_true")
    parser.add_subparsers().add_parser("it").add_argument("--keep", action="store_true")
    assert parser.parse_args(["--verify", "it", "--keep"]).keep
    for words in (["--veri"], ["it", "--ke"]):
        with pytest.raises(podward.errors.UsageError):
            parser.parse_args(words)


# --- errors and exit codes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("return 0", 0, ""),
        ("return 7", 7, ""),
        ("raise RefusedError('runAsNonRoot')", RefusedError.exit_code, "podward: runAsNonRoot\n"),
        ("raise ImageError('no such image', where='a:b')", ImageError.exit_code, "podward: a:b: no such image\n"),
        ("raise InputError('no Pod', advice='Give one.')", 2, "podward: no Pod\n  Give one.\n"),
        ("raise KeyboardInterrupt", 130, ""),
        ("open('/no/such/file')", 1, "podward: /no/such/file: no such file or directory\n"),
    ],
)
def test_what_a_command_raises_becomes_a_sentence_and_an_exit_code(  # noqa: PLR0913, PLR0917 - three are fixtures
    body: str,
    code: int,
    said: str,
    commands: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    give_a_command("raising", body, commands, monkeypatch)
    assert main(["raising"]) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_defect_of_ours_is_not_dressed_up(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_a_command("defect", "raise ZeroDivisionError", commands, monkeypatch)
    with pytest.raises(ZeroDivisionError):
        main(["defect"])


def test_errors_cannot_drive_the_terminal(
    commands: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_a_command("hostile", r"raise ImageError('no \x1b]0;owned\x07 image')", commands, monkeypatch)
    assert main(["hostile"]) == 2
    assert capsys.readouterr().err == "podward: no \\x1b]0;owned\\x07 image\n"


def test_printable_text_keeps_its_lines_and_letters() -> None:
    assert printable("größe\n\tPod “a” → b") == "größe\n\tPod “a” → b"
    assert printable("\x9b31m\u202e") == "\\x9b31m\\u202e"


# --- standard streams -------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        ran = subprocess.run([sys.executable, "-m", "podward", "--help"], stdout=pipe, stderr=-1, check=False)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_an_error(unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "podward", "--version"],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered}, stdout=full, stderr=-1, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.lower().startswith("podward: ")
    assert "no space left on device" in ran.stderr.lower()
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_files_opened_later_do_not_take_a_closed_streams_place(commands: Path) -> None:
    (commands / "later.py").write_text(
        "import os\nfrom podward.cli.main import main\ncode = main(['--version'])\n"
        "opened = os.open('/etc/hostname', os.O_RDONLY)\nos._exit(code or (opened < 3))\n"
    )
    ran = subprocess.run(["sh", "-c", f'exec "{sys.executable}" "{commands}/later.py" <&- >&- 2>&-'], check=False)
    assert ran.returncode == 0


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
    ],
    ids=str,
)
def test_colour_is_for_terminals_that_want_it(
    environment: dict[str, str],
    coloured: bool,  # noqa: FBT001 - data
    everything_shown: Callable[[int], bytes],
) -> None:
    ours, theirs = os.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-m", "podward", "frobnicate"], env=inherited | environment, stderr=theirs, check=False
    )
    os.close(theirs)
    said = everything_shown(ours)
    assert b"there is no command" in said
    assert (b"\x1b[" in said) is coloured


def test_nothing_is_coloured_in_a_pipe() -> None:
    assert "\x1b" not in call("frobnicate", TERM="xterm", NO_COLOR="").stderr


# --- completion -------------------------------------------------------------------------------------------------------


def complete_in_bash(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    script = call("completion", "bash").stdout
    asked = " ".join(f"'{word}'" for word in words)
    ask = f"\nCOMP_WORDS=({asked}); COMP_CWORD={len(words) - 1}; _shtab_podward; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    ran = subprocess.run(["bash", "--norc"], input=script + ask, capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_bash_completes_commands() -> None:
    assert complete_in_bash("podward", "comp") == ["completion"]


def test_bash_completes_a_commands_words() -> None:
    assert complete_in_bash("podward", "completion", "z") == ["zsh"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_names_every_command(shell: str) -> None:
    ran = call("completion", shell)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [name for name in COMMANDS if name not in ran.stdout] == []


def test_the_completion_script_is_valid_bash() -> None:
    script = call("completion", "bash").stdout
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=True)
    assert checked.stderr == ""


@pytest.mark.parametrize("name", ["--help", "-h", "-"])
def test_an_option_that_is_a_file_here_too_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    require_no_such_file([name, "pod.yaml"])
    (tmp_path / name).symlink_to("nowhere")
    with pytest.raises(UsageError, match=name):
        require_no_such_file(["pod.yaml", name])
    require_no_such_file(["--", name])
