"""`--with FILE`: the objects that the Pods of the input refer to, from the input itself and from files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.cli import inputs
from podward.schema.referenced_objects import collect
from podward.schema.strict import require

if TYPE_CHECKING:
    import argparse

    from podward.api.referenced_objects import ReferencedObjects
    from podward.documents.document import Document


def add(parser: argparse.ArgumentParser) -> None:
    """The option."""
    parser.add_argument(
        "--with",
        dest="beside",
        action="append",
        default=[],
        metavar="FILE",
        help="a file or directory with Secrets, ConfigMaps and the like that the Pods name; Pods in it are not run",
    )


def gather(documents: tuple[Document, ...], args: argparse.Namespace) -> ReferencedObjects:
    """The objects of the input, whose fields were checked, then those of `--with`, in order.

    Raises InputError for a file of `--with` that is no manifest, or whose fields do not fit.
    """
    beside = inputs.documents(args.beside, "name a file with objects that the Pods name") if args.beside else ()
    for document in beside:
        require(document)
    return collect((*documents, *beside))
