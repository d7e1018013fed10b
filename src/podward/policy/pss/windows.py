"""Windows Pods under a standard that does not know them yet.

Since 1.25 a Pod with os.name windows need not set what only Linux has. Before, the standard asks for fields that the
API server refuses on such a Pod, so no change of the manifest helps.
"""

from __future__ import annotations

from podward.policy.pss.check import PssRemedy

NOT_EXEMPT_YET = PssRemedy(
    "A Windows Pod cannot set this: hold the namespace to version v1.25 or later, which asks it of Linux Pods only."
)
