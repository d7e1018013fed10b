"""`podward rule`: a rule of `podward check`, explained; or all of them.

The pages are those of docs/rules and docs/hints, which `make pages` writes from `podward/rule_pages`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys

import podward
from podward.check import rules
from podward.errors import UsageError

SUMMARY = "explain a rule of `check`: what it is about, why, and the cure"
EXAMPLES = (
    ("what a finding means", "podward rule pss/privileged"),
    ("every rule with a sentence", "podward rule --list"),
    ("those of a family", "podward rule --list scc"),
)

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("rules", nargs="*", metavar="RULE", help="such as pss/hostPorts; with --list a family, too")
    parser.add_argument("--list", action="store_true", help="list the rules, all of them or those that are named")


def run(args: argparse.Namespace) -> int:
    """Print the pages, or the list."""
    if args.list:
        sys.stdout.write(_listed(args.rules))
        return 0
    if not args.rules:
        raise UsageError("no rule is named", where="rule", advice="name one, or list them: podward rule --list")
    texts = [_page(_known(name)) for name in args.rules]
    sys.stdout.write("\n".join(texts))
    return 0


def _listed(wanted: list[str]) -> str:
    for word in wanted:
        if not rules.is_known(word):
            raise _unknown(word)
    chosen = [
        name for name in rules.DESCRIPTIONS if not wanted or any(rules.covers(selector, name) for selector in wanted)
    ]
    width = max(map(len, chosen))
    return "".join(f"{name:{width}}  {rules.DESCRIPTIONS[name]}\n" for name in chosen)


def _known(name: str) -> str:
    if name in rules.DESCRIPTIONS:
        return name
    if name in rules.FAMILIES:
        raise UsageError(f"{name} is a family of rules", where="rule", advice=f"podward rule --list {name}")
    raise _unknown(name)


def _unknown(name: str) -> UsageError:
    return UsageError(f"there is no rule {name!r}", where="rule", advice=rules.advice(name))


def _page(name: str) -> str:
    """The page of a rule under the rule's whole name, without the targets of links."""
    file = os.path.join(os.path.dirname(podward.__file__), "rule_pages", f"{name}.md")
    with open(file, encoding="utf-8") as opened:
        _, _, text = opened.read().partition("\n")
    plain = _LINK.sub(r"\1", text)
    return f"# {name}\n{plain}"
