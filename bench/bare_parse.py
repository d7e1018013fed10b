#!/usr/bin/env python3
"""Read every manifest below a directory with podward's reader, on all cores, and do nothing with them.

usage: bench/bare_parse.py DIRECTORY [PROCESSES]     (with the Python that podward has)

What `podward check` can't do without: listing, reading and parsing, by as many processes as it would take where no
number is given, with the garbage collector off as there. Prints how many documents there are. See bench/check.
"""

from __future__ import annotations

import gc
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{ROOT}/src")

from podward.cli import inputs  # noqa: E402
from podward.cli.checking import files  # noqa: E402
from podward.documents.reader import read_all  # noqa: E402  # the path comes first


def count(names: list[str]) -> int:
    """How many documents these files hold."""
    return sum(len(read_all(inputs.content_of(name), name).documents) for name in names)


def main() -> int:
    """Parse all; the answer of each process is its count, through a pipe."""
    gc.disable()
    names = files.listed(sys.argv[1:2], ())
    cores = int(sys.argv[2]) if len(sys.argv) > 2 else len(os.sched_getaffinity(0))
    readers = []
    for number in range(1, cores):
        reader, writer = os.pipe()
        if not os.fork():
            os.write(writer, count(list(names[number::cores])).to_bytes(8, "big"))
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    documents = count(list(names[::cores])) + sum(int.from_bytes(os.read(reader, 8), "big") for reader in readers)
    for _ in readers:
        os.wait()
    print(f"{len(names)} files, {documents} documents")
    return 0


if __name__ == "__main__":
    sys.exit(main())
