"""A worker process that dies takes nobody else's grade with it.

What the workers import stands in the functions: each worker imports this file.
"""

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor
from types import SimpleNamespace

import pytest


def work(job: SimpleNamespace) -> str:
    if job.student.startswith("bomb"):
        os._exit(1)
    return job.student


class Pool(ProcessPoolExecutor):
    """Real processes that do the work above in place of grading."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers, mp_context=multiprocessing.get_context("spawn"))

    def submit(self, fn, /, *args, **kwargs) -> Future:
        return super().submit(work, *args)


@pytest.mark.parametrize(
    "students",
    [("a", "b"), ("bomb", "a", "b"), ("a", "bomb 1", "b", "bomb 2", "c"), ("bomb 1", "bomb 2")],
)
def test_everybody_is_graded_but_those_who_end_the_worker(students):
    from course_utils.grading.batch import _run
    from course_utils.grading.submission import CRASHED, Outcome

    jobs = [SimpleNamespace(student=student, sandboxed=True) for student in students]
    found = list(_run(jobs, 2, Pool))
    crashed = [each.student for each in found if isinstance(each, Outcome)]
    assert crashed == [student for student in students if student.startswith("bomb")]
    assert all(each.status == CRASHED for each in found if isinstance(each, Outcome))
    rest = sorted(each for each in found if isinstance(each, str))
    assert rest == sorted(set(students) - set(crashed))


def test_no_jobs_need_no_workers():
    from course_utils.grading.batch import _run

    assert list(_run([], 2, Pool)) == []
