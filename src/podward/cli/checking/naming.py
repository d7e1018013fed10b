"""What files are called: as seen from the current directory in reports, and from its own in the configuration.

Whoever calls a file by an absolute name, or checks from a directory further down, must get the same waivers, exclusions
and baselines. As ruff does it: a file is shown relative to the current directory wherever it is below that, or below
the directory of the configuration; patterns see it relative to the latter. Without a configuration both are the same.
"""

from __future__ import annotations

import os

from msgspec import Struct

from podward.cli.checking.files import STDIN


class Naming(Struct, frozen=True):
    """The current directory, and that of the configuration; both absolute."""

    here: str
    root: str

    def shown(self, path: str) -> str:
        """The name by which findings call what the command line calls `path`."""
        if path == STDIN or not path:
            return path
        whole = os.path.normpath(os.path.join(self.here, path))
        if _is_below(whole, self.here) or _is_below(whole, self.root):
            return os.path.relpath(whole, self.here)
        return os.path.normpath(path)

    def rooted(self, file: str) -> str:
        """The name by which patterns and baselines know a file that findings call `file`."""
        if self.here == self.root:
            return file
        whole = os.path.normpath(os.path.join(self.here, file))
        return os.path.relpath(whole, self.root) if _is_below(whole, self.root) else whole

    def pattern(self, pattern: str) -> str:
        """A pattern of the command line, which is meant from here, as it is meant from the configuration."""
        if "/" not in pattern.rstrip("/") or self.here == self.root:
            return pattern
        return os.path.join(os.path.relpath(self.here, self.root), pattern)


def naming(configuration: str) -> Naming:
    """The naming with this configuration; empty for none."""
    here = _here()
    return Naming(here, os.path.dirname(os.path.normpath(os.path.join(here, configuration))) if configuration else here)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # removed while we stand in it: only absolute names lead anywhere
        return "/proc/self/cwd"


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
