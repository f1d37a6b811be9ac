"""Lessons as a reader meets them: opened in JupyterLab, run from its menu, moved by keyboard."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def has_explorer(notebook: Path) -> bool:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return re.search(r"^\s*(explorers\.)?\w+_explorer\(", code, re.MULTILINE) is not None


EXPLORED = [path for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")) if has_explorer(path)]


@pytest.fixture(scope="module", params=EXPLORED, ids=lambda path: path.stem)
def lesson(request: pytest.FixtureRequest, run_notebook: Callable) -> tuple[Page, list[str]]:
    """Run a lesson once for all tests of it."""
    return run_notebook(request.param)


def test_the_lessons_with_an_explorer_are_found() -> None:
    assert {"02_flops_6nd", "03_kaplan_vs_chinchilla", "05_train_or_serve"} <= {
        path.stem for path in EXPLORED
    }


def test_lesson_runs_without_errors(lesson: tuple[Page, list[str]]) -> None:
    page, errors = lesson
    assert errors == []
    assert page.get_by_text("Error displaying widget").count() == 0


def caption(explorer: Locator) -> str:
    """The words under the picture: the last of the explorer's texts."""
    return explorer.locator(".widget-html-content").last.inner_text()


def test_explorer_answers_the_keyboard(lesson: tuple[Page, list[str]], tmp_path: Path) -> None:
    """An arrow key on the first slider changes the picture and its words; the other one undoes it."""
    page = lesson[0]
    explorer = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.widget-image"))
    explorer = explorer.first
    picture = explorer.locator("img.widget-image")
    explorer.scroll_into_view_if_needed()
    start = caption(explorer)
    explorer.locator(".noUi-handle").first.focus()
    for key in ("ArrowRight", "ArrowLeft"):
        drawn, said = picture.get_attribute("src"), caption(explorer)
        page.keyboard.press(key)
        page.wait_for_function(
            "([area, drawn, said]) => area.querySelector('img.widget-image').src !== drawn"
            " && !area.innerText.includes(said)",
            arg=[explorer.element_handle(), drawn, said],
        )
        explorer.screenshot(path=tmp_path / f"{key}.png")
    assert caption(explorer) == start
