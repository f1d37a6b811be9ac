"""course_utils.live: what is shown while an experiment runs."""

import re

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from course_utils import lab, live


@pytest.fixture
def shown(monkeypatch):
    """Everything that goes to the display, first to last: (data, whether it replaces)."""
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    published = []

    def publish(data, metadata=None, *, transient=None, update=False, **_):
        published.append((data, update, transient["display_id"]))

    monkeypatch.setattr(shell.display_pub, "publish", publish)
    return published


def rows():
    return [row for row in lab.recorded("isoflop").where(seed=0).rows() if row["C"] < 2e10]


def test_the_picture_grows_in_its_place_and_the_runs_are_returned(shown, monkeypatch):
    monkeypatch.setattr(live, "REDRAWN_EVERY", 0)
    runs = live.watch(([row] for row in rows()[:3]), y="loss (nats per byte)")
    assert len(runs) == 3
    assert runs["val"].tolist() == [row["val"] for row in rows()[:3]]
    updates = [update for _, update, _ in shown]
    assert updates == [False, True, True, True, True]
    assert len({place for _, _, place in shown}) == 1
    pictures = [re.search('base64,([^"]*)', data["text/html"])[1] for data, _, _ in shown]
    assert len(set(pictures)) == 4  # empty, one, two and three runs, which are drawn twice


def test_the_words_do_not_depend_on_the_runs(shown):
    live.watch([rows()], y="loss (nats per byte)")
    first, last = (re.sub(r"base64,[^\"]*", "", data["text/html"]) for data, _, _ in shown)
    assert first == last
    assert shown[0][0]["text/plain"] == shown[1][0]["text/plain"]
    assert "loss (nats per byte)" in last and "U-shaped" in last


def test_pictures_are_few_when_runs_are_quick(shown):
    live.watch([row] for row in rows())
    assert len(shown) <= 2 + 3


def test_a_stop_in_the_middle_keeps_what_has_finished(shown, capsys):
    def stopped():
        yield from ([row] for row in rows()[:2])
        raise KeyboardInterrupt

    runs = live.watch(stopped())
    assert runs["val"].tolist() == [row["val"] for row in rows()[:2]]
    assert capsys.readouterr().out.startswith("Stopped: the 2 finished runs are kept.")
    assert shown[-1][1]  # the picture shows them too
