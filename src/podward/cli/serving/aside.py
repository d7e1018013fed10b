"""Work that is done once, in a process of its own: what it imports, and what it forks, the supervisor never has."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from podward.cli import terminal
from podward.errors import PodwardError
from podward.runtime import syscalls
from podward.runtime.event_loop import EventLoop


def begin(loop: EventLoop, work: Callable[[], None], then: Callable[[int], None]) -> int:
    """Do the work in a child; `then` is called with its exit code. Returns the pid."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os._exit(_done(work))
    loop.on_exit(pid, lambda status: then(os.waitstatus_to_exitcode(status)))
    return pid


def _done(work: Callable[[], None]) -> int:
    import signal

    os.setsid()  # a second Ctrl-C must not interrupt the end of Pods
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    syscalls.die_with_parent()
    code = 0
    try:
        work()
    except PodwardError as error:
        terminal.complain(error)
        code = error.exit_code
    except OSError as error:
        terminal.say(str(error))
        code = 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # noqa: BLE001 - a child that goes on would be a second supervisor
        import traceback

        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    return code
