"""Writes docs/rules, docs/hints and the tables of docs/rules/README.md from the one registry of rules.

    python tools/write_rule_pages.py docs        (or: make pages)

The registry is `podward.check.rules`, and the pages that `podward rule NAME` prints are in `podward/rule_pages`.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from podward.check import rules

PAGES = Path(__file__).parent.parent / "src" / "podward" / "rule_pages"


def page(name: str) -> str:
    """The page of a rule."""
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def overview(text: str) -> str:
    """The overview with its table of each family written anew; what stands around the tables stays."""
    for family in rules.FAMILIES:
        heading = re.compile(rf"(^## [^\n]*`{family}`\n(?:(?!^## |^\|).*\n)*)((?:^\|.*\n)+)", re.MULTILINE)
        text, count = heading.subn(lambda found, of=family: found[1] + table(of), text)
        if count != 1:
            raise SystemExit(f"docs/rules/README.md has no table below the heading of `{family}`")
    return text


def table(family: str) -> str:
    """The table of a family."""
    rows = "| rule | |\n|---|---|\n"
    for name, described in sorted(rules.DESCRIPTIONS.items(), key=lambda each: each[0]):
        if rules.covers(family, name):
            last = name.partition("/")[2]
            place = f"../hints/{last}.md" if family == "hint" else f"{family}/{last}.md"
            rows += f"| [{last}]({place}) | {described} |\n"
    return rows


def main() -> None:
    """Write every page and the overview."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("docs", type=Path, help="the directory of the documentation")
    docs: Path = parser.parse_args().docs
    for name in rules.DESCRIPTIONS:
        file = docs / rules.page_of(name).removeprefix("docs/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page(name), encoding="utf-8")
    listed = docs / "rules" / "README.md"
    listed.write_text(overview(listed.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
