"""A bar for each side, the spread of its rounds, and the targets: SVG, without a library."""

from html import escape
from pathlib import Path

from benchmarks.harness.results import Circumstances, Result, number
from benchmarks.harness.rounds import Spread

WIDTH = 760
LABEL = 250
BARS = WIDTH - LABEL - 110
BAR = 16
ROW = 26
COLOURS = ("#1f6feb", "#8b949e")
OURS = "carillon"
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:15px}"
    ".m{font-weight:600}.s{fill:#57606a;font-size:11px}line{stroke:#24292f;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#8b949e}line{stroke:#e6edf3}}"
)


def draw(result: Result, circumstances: Circumstances, folder: Path) -> Path:
    """Write the chart beside the JSON; where it is."""
    parts: list[str] = []
    y = 26
    parts.append(_text(0, y, result.title, "t"))
    for metric, sides in _by_metric(result).items():
        y += ROW
        parts.append(_text(0, y, metric, "m"))
        most = max(spread.most for spread in sides.values()) or 1.0
        for side, spread in sides.items():
            y += ROW
            parts += _bar(y, side, spread, BARS / most)
    y += 8
    for comparison in result.comparisons:
        y += 20
        target, ratio = comparison.target, comparison.ratio(result.rounds)
        aim = f", aim {target.bound(target.aim)}" if target.aim is not None else ""
        line = f"{target.name}: {number(ratio)} (must {target.bound(target.must)}{aim})"
        parts.append(_text(0, y, line, ""))
    y += 22
    parts.append(_text(0, y, _when(circumstances), "s"))
    height = y + 14
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 {WIDTH + 24} {height}" '
        f'width="{WIDTH + 24}" height="{height}" role="img" '
        f'aria-label="{escape(result.title)}"><style>{STYLE}</style>{"".join(parts)}</svg>\n'
    )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.scenario}.svg"
    file.write_text(svg, encoding="utf-8")
    return file


def _by_metric(result: Result) -> dict[str, dict[str, Spread]]:
    found: dict[str, dict[str, Spread]] = {}
    for (side, metric), spread in result.rounds.all().items():
        found.setdefault(metric, {})[side] = spread
    return found


def _bar(y: int, side: str, spread: Spread, scale: float) -> list[str]:
    colour = COLOURS[0 if side.startswith(OURS) else 1]
    middle = y - BAR / 2 + 4
    least, most = (LABEL + value * scale for value in (spread.least, spread.most))
    return [
        _text(0, y, side, ""),
        (
            f'<rect x="{LABEL}" y="{y - BAR + 4}" width="{max(1.0, spread.median * scale):.1f}" '
            f'height="{BAR}" rx="2" fill="{colour}"/>'
        ),
        f'<line x1="{least:.1f}" x2="{most:.1f}" y1="{middle}" y2="{middle}"/>',
        _text(int(most) + 8, y, number(spread.median), ""),
    ]


def _when(circumstances: Circumstances) -> str:
    machine, load = circumstances.machine, circumstances.load
    return (
        f"{circumstances.begun:%Y-%m-%d %H:%M} UTC; {machine.cores} cores of "
        f"{machine.processor}; load average {load[0]:.1f} before, {load[1]:.1f} after; "
        "bars are medians, lines go from the least to the most"
    )


def _text(x: int, y: int, text: str, style: str) -> str:
    name = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}"{name}>{escape(text)}</text>'
