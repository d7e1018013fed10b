"""The parts of a picture (panels, bands, lanes, stops, captions), and their sizes.

A panel shows one container, or the Pod as a whole. A lane shows one security field. It begins at the left with the
chips of the sources that decided the field, and runs to the right through one column for each stage. If a stage changes
the value, the lane has a stop there, with captions that say who changed it and why. A band has the lanes of one topic;
neighbouring lanes with the same source share its chip. Units are those of the SVG's view box; `y` grows downward from
the panel's top.
"""

from __future__ import annotations

from msgspec import Struct

from podward.render.explain.row_types import CitedHint, CitedValue, Refusal, Row, Step

EMPTY = "none"
"""The text of an empty value."""
LEFT_MARGIN = 20
CHIP_WIDTH = 226
NAME_X = 306
FIRST_COLUMN_X = 452
COLUMN_WIDTH = 216
OBSERVED_WIDTH = 150
BOX_HEIGHT = 24
CAPTION_LINE_HEIGHT = 14
CAPTION_CELLS = 33
CALLOUT_LINE_HEIGHT = 17
TEXT_CELL = 7.0
"""The width of a character of running text: an upper limit of the average."""
CHIP_STEP = 28


class Column(Struct, frozen=True, gc=False):
    """The column of a stage; `x` is its left edge. `reached` is false for stages after a refusal."""

    stage: str
    words: str
    x: float
    reached: bool = True


class Caption(Struct, frozen=True, gc=False):
    """A line of text below a stop; `kind` is `source`, `reason`, `lost` or `more`.

    `part` is set for a `source`. `all` is set if the items that were `lost` were all items.
    """

    kind: str
    text: str
    part: CitedValue | None = None
    all: bool = False


class Stop(Struct, frozen=True, gc=False):
    """A stage on a lane; it has `captions` only if it changed the value.

    `flow` has one part for each kind of source of the value after this stage. `shown` is whether the value is written
    here: if it is new, and at the last stage.
    """

    step: Step
    x: float
    flow: tuple[CitedValue, ...]
    shown: bool
    captions: tuple[Caption, ...]

    @property
    def empty(self) -> bool:
        """Whether the value is empty."""
        return self.step.text == EMPTY


class Lane(Struct, frozen=True, gc=False):
    """The lane of a field at `y`; `quiet` is whether all of it are defaults and rules, and no stage changes it."""

    row: Row
    y: float
    stops: tuple[Stop, ...]
    quiet: bool


class Chip(Struct, frozen=True, gc=False):
    """A source at the left: its centre `y`, the `lanes` that it decided, and the number of `more` sources not shown."""

    part: CitedValue
    y: float
    lanes: tuple[float, ...]
    more: int = 0


class Callout(Struct, frozen=True, gc=False):
    """A hint below the lane that it is about; `points_at` is the lane's `y`, 0 for no lane."""

    hint: CitedHint
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
        """A short name, to be written before the name of a row."""
        return self.name if self.image else "Pod"
