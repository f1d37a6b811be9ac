"""Every lesson keeps its budget and its form: size, rhythm, words, figures, accessibility.

A rule yields complaints about a lesson, and the tests hold every lesson to every rule. That the
rules bite is tested on a lesson that breaks them all. nbval compares what the cells print.
"""

import ast
import html
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import build

FOLDER = Path(__file__).parents[1] / "notebooks"
TOPICS = (
    "00_start_here",
    "01_pretraining_and_loss",
    "02_flops_6nd",
    "03_kaplan_vs_chinchilla",
    "04_measure_your_own_law",
    "05_train_or_serve",
    "06_emergent_abilities",
    "07_data_wall",
    "08_training_at_scale",
    "09_beyond_scaling",
    "10_interview_drills",
)
WRITTEN = {
    "00_start_here",
    "01_pretraining_and_loss",
    "02_flops_6nd",
    "03_kaplan_vs_chinchilla",
    "04_measure_your_own_law",
    "05_train_or_serve",
    "06_emergent_abilities",
    "07_data_wall",
    "08_training_at_scale",
    "09_beyond_scaling",
    "10_interview_drills",
}
"""The lessons that there are: none of them may get lost, and a new one is entered here."""

LARGEST_FILE = 1_200_000
LONGEST_LINE = 200
PACKAGES = {"course_utils", "ipywidgets", "matplotlib", "numpy"}
NETWORK = {"asyncio", "ftplib", "http", "smtplib", "socket", "ssl", "subprocess", "urllib"}


@dataclass(frozen=True)
class Lesson:
    name: str
    text: str

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        return nbformat.reads(self.text, as_version=4)

    @property
    def opening(self) -> bool:
        """The lesson on how to use the course is shorter than the others."""
        return self.name.startswith("00_")

    def cells(self, kind: str) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == kind]

    @cached_property
    def prose(self) -> str:
        """The Markdown, without fenced code."""
        text = "\n\n".join(cell.source for cell in self.cells("markdown"))
        return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)

    @cached_property
    def headings(self) -> list[tuple[int, str]]:
        found = re.findall(r"^(#{1,6}) +(.+)$", self.prose, re.MULTILINE)
        return [(len(marks), title.strip()) for marks, title in found]

    @cached_property
    def outputs(self) -> list[nbformat.NotebookNode]:
        return [output for cell in self.cells("code") for output in cell.outputs]

    def images(self) -> Iterator[str]:
        """The <img> elements, stored or written by hand."""
        shown = [str(each.get("data", {}).get("text/html", "")) for each in self.outputs]
        for text in (self.prose, *shown):
            yield from re.findall(r"<img\b[^>]*>", text)


def within(what: str, value: float, low: float, high: float) -> Iterator[str]:
    if not low <= value <= high:
        yield f"{what}: {value:g}, expected {low:g} to {high:g}"


# --- rules ---------------------------------------------------------------------------------------


def size(lesson: Lesson) -> Iterator[str]:
    cells = lesson.notebook.cells
    yield from within("cells", len(cells), *((10, 30) if lesson.opening else (30, 45)))
    share = 100 * len(lesson.cells("markdown")) / len(cells)
    yield from within("share of Markdown cells (%)", round(share, 1), 50, 60)
    yield from within("bytes of the file", len(lesson.text.encode()), 1, LARGEST_FILE)


def rhythm(lesson: Lesson) -> Iterator[str]:
    lengths = sorted(
        sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in lesson.cells("code")
    )
    yield from within("lines of code a cell, median", statistics.median(lengths), 1, 4)
    tenth = statistics.quantiles(lengths, n=10, method="inclusive")[-1]
    yield from within("… 90th percentile", tenth, 1, 12)
    yield from within("… most", lengths[-1], 1, 20)


def words(lesson: Lesson) -> Iterator[str]:
    formulas = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
    text = re.sub(r"\]\([^)]*\)|<[^>]+>", "] ", formulas.sub(" x ", lesson.prose))
    count = sum(bool(re.search(r"\w", word)) for word in text.split())
    yield from within("words", count, 500 if lesson.opening else 1500, 2500)
    for line in lesson.prose.splitlines():
        if len(line) > LONGEST_LINE and not line.startswith(("|", "<")):
            yield f"a line of {len(line)} characters, one sentence a line is enough: {line[:50]}…"


def figures(lesson: Lesson) -> Iterator[str]:
    shown = sum("<img" in str(each.get("data", {}).get("text/html", "")) for each in lesson.outputs)
    yield from within("figures", shown, *((1, 6) if lesson.opening else (4, 6)))
    for output in lesson.outputs:
        if "image/png" in output.get("data", {}):
            yield "a picture without words: end the cell with figures.show(fig, alt=…, caption=…)"


def descriptions(lesson: Lesson) -> Iterator[str]:
    for image in lesson.images():
        alt = re.search(r'\balt="([^"]*)"', image)
        if not alt or len(html.unescape(alt[1]).split()) < 3:
            yield f"an image whose text description says too little: {image[-80:]}"
    for alt in re.findall(r"!\[([^\]]*)\]\(", lesson.prose):
        if len(alt.split()) < 3:
            yield f"an image whose text description says too little: ![{alt}]"


def opening(lesson: Lesson) -> Iterator[str]:
    first = lesson.notebook.cells[0]
    source = first.source
    if first.cell_type != "markdown" or not re.match(r"# .+\?\n", source):
        yield "the first cell does not begin with an H1 that is a question"
    objectives = len(re.findall(r"^(?:[-*]|\d+\.) ", source, re.MULTILINE))
    yield from within("objectives in the first cell", objectives, 3, 5)
    if not re.search(r"\d+ minutes|minutes\W+\d", source, re.IGNORECASE):
        yield "the first cell does not say how many minutes the lesson takes"
    if not re.search(r"prerequisite", source, re.IGNORECASE):
        yield "the first cell does not name the prerequisites"


def headings(lesson: Lesson) -> Iterator[str]:
    levels = [level for level, _ in lesson.headings]
    yield from within("headings of level 1", levels.count(1), 1, 1)
    for above, (level, title) in zip([0, *levels], lesson.headings, strict=False):
        if level > above + 1:
            yield f"the heading {title!r} is of level {level} under one of level {above}"


def stored(lesson: Lesson) -> Iterator[str]:
    if lesson.text != build.dumps(build.canonical(lesson.notebook)):
        yield "not in canonical form: run `course build`"
    yield from build.flaws(lesson.notebook)
    counts = [cell.execution_count for cell in lesson.cells("code")]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}"
    for cell in lesson.notebook.cells:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", cell.id):
            yield f"the cell id {cell.id!r} is not readable"
    silent = [cell.id for cell in lesson.cells("code") if not cell.outputs]
    if len(silent) > len(counts) / 2:
        yield f"most cells show nothing: {', '.join(silent)}"


def code(lesson: Lesson) -> Iterator[str]:
    for cell in lesson.cells("code"):
        if re.search(r"^\s*[!%]|\bpip install\b|https?://", cell.source, re.MULTILINE):
            yield f"cell {cell.id} installs, calls a shell or names an address"
            continue
        for node in ast.walk(ast.parse(cell.source)):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [f"{node.module}.{alias.name}" for alias in node.names]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                package = name.split(".")[0]
                known = package in PACKAGES or package in sys.stdlib_module_names - NETWORK
                if not known or name.startswith("matplotlib.pyplot"):
                    yield f"cell {cell.id} imports {name}"


def units(lesson: Lesson) -> Iterator[str]:
    printed = [each.get("text", "") or str(each.get("data", "")) for each in lesson.outputs]
    sources = [cell.source for cell in lesson.cells("code")]
    for text in (lesson.prose, *sources, *printed):
        # Quoted, it may be talked about.
        for found in re.finditer(r'(?<![`"“‘\'\w/+])FLOPS(?![`"”’\'\w/+])', text):
            around = text[max(0, found.start() - 30) : found.end() + 20]
            yield f"FLOPS: write FLOPs for a count and FLOP/s for a rate: …{around}…"


RULES = (size, rhythm, words, figures, descriptions, opening, headings, stored, code, units)


# --- the lessons ---------------------------------------------------------------------------------


LESSONS = [
    Lesson(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.ipynb"))
]


def test_the_lessons_are_there():
    names = {lesson.name for lesson in LESSONS}
    assert names >= WRITTEN, f"missing: {sorted(WRITTEN - names)}"
    assert names <= WRITTEN, f"not entered in WRITTEN: {sorted(names - WRITTEN)}"
    assert set(TOPICS) >= WRITTEN


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_lesson(lesson, rule):
    assert list(rule(lesson)) == []


# --- the rules -----------------------------------------------------------------------------------


def lesson(*cells: nbformat.NotebookNode, name: str = "02_made_up") -> Lesson:
    return Lesson(name, build.dumps(new_notebook(cells=list(cells))))


def shows(source: str, **data: str) -> nbformat.NotebookNode:
    data = {key.replace("_", "/"): value for key, value in data.items()}
    return new_code_cell(source, outputs=[new_output("display_data", data=data)])


BROKEN = lesson(
    new_markdown_cell("# A statement\n\n- one objective\n\n![](x.png)\n\n#### Too deep\n\n# Again"),
    new_markdown_cell("This chip has 312 TFLOPS, that is FLOPS. " + "word " * 60),
    new_code_cell("\n".join(f"a{i} = {i}" for i in range(25)), id="0a1b2c3d"),
    new_code_cell("!pip install numpy\nimport matplotlib.pyplot as plt"),
    new_code_cell("from urllib import request\nimport torch\nimport matplotlib.pyplot as plt"),
    shows("bare", image_png=""),
    shows("undescribed", text_html='<img src="data:image/png;base64,AAAA" alt="plot">'),
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (size, ["cells: 7", "share of Markdown cells (%): 28.6"]),
        (rhythm, ["90th percentile: ", "most: 25"]),
        (words, ["words: 7", "a line of 341 characters"]),
        (figures, ["figures: 1", "a picture without words"]),
        (descriptions, ["says too little: <img", "says too little: ![]"]),
        (opening, ["H1 that is a question", "objectives in", "how many minutes", "prerequisites"]),
        (headings, ["headings of level 1: 2", "'Too deep' is of level 4 under one of level 1"]),
        (
            stored,
            ["canonical", "execution counts are [None", "'0a1b2c3d'", "most cells show nothing"],
        ),
        (code, ["installs", "imports urllib.request", "imports torch", "matplotlib.pyplot"]),
        (units, ["FLOPS: write"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_rule_bites(rule, expected):
    complaints = list(rule(BROKEN))
    for words_expected in expected:
        assert any(words_expected in complaint for complaint in complaints), complaints


def test_every_rule_has_a_lesson_that_breaks_it():
    assert all(list(rule(BROKEN)) for rule in RULES)


def test_rules_leave_good_style_alone():
    good = lesson(
        new_markdown_cell(
            "# Where does it come from?\n\nAfter this lesson, 40 minutes, you can\n\n"
            "- count\n- derive\n- say\n\nPrerequisites: none."
        ),
        new_markdown_cell('## Units\n\n### Names\n\nPeople write `FLOPS` or "FLOPS" for FLOP/s.'),
        shows(
            "from course_utils.laws import HOFFMANN_2022\nimport math\nfrom matplotlib import ticker",
            text_html='<img alt="A rising line on log axes" src="data:,">',
        ),
    )
    for rule in (descriptions, opening, headings, code, units):
        assert list(rule(good)) == [], rule.__name__
