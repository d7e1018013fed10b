"""`podward rotate-key`: encrypt an API server's Secrets with a new key, and drop the old one."""

from __future__ import annotations

import argparse
import asyncio

from podward.cli.store_options import add_store_options, store_options
from podward.store.encryption import rotate
from podward.store.opening import check_key_file, key_file_of, open_bare
from podward.store.options import Options

SUMMARY = "encrypt an API server's Secrets with a new key, and drop the old one"
EXAMPLES = (
    ("of a server that keeps its objects in a file", "podward rotate-key --data-dir /var/lib/podward/apiserver"),
    ("of servers on an etcd, all of them stopped", "podward rotate-key --data-dir DIR --store etcd://127.0.0.1:2379"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Rotate, and say what was done."""
    options = store_options(args)
    number = asyncio.run(_rotate(options))
    print(f"{number} values are encrypted with a new key, the only one in {key_file_of(options)}")
    return 0


async def _rotate(options: Options) -> int:
    store = await open_bare(options)
    try:
        await check_key_file(store, options)
        return await rotate(store, key_file_of(options), options.encrypted)
    finally:
        await store.close()
