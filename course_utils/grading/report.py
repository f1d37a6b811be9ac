"""What became of everybody: a table to read, and a CSV file for a learning-management system.

Points come from the gradebook, as they stand when the report is made. Who was not graded has no
points in it, which is not the same as 0.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from course_utils.grading.submission import IN_GRADEBOOK, LOST_CELLS, MISSING, Outcome


@dataclass
class Row:
    """One student: status, points of each question (None: still to be read), and remarks.

    score and each entry of questions is None where there is nothing to count. to_mark: the points
    that wait for the teacher.
    """

    student: str
    status: str
    names: tuple[str, str, str] = ("", "", "")
    score: float | None = None
    most: float = 0.0
    to_mark: float = 0.0
    questions: dict[str, float | None] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def rows(db_url: str, assignment: str, outcomes: list[Outcome]) -> list[Row]:
    """Read the points of everybody out of the gradebook."""
    made = []
    with Gradebook(db_url) as gradebook:
        source = gradebook.find_assignment(assignment)
        known = {student.id: student for student in gradebook.students}
        questions = {
            cell.name: cell.max_score for nb in source.notebooks for cell in nb.grade_cells
        }
        for outcome in outcomes:
            row = Row(outcome.student, outcome.status, most=source.max_score)
            row.questions = dict.fromkeys(questions)
            row.remarks = list(outcome.notes)
            about = known.get(outcome.student)
            if about is not None:
                row.names = (about.last_name or "", about.first_name or "", about.email or "")
            try:
                found = gradebook.find_submission(assignment, outcome.student)
            except MissingEntry:
                found = None
            if found is not None and outcome.status in IN_GRADEBOOK:
                _count(row, found, questions)
                if not outcome.sandboxed:
                    row.remarks.append("Run without the sandbox.")
            elif found is not None and found.score:
                row.remarks.append(
                    f"The gradebook has {found.score:g} points of an earlier submission."
                )
            made.append(row)
    return made


def _count(row: Row, found: Any, questions: dict[str, float]) -> None:
    row.score = max(0.0, found.score - (found.late_submission_penalty or 0.0))
    if found.late_submission_penalty:
        row.remarks.append(f"{found.late_submission_penalty:g} points off for being late.")
    for grade in (grade for notebook in found.notebooks for grade in notebook.grades):
        if grade.needs_manual_grade:
            row.to_mark += questions[grade.name]
        if grade.auto_score is not None or grade.manual_score is not None:
            row.questions[grade.name] = grade.score


def write_csv(path: Path, table: list[Row]) -> None:
    """Write one line for each student; empty means not graded, or not yet."""
    questions = list(table[0].questions) if table else []
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                *("student_id", "last_name", "first_name", "email"),
                *("score", "max_score", "to_mark", "status"),
                *questions,
                "remarks",
            ]
        )
        for row in table:
            points = [row.score, row.most, row.to_mark or None]
            writer.writerow(
                [
                    *map(_safe, (row.student, *row.names)),
                    *map(_number, points),
                    row.status,
                    *(_number(row.questions[name]) for name in questions),
                    _safe(" ".join(row.remarks)),
                ]
            )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _safe(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_text(table: list[Row]) -> str:
    """Write the report for a terminal: a line for each student, remarks below it."""
    width = max([len(row.student) for row in table], default=0)
    lines = []
    for row in table:
        points = "–" if row.score is None else f"{row.score:g}"
        wait = f", {row.to_mark:g} to mark" if row.to_mark else ""
        lines.append(f"{row.student:<{width}}  {points:>5} of {row.most:g}{wait}  {row.status}")
        lines += [f"{'':<{width}}    {_printable(remark)}" for remark in row.remarks]
    counts = Counter(row.status for row in table)
    lines.append(", ".join(f"{count} {status}" for status, count in counts.most_common()))
    return "\n".join(lines)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def complete(table: list[Row]) -> bool:
    """Tell whether everybody who handed in something was graded with nothing lost."""
    return all(row.status in (*IN_GRADEBOOK, MISSING) and row.status != LOST_CELLS for row in table)
