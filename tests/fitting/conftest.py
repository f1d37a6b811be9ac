"""The published runs, which are no part of the project: their tests skip without them."""

from pathlib import Path

import pytest

from course_utils import fitting, published

EPOCH = Path(__file__).parents[3] / "shared" / "data" / "epoch_chinchilla_svg_extracted_data.csv"


@pytest.fixture(scope="session")
def epoch():
    """N, D and loss of the 240 published runs."""
    if not EPOCH.exists():
        pytest.skip(f"the published runs (no licence to ship them) are not at {EPOCH}")
    points = published.read_points(EPOCH)
    return points.N, points.D, points.loss


@pytest.fixture(scope="session")
def epoch_fit(epoch):
    return fitting.fit_parametric(*epoch)


@pytest.fixture(scope="session")
def epoch_bootstrap(epoch):
    return fitting.bootstrap(*epoch)
