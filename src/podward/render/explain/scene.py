"""What a picture is made of: panels of bands of lanes, and the measures they are drawn by.

A panel is one container, or the Pod as a whole. A lane is one security field. It begins at the left at the chips of the
sources that decided it, and runs to the right through a column for each stage. Where a stage changes the value, there
is a stop with captions that say who and why; elsewhere the lane runs through. Lanes are in bands by topic, and
neighbours decided by the same source share its chip. Units are those of the SVG's view box; `y` grows downward, from
the panel's top.
"""

from __future__ import annotations

from msgspec import Struct

from podward.render.explain.candidates import Refusal
from podward.render.explain.rows import Row, ShownHint, ShownValue, Step

NOTHING = "none"
"""How an empty value reads."""
LEFT = 20
CHIP_WIDTH = 226
NAME = 306
FIRST = 452
COLUMN = 216
OBSERVED = 150
PILL = 24
CAPTION_LINE = 14
CAPTION_CELLS = 33
CALLOUT_LINE = 17
PROSE_CELL = 7.0
"""What a character of running text takes at most, on average."""
CHIP_STEP = 28


class Column(Struct, frozen=True, gc=False):
    """A stage's column; `x` is its left edge. `reached` is false for stages after a refusal."""

    stage: str
    words: str
    x: float
    reached: bool = True


class Caption(Struct, frozen=True, gc=False):
    """A line below a stop; `kind` is `source`, `reason`, `lost` or `more`. `part` is what a `source` names.

    `all`: whether what is `lost` is all there was.
    """

    kind: str
    text: str
    part: ShownValue | None = None
    all: bool = False


class Stop(Struct, frozen=True, gc=False):
    """A stage on a lane's way; `captions` only where it changed the value.

    `flow` is who decided what flows on from here, one part for each kind of source; `shown` whether the value stands
    here: where it is new, and at the end.
    """

    step: Step
    x: float
    flow: tuple[ShownValue, ...]
    shown: bool
    captions: tuple[Caption, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing left of the value."""
        return self.step.text == NOTHING


class Lane(Struct, frozen=True, gc=False):
    """A field's line at `y`; `quiet` where nobody wrote anything and nothing happened to it."""

    row: Row
    y: float
    stops: tuple[Stop, ...]
    quiet: bool


class Chip(Struct, frozen=True, gc=False):
    """A source at the beginning of lanes: its centre `y`, the `lanes` that it feeds, and how many `more` are untold."""

    part: ShownValue
    y: float
    lanes: tuple[float, ...]
    more: int = 0


class Callout(Struct, frozen=True, gc=False):
    """A hint below the lane it is about, pointing at `points_at` (0: at none)."""

    hint: ShownHint
    y: float
    height: float
    problem: tuple[str, ...]
    remedy: tuple[str, ...]
    changes: tuple[str, ...]
    points_at: float


class Notice(Struct, frozen=True, gc=False):
    """A refusal, at the top of its panel."""

    refusal: Refusal
    y: float
    height: float
    lines: tuple[str, ...]


class Band(Struct, frozen=True, gc=False):
    """The lanes of one topic."""

    title: str
    y: float
    height: float
    chips: tuple[Chip, ...]
    lanes: tuple[Lane, ...]
    callouts: tuple[Callout, ...]


class Panel(Struct, frozen=True, gc=False):
    """One container, or the Pod as a whole (`kind` is then `Pod`)."""

    name: str
    kind: str
    image: str
    where: str
    columns: tuple[Column, ...]
    notices: tuple[Notice, ...]
    bands: tuple[Band, ...]
    observed: float
    width: float
    height: float

    @property
    def short(self) -> str:
        """What to call it in front of a row's name."""
        return self.name if self.image else "Pod"
