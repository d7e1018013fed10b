"""Which signal asks a container to end, and who takes it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from podward.runtime import container_stop


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("", signal.SIGTERM),
        ("QUIT", signal.SIGQUIT),
        ("sigusr1", signal.SIGUSR1),
        ("37", 37),
        ("SIGRTMIN+3", signal.SIGRTMIN + 3),
        ("RTMAX-14", signal.SIGRTMAX - 14),
        ("0", signal.SIGTERM),
        ("²", signal.SIGTERM),
        ("9" * 5000, signal.SIGTERM),
    ],
)
def test_the_image_names_the_stop_signal(written: str, number: int) -> None:
    assert container_stop.number(written) == number


@pytest.mark.parametrize(
    ("program", "taken"),
    [
        ("import signal; signal.signal(15, lambda *_: None)", True),
        ("import signal; signal.pthread_sigmask(0, [15])", True),
        ("import signal; signal.pthread_sigmask(0, [15]); print(flush=True); signal.sigwait([15, 10])", True),
        ("import signal; signal.signal(15, signal.SIG_IGN)", True),
        ("", False),
    ],
)
def test_a_signal_is_taken_by_a_handler_or_by_who_waits_for_it(program: str, *, taken: bool) -> None:
    words = [sys.executable, "-c", f"{program}\nprint(flush=True)\nimport time; time.sleep(60)"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)  # it may be about to wait
        found = container_stop.is_taken(process.pid, signal.SIGTERM)
        process.kill()
    assert found is taken


def test_a_process_that_has_ended_takes_no_signal() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert not container_stop.is_taken(process.pid, signal.SIGTERM)


def test_a_kernel_that_does_not_tell_of_calls_tells_of_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"/proc/7/status": b"Name:\tapp\nSigBlk:\t0000000000000000\nSigCgt:\t0000000000004000\n"}
    monkeypatch.setattr(container_stop, "_read", lambda path: told.get(path, b""))
    assert container_stop.is_taken(7, signal.SIGTERM)
    assert not container_stop.is_taken(7, signal.SIGINT)
