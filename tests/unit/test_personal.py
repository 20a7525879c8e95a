"""The operator policy: what leaves the computer names nobody, or names everybody, as was decided."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli import extract, identify, reading, samples, settings
from nffa_cli.crosswalk import load, personal
from nffa_cli.errors import ConfigError
from nffa_cli.records import Quantity, RawMetadata, Record, Remark

SECRET = b"a facility's own secret"
CROSSWALK = load.Crosswalk("mine", 1, "mine.yaml", "", root="user", personal=("Name", "/*.Login", "/people"))
PSEUDONYM = re.compile(r"operator-[0-9a-f]{8}")
TREE = {
    "user": {"Name": "Jane Roe", "Group": "users"},
    "pc": {"Login": "jroe", "Host": "SEM1"},
    "people": [{"who": "Max"}, {"who": 42, "badge": {"@bytes": "AA=="}}, {"who": ""}],
    "comment": {"by": "jane roe ", "text": "Jane Roe was here", "words": ["Max", "Max and others", 42]},
    "count": 42,
}


def applied(policy="pseudonym", tree=None, terms=None, warnings=(), crosswalk=CROSSWALK, secret=SECRET):
    raw = RawMetadata("mine", tree or TREE)
    record = Record("mine", terms or {}, (), warnings=tuple(warnings))
    return personal.apply(raw, record, crosswalk=crosswalk, policy=policy, secret=secret)


def test_keep_changes_nothing():
    raw = RawMetadata("mine", TREE)
    record = Record("mine", {"operator.name": Quantity("Jane Roe", None, "user/Name", "Jane Roe")}, ())
    kept = personal.apply(raw, record, crosswalk=CROSSWALK, policy="keep", secret=b"")
    assert kept == (raw, record)
    assert json.dumps(kept[0].tree) == json.dumps(TREE)


def test_a_pseudonym_stands_wherever_the_person_stood():
    tree = applied()[0].tree
    jane, login, people = tree["user"]["Name"], tree["pc"]["Login"], tree["people"]
    assert PSEUDONYM.fullmatch(jane)
    assert tree["comment"]["by"] == jane
    assert PSEUDONYM.fullmatch(login)
    assert login != jane
    assert tree["comment"]["words"] == [people[0]["who"], "Max and others", 42]
    assert PSEUDONYM.fullmatch(people[1]["who"])
    assert PSEUDONYM.fullmatch(people[1]["badge"])
    assert people[2] == {"who": ""}
    assert (tree["count"], tree["pc"]["Host"], tree["user"]["Group"]) == (42, "SEM1", "users")


def test_drop_leaves_null_so_that_the_tree_keeps_its_form():
    tree = applied("drop")[0].tree
    assert tree["user"] == {"Name": None, "Group": "users"}
    assert tree["people"] == [{"who": None}, {"who": None, "badge": None}, {"who": ""}]
    assert tree["comment"] == {"by": None, "text": "Jane Roe was here", "words": [None, "Max and others", 42]}


def test_a_pseudonym_depends_on_the_secret_and_not_on_case():
    name = applied(tree={"user": {"Name": "JANE  ROE"}})[0].tree["user"]["Name"]
    assert name == applied()[0].tree["user"]["Name"]
    assert name != applied(secret=b"another")[0].tree["user"]["Name"]


def test_an_account_of_nobody_is_not_looked_for_elsewhere():
    tree = applied(tree={"user": {"Name": "Supervisor"}, "mode": "supervisor"})[0].tree
    assert PSEUDONYM.fullmatch(tree["user"]["Name"])
    assert tree["mode"] == "supervisor"


def test_a_person_called_like_the_instrument_does_not_cost_the_instrument_its_name():
    terms = {"instrument.vendor": Quantity("JEOL", None, "maker", "JEOL")}
    raw, record = applied(tree={"user": {"Name": "JEOL"}, "maker": "JEOL"}, terms=terms)
    assert raw.tree["maker"] == "JEOL"
    assert record.terms == terms


def test_a_sample_named_beside_persons_keeps_its_name():
    """DigitalMicrograph lists specimen and operator among the same items, and the specimen once more for itself."""
    tree = {**TREE, "people": [{"what": "Wafer 12"}, {"who": "Max"}], "specimen": "Wafer 12", "note": "max"}
    terms = {
        "sample.name": Quantity("Wafer 12", None, "specimen", "Wafer 12"),
        "operator.name": Quantity("Max", None, "people.1", "Max"),
    }
    raw, record = applied(tree=tree, terms=terms)
    assert record.terms["sample.name"].value == raw.tree["specimen"] == "Wafer 12"
    assert PSEUDONYM.fullmatch(raw.tree["note"])
    called_like_the_operator = {**terms, "sample.name": Quantity("Max", None, "specimen", "Max")}
    assert PSEUDONYM.fullmatch(applied(tree=tree, terms=called_like_the_operator)[1].terms["sample.name"].value)


def test_the_record_names_only_whom_the_session_names():
    terms = {
        "operator.name": Quantity("Jane Roe", None, "user/Name", "Name = Jane Roe"),
        "operator.orcid": Quantity("0000-0002-1825-0097", None, "nffa-session.yaml/user.orcid", "0000-0002-1825-0097"),
        "acquisition.note": Quantity("jane roe", None, "comment.by", "jane roe "),
        "sample.name": Quantity("W12", None, "nffa-session.yaml/sample.name", "W12"),
        "instrument.model": Quantity("SEM1", None, "pc.Login", "Jane Roe"),
        "beam.accelerating_voltage": Quantity(1e4, "V", "hv", 10),
    }
    record = applied(terms=terms)[1]
    assert PSEUDONYM.fullmatch(record.terms["operator.name"].value)
    assert PSEUDONYM.fullmatch(record.terms["operator.name"].raw)
    assert record.terms["acquisition.note"].value == record.terms["operator.name"].value
    assert record.terms["instrument.model"].value == "SEM1"
    assert "Jane" not in json.dumps(record.as_json())
    same = ("operator.orcid", "sample.name", "beam.accelerating_voltage")
    assert all(record.terms[name] == terms[name] for name in same)
    dropped = applied("drop", terms=terms)[1]
    assert not {"operator.name", "acquisition.note"} & set(dropped.terms)
    assert "Jane" not in json.dumps(dropped.as_json())


@pytest.mark.parametrize("policy", ["pseudonym", "drop"])
def test_a_personal_text_is_taken_out_of_the_record_rather_than_named_a_person(policy):
    terms = {
        "acquisition.note": Quantity("3 nm gold for Jane", None, "pc/Login", "3 nm gold for Jane"),
        "sample.name": Quantity("Jane's", None, "people.0.who", "Jane's"),
    }
    assert applied(policy, terms=terms)[1].terms == {}


def test_what_the_session_says_of_a_person_is_theirs():
    terms = {"operator.name": Quantity("Jane Roe", None, "nffa-session.yaml/user.name", "Jane Roe")}
    assert applied(terms=terms)[1].terms == terms


def test_a_warning_quotes_no_operator():
    terms = {"operator.name": Quantity("Jane Roe", None, "user/Name", "Jane Roe")}
    remark = Remark("conflict", "operator.name: the file says 'Jane Roe' (user/Name), the session says 'Max'")
    (told,) = applied(terms=terms, warnings=[remark])[1].warnings
    assert PSEUDONYM.search(told.detail)
    assert "Jane" not in told.detail
    (told,) = applied("drop", terms=terms, warnings=[remark])[1].warnings
    assert told.detail == "operator.name: the file says '(removed)' (user/Name), the session says 'Max'"


def test_a_policy_that_there_is_not_is_an_error():
    with pytest.raises(ConfigError, match="no such operator policy"):
        applied("hide")


KEYS = st.sampled_from(["Name", "Login", "people", "user", "a", "b.c"])
NAMES = st.text(alphabet="abcXYZäß ._-", min_size=2, max_size=12).filter(
    lambda text: any(letter.isalpha() for letter in text) and len(" ".join(text.split())) > 1
)
VALUES = st.one_of(NAMES, st.integers(), st.booleans(), st.none(), st.lists(NAMES, max_size=2))
TREES = st.recursive(
    VALUES, lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(KEYS, TREES, max_size=4), NAMES, st.sampled_from(["pseudonym", "drop"]))
def test_no_personal_value_survives(tree, name, policy):
    terms = {
        "operator.name": Quantity(name, None, "user/Name", name),
        "acquisition.note": Quantity(name, None, "elsewhere", name),
    }
    raw, record = applied(policy, tree=tree | {"elsewhere": [{"x": name.upper()}, [name]]}, terms=terms)
    bare = {" ".join(name.split()).casefold()} - personal.NOBODY
    for path, value in personal._leaves(tree).items():
        parts = re.split(r"\.(?!c)", path)
        if parts[0] == "people" or path.startswith("user.Name") or (len(parts) > 1 and "Login" in parts[1:]):
            bare |= {" ".join(text.split()).casefold() for text in personal._texts(value)} - personal.NOBODY
    for value in personal._leaves(raw.tree).values():
        assert not {" ".join(text.split()).casefold() for text in personal._texts(value)} & bare
    for quantity in record.terms.values():
        assert quantity.value != name
        assert quantity.raw != name


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_the_form_of_the_tree_stays(tree):
    def form(node):
        if isinstance(node, dict):
            return {key: form(value) for key, value in node.items()}
        return [form(value) for value in node] if isinstance(node, list) else None

    assert form(applied("drop", tree=tree or {"a": 1})[0].tree) == form(tree or {"a": 1})


@pytest.mark.parametrize("kind", ["zeiss-sem-tiff", "fei-sem-tiff", "tescan-sem-tiff", "jeol-sem-tiff", "tia"])
def test_the_shipped_crosswalks_hide_the_operator_of_a_file(kind, tmp_path):
    files = samples.make(tmp_path, kinds=[kind])
    family = identify.identify(files[0].name, files[0].read_bytes()[: identify.HEAD_BYTES]).family
    raw = extract.read([str(path) for path in files], family)
    folder = settings.shipped("crosswalks")
    record, _ = reading.normalise(raw, {"crosswalks": str(folder)})
    name = record.terms["operator.name"].value
    crosswalk = load.for_format(raw.format, folder / "inward")
    hidden, told = personal.apply(raw, record, crosswalk=crosswalk, secret=SECRET)
    assert PSEUDONYM.fullmatch(told.terms["operator.name"].value)
    assert name in json.dumps(raw.tree)
    assert name not in json.dumps(hidden.tree)
    assert name not in json.dumps(told.as_json())
