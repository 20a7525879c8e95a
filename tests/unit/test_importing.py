"""Records of other repositories: laid out field by field, kept once, updated when they change, delivered as they are."""

from __future__ import annotations

import json
import time

import pytest

from nffa_cli import cli, importing, repositories, settings
from nffa_cli.catalogue.store import Store
from nffa_cli.crosswalk import check, entries, incoming, taking, vocabulary
from nffa_cli.crosswalk.numbers import Unfit
from nffa_cli.delivery.carrying import Carrying
from nffa_cli.delivery.delivering import Knowledge
from nffa_cli.destinations.base import Capabilities, Plan, Receipt, Result, Verification
from nffa_cli.errors import CrosswalkError, UnreadableFile, UsageError

MD5 = "0cc175b9c0f1b6a831c399e269772661"
OLD = {
    "Title": "Invented bands", "Description": "<p>Inputs &amp; outputs</p>", "Submission_Date": "2018-03-12",
    "License": "CC BY 4.0", "DOI": "10.0000/invented:2018.1",
    "File": [{"name": "in/a.tar.gz", "size_bytes": 12, "md5": MD5}, {"name": "b.txt", "size_bytes": 3, "md5": MD5}],
}  # fmt: skip
NOW = {
    "id": "abcde-12345", "pids": {"doi": {"identifier": "10.0000/invented.2"}},
    "links": {"self_html": "https://records.example/records/abcde-12345",
              "files": "https://records.example/api/records/abcde-12345/files"},
    "metadata": {"title": "Invented phonons", "description": "<p>Words</p>", "publication_date": "2024-02-03",
                 "rights": [{"id": "cc-by-4.0"}, {"id": "mit"}]},
    "files": {"enabled": True, "entries": {"x y.cif": {"key": "x y.cif", "size": 5, "checksum": f"md5:{MD5}"}}},
}  # fmt: skip


@pytest.fixture
def entry_file(tmp_path):
    """A function: a record → the path of its JSON file."""

    def write(entry, name="entry.json"):
        path = tmp_path / name
        path.write_text(json.dumps(entry), encoding="utf-8")
        return str(path)

    return write


def imported(path, system="materials-cloud", dry_run=False, **said):
    return importing.run(system, path, importing.options(**said), settings.load(), dry_run=dry_run)


def test_the_shipped_crosswalks_hold_their_examples():
    folder = settings.shipped("crosswalks")
    assert len(check.import_files(folder)) == 2
    assert check.check(folder / "import" / "invenio.yaml", vocabulary.load(folder)) == []
    assert check.check(folder / "import" / "materials-cloud.yaml", vocabulary.load(folder)) == []


def test_both_dialects_of_materials_cloud_are_recognised(entry_file):
    assert imported(entry_file(OLD), proposal="161").taken.crosswalk.name == "materials-cloud"
    found = imported(entry_file(NOW), proposal="161")
    assert found.taken.crosswalk.name == "invenio"
    (asset,) = found.bundle.assets
    assert asset.fields["uri"] == "https://records.example/api/records/abcde-12345/files/x%20y.cif/content"
    assert asset.fields["intellectualPropertyRights"] == "CC-BY-4.0; MIT"
    assert asset.fields["dateOfCollectionSource"] == "submission"


def test_a_record_becomes_a_calculation_with_files_that_stay_where_they_are(entry_file):
    made = imported(entry_file(OLD), proposal="161", experiment="Bands").bundle
    assert made.proposal == {"proposalId": "161"}
    assert made.experiment == {"experimentName": "Bands"}
    assert made.measurement["kind"] == "calculation"
    assert made.measurement["measurementDescription"] == "Inputs & outputs"
    assert made.measurement["provenance"]["descriptionOriginal"] == "<p>Inputs &amp; outputs</p>"
    assert made.documents[importing.DOCUMENT] == OLD
    first = made.assets[0]
    assert (first.size, first.sha256, first.path, first.content) == (12, "", None, None)
    assert first.fields["dataChecksum"] == {"algorithm": "md5", "value": MD5}
    assert first.fields["accessMode"] == "linked"
    assert first.fields["uri"] == "https://doi.org/10.0000/invented:2018.1"


def test_all_files_as_one_asset_which_lists_them(entry_file):
    made = imported(entry_file(OLD), proposal="161", as_one=True).bundle
    (asset,) = made.assets
    assert asset.size == len(asset.content)
    listed = json.loads(asset.content)
    assert [file["name"] for file in listed["files"]] == ["in/a.tar.gz", "b.txt"]
    assert listed["bytes"] == 15


def test_what_no_rule_takes_is_named_by_its_path():
    taken = repositories.taken({**NOW, "x": {"y": [{"z": 1}, {"z": 2}]}}, "here", settings.shipped("crosswalks"))
    left = dict(taking.untaken(taken, {**NOW, "x": {"y": [{"z": 1}, {"z": 2}]}}))
    assert left == {"x.y.0.z": 1, "x.y.1.z": 2, "files.enabled": True}


def test_again_changes_nothing_and_a_changed_record_is_an_update(entry_file):
    first = imported(entry_file(OLD), proposal="161")
    assert first.reason == "new"
    assert imported(entry_file(OLD)).reason is None  # what was said once still holds
    assert imported(entry_file({**OLD, "Title": "Better"})).reason == "changed"
    assert imported(entry_file({**OLD, "Title": "Better"}), kind="simulation").reason == "options-changed"
    with Store.open(settings.catalogue_path()) as store:
        item = store.imports.get(first.item.key)
    made = importing.made(item)
    assert item.options["proposal"] == "161"
    assert made.key == first.bundle.key
    assert made.digest != first.bundle.digest
    assert made.measurement["measurementName"] == "Better"


def test_a_dry_run_keeps_nothing(entry_file, home):
    assert imported(entry_file(OLD), dry_run=True).reason == "new"
    assert not (home / "catalogue.sqlite").exists()


class Recorder:
    """A destination that remembers what it is given, and how many at a time."""

    kind = name = "recorder"

    def __init__(self):
        self.deliveries = []
        self.batches = []
        self.proof = "unknown"

    def capabilities(self):
        return Capabilities(batch=2)

    def plan(self, deliveries):
        return [Plan(each, "update" if each.known else "create", (), 0) for each in deliveries]

    def verify(self, receipts):
        for key, _ in receipts:
            yield key, Verification(self.proof)

    def deliver(self, deliveries, journal):
        self.batches.append(len(deliveries))
        for each in deliveries:
            self.deliveries.append(each)
            receipt = Receipt(
                "m1", "https://node.example/m1", str(len(self.deliveries)), each.bundle.digest, (("a", "b", ""),)
            )
            yield Result(each, "done", receipt)


def test_imports_are_delivered_once_and_updated_by_their_receipt(entry_file):
    there = Recorder()

    def sync():
        return [(each.status, each.reason) for each in carried(there)]

    imported(entry_file(OLD))
    assert sync() == [("waiting", "no-proposal")]
    imported(entry_file(OLD), proposal="161")
    assert sync() == [("done", None)]
    assert sync() == [("unchanged", None)]
    imported(entry_file({**OLD, "License": "MIT"}))
    assert sync() == [("done", None)]
    assert [each.known and each.known.measurement for each in there.deliveries] == [None, "m1"]
    imported(entry_file({**OLD, "License": "MIT"}), to="./elsewhere")
    assert sync() == []


def carried(there, what="deliver", **more):
    """Outcomes of one run to a destination."""
    with Store.open(settings.catalogue_path()) as store:
        return list(getattr(Carrying(store, there.name, there, Knowledge({}, "", **more)), what)())


def waiting_there():
    """(state, reason) of what the outbox lists."""
    with Store.open(settings.catalogue_path()) as store:
        return [(row.imported, row.state, row.reason) for row in store.imports.rows()]


def entry(number, **more):
    return {**OLD, "DOI": f"10.0000/invented:{number}", **more}


def test_only_what_is_due_is_laid_out_and_in_batches(entry_file, monkeypatch):
    there = Recorder()
    for number in range(5):
        imported(entry_file(entry(number), f"{number}.json"), proposal="161")
    assert [each.detail["due"] for each in carried(there, "plan")] == [["create"]] * 5
    assert there.deliveries == []
    assert {each.status for each in carried(there)} == {"done"}
    assert there.batches == [2, 2, 1]
    imported(entry_file(entry(3, Title="Better"), "3.json"))
    made = importing.made
    laid_out = []
    monkeypatch.setattr(importing, "made", lambda item, *more: laid_out.append(item.key) or made(item, *more))
    again = carried(there)
    assert sorted(each.status for each in again) == ["done"] + ["unchanged"] * 4
    assert len(laid_out) == 1
    assert there.deliveries[-1].bundle.measurement["measurementName"] == "Better"


def test_one_that_cannot_be_laid_out_stops_no_other(entry_file, monkeypatch):
    there = Recorder()
    for number in range(3):
        imported(entry_file(entry(number), f"{number}.json"), proposal="161")
    made = importing.made

    def broken(item, *more):
        if item.key.endswith("invented:1"):
            raise UnreadableFile("is no record any more", code="x")
        return made(item, *more)

    monkeypatch.setattr(importing, "made", broken)
    assert [(each.status, each.reason) for each in carried(there) if each.status != "done"] == [
        ("failed", "is no record any more")
    ]
    assert len(there.deliveries) == 2
    ((key, state, reason),) = waiting_there()
    assert (key[-10:], state, reason) == ("invented:1", "failed", "is no record any more")
    monkeypatch.setattr(importing, "made", made)
    assert sorted(each.status for each in carried(there)) == ["done", "unchanged", "unchanged"]
    assert waiting_there() == []


def test_an_import_stands_in_outbox_and_status_and_can_be_given_up_and_taken_back(entry_file, capsys):
    there = Recorder()
    source = entry_file(OLD)
    imported(source)
    carried(there)

    def run(*arguments):
        assert cli.run([*arguments, "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    with Store.open(settings.catalogue_path()) as store:
        store.outbox.destination(there.name)
    (line,) = [each for each in run("outbox", "list") if each["type"] == "delivery"]
    assert (line["path"], line["acquisition"], line["state"], line["reason"]) == (
        source,
        None,
        "waiting",
        "no-proposal",
    )
    (stands,) = [each for each in run("status") if each["type"] == "deliveries"]
    assert (stands["delivered"], stands["due"], stands["waiting"]) == (0, 0, 1)
    imported(source, proposal="161")
    (stands,) = [each for each in run("status") if each["type"] == "deliveries"]
    assert (stands["due"], stands["waiting"]) == (1, 0)
    assert run("outbox", "drop", line["import"])[-1]["dropped"] == 1
    assert [(each.status, each.reason) for each in carried(there)] == [("unchanged", "dropped")]
    assert run("outbox", "retry", source)[-1]["retried"] == 1
    assert [each.status for each in carried(there)] == ["done"]
    (stands,) = [each for each in run("status") if each["type"] == "deliveries"]
    assert (stands["delivered"], stands["due"], stands["waiting"]) == (1, 0, 0)


def test_what_a_check_misses_is_due_again_with_a_receipt_without_version(entry_file):
    there = Recorder()
    imported(entry_file(OLD), proposal="161")
    carried(there)
    assert [(each.status, each.detail["proof"]) for each in carried(there, "check")] == [("unchanged", "unknown")]
    assert [each.status for each in carried(there)] == ["unchanged"]
    there.proof = "missing"
    assert [(each.status, each.reason) for each in carried(there, "check")] == [("failed", "missing")]
    assert [state for _, state, _ in waiting_there()] == ["again"]
    assert [each.status for each in carried(there)] == ["done"]
    known = there.deliveries[-1].known
    assert (known.measurement, known.version, known.digest) == ("m1", "", "")


def test_what_the_portal_says_of_the_proposal_goes_along(entry_file):
    there = Recorder()
    imported(entry_file(OLD), proposal="161")
    carried(there)
    assert there.deliveries[-1].bundle.proposal == {"proposalId": "161"}
    said = {"161": {"proposalTitle": "Wires", "principalInvestigator": {"familyName": "Ada"}}}
    (outcome,) = carried(there, proposals=said)
    assert (outcome.status, outcome.detail["due"]) == ("done", "proposal-changed")
    assert there.deliveries[-1].bundle.proposal == {"proposalId": "161", **said["161"]}
    assert carried(there, proposals=said)[0].status == "unchanged"


def test_files_of_which_too_little_is_said_are_named_and_left_out(entry_file):
    entry = {**OLD, "File": [{"name": "a", "md5": MD5}, {"size_bytes": 1, "md5": MD5}, {"name": "b", "size_bytes": 1}]}
    found = imported(entry_file(entry), proposal="161")
    assert found.bundle.assets == ()
    assert found.bundle.measurement["provenance"]["filesLeftOut"] == [
        {"name": "a", "lacks": "size"}, {"name": "b", "lacks": "digest"}
    ]  # fmt: skip
    assert {remark.code for remark in found.taken.warnings} == {"file-without-name"}


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{", "[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000, '{"Title": NaN}', "\xff", '{"Title": ' + "9" * 6000 + "}"],
    ids=["empty", "list", "broken", "deep", "deep-object", "nan", "latin", "long-number"],
)  # fmt: skip
def test_what_is_no_record_is_refused_with_a_sentence(tmp_path, text):
    path = tmp_path / "entry.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UnreadableFile) as caught:
        imported(str(path))
    assert caught.value.where == str(path)


def test_texts_that_no_database_holds_are_mended(entry_file):
    found = imported(entry_file({**OLD, "Title": "a\0b\ud800"}), proposal="161")
    assert "\0" not in json.dumps(found.bundle.measurement)
    assert found.bundle.measurement["measurementName"] == "a�b�"


def test_unknown_systems_dialects_and_missing_files_are_told(entry_file, tmp_path):
    with pytest.raises(UsageError, match="cannot be imported"):
        imported(entry_file(OLD), system="figshare")
    with pytest.raises(UnreadableFile, match="is no InvenioRDM record"):
        imported(entry_file(OLD), system="zenodo")
    with pytest.raises(UsageError):
        imported(str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One<br>two</p>", "One\ntwo"), ("a &lt; b &amp; c", "a < b & c"), ("x<y and z>w", "x<y and z>w"),
        ("<script>no()</script>yes", "yes"), ("<SCRIPT>no()", ""), ("T<sub>c</sub> of H<sub>2</sub>O", "Tc of H2O"),
        ("<img src=x alt='a>b' onerror=no()>z", "z"), ("<!-- no -->yes", "yes"), ("plain\nlines", "plain\nlines"),
        ("a\u202eb\x1b[31mc", "ab[31mc"),
    ],
)  # fmt: skip
def test_html_becomes_the_text_that_a_reader_sees(markup, text):
    assert entries.plain(markup) == text


@pytest.mark.parametrize("part", ["<a ", "<!--", "</", "&", "<a x='", "<script>", "<!", "<?", "<script></x", "'"])
def test_no_markup_takes_long(part):
    began = time.perf_counter()
    entries.plain(part * 100_000)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("using", "value", "wanted"),
    [
        ("whole", "12", 12), ("whole", 12.0, Unfit), ("whole", True, Unfit), ("whole", -1, Unfit), ("whole", "1e3", Unfit),
        ("date", "2018", "2018"), ("date", "2018-13", Unfit), ("date", "2018-01/2018-02", "2018-01/2018-02"),
        ("date", "12 March 2018", "2018-03-12"), ("date", "03/04/2018", Unfit), ("moment", "2018-03", Unfit),
        ("moment", "2018-03-12", "2018-03-12"), ("digest", f"MD5:{MD5.upper()}", {"algorithm": "md5", "value": MD5}),
        ("digest", MD5, Unfit), ("digest", "crc32:00000000", Unfit), ("address", "javascript:alert(1)", Unfit),
        ("address", "https://user:word@a.example/", Unfit), ("address", "https://[", Unfit),
        ("safe_path", "../../etc/passwd", "_/_/etc/passwd"), ("safe_path", "C:\\a\\b.txt", "C_/a/b.txt"),
        ("safe_path", "/", Unfit), ("licence_names", "CC-BY-SA 4.0", "CC-BY-SA-4.0"), ("licence_names", [], Unfit),
        ("licence_names", ["our own", {"id": "cc0-1.0"}], "our own; CC0-1.0"),
        ("persons", "Doe, Jane; Roe, R.", [{"name": "Doe, Jane"}, {"name": "Roe, R."}]),
        ("persons", [{"name": "Doe, J.", "orcid": "0000-0002-1825-0097", "email": "j@d.example"}],
         [{"name": "Doe, J.", "orcid": "0000-0002-1825-0097"}]),
    ],
)  # fmt: skip
def test_transforms_take_what_is_right_and_guess_nothing(using, value, wanted):
    if wanted is Unfit:
        with pytest.raises(Unfit):
            entries.TABLE[using].run({"value": value}, {})
    else:
        assert entries.TABLE[using].run({"value": value}, {}) == wanted


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{to: measurement/colour, from: a}", "no place"), ("{to: measurement/kind}", "either"),
        ("{to: measurement/kind, from: a, using: magic}", "unknown transform"),
        ("{to: measurement/kind, from: a, where: {b: [c]}}", "without an 'each'"),
        ("{to: measurement/kind, from: a, using: content_address}", "takes folder, name"),
        ("{to: measurement/kind, form: a}", "unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_crosswalk_is_told_with_its_line(tmp_path, line, complaint):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "import: mine\nversion: 1\ndialect: x\nsystems: [mine]\nrecognised_by: [a]\nkey: [a]\nfields:\n"
        f"  - {line}\n", encoding="utf-8",
    )  # fmt: skip
    with pytest.raises(CrosswalkError, match=complaint) as caught:
        incoming.load(path)
    assert caught.value.where == f"{path}:8"


def test_hostile_records_end(tmp_path):
    walk = incoming.load(settings.shipped("crosswalks") / "import" / "invenio.yaml")
    entry = {
        **NOW,
        "files": [{"key": f"f{n}", "size": 1, "checksum": f"md5:{MD5}"} for n in range(taking.MAX_FILES + 5)],
    }
    taken = taking.take(walk, entry)
    assert len(taken.files) == taking.MAX_FILES
    assert {remark.code for remark in taken.warnings} == {"too-many-files"}
    twice = taking.take(walk, {**NOW, "files": [{"key": "a"}, {"key": "A"}, 7, {"key": ["x"]}]})
    assert [file["relativePath"].value for file in twice.files] == ["a"]
