"""What tests may need of the machine, and the count of those that did without.

`@pytest.mark.needs("root", "crun")` skips a test where the machine lacks one of these. A skip hides a defect, so it
passes only where the machine gives no choice: in CI, and for root in a clone with every tool, a skipped test fails the
run. PODWARD_ALLOW_SKIP=1 lets it pass all the same. The last line counts passed, failed and skipped, with the reasons.

A worker of pytest-xdist collects a file of tests when its turn has come. Otherwise each of them would collect all
fifteen thousand tests and keep what stands for them: every process that a test forks would have a copy of it, which
costs more than most of these tests.
"""

from __future__ import annotations

import errno
import gc
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from glob import glob
from pathlib import Path
from zlib import crc32

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, settings
from proofs import examples

from podward.runtime import syscalls

TOOLS = (
    "busybox", "catatonit", "conmon", "conntrack", "crun", "docker-registry", "etcd", "newuidmap", "nft", "runc",
    "runsc", "setcap", "setfacl", "skopeo",
)  # fmt: skip
# A process that has had a gRPC channel may fork for other tests: its children use none, and gRPC is not to write to
# their standard error.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
# kubectl, helm and umoci live for 50 ms, of which they spend a quarter looking for garbage while they start.
os.environ.setdefault("GOGC", "1000")
SYSTEM_PATH = "/usr/sbin:/sbin"
"""Where Debian puts some of the tools, and where users do not look."""
SHORT = {"access", "api", "check", "documents", "policy", "render", "schema", "stages"}
"""Folders whose files take some seconds at the most: they compute."""
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CLONE_FS = 0x200


def _installed(tool: str) -> Callable[[], bool]:
    return lambda: shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}") is not None


def _has_cni() -> bool:
    return any(os.access(f"{place}/bridge", os.X_OK) for place in ("/usr/lib/cni", "/opt/cni/bin"))


def _has_helm() -> bool:
    """Whether tools/helm has put it there; it has none for machines that are not x86-64."""
    return any(os.access(helm, os.X_OK) for helm in glob(f"{ROOT}/build/helm-*/helm"))


def _is_clone() -> bool:
    """Whether git knows the files of this tree; it does not in one that was unpacked from an archive."""
    return os.path.exists(f"{ROOT}/.git") and _installed("git")()


NEEDS: dict[str, Callable[[], bool]] = {
    "root": lambda: os.geteuid() == 0,
    "git": _is_clone,
    "cni": _has_cni,
    "helm": _has_helm,
    **{tool: _installed(tool) for tool in (*TOOLS, "umoci")},
}
"""Every need that a test may name, and whether the machine meets it. `tools/install` installs them all."""

FINISHED = pytest.StashKey[bool]()
"""Whether every test was run, unlike after Ctrl-C or an error while collecting."""

# A busy machine makes no example wrong: only the time of a whole test is limited, by pytest-timeout.
settings.register_profile(
    "podward", max_examples=examples(40, 100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("podward")


class LaterFile(pytest.File):
    """A file of tests that was not opened yet."""

    def collect(self) -> Iterator[pytest.Item]:
        yield AllTests.from_parent(self, name="all")


class AllTests(pytest.Item):
    """The tests of a file, in place of which they are distributed."""

    running = ""
    """The node id of the one that runs; pytest-xdist wants reports to be of the item that it has asked for."""

    @property
    def nodeid(self) -> str:
        return self.running or super().nodeid

    def runtest(self) -> None:
        raise AssertionError("run_each is what runs them")

    def run_each(self, after: pytest.Item | None) -> None:
        """Collect the tests and run them. `after`: what comes next; what it needs too is not torn down."""
        assert self.parent is not None
        _look_past_what_stays()  # before: the tests of this file go when it has run
        module = pytest.Module.from_parent(self.parent.parent, path=self.path)
        tests = list(self.session.genitems(module))
        self.config.hook.pytest_collection_modifyitems(session=self.session, config=self.config, items=tests)
        for test, following in zip(tests, [*tests[1:], after], strict=False):  # there may be none
            if self.session.shouldfail or self.session.shouldstop:
                break
            self.running = test.nodeid
            self.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        self.running = ""


class Progress:
    """Says of how many tests those that have run are a part: how many there are shows as files are opened."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._tests = 0
        self._files: set[str] = set()
        self._all_files = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            self._all_files = self._all_files or self._session.testscollected
            self._tests += 1
            self._files.add(report.nodeid.partition("::")[0])
            self._session.testscollected = self._tests * self._all_files // len(self._files)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    later = hasattr(parent.config, "workerinput") and not _chooses(parent.config)
    return LaterFile.from_parent(parent, path=module_path) if later else None


def _chooses(config: pytest.Config) -> bool:
    """Whether some tests of a file are asked for: who chooses among them has to know them."""
    return bool(config.option.keyword or config.option.markexpr or any("::" in place for place in config.args))


def _look_past_what_stays() -> None:
    """Have later searches for garbage pass over all that is there now, most of which is code.

    A test makes few objects beside the hundred thousand of pytest and of the modules that were imported: to look at
    each of them again was a quarter of a worker's time, and a process that it has forked copied what it looked at.
    """
    gc.collect()  # what is garbage already would stay
    gc.freeze()


def pytest_collection_finish() -> None:
    _look_past_what_stays()


def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.pluginmanager.hasplugin("dsession") and not _chooses(session.config):
        session.config.pluginmanager.register(Progress(session))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if isinstance(item, AllTests):
        item.run_each(nextitem)
        return True
    if not hasattr(item.config, "workerinput"):
        return None
    # pytest would tell of the start, the set-up, the call, the tear-down and the end of each: a third of what a short
    # test costs is telling the controller, who shows nothing of set-ups and tear-downs that passed.
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


def pytest_configure() -> None:
    # A worker of pytest-xdist has a thread beside the one of the tests, and tests enter mount namespaces: that is for
    # threads that share no working directory with another one (setns(2)).
    syscalls.unshare(_CLONE_FS)
    # A shell without job control starts what it puts into the background with SIGINT ignored, and children inherit
    # that: the tests that interrupt a command would wait for its end in vain.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers and a half to a core: most of the time of a test that runs something is spent waiting for it."""
    return min(10, len(os.sched_getaffinity(0)) * 5 // 2)


def pytest_itemcollected(item: pytest.Item) -> None:
    """`make proofs` is where a test that tries random examples tries many."""
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        item.add_marker(pytest.mark.proof)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, AllTests):
            item.add_marker(pytest.mark.timeout(0))  # its tests have their own
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, int]:
    """Files in no order, so that tests that wait and tests that compute run beside each other, but short ones last.

    So no worker is alone in the end with a file that takes a minute.
    """
    place = item.nodeid.partition("::")[0]
    return not SHORT.isdisjoint(place.split("/")[1:2]), crc32(place.encode())


def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = [name for marker in item.iter_markers("needs") for name in marker.args]
    unknown = [name for name in needed if name not in NEEDS]
    if unknown:
        pytest.fail(f"needs{tuple(unknown)}: tests/conftest.py knows no such need", pytrace=False)
    for name in needed:
        if not NEEDS[name]():
            pytest.skip(f"needs {name}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Entering a mount namespace, and coming back, ends in `/`: the next test would meet that."""
    yield
    try:
        here = os.getcwd()
    except OSError as error:
        here = str(error)
    if here != str(item.config.invocation_params.dir):
        os.chdir(item.config.invocation_params.dir)
        pytest.fail(f"the test left the working directory: {here}", pytrace=False)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[FINISHED] = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    if session.exitstatus == pytest.ExitCode.OK and skips_forbidden() and any(_skip_reasons(session.config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.option.collectonly or _reporter(config) is None:
        return
    reasons = Counter(_skip_reasons(config))
    counted = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
    totals = f"{_count(config, 'passed', 'xfailed')} passed, {_count(config, 'failed', 'error')} failed"
    writer = config.get_terminal_writer()
    if reasons and skips_forbidden():
        writer.line(
            "A skipped test fails this run: it is CI's, or root's with every tool. PODWARD_ALLOW_SKIP=1 differs."
        )
    if not config.stash.get(FINISHED, False):
        writer.line("The run did not come to its end: what follows counts a part of it.")
    writer.line(f"tests: {totals}, {reasons.total()} skipped" + (f": {counted}" if counted else ""))


def skips_forbidden() -> bool:
    """Whether a skipped test fails the run."""
    if os.environ.get("PODWARD_ALLOW_SKIP"):
        return False
    return bool(os.environ.get("CI")) or all(met() for met in NEEDS.values())


def _reporter(config: pytest.Config) -> pytest.TerminalReporter | None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter if isinstance(reporter, pytest.TerminalReporter) else None


def _reports(config: pytest.Config, outcome: str) -> list[pytest.TestReport]:
    reporter = _reporter(config)
    return reporter.stats.get(outcome, []) if reporter else []


def _count(config: pytest.Config, *outcomes: str) -> int:
    return sum(len(_reports(config, outcome)) for outcome in outcomes)


def _skip_reasons(config: pytest.Config) -> Iterator[str]:
    for report in _reports(config, "skipped"):
        _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "without a reason")
        yield reason.removeprefix("Skipped: ")


@pytest.fixture
def everything_shown() -> Callable[[int], bytes]:
    """What was written to a terminal whose other end is closed, read from this end, which is closed then."""

    def read(ours: int) -> bytes:
        said = b""
        try:
            while part := os.read(ours, 4096):  # one read may give one write, or less
                said += part
        except OSError as error:  # Linux says EIO, not end of file, once nobody has the other end open
            if error.errno != errno.EIO:
                raise
        os.close(ours)
        return said

    return read
