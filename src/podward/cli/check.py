"""`podward check`: gate manifests in CI, and see what another policy would change."""

from __future__ import annotations

import argparse

from podward.cli import file_options

SUMMARY = "gate manifests in CI: what policies refuse, where, and the smallest change that satisfies them"
EXAMPLES = (
    ("every manifest below a directory, against what its namespaces ask, else `restricted`", "podward check deploy/"),
    ("what a chart comes to", "helm template ./chart | podward check -"),
    ("against one of OpenShift's SCCs", "podward check deploy/ --scc restricted-v2"),
    ("show the changes that would satisfy the policy, then make them", "podward check deploy/ --fix --diff"),
    ("only what is new since a baseline fails", "podward check deploy/ --baseline known.json"),
    (
        "a gate that the checked files cannot open",
        "podward check deploy/ --policy-from gate/ --config gate/podward.toml --no-inline-waivers",
    ),
    ("which SCC admits each workload", "podward check deploy/ --scc sccs/ -o wide"),
    ("for GitHub's code scanning", "podward check deploy/ -o sarif > podward.sarif"),
    ("what a new set of SCCs would change", "podward check --compare old-sccs/ new-sccs/ deploy/"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("files", nargs="*", metavar="PATH", help=file_options.HELP)
    add("-f", "--filename", action="append", default=[], metavar="FILE", help="the same, as kubectl's")
    add("--level", choices=("privileged", "baseline", "restricted"), help="Pod Security where no namespace says")
    add("--version", metavar="VERSION", help="of the Pod Security Standards: latest (default) or v1.N")
    add("--scc", action="append", default=[], metavar="NAME|FILE", help="an SCC to fit, or a file with SCCs")
    add("-n", "--namespace", metavar="NAME", help="of objects that name none (default: default)")
    add("--as", dest="user", metavar="USER", help="who makes the Pods, beside their service account")
    add("--as-group", dest="groups", action="append", default=[], metavar="GROUP", help="a group of that user")
    add(
        "--policy-from",
        action="append",
        default=[],
        metavar="DIR|FILE",
        help="take policies, namespaces and RBAC from there alone, not from the checked files",
    )
    add("--no-inline-waivers", action="store_true", help="waivers in annotations do not count")
    add("--max-waiver-days", type=_days, metavar="N", help="waivers that end later than in N days do not count")
    add("--select", action="append", default=[], metavar="RULES", help="only these rules or families (pss,scc/volumes)")
    add("--ignore", action="append", default=[], metavar="RULES", help="not these")
    add("--exclude", action="append", default=[], metavar="PATTERN", help="files that directories' search leaves out")
    add("--baseline", metavar="FILE", help="findings that are known: only new ones fail")
    add("--write-baseline", metavar="FILE", help="write what is found now as a baseline")
    add("--fix", action="store_true", help="change the files: the smallest change for every finding that has one")
    add("--diff", action="store_true", help="with --fix: show the changes, write nothing")
    add(
        "--compare",
        nargs=2,
        metavar=("OLD", "NEW"),
        help="what changes for every workload between two sets of policies",
    )
    add("--config", metavar="FILE", help="instead of the repository's closest podward.toml or pyproject.toml")
    add("--no-cache", action="store_true", help="judge files anew that have not changed")
    add("--allow-empty", action="store_true", help="no workload to check is no failure")
    add("--exit-zero", action="store_true", help="findings do not fail the check; what could not be read does")
    add("-q", "--quiet", action="store_true", help="only findings: nothing if there are none")
    add("--statistics", action="store_true", help="how often each rule is broken, not where")
    add(
        "-o",
        "--output",
        choices=("table", "wide", "json", "sarif", "junit", "github", "gitlab", "html"),
        help="the form of the answer (wide: with a line for each workload; html: of --compare)",
    )


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected a number of days, found {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Check; 0 nothing fails, 1 a finding is an error, 2 something could not be read."""
    from podward.cli.checking import run as running

    return running.run(args)
