"""What checks say and pay: plain answers, verdicts, diagnoses, allowed imports."""

import contextlib
import decimal
import fractions
import io
import json
import linecache
import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.checks import check
from course_utils.checks.answers import collect
from course_utils.checks.compare import ABSENT, differ, pick
from course_utils.checks.core import answers, cases, exercise, find, judge
from course_utils.checks.diagnosing import show
from course_utils.checks.imports import refusals
from course_utils.checks.plain import NotPlain, decode, encode
from course_utils.checks.tasks import EXERCISES

TASKS = [f"{name[:2]}.{task.name}" for name in EXERCISES for task in exercise(name).tasks]
each_task = pytest.mark.parametrize("name", TASKS)

MFU = "02.mfu_of_run"
LAYER = "02.linear_layer_flops"


def mfu(n_params, n_tokens, gpu_hours, peak):
    share = 6 * n_params * n_tokens / (gpu_hours * 3600 * peak)
    if np.any(share > 1):
        raise ValueError("above 1")
    return share


def layer(batch, d_in, d_out, first=False):
    return (4 if first else 6) * batch * d_in * d_out


def said(name: str, answer) -> str:
    """Return what a check prints, as one line."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        points = check(name, answer)
    assert type(points) is float
    assert 0 <= points <= find(name)[1].points
    return " ".join(printed.getvalue().split())


# --- plain answers ------------------------------------------------------------------------------

numbers = st.floats() | st.integers(-(10**30), 10**30)
plain_values = st.recursive(
    numbers | st.booleans() | st.none() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(plain_values)
def test_plain_values_survive_json(value):
    data = json.loads(json.dumps(encode(value), allow_nan=False))
    if depth(value) <= 5:
        assert repr(decode(data)) == repr(value)


def depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0)


def test_arrays_survive_json():
    for array in (np.arange(6.0).reshape(2, 3), np.array([np.nan, -np.inf, 1]), np.zeros((0,))):
        back = decode(json.loads(json.dumps(encode(array), allow_nan=False)))
        assert back.shape == array.shape
        assert np.array_equal(back, array, equal_nan=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(2.5), 2.5),
        (np.int64(3), 3),
        (np.array(4.0), 4.0),
        (np.bool_(True), True),
        (fractions.Fraction(1, 2), 0.5),
        (decimal.Decimal("0.25"), 0.25),
        (10**400, math.inf),
        ((1, 2), [1, 2]),
    ],
)
def test_numbers_of_other_types_become_plain(value, expected):
    back = decode(encode(value))
    assert back == expected
    assert type(back) is type(expected)


class Pleaser:
    """Agrees with everybody."""

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    def __abs__(self):
        return 0.0

    def __le__(self, other):
        return True

    __hash__ = None
    __rsub__ = __mul__ = __rmul__ = __sub__
    __array_ufunc__ = None


class Liar(float):
    """A float that says it equals everything."""

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __hash__ = float.__hash__
    __rsub__ = __sub__


@pytest.mark.parametrize("value", [Pleaser(), Liar(1e300), [Pleaser()], {"days": Pleaser()}, ...])
@each_task
def test_objects_that_please_every_comparison_win_nothing(name, value):
    assert judge(name, answers(name, lambda *args: value)).points == 0


def test_an_object_is_named_by_its_type_alone():
    assert isinstance(decode(encode(Pleaser())), NotPlain)
    assert encode(Pleaser()) == {"other": "Pleaser"}


# --- three separate steps -----------------------------------------------------------------------


@each_task
def test_inputs_follow_from_task_and_seed(name):
    again, other = cases(name, 0), cases(name, "exam")
    assert repr(cases(name, 0)) == repr(again)
    if any(args for drawn in again.values() for args in drawn):
        assert repr(other) != repr(again)
    assert all(drawn for drawn in again.values())


@each_task
def test_reference_passes_its_own_judge_after_json(name):
    _, task = find(name)
    for seed in (0, 1, "a nonce"):
        data = answers(name, accepting(task), seed)
        verdict = judge(name, json.loads(json.dumps(data, allow_nan=False)), seed)
        assert verdict.points == verdict.total == task.points, str(verdict)


def accepting(task):
    """Make the reference refuse the inputs that a right answer refuses."""
    bad = {
        repr(args)
        for seed in (0, 1, "a nonce")
        for part in task.parts
        if part.raises
        for args in cases(full(task), seed)[part.name]
    }

    def answer(*args):
        if repr(args) in bad:
            raise ValueError("refused")
        return task.reference(*args)

    return answer


def full(task) -> str:
    return next(name for name in TASKS if find(name)[1] is task)


def test_answers_to_other_inputs_earn_nothing():
    assert judge(LAYER, answers(LAYER, layer, "yours"), "ours").points == 0


def test_another_process_can_judge():
    data = json.dumps(answers(LAYER, layer, "nonce"))
    program = (
        "import json, sys; from course_utils.checks.core import judge;"
        f"print(judge('{LAYER}', json.load(sys.stdin), 'nonce').points)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=data, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == find(LAYER)[1].points


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "full marks",
        {"a layer inside the network": []},
        {part: [{"value": {"float": "x"}}] * 4 for part in cases(LAYER)},
        {part: [{"value": {"python": "1"}}] * 4 for part in cases(LAYER)},
        {part: [{"points": 3}] * 4 for part in cases(LAYER)},
        {part: [{"value": 1}] * 3 for part in cases(LAYER)},
        {part: [None] * 4 for part in cases(LAYER)},
        {part: "1234" for part in cases(LAYER)},
    ],
)
def test_unreadable_answers_earn_nothing(data):
    verdict = judge(LAYER, data)
    assert verdict.points == 0
    assert verdict.note == "The answers could not be read."


def test_unknown_names_are_told_what_there_is():
    with pytest.raises(ValueError, match=r"no task '02\.nothing'; exercise 02 has 02\.linear"):
        check("02.nothing", layer)
    with pytest.raises(ValueError, match=r"no exercise '77'; there are 01_pretraining_and_loss"):
        check("77.layer", layer)


# --- what is said -------------------------------------------------------------------------------


def prints(*args):
    print("6", args)


def never(*args):
    raise NotImplementedError


def leaves(*args):
    raise SystemExit


def undefined(*args):
    return missing_name  # noqa: F821


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        (MFU, lambda *args: None, "did you forget the `return`"),
        (MFU, prints, "prints its answer and returns nothing"),
        (MFU, never, "Not written yet"),
        (MFU, lambda *args: ..., "Not written yet"),
        (MFU, leaves, "ended the program"),
        (MFU, undefined, "name 'missing_name' is not defined. Run the cell that defines it"),
        (MFU, lambda: 1.0, "takes 0 positional arguments but 4 were given"),
        (MFU, 0.39, "Pass the function itself, `mfu_of_run`"),
        (MFU, lambda *args: str(mfu(*args)), "should return one number, but it returned the text"),
        (MFU, lambda *args: True, "returned a truth value"),
        (MFU, lambda *args: Pleaser(), "returned an object of type Pleaser"),
        (MFU, lambda *args: [mfu(*args)], "should return one number, but it returned a list of 1"),
        (MFU, lambda *args: float(np.mean(mfu(*args))), "got an array and returned one number"),
        (MFU, lambda *args: 0 * mfu(*args), "which is not right"),
        (MFU, lambda *args: 1e9 * mfu(*args), "1e9 times too large"),
        (MFU, lambda *args: mfu(*args) / 1e9, "in billions, and the raw count is asked for"),
        (MFU, lambda *args: -mfu(*args), "the right size with the wrong sign"),
        (MFU, lambda *args: mfu(*args) / 86400, "86400 times too small"),
        (MFU, lambda *args: mfu(*args) * math.log(10), "a natural logarithm where a decimal one"),
        (MFU, lambda *args: mfu(*args) / math.log(10), "a decimal logarithm where np.log"),
        (MFU, lambda *args: mfu(*args) * math.log(2), "nats where bits"),
        (MFU, lambda *args: 1.7 * mfu(*args), "all 1.7 times too large: one constant factor"),
        (MFU, lambda *args: mfu(*args) / 1.7, "all 1.7 times too small: one constant factor"),
        (MFU, lambda *args: mfu(*args) * math.nan, "returned NaN"),
        (MFU, lambda *args: np.divide(mfu(*args), 0), "returned infinity"),
        (MFU, lambda *args: -1.5 - mfu(*args), "a negative value cannot be right"),
        (MFU, lambda *args: mfu(*args) + 0.01, "times the right value"),
        ("02.gpt_params", lambda *args: {"blocks": None, "tables": 1}, "in one branch"),
        ("02.gpt_params", lambda *args: {"total": 1}, "should return an entry 'blocks'"),
        ("02.gpt_params", lambda *args: (1, 2, 3), "should return an entry 'blocks'"),
    ],
)
def test_generic_diagnoses(name, answer, message):
    text = said(name, answer)
    assert message in text
    assert judge(name, answers(name, answer)).points < find(name)[1].points


def test_changed_inputs_are_told():
    def in_place(batch, d_in, d_out, first=False):
        batch *= d_in
        return (4 if first else 6) * batch * d_out

    text = said(LAYER, in_place)
    assert "work on a copy" in text
    assert "ok a layer inside the network (1/1)" in text


def test_scalars_only_is_told_and_scalars_are_paid():
    def one_number(batch, d_in, d_out, first=False):
        return math.prod([4 if first else 6, int(batch), d_in, d_out])

    verdict = judge(LAYER, answers(LAYER, one_number))
    assert verdict.points == 2
    assert "takes single numbers only" in verdict.messages[0]


def test_an_error_names_the_students_own_line():
    code = "def f(*args):\n    numbers = [1, 2]\n    return numbers[7]\n"
    linecache.cache["<cell 7>"] = (len(code), None, code.splitlines(True), "<cell 7>")
    namespace: dict = {}
    exec(compile(code, "<cell 7>", "exec"), namespace)
    text = said(MFU, namespace["f"])
    assert "IndexError in your line `return numbers[7]`: list index out of range" in text
    assert "Traceback" not in text


def test_refusing_everything_earns_nothing():
    def refuse(*args):
        raise ValueError("no")

    assert judge(MFU, answers(MFU, refuse)).points == 0


def test_what_a_function_prints_and_warns_is_kept_from_the_cell(capsys):
    def loud(*args):
        print("x" * 1000)
        print("x" * 1000, file=sys.stderr)
        warnings.warn("careful", stacklevel=1)
        np.log(np.array([-1.0]))
        return mfu(*args)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(MFU, loud) == 3
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "xxx" not in printed.out


def test_keyboard_interrupt_stops_a_check():
    def interrupted(*args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(MFU, interrupted)


def test_the_seed_comes_from_the_environment(monkeypatch):
    seen: list[list] = []

    def spy(*args):
        seen[-1].append(args[0])
        return mfu(*args)

    for seed in ("0", "exam"):
        seen.append([])
        monkeypatch.setenv("COURSE_CHECK_SEED", seed)
        with contextlib.redirect_stdout(io.StringIO()):
            assert check(MFU, spy) == 3
    assert seen[0] != seen[1]


def test_a_value_is_judged_where_a_task_has_no_arguments():
    assert collect("B", [()]) == [{"value": "B"}]
    assert collect(lambda: "B", [()]) == [{"value": "B"}]
    assert differ("B", " b", 0) == ""
    assert differ("B", "C", 0) == "value"


@pytest.mark.parametrize(
    ("expected", "got", "difference"),
    [
        (2.0, 2, ""),
        (2.0, True, "type"),
        (2.0, math.nan, "value"),
        (2.0, math.inf, "value"),
        (True, True, ""),
        (True, 1, "type"),
        ([1.0, 2.0], np.array([1.0, 2.0]), ""),
        ((1.0, 2.0), [1.0], "shape"),
        (np.ones(2), [1, 1], ""),
        (np.ones(2), np.ones((2, 1)), "shape"),
        (np.ones(2), np.array([1, math.nan]), "value"),
        (np.ones(2), ["a", "b"], "type"),
        (np.ones(2), [[1], [1, 2]], "shape"),
        ({"a": 1.0}, {"a": 1.0}, ""),
        ({"a": 1.0}, {"a": 2.0}, "value"),
        ({"a": 1.0}, {"b": 1.0}, "shape"),
        ({"a": 1.0}, None, "type"),
    ],
)
def test_differ(expected, got, difference):
    assert differ(expected, got, 1e-6) == difference


def test_pick_an_entry():
    assert pick({"a": 1}, "a") == 1
    assert pick([1, 2], 1) == 2
    assert pick([1], 1) is ABSENT
    assert pick({"a": 1}, "b") is ABSENT
    assert pick(3.0, "a") is ABSENT


def test_show_is_short():
    assert len(show(list(range(1000)))) < 40
    assert len(show("x" * 1000)) <= 80
    assert show(124_439_808) == "124_439_808"


# --- the tasks ----------------------------------------------------------------------------------


@each_task
def test_every_diagnosis_is_wrong_on_some_part_and_nowhere_mistaken_for_right(name):
    _, task = find(name)
    assert len(task.diagnoses) >= 1
    for seed in range(20):
        drawn = cases(name, seed)
        for diagnosis in task.diagnoses:
            wrong = 0
            for part in task.parts:
                if part.raises:
                    continue
                for args in drawn[part.name]:
                    got = pick(diagnosis.formula(*args), part.key)
                    right = pick(task.reference(*args), part.key)
                    wrong += got is not ABSENT and bool(
                        differ(right, got, 10 * task.rtol, 10 * task.atol)
                    )
            assert wrong, f"{diagnosis.name} is right with seed {seed}"


@each_task
def test_texts_are_sentences(name):
    _, task = find(name)
    for diagnosis in task.diagnoses:
        assert diagnosis.message.endswith((".", "?")), diagnosis.message
    assert len({part.name for part in task.parts}) == len(task.parts)
    assert all(part.points > 0 for part in task.parts)


# --- allowed imports ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "from course_utils.transformer import PRESETS",
        "import course_utils.transformer as t",
        "from course_utils import transformer",
        "import course_utils",
        "def f():\n    from course_utils.transformer import PRESETS",
        "import importlib\nm = importlib.import_module('course_utils.transformer')",
        "m = __import__('course_utils.transformer')",
        "%matplotlib inline\nfrom course_utils.transformer import PRESETS",
        "from course_utils.checks.tasks import flops_6nd",
        "from course_utils.checks import core",
        "from course_utils.checks.core import find",
    ],
)
def test_modules_that_hold_the_answer_are_refused(code):
    (sentence,) = refusals([code], {"facts", "quantities"})
    assert sentence.startswith("This exercise asks you to write it yourself: course_utils")
    assert sentence.endswith("isn't available here.")


@pytest.mark.parametrize(
    "code",
    [
        "from course_utils.facts import value",
        "from course_utils import facts, quantities",
        "from course_utils.checks import check",
        "import numpy as np\n!ls\n%time",
        "this is no python",
        "text = 'import course_utils.laws'",
    ],
)
def test_what_an_exercise_offers_is_not_refused(code):
    assert refusals([code], {"facts", "quantities"}) == []


def test_a_check_refuses_a_notebook_that_imports_the_answer():
    namespace = {
        "check": check,
        "layer": layer,
        "In": ["", "from course_utils.transformer import PRESETS"],
    }
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        points = eval("check('02.linear_layer_flops', layer)", namespace)
    assert points == 0
    assert "course_utils.transformer isn't available here" in printed.getvalue()
    namespace["In"] = ["", "from course_utils.facts import value"]
    with contextlib.redirect_stdout(io.StringIO()):
        assert eval("check('02.linear_layer_flops', layer)", namespace) == 3
