"""What is read of a submission before it is run, and what is refused."""

import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.grading.submission import DAMAGED, REFUSED, Unreadable, fingerprint, stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "handed_in"
    folder.mkdir()
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), folder / "ps.ipynb")
    return folder


def refused(folder: Path, status: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason) as caught:
        stage(folder, folder.parent / "copy", "ps")
    assert caught.value.status == status
    assert not (folder.parent / "copy").exists()


def test_a_submission_is_copied_without_what_does_not_belong_to_it(folder: Path):
    (folder / "data").mkdir()
    (folder / "data" / "d.csv").write_text("1")
    (folder / "scratch.ipynb").write_text("{}")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "ps-checkpoint.ipynb").write_text("{}")
    copy = folder.parent / "copy"
    assert stage(folder, copy, "ps") == ""
    found = sorted(str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file())
    assert found == ["data/d.csv", "ps.ipynb"]


def test_the_only_notebook_counts_under_any_name(folder: Path):
    (folder / "ps.ipynb").rename(folder / "ps (1).ipynb")
    assert stage(folder, folder.parent / "copy", "ps") == "ps (1).ipynb"
    assert (folder.parent / "copy" / "ps.ipynb").exists()


def test_two_notebooks_of_other_names_are_the_teachers_choice(folder: Path):
    (folder / "ps.ipynb").rename(folder / "a.ipynb")
    (folder / "b.ipynb").write_bytes((folder / "a.ipynb").read_bytes())
    refused(folder, REFUSED, r"a\.ipynb, b\.ipynb: rename the one that counts")


def test_no_notebook_at_all(folder: Path):
    (folder / "ps.ipynb").rename(folder / "ps.txt")
    refused(folder, REFUSED, r"no ps\.ipynb in the folder")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "\x00",
        '{"cells": 3}',
        '{"cells": [{"cell_type": "code"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        "[" * 100_000,
    ],
)
def test_what_is_no_whole_notebook_is_named(folder: Path, text: str):
    (folder / "ps.ipynb").write_text(text)
    refused(folder, DAMAGED, r"ps\.ipynb .*ask for it again")


def test_bytes_that_are_no_text(folder: Path):
    (folder / "ps.ipynb").write_bytes(b"\xff\xfe\x00PK")
    refused(folder, DAMAGED, "ask for it again")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_links_and_pipes_are_refused(folder: Path):
    (folder / "pipe").symlink_to("/etc/passwd")
    refused(folder, REFUSED, "pipe is a link and no plain file")
    (folder / "pipe").unlink()
    os.mkfifo(folder / "pipe")
    refused(folder, REFUSED, "pipe is a link and no plain file")


def test_a_fingerprint_changes_with_names_and_contents(folder: Path):
    seen = [fingerprint(folder), fingerprint(folder)]
    (folder / "d.csv").write_text("1")
    seen.append(fingerprint(folder))
    (folder / "d.csv").write_text("2")
    seen.append(fingerprint(folder))
    (folder / "d.csv").rename(folder / "e.csv")
    seen.append(fingerprint(folder))
    assert seen[0] == seen[1]
    assert len(set(seen)) == 4
