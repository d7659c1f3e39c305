"""Shapes that pages are drawn from, computed before the template: the bar chart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

CHART_WIDTH, CHART_HEIGHT = 720, 220
_TOP, _BOTTOM, _GAP = 24, 28, 0.35


@dataclass(frozen=True, slots=True)
class Point:
    """One month of a chart: the axis label, the name in full, the value, and whether it is now or a forecast."""

    label: str
    title: str
    value: Decimal
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawn point, in units of the chart's view box."""

    label: str
    title: str
    text: str
    kind: str
    x: str
    y: str
    width: str
    height: str
    middle: str
    text_y: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What `ui/chart.html` shows."""

    bars: Sequence[Bar]
    width: int = CHART_WIDTH
    height: int = CHART_HEIGHT
    baseline: int = CHART_HEIGHT - _BOTTOM
    label_y: int = CHART_HEIGHT - 8


def bar_chart(points: Sequence[Point], *, text: Callable[[Decimal], str]) -> Chart:
    """Place one bar per point side by side; `text` writes a value for people. Negative values draw no bar."""
    highest = max((point.value for point in points), default=Decimal(0)) or Decimal(1)
    slot = CHART_WIDTH / max(len(points), 1)
    room = CHART_HEIGHT - _TOP - _BOTTOM

    def bar(position: int, point: Point) -> Bar:
        height = float(max(point.value, Decimal(0)) / highest) * room
        top = CHART_HEIGHT - _BOTTOM - height
        left = slot * (position + _GAP / 2)
        return Bar(
            label=point.label,
            title=point.title,
            text=text(point.value),
            kind=point.kind,
            x=f"{left:.1f}",
            y=f"{top:.1f}",
            width=f"{slot * (1 - _GAP):.1f}",
            height=f"{height:.1f}",
            middle=f"{slot * (position + 0.5):.1f}",
            text_y=f"{top - 6:.1f}",
        )

    return Chart(bars=[bar(position, point) for position, point in enumerate(points)])
