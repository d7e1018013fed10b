"""The loop: descriptors, timers and children, each told once."""

from __future__ import annotations

import contextlib
import os
import time

from podward.runtime.event_loop import EventLoop, Timer


def test_a_timer_is_called_when_it_is_due_and_once() -> None:
    loop, called = EventLoop(), []
    loop.after(0.02, lambda: called.append("late"))
    loop.after(0.0, lambda: called.append("soon"))
    loop.cancel(loop.after(0.0, lambda: called.append("never")))
    began = time.monotonic()
    while "late" not in called:
        loop.turn()
    assert called == ["soon", "late"]
    assert time.monotonic() - began >= 0.02
    loop.turn(due=0.0)
    assert called == ["soon", "late"]


def test_a_timer_that_another_one_cancels_is_not_called() -> None:
    loop, called, others = EventLoop(), [], list[Timer]()

    def first() -> None:
        called.append("first")
        for timer in others:
            loop.cancel(timer)

    loop.after(0.0, first)
    others.append(loop.after(0.0, lambda: called.append("second")))
    time.sleep(0.001)
    loop.turn()
    assert called == ["first"]


def test_a_watch_ends_within_a_call() -> None:
    loop, called = EventLoop(), []
    read, write = os.pipe()

    def seen(descriptor: int) -> None:
        called.append(descriptor)
        loop.forget(descriptor)

    loop.watch(read, seen)
    os.write(write, b"x")
    loop.turn()
    loop.turn(due=0.0)
    assert called == [read]


def test_a_child_is_told_to_who_waits_for_it() -> None:
    with contextlib.suppress(ChildProcessError):  # what other tests' programs have left to this process
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    loop, told, strangers = EventLoop(), [], []
    known, other = os.fork(), 0
    if known == 0:
        os._exit(3)
    loop.on_exit(known, lambda status: told.append(os.waitstatus_to_exitcode(status)))
    other = os.fork()
    if other == 0:
        os._exit(0)
    os.waitid(os.P_PID, known, os.WEXITED | os.WNOWAIT)
    os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
    loop.reap(lambda pid, status: strangers.append((pid, status)))
    assert (told, strangers) == ([3], [(other, 0)])
