"""An authorizer's answer says which object decided."""

from __future__ import annotations

import pytest

from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.decision import Origin, Source


@pytest.mark.parametrize("opinion", [Opinion.ALLOW, Opinion.DENY])
def test_who_allows_or_denies_must_say_by_what(opinion: Opinion) -> None:
    with pytest.raises(ValueError, match="without a source"):
        Answer(opinion)
    assert Answer(opinion, Source(Origin.POLICY, "x"), "because").reason == "because"


def test_without_an_opinion_there_is_no_source() -> None:
    assert (NO_OPINION.opinion, NO_OPINION.source, NO_OPINION.reason) == (Opinion.NO_OPINION, None, "")
