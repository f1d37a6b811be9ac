"""What the tests of the grader need from the machine."""

import pytest

from course_utils.grading import sandbox


@pytest.fixture(scope="session")
def needs_the_sandbox() -> None:
    """Skip, with the reason and the fix, where the sandbox cannot run."""
    try:
        sandbox.probe()
    except sandbox.NoSandbox as error:
        pytest.skip(str(error))
