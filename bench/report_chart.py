"""Line charts as inline SVG, coloured by the page's style sheet."""

import dataclasses
import html
import math

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 66, 16, 14, 50


@dataclasses.dataclass
class Series:
    """`points`: (x, y, what a pointer over it shows). `style`: class of the style sheet, c0 to c5
    or floor. `band`: (x, low, high) of a shaded range."""
    name: str
    points: list
    style: str
    dashed: bool = False
    marks: bool = True
    band: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Axis:
    """`place` turns a value into a position between `low` and `high` after turning these."""
    label: str
    ticks: list  # (value, text)
    low: float
    high: float
    place: object = float

    def at(self, value, begin, end):
        low, high = self.place(self.low), self.place(self.high)
        share = (self.place(min(max(value, self.low), self.high)) - low) / (high - low)
        return begin + share * (end - begin)


def logarithm(value):
    return math.log10(max(value, 1e-12))


def nines(fraction):
    """0.9 lies one step, 0.99 two steps to the right."""
    return -math.log10(1 - fraction)


def round_steps(high, count=5):
    """About `count` round values from 0 to the first above `high`."""
    rough = high / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    return [i * step for i in range(math.ceil(high / step) + 1)]


def short(value):
    """`1.5 M` of 1500000."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {letter}"
    return f"{value:.3g}"


def linear_axis(label, high):
    steps = round_steps(high)
    return Axis(label, [(step, short(step)) for step in steps], 0, steps[-1])


def log_axis(label, values, text=short):
    """Ticks at 1, 2 and 5 times the powers of ten that `values` need."""
    ticks = [m * 10.0 ** e for e in range(-1, 13) for m in (1, 2, 5)]
    low, high = max(min(values), ticks[0]), max(values)
    first = max([t for t in ticks if t <= low], default=low)
    last = min([t for t in ticks if t >= high], default=high)
    if first == last:
        last = first * 2
    # Few decades have room for all ticks, more of them for the powers only.
    many = last / first > 2000
    inside = [t for t in ticks if first <= t <= last]
    shown = [t for t in inside if not many or math.log10(t) % 1 < 1e-9]
    return Axis(label, [(tick, text(tick)) for tick in shown], first, last, logarithm)


def each_axis(label, values, text=str):
    """A logarithmic axis with a tick at each of the values."""
    values = sorted(set(values))
    low, high = values[0], values[-1] if len(values) > 1 else values[0] * 2
    return Axis(label, [(value, text(value)) for value in values], low, high, logarithm)


def _path(points):
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def chart(x_axis, y_axis, series, description):
    """One <figure>: legend and drawing."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
           f'aria-label="{html.escape(description)}">']
    for value, text in y_axis.ticks:
        y = y_axis.at(value, bottom, TOP)
        out.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>'
                   f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" '
                   f'text-anchor="end">{html.escape(text)}</text>')
    for value, text in x_axis.ticks:
        x = x_axis.at(value, LEFT, right)
        anchor = "end" if x > right - 20 else "middle"
        out.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>'
                   f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" '
                   f'text-anchor="{anchor}">{html.escape(text)}</text>')
    out.append(f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>'
               f'<text class="label" x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" '
               f'text-anchor="middle">{html.escape(x_axis.label)}</text>'
               f'<text class="label" text-anchor="middle" '
               f'transform="translate(14 {(TOP + bottom) / 2}) rotate(-90)">'
               f'{html.escape(y_axis.label)}</text>')

    def place(x, y):
        return x_axis.at(x, LEFT, right), y_axis.at(y, bottom, TOP)

    for one in series:
        if one.band:
            edge = [place(x, high) for x, _, high in one.band]
            edge += [place(x, low) for x, low, _ in reversed(one.band)]
            out.append(f'<path class="band {one.style}" d="{_path(edge)}Z"/>')
    for one in series:
        points = [place(x, y) for x, y, _ in one.points]
        dashed = " dashed" if one.dashed else ""
        out.append(f'<path class="line {one.style}{dashed}" d="{_path(points)}"/>')
        radius = 3.5 if one.marks else 0
        for (x, y), (_, _, text) in zip(points, one.points):
            # The wide ring is for the pointer only.
            out.append(f'<g><title>{html.escape(one.name)}: {html.escape(text)}</title>'
                       f'<circle class="dot {one.style}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'
                       f'<circle class="reach" cx="{x:.1f}" cy="{y:.1f}" r="9"/></g>')
    out.append("</svg>")
    legend = "".join(
        f'<li><svg viewBox="0 0 28 8"><path class="line {one.style}'
        f'{" dashed" if one.dashed else ""}" d="M0 4H28"/></svg>{html.escape(one.name)}</li>'
        for one in series)
    return f'<figure><ul class="legend">{legend}</ul>{"".join(out)}</figure>'
