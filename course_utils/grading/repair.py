"""Mending a submission's cells before nbgrader sees them.

nbgrader knows a cell by the metadata that students can lose, copy and change. This puts back what
the gradebook knows, keeps the last of several copies, adds what is missing, and writes down what
it did. It stands at the head of nbgrader's sanitising preprocessors.
"""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

CHECK = re.compile(r"""\s*check\(\s*["'](\d\d\.(\w+))["']\s*,.*\)\s*$""", re.DOTALL)
"""A check cell: its task's full name and the last part of it."""


class Repair(NbGraderPreprocessor):
    """Restores nbgrader's metadata from the gradebook."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enabled = True
        self.notes: list[str] = []
        self.lost = False
        """Whether no graded cell had its metadata any more."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Restore the metadata of every cell, and add the graded cells that are missing."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            source = gradebook.find_notebook(about["notebook"], about["assignment"])
            known = {cell.name: cell for cell in source.source_cells}
            graded = {cell.name: cell.max_score for cell in source.grade_cells}
            solutions = {cell.name for cell in source.solution_cells}
            tasks = {cell.name for cell in source.task_cells}
            seen = self._restore(nb, known, graded, solutions, tasks)
            self.lost = not seen & graded.keys()
            if self.lost:
                self.notes.append(
                    "No cell had nbgrader's metadata: checks were put back, and what the teacher "
                    "reads must be looked for in the notebook."
                )
            present = {_id(cell) for cell in nb.cells}
            for name in [name for name in graded if name not in present]:
                cell = _new(known[name])
                _mark(cell, known[name], graded, solutions, tasks)
                if (nb.nbformat, nb.nbformat_minor) < (4, 5):
                    del cell["id"]
                nb.cells.append(cell)
                if not self.lost:
                    self.notes.append(f"The cell {name} was missing and was put back.")
        return nb, resources

    def _restore(
        self, nb: NotebookNode, known: dict, graded: dict, solutions: set, tasks: set
    ) -> set[str]:
        """Give each known cell its metadata; return the ids that the submission still had."""
        seen: set[str] = set()
        for cell in reversed(nb.cells):  # of several copies the last one counts, as in nbgrader
            name = _id(cell)
            cell.metadata.pop("nbgrader", None)
            if name in seen:
                self.notes.append(f"The cell {name} was there more than once; the last one counts.")
            elif name in known:
                seen.add(name)
                _mark(cell, known[name], graded, solutions, tasks)
        for cell in nb.cells:
            found = cell.cell_type == "code" and CHECK.match(cell.source)
            name = found and found[2]
            if name in graded and not any(_id(other) == name for other in nb.cells):
                _mark(cell, known[name], graded, solutions, tasks)
        self.notes.reverse()
        return seen


def _id(cell: NotebookNode) -> str | None:
    metadata = cell.metadata.get("nbgrader")
    name = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _new(source: Any) -> NotebookNode:
    """Make a cell that was missing, at the end of the notebook, where every name is defined."""
    if source.cell_type == "code":
        return new_code_cell(source.source)
    # The sentence also keeps nbgrader from taking the cell for an untouched one, worth 0 points.
    return new_markdown_cell(f"*This cell was missing in the submission.*\n\n{source.source}")


def _mark(cell: NotebookNode, source: Any, graded: dict, solutions: set, tasks: set) -> None:
    cell.metadata["nbgrader"] = NotebookNode(
        schema_version=3,
        grade_id=source.name,
        grade=source.name in graded,
        solution=source.name in solutions,
        task=source.name in tasks,
        locked=bool(source.locked),
        cell_type=source.cell_type,
        checksum=source.checksum,
        **({"points": graded[source.name]} if source.name in graded else {}),
    )
