#!/usr/bin/env python3
"""Read every manifest below a directory with podward's reader, on all cores, and do nothing with them.

usage: bench/bare_parse.py DIRECTORY [PROCESSES]     (with the Python that podward has)

What `podward check` can't do without: listing, reading and parsing, by as many processes as it would take where no
number is given, with the garbage collector off as there. Prints how many documents there are. See bench/check.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{ROOT}/src")

import arguments  # noqa: E402  # the path comes first

from podward.cli import inputs  # noqa: E402
from podward.cli.checking import files  # noqa: E402
from podward.documents.reader import read_all  # noqa: E402


def count(names: list[str]) -> int:
    """How many documents these files hold."""
    return sum(len(read_all(inputs.content_of(name), name).documents) for name in names)


def main() -> None:
    """Parse all; the answer of each process is its count, through a pipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=arguments.name, metavar="DIRECTORY")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("processes", type=arguments.count, nargs="?", default=cores, metavar="PROCESSES")
    args = parser.parse_args()
    gc.disable()
    names = files.listed([args.directory], ())
    readers = []
    for number in range(1, args.processes):
        reader, writer = os.pipe()
        if not os.fork():
            os.write(writer, count(list(names[number :: args.processes])).to_bytes(8, "big"))
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    documents = count(list(names[:: args.processes]))
    documents += sum(int.from_bytes(os.read(reader, 8), "big") for reader in readers)
    for _ in readers:
        os.wait()
    print(f"{len(names)} files, {documents} documents")


if __name__ == "__main__":
    main()
