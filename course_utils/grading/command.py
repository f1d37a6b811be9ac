"""``course grade ASSIGNMENT``: grade a class."""

from __future__ import annotations

import os
from pathlib import Path

import click

from course_utils.grading import batch, report, sandbox
from course_utils.grading.batch import CannotGrade
from course_utils.grading.sandbox import NoSandbox


@click.command()
@click.argument("assignment")
@click.option(
    "--workers", type=click.IntRange(1), help="Processes that grade (default: one for each core)."
)
@click.option("--student", "students", multiple=True, help="Only this one; may be repeated.")
@click.option("--unsandboxed", is_flag=True, help="Run students' code with your own rights.")
@click.option("--force", is_flag=True, help="Grade again what is graded already.")
@click.option(
    "--seconds", type=click.IntRange(1), default=180, show_default=True, help="For one notebook."
)
@click.option("--report", "file", type=click.Path(path_type=Path), help="Write a CSV file, too.")
def grade(
    assignment: str,
    workers: int | None,
    students: tuple[str, ...],
    unsandboxed: bool,
    force: bool,
    seconds: int,
    file: Path | None,
) -> None:
    """Grade what students handed in, into nbgrader's gradebook.

    Run it in the folder of your course, with submissions in submitted/STUDENT/ASSIGNMENT/.
    Stopped or killed, the same command does the rest; what changed is graded again.

    Ends with exit code 0 when everything that was handed in is graded, and with 1 otherwise.
    """
    if file and not file.absolute().parent.is_dir():
        raise click.ClickException(f"{file} cannot be written: its folder does not exist.")
    file = file and file.absolute()
    try:
        if unsandboxed:
            click.echo("Without the sandbox: students' code runs with your rights.", err=True)
        else:
            sandbox.probe()
            if os.geteuid() == 0:
                click.echo(
                    "You are root: memory in total and the number of processes are not bounded. "
                    "Better grade as another user.",
                    err=True,
                )
        about = batch.course(Path.cwd(), assignment)
        unknown = [student for student in students if student not in about.students]
        if unknown:
            raise CannotGrade(f"Nobody is called {', '.join(unknown)}.")
        outcomes = batch.grade(
            about,
            students or about.students,
            workers=workers or _cores(),
            sandboxed=not unsandboxed,
            seconds=seconds,
            force=force,
            told=lambda outcome: click.echo(f"{outcome.student}: {outcome.status}", err=True),
        )
    except NoSandbox as error:
        raise click.ClickException(
            f"{error} Or give --unsandboxed, when you would run this code yourself."
        ) from None
    except CannotGrade as error:
        raise click.ClickException(str(error)) from None
    table = report.rows(about.db_url, assignment, outcomes)
    click.echo(report.as_text(table))
    if file:
        report.write_csv(file, table)
        click.echo(f"The same in {file}.")
    if not report.complete(table):
        raise SystemExit(1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
