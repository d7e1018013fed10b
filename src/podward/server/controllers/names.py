"""Which controllers run: what `--controllers` says, as kube-controller-manager understands it.

`*` means all that are on by default, NAME one of them, -NAME all but this one. The older names go as well. Those that
make objects in namespaces are off by default: an API server alone has none.
"""

from __future__ import annotations

APPROVING = "certificatesigningrequest-approving-controller"
SIGNING = "certificatesigningrequest-signing-controller"
CLEANING = "certificatesigningrequest-cleaner-controller"
ACCOUNTS = "serviceaccount-controller"
AUTHORITIES = "root-ca-certificate-publisher-controller"
TOKEN_SECRETS = "serviceaccount-token-controller"  # noqa: S105 - a name
_DEFAULT = (APPROVING, SIGNING, CLEANING)
ALL = (*_DEFAULT, ACCOUNTS, AUTHORITIES, TOKEN_SECRETS)
_OLDER = {
    "csrapproving": APPROVING,
    "csrsigning": SIGNING,
    "csrcleaner": CLEANING,
    "serviceaccount": ACCOUNTS,
    "root-ca-cert-publisher": AUTHORITIES,
    "serviceaccount-token": TOKEN_SECRETS,
}


def unknown(text: str) -> str:
    """The first word of it that is no controller; empty where there is none."""
    for word in filter(None, text.split(",")):
        plain = word.removeprefix("-")
        if word != "*" and plain not in _OLDER and plain not in ALL:
            return plain
    return ""


def enabled(text: str) -> frozenset[str]:
    """The controllers that run."""
    words = [word for word in text.split(",") if word]
    named = {_OLDER.get(word, word) for word in words if not word.startswith("-")}
    left_out = {_OLDER.get(word[1:], word[1:]) for word in words if word.startswith("-")}
    if "*" in named:
        named |= set(_DEFAULT)
    return frozenset(each for each in ALL if each not in left_out and each in named)
