"""A command from the process that has imported it already does what one of its own does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from private_mounts import private_mounts as private_mounts  # noqa: PLC0414 - a fixture
from warm_command import run, run_anew, start

PROGRAM = "import gc, json, os, signal, sys, time\n{}\nsys.stdout.flush()\nos._exit(7)\n"
"""It stands for shtab, which `podward completion` alone imports, and finds in its directory, as Python's `-m` does."""
GIVEN = {
    "words": "sys.argv, sys.orig_argv[1:]",
    "variables": "dict(os.environ)",
    "directory": "os.getcwd(), sys.path",
    "streams": "[[s.encoding, s.errors, s.line_buffering, s.write_through, s.isatty(), type(s.buffer).__name__]"
    " for s in (sys.stdin, sys.stdout, sys.stderr)]",
    "descriptors": "os.listdir('/proc/self/fd')",
    "signals": "[str(signal.getsignal(n)) for n in range(1, 32)], list(signal.pthread_sigmask(0, ()))",
    "settings": "os.umask(0), gc.isenabled(), gc.get_threshold(), sys.flags, sys.getrecursionlimit()",
    "session": "os.getsid(0), os.getpgrp(), os.sched_getaffinity(0).__len__(), os.getpriority(0, 0)",
    "program": "sys.modules['__main__'].__spec__.name, sys.modules['__main__'].__file__",
    "input": "sys.stdin.read()",
}


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def does(*lines: str) -> list[str]:
    """The words of a command that does this."""
    Path("shtab.py").write_text(PROGRAM.format("\n".join(lines)), encoding="utf-8")
    return ["completion", "bash"]


def parent() -> int:
    """Whose child a command is."""
    return int(run(*does("print(os.getppid())")).stdout)


@pytest.mark.parametrize("expression", GIVEN.values(), ids=GIVEN)
def test_it_is_given_what_a_process_of_its_own_is_given(expression: str) -> None:
    words = does(f"print(json.dumps([{expression}]))")
    environment = {**os.environ, "HOME": "/ho\udcffme", "NEW": "a=b"}
    warm, anew = (each(*words, environment=environment, stdin="grün\n") for each in (run, run_anew))
    assert anew.stdout
    assert (warm.args, warm.returncode, warm.stdout, warm.stderr) == (anew.args, 7, anew.stdout, "")


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit('so')", "sys.exit(5)", "1 / 0", "os.abort()"]
)
def test_it_ends_as_a_process_of_its_own_ends(end: str) -> None:
    warm, anew = (each(*does("print('said')", end)) for each in (run, run_anew))
    assert anew.returncode != 7
    assert (warm.returncode, warm.stdout) == (anew.returncode, anew.stdout)
    assert warm.stderr.splitlines()[-1:] == anew.stderr.splitlines()[-1:]


def test_much_goes_in_and_comes_out_at_the_same_time() -> None:
    much = "0123456789abcde\n" * (10 << 16)
    ran = run(*does("while x := sys.stdin.read(1 << 16): sys.stdout.write(x), sys.stderr.write(x)"), stdin=much)
    assert (ran.returncode, ran.stdout == much, ran.stderr == much) == (7, True, True)
    assert run(*does("os.close(0)"), stdin=much).returncode == 7


def test_it_sees_nothing_of_the_one_before() -> None:
    words = does("import podward", "print(os.environ.get('SEEN'), getattr(podward, 'seen', None))", "podward.seen = 1")
    assert run(*words, environment={**os.environ, "SEEN": "1"}).stdout == "1 None\n"
    assert run(*words).stdout == "None None\n"


def test_one_may_wait_for_another_that_comes_later() -> None:
    first: list[subprocess.CompletedProcess[str]] = []
    words = does("open('begun', 'w').close()", "while not os.path.exists('later'): time.sleep(0.01)")
    thread = threading.Thread(target=lambda: first.append(run(*words)))
    thread.start()
    while not Path("begun").exists():
        time.sleep(0.01)
    assert run("--version").returncode == 0
    assert not first
    Path("later").touch()
    thread.join()
    assert first[0].returncode == 7


def test_one_that_takes_too_long_is_killed() -> None:
    words = does("open('pid', 'w').write(str(os.getpid()))", "print('begun', flush=True)", "time.sleep(60)")
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        run(*words, timeout=1)
    assert caught.value.output == b"begun\n"
    assert not Path("/proc", Path("pid").read_text(encoding="ascii")).exists()
    assert run("--version").returncode == 0


@pytest.mark.needs("root")
def test_what_a_fork_cannot_show_is_for_a_child_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parent() != os.getpid()
    before = os.umask(0o70)
    try:
        assert parent() == os.getpid()
    finally:
        os.umask(before)
    assert parent() != os.getpid()
    monkeypatch.setenv("LC_ALL", "C")
    assert parent() == os.getpid()


@pytest.mark.needs("root")
@pytest.mark.usefixtures("private_mounts")
def test_one_in_another_namespace_is_a_child_of_ours() -> None:
    assert parent() == os.getpid()


def test_what_was_started_is_told_of_and_ends_as_others_do() -> None:
    words = does(
        "print('begun', flush=True)", "print('later', flush=True)", "print('no', file=sys.stderr)", "sys.stdin.read()"
    )
    with start(*words) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        assert process.communicate(timeout=20) == ("later\n", "no\n")
    assert (process.returncode, process.poll(), process.wait(0)) == (7, 7, 7)
    process.kill()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_started_runs_until_it_is_ended(end: signal.Signals, tmp_path: Path) -> None:
    words = does("print(os.getpid(), flush=True)", "sys.stderr.write('so')", "sys.stderr.flush()", "time.sleep(60)")
    with (tmp_path / "errors").open("w+", encoding="utf-8") as errors, start(*words, stderr=errors) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.01)
        process.send_signal(end)
    assert process.returncode == -end
    assert not runs(process.pid)
    assert (tmp_path / "errors").read_text(encoding="utf-8") == "so"


def runs(pid: int) -> bool:
    """Whether the process runs: one that has ended has no words, should nobody have waited for it."""
    with contextlib.suppress(OSError):
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    return False


ASKS = """import os, signal, sys
sys.path.insert(0, sys.argv[1])
from warm_command import run
print(run("completion", "bash").stdout, end="", flush=True)
if len(sys.argv) > 2: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("words", [(), ("killed",)], ids=["ended", "killed"])
def test_the_process_ends_with_who_has_asked(words: tuple[str, ...]) -> None:
    does("print(os.getppid())")
    there = str(Path(__file__).parent)
    asked = subprocess.run([sys.executable, "-c", ASKS, there, *words], capture_output=True, text=True, check=False)
    assert asked.returncode == (-signal.SIGKILL if words else 0), asked.stderr
    server = int(asked.stdout)
    deadline = time.monotonic() + 20
    while runs(server) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(server)
