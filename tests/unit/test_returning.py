"""Answers that come back from a node: what is taken, once, whose it is, and what is no answer."""

from __future__ import annotations

import pytest

from nffa_cli.catalogue.opinions import Label
from nffa_cli.catalogue.store import Store
from nffa_cli.delivery import returning
from nffa_cli.destinations.base import Answered, Capabilities
from nffa_cli.destinations.idrp import answered
from nffa_cli.errors import Unreachable

NODE, SHA = "https://idrp.example.org", "a" * 64
TOLD = {
    "id": "0192f0c1-0000-7000-8000-000000000001", "sha256": SHA, "answer": "label", "label": "Tips", "second": None,
    "how": "looked", "personId": "0192f0c1-0000-7000-8000-00000000000a", "labeller": None,
    "at": "2026-11-21T14:05:00.900000Z", "modelSha256": None, "predicted": "Fibres",
}  # fmt: skip


def test_an_answer_is_read_as_the_node_tells_it():
    found = answered(TOLD | {"more": 1})
    assert found == Answered(
        TOLD["id"], SHA, "label", "Tips", None, "looked", TOLD["personId"], None, "2026-11-21T14:05:00+00:00", None, "Fibres"
    )  # fmt: skip
    assert answered(TOLD | {"label": "Ti\u202eps\nx"}).label.isprintable()


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 3}, {"id": "../x"}, {"sha256": "a"}, {"answer": "maybe"}, {"answer": "none"}, {"label": None}, {"how": "bulk"},
        {"personId": None}, {"at": "yesterday"}, {"second": 4}, {"labeller": ["x"]},
    ],
)  # fmt: skip
def test_what_is_none_is_refused(wrong):
    assert answered(TOLD | wrong) is None
    assert answered([TOLD]) is None


class Node:
    """A destination that tells pages of answers, and then perhaps breaks off."""

    def __init__(self, *pages, fails=False):
        self.pages, self.fails, self.asked = pages, fails, []

    def capabilities(self):
        return Capabilities(labels=NODE)

    def labels(self, since):
        self.asked.append(since)
        for number, page in enumerate(self.pages):
            yield page, f"page {number}"
        if self.fails:
            raise Unreachable("it is gone")


def said(number, **more):
    return answered(TOLD | {"id": f"x{number}"} | more)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "c.sqlite") as store:
        yield store


def test_each_is_taken_once_and_the_next_run_goes_on(store):
    node = Node([said(1), said(2, label="Fibres")], [said(3, personId="b")])
    assert returning.take(store, "node", node) == returning.Returned("node", 3)
    assert returning.take(store, "node", node) == returning.Returned("node", 0)
    assert node.asked == [None, "page 1"]
    assert [(each.label, each.origin) for each in store.opinions.labels(SHA)] == [("Fibres", NODE), ("Tips", NODE)]
    assert len({each.labeller for each in store.opinions.labels(SHA)}) == 2


def test_what_came_before_it_broke_off_is_kept(store):
    found = returning.take(store, "node", Node([said(1)], fails=True))
    assert found == returning.Returned("node", 1, "it is gone")
    assert store.outbox.labels_since(store.outbox.destination("node")) == "page 0"


def test_a_place_where_nobody_answers_is_not_asked(store):
    class Folder:
        def capabilities(self):
            return Capabilities()

    assert returning.take(store, "disk", Folder()) is None


def test_the_newest_answer_holds_wherever_and_however_late_it_came(store):
    here = Label(SHA, "label", "Fibres", None, "anna", made_at="2026-11-21T15:00:00+00:00")
    store.opinions.say(here)
    returning.take(store, "node", Node([said(1)]))  # said at 14:05, taken after
    assert [each.label for each in store.opinions.labels(SHA)] == ["Tips", "Fibres"]
    returning.take(store, "node", Node([said(2, label="Powder", at="2026-11-21T16:00:00Z", personId="b")]))
    assert [each.label for each in store.opinions.labels(SHA)] == ["Tips", "Fibres", "Powder"]
    returning.take(store, "node", Node([said(3, answer="undo", label=None, personId="b")]))
    assert [each.label for each in store.opinions.labels(SHA)] == ["Tips", "Fibres"]


def test_a_person_is_one_whether_or_not_the_name_is_known(store):
    returning.take(store, "node", Node([said(1), said(2, labeller="Marie Curie", label="Powder")]))
    (held,) = store.opinions.labels(SHA)
    assert (held.label, held.labeller) == ("Powder", "Marie Curie")
    store.opinions.say(Label(SHA, "label", "Tips", None, "Marie Curie"))  # somebody of that name, at this PC
    assert len(store.opinions.labels(SHA)) == 2
