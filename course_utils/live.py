"""Watch an experiment of the lab while it runs: a curve a budget, drawn as runs come in."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from IPython.display import display

from course_utils import figures
from course_utils.lab import Runs
from course_utils.quantities import human

REDRAWN_EVERY = 1.5
"""Seconds between two pictures: drawing takes a third of one, from the runs."""


def watch(stream: Iterable[list[Mapping[str, Any]]], y: str = figures.LOSS) -> Runs:
    """Draw held-out loss against model size at each budget, and return all runs.

    ``stream`` gives each run's rows when it is finished, as ``lab.stream("isoflop")`` does; rows
    have at least C, N and val. ``y`` names the loss. Stopped in the middle (the square button),
    it says so and returns the runs that had finished.
    """
    rows: list[Mapping[str, Any]] = []
    slot = display(_picture(rows, y), raw=True, display_id=True)
    drawn = time.monotonic()
    try:
        for new in stream:
            rows += new
            if time.monotonic() - drawn > REDRAWN_EVERY:
                slot.update(_picture(rows, y), raw=True)
                drawn = time.monotonic()
    except KeyboardInterrupt:
        print(f"Stopped: the {len(rows)} finished runs are kept. Run the cell again for all.")
    slot.update(_picture(rows, y), raw=True)
    return Runs(rows)


def _picture(rows: list[Mapping[str, Any]], y: str) -> dict[str, str]:
    """What Jupyter shows. The words do not change with the runs, so notebooks can be compared."""
    fig, ax = figures.figure()
    title, curves = "Loss against model size, a curve a budget", {}
    for C in sorted({row["C"] for row in rows}):
        points = sorted((row["N"], row["val"]) for row in rows if row["C"] == C)
        curves[f"{human(C)} FLOPs"] = list(zip(*points, strict=True))
    if curves:
        figures.lines(ax, curves, title=title, x=figures.PARAMS, y=y, log="x")
    else:
        figures.label(ax, title, figures.PARAMS, y)
    alt = (
        f"One curve for each compute budget; x: {figures.PARAMS}, logarithmic; y: {y}. Each "
        "curve is U-shaped; the larger the budget, the lower it lies and the further right its "
        "lowest point."
    )
    caption = "Trained just now. The bar below moves only while the kernel trains."
    element = figures.as_html(fig, alt, caption)
    return {"text/html": element, "text/plain": f"Figure: {alt}\n{caption}"}
