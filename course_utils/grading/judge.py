"""The judge: nbgrader's step that runs a notebook, with the judging taken out of the notebook.

A check cell runs in the student's kernel, but all that it yields is answers, as plain data. The
inputs were drawn here for this one cell, and the reference is computed here; so nothing that the
notebook does to its own Python can make a wrong answer right. Points exist only where a verdict
was reached. They are written into the cell's outputs after the kernel is gone, in the form that
nbgrader's next steps read.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import subprocess
import time
from dataclasses import dataclass
from typing import Any

import zmq
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Bool, Instance, Integer, Unicode

from course_utils.checks.asked import MIME, answers_in, question
from course_utils.checks.core import Verdict, cases, judge, no_points
from course_utils.checks.imports import refusals
from course_utils.checks.task import Exercise
from course_utils.grading import sandbox
from course_utils.grading.repair import CHECK

LARGEST_MESSAGE = 16_000_000
LARGEST_OUTPUT = 1_000_000
"""Characters of output that are kept of one cell; what a flood prints beyond them is dropped."""

LONGEST_TEXT = 20_000
"""Characters of a verdict: it may quote what a student's function returned."""

SHOWN = ("stream", "display_data", "execute_result", "error", "status", "clear_output")
"""The messages that a cell's outputs are made of; widgets and later changes are left out."""

FIRST = "from sys import exit, exit as quit"
"""Makes exit() an error of its cell; else it would end the kernel at some later time."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Judged:
    """What became of one check cell.

    score: points on the scale of the gradebook. text: what the student reads. why: the reason,
    in one sentence, where no answer was judged and the score is therefore 0.
    """

    score: float
    text: str
    why: str = ""


class Judge(Execute):
    """Runs a notebook, sandboxed unless told otherwise, and scores its check cells."""

    exercise = Instance(Exercise, help="Whose tasks the notebook answers.")
    secret = Unicode("", help="What the inputs are drawn from; no student may know it.")
    root = Unicode("", help="The folder of the teacher's course, which the sandbox hides.")
    sandboxed = Bool(True, help="Whether to run in the sandbox.")
    seconds = Integer(180, help="How long all cells of a notebook may run.").tag(config=True)
    memory = Integer(2 * 2**30, help="Bytes of memory of one process.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enabled = True  # else nbgrader would take a check without outputs for a right one
        self.judged: dict[str, Judged] = {}
        self.ended = ""
        """Why the rest of the notebook was not run, in one sentence."""
        self._started = False
        self._sources: list[str] = []
        self._answers: list[Any] | None = None
        self._kept = 0
        self._deadline = 0.0

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run the notebook and write a score into every check cell.

        Raises RuntimeError when no kernel starts.
        """
        self.kernel_name = "python3"
        self.timeout_func = self._seconds_left
        self.shutdown_kernel = "immediate"
        self.record_timing = False
        self.iopub_timeout = 8
        self.extra_arguments = ["--HistoryManager.hist_file=:memory:"]
        self._deadline = time.monotonic() + self.seconds
        # nbclient leaves tasks behind where a kernel dies, and asyncio tells of each at length.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        try:
            super().preprocess(nb, resources, km)
        except Exception as error:
            if not self._started:
                raise RuntimeError(
                    f"no kernel started ({type(error).__name__}: {str(error)[:200]})"
                ) from error
            self.ended = self.ended or f"The kernel could not be ended ({type(error).__name__})."
        for cell in nb.cells:
            if _is_check(cell):
                self._write(cell)
        return nb, resources

    # --- the kernel -----------------------------------------------------------------------------

    def create_kernel_manager(self) -> Any:
        """Make the manager of a kernel that starts in the sandbox."""
        km = super().create_kernel_manager()
        km.context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        if self.sandboxed:
            spec = km.kernel_spec
            spec.interrupt_mode = "message"  # a signal would reach bubblewrap, not the kernel
            config = {
                "modules": sorted(self.exercise.allowed),
                "hidden": [self.root] if self.root else [],
                "memory": self.memory,
                "seconds": self.seconds + 60,
            }
            spec.metadata = {
                "kernel_provisioner": {"provisioner_name": sandbox.NAME, "config": config}
            }
        return km

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel with its own standard output cut off from the teacher's terminal."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        super().start_new_kernel(**quiet, **kwargs)

    def _seconds_left(self, cell: NotebookNode) -> float:
        return max(1.0, min(float(self.timeout or 30), self._deadline - time.monotonic()))

    # --- the cells ------------------------------------------------------------------------------

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Run one cell, or ask the question of a check cell."""
        if not self._started:
            self._started = True
            self.kc.execute(FIRST, silent=True)
        if cell.cell_type != "code":
            return cell, resources
        if not self.ended and time.monotonic() > self._deadline:
            self.ended = f"The notebook ran longer than {self.seconds} s in all."
        if _is_check(cell):
            self.judged[cell.metadata.nbgrader.grade_id] = self._ask(cell, index)
        elif not self.ended:
            self._sources.append(cell.source)
            self._run(cell, index)
        return cell, resources

    def _run(self, cell: NotebookNode, index: int) -> None:
        """Run a cell in the kernel; whatever happens to the kernel ends up in `ended`."""
        self._kept = 0
        lines = cell.source.strip().splitlines() or [""]
        what = lines[0 if self._answers is None else -1][:60]  # a check stands below a question
        try:
            self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            self.ended = f"The notebook ended its own kernel (`{what}`)."
        except CellTimeoutError:
            self.ended = f"The notebook could not be interrupted (`{what}`)."
        except Exception as error:  # the kernel shut down in good order, or sent no messages
            self.ended = f"The kernel went away ({type(error).__name__}, `{what}`)."

    def _ask(self, cell: NotebookNode, index: int) -> Judged:
        name, most = CHECK.match(cell.source)[1], float(cell.metadata.nbgrader.points)
        why = self.ended
        refused = refusals(self._sources, self.exercise.allowed)
        if refused and not why:
            why = f"{refused[0]} Remove that import."
        verdict = None
        if not why:
            verdict, why = self._verdict(name, cell, index)
        verdict = verdict or no_points(name, why)
        return Judged(
            round(most * verdict.points / verdict.total, 6), str(verdict)[:LONGEST_TEXT], why
        )

    def _verdict(self, name: str, cell: NotebookNode, index: int) -> tuple[Verdict | None, str]:
        """Ask a question and judge the one answer to it; else return nothing, and the reason."""
        nonce = self._nonce(name)
        source, self._answers = cell.source, []
        cell.source = f"{question(name, nonce, cases(name, nonce))}\n{source}"
        try:
            self._run(cell, index)
        finally:
            cell.source = source
            answers, self._answers = self._answers, None
        if self.ended:
            return None, self.ended
        if len(answers) > 1:
            return None, "The check was answered more than once."
        if not answers:
            errors = [each for each in cell.outputs if each.output_type == "error"]
            return None, _sentence(errors[-1]) if errors else "The check gave no answer."
        try:
            return judge(name, answers_in(answers[0], name, nonce), nonce), ""
        except Exception:  # nothing that a student sends may stop the grader, or score
            return None, "The answers could not be read."

    def _nonce(self, name: str) -> str:
        return hmac.new(self.secret.encode(), name.encode(), hashlib.sha256).hexdigest()

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int) -> Any:
        """Take a message from the kernel: an answer, or an output to keep."""
        kind, content = msg["msg_type"], msg["content"]
        if kind not in SHOWN:
            return None
        if kind == "display_data" and self._answers is not None and MIME in content["data"]:
            self._answers.append(content["data"][MIME])
            return None
        if kind not in ("status", "clear_output"):
            room = max(0, LARGEST_OUTPUT - self._kept)
            if kind == "stream":
                content = {**content, "text": content["text"][:room]}
            self._kept += len(str(content))
            # An error that follows a flood is still told.
            if (not room and kind != "error") or self._kept > 2 * LARGEST_OUTPUT:
                return None
        msg["content"] = {**content, "transient": {}}  # outputs stay as they were sent
        return super().process_message(msg, cell, cell_index)

    def _write(self, cell: NotebookNode) -> None:
        """Write the score where nbgrader looks for it: as the value of the cell."""
        name = cell.metadata.nbgrader.grade_id
        result = self.judged.setdefault(name, Judged(0.0, self.ended, self.ended))
        cell.execution_count = None
        cell.outputs = [
            new_output("stream", name="stdout", text=f"{result.text}\n"),
            new_output("execute_result", data={"text/plain": repr(result.score)}),
        ]


def _is_check(cell: NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(about.get("grade"))


def _sentence(error: NotebookNode) -> str:
    """Say in one sentence why a check cell ended in an error."""
    value = _COLOUR.sub("", str(error.evalue))[:200]
    value = "".join(letter for letter in value if letter.isprintable())
    if error.ename in ("CellTimeoutError", "KeyboardInterrupt"):
        return "The check ran too long and was stopped. Is there an endless loop?"
    return f"The check could not ask your function: {str(error.ename)[:60]}: {value}"
