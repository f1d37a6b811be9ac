"""The command ``course``: a list of its subcommands, each loaded only when it is called."""

from __future__ import annotations

import importlib

import click

from course_utils import __version__

# name -> where the click command lives, and the line that `course --help` shows.
COMMANDS = {
    "lab": ("course_utils.launch:lab", "Open the course in JupyterLab."),
    "doctor": ("course_utils.doctor:doctor", "Check that this machine can run the course."),
    "check": ("course_utils.checks.command:check", "Check a solved exercise, offline."),
    "grade": ("course_utils.grading.command:grade", "Grade a class, on top of nbgrader."),
    "drill": ("course_utils.drills.command:drill", "Practise for an interview."),
    "plan": ("course_utils.plan:plan", "What to train with a budget of FLOPs."),
    "experiment": ("course_utils.lab.command:experiment", "Train the lab's small models."),
    "build": ("course_utils.build:build", "Execute and canonicalise lessons, release exercises."),
}


class _LazyGroup(click.Group):
    """A group that imports a subcommand only when somebody asks for it.

    So ``course --help`` answers at once, and a missing optional package breaks only the
    command that needs it.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            # A module of the course itself that is missing is a defect, not a user's problem.
            if (error.name or "").startswith("course_utils"):
                raise
            raise click.ClickException(
                f"`course {name}` needs the package {error.name!r}, which is not installed. "
                "Run `make setup`, or `pip install -r requirements.lock`."
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup)
@click.version_option(__version__, prog_name="course")
def main() -> None:
    """A course on the scaling laws of language models."""
