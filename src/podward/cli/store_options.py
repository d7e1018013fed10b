"""The options that say where an API server keeps its objects: kube-apiserver's own names where it has them."""

from __future__ import annotations

import argparse

from podward.store.options import SQLITE, Options


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command."""
    parser.add_argument("--data-dir", required=True, metavar="DIR", help="what the API server keeps, made of mode 0700")
    parser.add_argument(
        "--store",
        default=SQLITE,
        metavar="STORE",
        help="sqlite (in the data directory), or etcd://HOST:PORT,HOST:PORT…",
    )
    parser.add_argument(
        "--etcd-prefix", default=Options("").etcd_prefix, metavar="PATH", help="before all keys in etcd"
    )
    parser.add_argument("--etcd-cafile", default="", metavar="FILE", help="who signs etcd's certificate")
    parser.add_argument("--etcd-certfile", default="", metavar="FILE", help="our certificate for etcd")
    parser.add_argument("--etcd-keyfile", default="", metavar="FILE", help="its key")
    parser.add_argument(
        "--encryption-key-file",
        default="",
        metavar="FILE",
        help="the keys of Secrets at rest; else in the data directory",
    )


def store_options(args: argparse.Namespace) -> Options:
    """What they say."""
    return Options(
        data_dir=args.data_dir,
        store=args.store,
        etcd_prefix=args.etcd_prefix,
        etcd_cafile=args.etcd_cafile,
        etcd_certfile=args.etcd_certfile,
        etcd_keyfile=args.etcd_keyfile,
        key_file=args.encryption_key_file,
    )
