"""What a service knows a finding by from one run to the next."""

from __future__ import annotations

import hashlib

from podward.api.finding import Finding


class Marks:
    """Marks of findings, which stay when lines move; no two of one report are the same."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, finding: Finding) -> str:
        """A digest of the finding's fingerprint, and which of those with the same digest it is."""
        digest = hashlib.sha256(finding.fingerprint.encode("utf-8", "backslashreplace")).hexdigest()
        self._seen[digest] = self._seen.get(digest, 0) + 1
        return f"{digest}:{self._seen[digest]}"
