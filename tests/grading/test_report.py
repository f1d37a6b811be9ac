"""The report's forms, and the journal that it is made from."""

import csv
from pathlib import Path

import pytest

from course_utils.grading.batch import CannotGrade, Journal
from course_utils.grading.report import Row, as_text, complete, write_csv
from course_utils.grading.submission import (
    CRASHED,
    DAMAGED,
    GRADED,
    LOST_CELLS,
    MISSING,
    REFUSED,
    RENAMED,
    Outcome,
)

ROWS = [
    Row("ada", GRADED, ("Lovelace", "Ada", "a@b.c"), 7.5, 10, 2.0, {"one": 7.5, "essay": None}),
    Row("=cmd()", MISSING, most=10, questions={"one": None, "essay": None}, remarks=["Nothing."]),
    Row(
        "bob", RENAMED, ("", "", ""), 0.0, 10, 0.0, {"one": 0.0, "essay": 0.0}, ["A, “b”", "c\x1b"]
    ),
]


def test_csv_tells_nothing_from_zero(tmp_path: Path):
    write_csv(tmp_path / "r.csv", ROWS)
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        ada, missing, bob = csv.DictReader(file)
    assert list(ada)[:4] == ["student_id", "last_name", "first_name", "email"]
    assert (ada["score"], ada["max_score"], ada["to_mark"]) == ("7.5", "10", "2")
    assert (ada["one"], ada["essay"]) == ("7.5", "")
    assert (missing["score"], missing["one"], missing["remarks"]) == ("", "", "Nothing.")
    assert missing["student_id"] == "'=cmd()", "a spreadsheet must not run a name"
    assert (bob["score"], bob["one"]) == ("0", "0")
    assert bob["remarks"].startswith("A, “b” c")


def test_text_has_a_line_for_everybody_and_no_control_characters():
    text = as_text(ROWS)
    assert "7.5 of 10, 2 to mark  graded" in text
    assert "– of 10  missing" in text
    assert text.endswith("1 graded, 1 missing, 1 graded, file was renamed")
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert as_text([]) == ""


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (GRADED, True),
        (MISSING, True),
        (RENAMED, True),
        (LOST_CELLS, False),
        (DAMAGED, False),
        (CRASHED, False),
        (REFUSED, False),
    ],
)
def test_complete_only_when_nothing_was_lost(status: str, expected: bool):
    assert complete([*ROWS, Row("eve", status)]) is expected


def test_a_journal_survives_a_line_that_was_cut(tmp_path: Path):
    path = tmp_path / "deep" / "ps.jsonl"
    first = Journal(path)
    outcome = Outcome("ada", GRADED, ["A note."], {"one": 1.5}, key="k")
    first.add(outcome)
    first.add(Outcome("bob", GRADED))
    first.close()
    path.write_text(path.read_text()[:-20])
    second = Journal(path)
    assert second.secret == first.secret
    assert second.outcomes == {"ada": outcome}
    second.add(Outcome("bob", RENAMED))
    second.close()
    third = Journal(path)
    third.close()
    assert third.outcomes["bob"].status == RENAMED


def test_every_course_has_a_secret_of_its_own(tmp_path: Path):
    found = set()
    for name in ("a", "b"):
        journal = Journal(tmp_path / name)
        journal.close()
        found.add(journal.secret)
    assert len(found) == 2
    assert all(len(secret) >= 32 for secret in found)


def test_two_batches_at_once_are_refused(tmp_path: Path):
    pytest.importorskip("fcntl")
    journal = Journal(tmp_path / "ps.jsonl")
    with pytest.raises(CannotGrade, match="already"):
        Journal(tmp_path / "ps.jsonl")
    journal.close()
