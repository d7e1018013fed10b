"""Which controllers run: what `--controllers` says, as kube-controller-manager understands it.

`*` means all that are on by default, NAME one of them, -NAME all but this one. The older names go as well.
"""

from __future__ import annotations

APPROVING = "certificatesigningrequest-approving-controller"
SIGNING = "certificatesigningrequest-signing-controller"
CLEANING = "certificatesigningrequest-cleaner-controller"
CERTIFICATES = frozenset((APPROVING, SIGNING, CLEANING))
TOKEN_SECRETS = "serviceaccount-token-controller"  # noqa: S105 - a name
ALL = (APPROVING, SIGNING, CLEANING, TOKEN_SECRETS)
_OLDER = {
    "csrapproving": APPROVING,
    "csrsigning": SIGNING,
    "csrcleaner": CLEANING,
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
    return frozenset(each for each in ALL if each not in left_out and ("*" in named or each in named))
