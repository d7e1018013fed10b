"""Waiting for programs that may never end."""

import os
import signal
import threading
import time

import pytest

from podward.errors import RuntimeFailedError
from podward.runtime import processes
from podward.runtime.stop_signals import StopSignals

SLEEP, SHELL = "/bin/sleep", "/bin/sh"


def is_gone(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_a_program_that_ends_is_waited_for() -> None:
    pid = processes.spawn(SHELL, ("-c", "exit 3"))
    assert processes.exit_code(processes.wait_within(pid, 60.0, StopSignals(), "sh")) == 3


def test_a_program_that_takes_too_long_is_killed_with_what_it_started() -> None:
    read, write = os.pipe2(os.O_CLOEXEC)
    pid = processes.spawn(SHELL, ("-c", "sleep 600 & echo $!; wait"), stdout=write)
    os.close(write)
    inner = int(os.read(read, 100))
    with pytest.raises(RuntimeFailedError, match="within 0 s"):
        processes.wait_within(pid, 0.1, StopSignals(), "sh")
    assert is_gone(pid)
    assert os.read(read, 1) == b"", "nobody has the pipe any more"
    assert not os.path.exists(f"/proc/{inner}/exe")
    os.close(read)


def test_two_signals_end_it_at_once() -> None:
    stop = StopSignals()
    with stop.listen():
        stop.note()
        pid = processes.spawn(SLEEP, ("600",))
        for delay in (0.1, 0.3):
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        with pytest.raises(RuntimeFailedError, match="a signal asked"):
            processes.wait_within(pid, 600.0, stop, "sleep")
    assert time.monotonic() - began < 60
    assert is_gone(pid)
    assert stop.take() == (signal.SIGTERM, signal.SIGTERM)
    assert stop.exit_code == 143


def test_a_signal_may_be_one_request_however_often_it_comes() -> None:
    stop = StopSignals()
    stop.hear_once(signal.SIGTERM)
    with stop.listen():
        stop.note()
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
    assert stop.take() == (signal.SIGTERM, signal.SIGINT)


def test_a_signal_that_is_not_noted_ends_the_work_and_the_program() -> None:
    stop = StopSignals()
    pid = processes.spawn(SLEEP, ("600",))
    with stop.listen():
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            processes.wait_within(pid, 600.0, stop, "sleep")
    assert is_gone(pid)


def test_of_two_that_listen_the_outer_one_decides_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop = StopSignals()
    with stop.listen():
        stop.note(1)
        with stop.listen():
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_waiting()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
