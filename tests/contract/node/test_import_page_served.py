"""The page that imports records of other repositories: what is asked and what never, what is shown, and what becomes of it."""

from __future__ import annotations

import json
import re
import socket
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli import cli, guarded, repositories, secrets
from nffa_cli.node import adopting
from nffa_cli.node.config import Config
from nffa_cli.node.pages import enclosed
from nffa_cli.node.problems import Problem
from tests.contract.node.conftest import serving
from tests.contract.node.test_pages_served import HOSTILE, Page, Person
from tests.zenodo import serving as serving_zenodo

MD5 = "0cc175b9c0f1b6a831c399e269772661"
OLD = {
    "Title": "Invented bands", "Description": "<p>Inputs &amp; outputs</p>", "Submission_Date": "2018-03-12",
    "License": "CC BY 4.0", "DOI": "10.0000/invented:2018.1", "Funding": {"Grant": "of nobody"},
    "File": [{"name": "in/a.tar.gz", "size_bytes": 12, "md5": MD5}, {"name": "b.txt", "size_bytes": 3, "md5": MD5[::-1]},
             {"name": "c.txt", "size_bytes": 3}],
}  # fmt: skip
NOW = {
    "id": "abcde-12345", "pids": {"doi": {"identifier": "10.0000/invented.2"}},
    "links": {"self_html": "https://zenodo.org/records/abcde-12345",
              "files": "https://zenodo.org/api/records/abcde-12345/files"},
    "metadata": {"title": "Invented phonons", "publication_date": "2024-02-03", "rights": [{"id": "cc-by-4.0"}]},
    "files": {"enabled": True, "entries": {"x y.cif": {"key": "x y.cif", "size": 5, "checksum": f"md5:{MD5}"}}},
}  # fmt: skip


@pytest.fixture
def address(request):
    """SQLite in the node's folder, or where a test asks for it an empty PostgreSQL database."""
    return request.getfixturevalue("prepared")() if getattr(request, "param", None) else None


BOTH = pytest.mark.parametrize("address", [None, "postgresql"], indirect=True)


@pytest.fixture
def zenodo(tmp_path, node):
    """zenodo.org to the node, at the addresses ``places``."""
    with serving_zenodo(tmp_path) as server:
        server.places = ["9.9.9.9"]
        ask = partial(
            guarded.document,
            context=server.trusting(),
            resolve=lambda host, port, **more: [(0, 0, 0, "", (each, port)) for each in server.places],
            connect=lambda place, seconds: socket.create_connection(server.server_address, seconds),
        )
        node.app.state.intake.fetch = partial(repositories.fetch, ask=ask)
        yield server


@pytest.fixture
def lab(node):
    """A node with one experiment and a member of its proposal; ``node.experiment``, ``node.member`` (a browser)."""
    admin = node.as_("admin")
    ada = node.person("Ada", "reader")
    said = {"proposalId": "161", "proposalTitle": "Bands", "members": [{"personId": ada, "role": "teamMember"}]}
    proposal = admin.post("/proposals", json=said).json()["id"]
    made = admin.post("/experiments", json={"experimentName": "first", "proposalId": proposal})
    node.experiment = made.json()["id"]
    node.other = admin.post("/experiments", json={"experimentName": "second", "proposalId": proposal}).json()["id"]
    node.member = Person(node, node.token("reader", ada))
    return node


def looked_at(person, *, address=None, entry=None, data=None, name="entry.json", experiment=""):
    """Send the form of an address or a file; returns the answer, and where it leads."""
    fields = {"proof": person.proof("/proposals"), "address": address or "", "experiment": experiment}
    content = data if data is not None else json.dumps(entry).encode() if entry is not None else b""
    answer = person.post("/import", fields, files={"file": (name if content else "", content, "application/json")})
    return answer, answer.headers.get("Location", "")


def imported(person, place, experiment, **more):
    fields = {"experiment": experiment, "kind": "calculation", "files": "each", **more}
    return person.submit(place.partition("?")[0], **fields)


def measurements(node):
    return node.as_("admin").get("/measurements?limit=200").json()["items"]


@BOTH
def test_a_file_is_shown_field_by_field_and_becomes_a_measurement(lab):
    person = lab.member
    answer, place = looked_at(person, entry=OLD)
    assert answer.status_code == 303, answer.text
    page = person.get(place).text
    rows = re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td><td><code>([^<]*)</code>', page)
    assert ("measurement/measurementName", "Invented bands", "Title") in rows
    assert ("dataChecksum", f"md5 {MD5}", "File.0.md5") in rows
    assert ("dateOfCollectionSource", "submission", "Submission_Date") in rows
    assert "c.txt becomes no asset: the record says no digest" in page
    assert '<th scope="row">Funding.Grant</th><td>of nobody</td>' in page
    assert "read by the crosswalk materials-cloud, version 1" in page
    assert measurements(lab) == [], "nothing is kept by looking"
    done = imported(person, place, lab.experiment)
    assert done.status_code == 303, done.text
    (found,) = measurements(lab)
    assert done.headers["Location"] == f"/measurements/{found['id']}"
    assert (found["kind"], found["experimentId"]) == ("calculation", lab.experiment)
    provenance = found["provenance"]
    assert (provenance["importedFrom"], provenance["crosswalk"]) == ("materials-cloud", "materials-cloud 1")
    assert provenance["importedRecord"] == "10.0000/invented:2018.1"
    assert provenance["filesLeftOut"] == [{"name": "c.txt", "lacks": "digest"}]
    assets = lab.as_("admin").get(f"/dataassets?measurement={found['id']}").json()["items"]
    assert [each["dataChecksum"] for each in assets] == [
        {"algorithm": "md5", "value": MD5}, {"algorithm": "md5", "value": MD5[::-1]},
    ]  # fmt: skip
    assert {each["state"] for each in assets} == {"linked"}
    assert assets[0]["locations"][0]["uri"] == "https://doi.org/10.0000/invented:2018.1"
    shown = person.get(f"/measurements/{found['id']}").text
    assert re.search(rf"md5[^<]*</span> <code>{MD5}</code>", shown), "md5 is not passed off as SHA-256"
    (event,) = (
        each for each in lab.as_("admin").get(f"/audit?resource={found['id']}").json()["items"] if each["action"] == "import"
    )  # fmt: skip
    assert event["diff"]["crosswalk"] == "materials-cloud 1"
    assert person.get(place).status_code == 404, "it waits no longer"


@BOTH
def test_the_same_record_again_is_an_update_that_is_asked_about_first(lab):
    person = lab.member
    for entry in (OLD, OLD):
        assert imported(person, looked_at(person, entry=entry)[1], lab.experiment).status_code == 303
    (first,) = measurements(lab)
    assert first["version"] == 1
    category = {"category": {"label": "Bands", "by": "person"}}
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    assert lab.as_("admin").patch(f"/measurements/{first['id']}", json=category, headers=headers).status_code == 200
    better = {**OLD, "Title": "Better bands", "File": OLD["File"][:1]}
    _, place = looked_at(person, entry=better)
    asked = imported(person, place, lab.experiment)
    assert asked.status_code == 409
    assert "It is there already" in asked.text
    assert "<td>Invented bands</td><td>Better bands</td>" in asked.text
    assert "provenance.importedFrom" not in re.search(r'role="alert".*?</section>', asked.text, re.DOTALL)[0], (
        "it is as it was"
    )
    assert "<td>b.txt, in/a.tar.gz</td><td>in/a.tar.gz</td>" in asked.text
    assert imported(person, place, lab.experiment, version="1").status_code == 409, "another version was looked at"
    assert imported(person, place, lab.experiment, version="2").status_code == 303
    (second,) = measurements(lab)
    assert (second["id"], second["measurementName"], second["version"]) == (first["id"], "Better bands", 3)
    assert second["category"]["label"] == "Bands", "what people said stays"
    assert imported(person, looked_at(person, entry=better)[1], lab.other).status_code == 303
    assert len(measurements(lab)) == 2, "another experiment has its own"


@BOTH
def test_all_files_as_one_asset_with_their_list(lab):
    _, place = looked_at(lab.member, entry=OLD)
    assert imported(lab.member, place, lab.experiment, files="one", kind="simulation").status_code == 303
    (found,) = measurements(lab)
    (asset,) = lab.as_("admin").get(f"/dataassets?measurement={found['id']}").json()["items"]
    listed = lab.member.get(f"/files/{asset['id']}").json()
    assert (found["kind"], asset["state"], len(listed["files"]), listed["bytes"]) == ("simulation", "available", 2, 15)
    _, place = looked_at(lab.member, entry=OLD)
    assert imported(lab.member, place, lab.experiment, version="1").status_code == 303
    held = lab.as_("admin").get(f"/dataassets?measurement={found['id']}").json()["items"]
    assert sorted(each["state"] for each in held) == ["linked", "linked", "withdrawn"]


def test_an_address_is_fetched_and_said_in_the_provenance(lab, zenodo):
    zenodo.answers["/api/records/12345"] = (200, {"Content-Type": "application/json"}, json.dumps(NOW).encode())
    zenodo.answers["/records/1?token=SECRET"] = (200, {}, b"<html>")
    wrong, _ = looked_at(lab.member, address="https://zenodo.org/records/1?token=SECRET")
    assert "SECRET" not in re.search(r'role="alert">(.*?)</p>', wrong.text, re.DOTALL)[1]
    shared = "https://zenodo.org/api/records/12345?token=SECRET"
    zenodo.answers["/api/records/12345?token=SECRET"] = zenodo.answers["/api/records/12345"]
    assert "SECRET" not in lab.member.get(looked_at(lab.member, address=shared)[1]).text
    answer, place = looked_at(lab.member, address="https://zenodo.org/records/12345", experiment=lab.other)
    assert answer.status_code == 303, answer.text
    page = lab.member.get(place).text
    assert f'<option value="{lab.other}" selected>' in page
    assert imported(lab.member, place, lab.other).status_code == 303
    (found,) = measurements(lab)
    provenance = found["provenance"]
    assert (provenance["importedFrom"], provenance["importedAddress"]) == ("zenodo", "https://zenodo.org/records/12345")
    (asset,) = lab.as_("admin").get("/dataassets").json()["items"]
    crate = lab.as_("admin").get(f"/measurements/{found['id']}/export?format=ro-crate").json()["@graph"]
    assert [each["contentUrl"] for each in crate if each["@type"] == "File"] == [asset["locations"][0]["uri"]]
    assert asset["locations"][0]["uri"] == "https://zenodo.org/api/records/abcde-12345/files/x%20y.cif/content"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("http://zenodo.org/records/1", "only https is asked"),
        ("file:///etc/passwd", "only https is asked"),
        ("https://evil.example/records/1", "evil.example is not on the list of hosts"),
        ("https://zenodo.org.evil.example/1", "is not on the list of hosts"),
        ("https://zenodo.org:8443/a", "is not on the list of hosts"),
        ("https://ada:word@zenodo.org/a", "an address with a user or password is not asked"),
        ("https://127.0.0.1/api/records/1", "is not on the list of hosts"),
        ("https://[::1]/", "is not on the list of hosts"),
        ("https://[", "this is no address"),
        (HOSTILE, "only https is asked"),
        ("", "Give an address, or choose a file."),
    ],
)
def test_no_other_address_is_asked(lab, zenodo, given, sentence):
    answer, _ = looked_at(lab.member, address=given)
    assert answer.status_code == 422
    assert sentence in re.search(r'role="alert">(.*?)</p>', answer.text, re.DOTALL)[1]
    assert Page(answer.text).strange == []
    assert zenodo.asked == []


@pytest.mark.parametrize("place", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"])
def test_no_address_of_this_network_is_asked_whatever_its_name(lab, zenodo, place):
    zenodo.places = ["9.9.9.9", place]
    answer, _ = looked_at(lab.member, address="https://zenodo.org/records/1")
    assert "the host&#39;s address is not a public one" in answer.text
    assert zenodo.asked == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((302, {"Location": "https://b2share.eudat.eu/a"}, b""), "it redirects to another host"),
        ((302, {"Location": "http://zenodo.org/b"}, b""), "only https is asked"),
        ((302, {"Location": "https://10.0.0.1/b"}, b""), "it redirects to another host"),
        ((302, {"Location": "/a"}, b""), "it redirects more than 3 times"),
        ((500, {}, b"no"), "it answers 500"),
        ((200, {}, b"x" * (guarded.LARGEST + 1)), "it answers more than 5 MiB"),
        ((200, {"Content-Type": "text/html"}, b"<html><script>alert(1)</script></html>"), "is no JSON"),
        ((200, {}, b"[1, 2]"), "is no JSON object"),
        ((200, {}, b'{"a": 1}'), "is no InvenioRDM record or Materials Cloud entry of 2018"),
        ((200, {}, b"[" * 100_000), "is no JSON"),
        ((200, {}, b'{"Title": "a", "x": ' + b"[" * 90 + b"]" * 90 + b"}"), "is nested too deeply"),
        ((200, {}, b'{"Title": "a", "x": 1' + b"0" * 400 + b"}"), "holds a number beyond all measure"),
        ((200, {}, b'{"Title": "a", "x": [' + b"1," * 600_000 + b"1]}"), "holds more than 500,000 values"),
    ],
)
def test_what_is_answered_wrongly_is_told_in_a_sentence(lab, zenodo, answer, sentence):
    zenodo.answers["/a"] = answer
    found, _ = looked_at(lab.member, address="https://zenodo.org/a")
    assert found.status_code == 422
    assert sentence in re.search(r'role="alert">(.*?)</p>', found.text, re.DOTALL)[1]
    assert "alert(1)" not in found.text


def test_an_uploaded_file_is_held_to_the_same(lab):
    for data, sentence in ((b"<html>", "is no JSON"), (b"x" * (guarded.LARGEST + 1), "has more than 5 MiB")):
        answer, _ = looked_at(lab.member, data=data, name='"><b>.json')
        assert answer.status_code == 422
        assert sentence in answer.text
        assert Page(answer.text).strange == []
    answer, _ = looked_at(lab.member, data=b"x" * (guarded.LARGEST + 200_000))
    assert answer.status_code == 413
    proof = lab.member.proof("/proposals").encode()
    broken = b'--x\r\nContent-Disposition: form-data; name="proof"\r\n\r\n' + proof
    for kind, body in (("x", broken), ("", broken), ("x", b""), ("x", b"--x--"), ("y", broken + b"\r\n--x--")):
        headers = {"Content-Type": f"multipart/form-data; boundary={kind}"}
        assert lab.member.post("/import", body, headers=headers).status_code in (400, 403)


def test_who_may_write_nowhere_fetches_nothing(lab, zenodo):
    stranger = Person(lab, lab.token("reader", lab.person("Eve", "reader")))
    assert "Sign in</a> to import" in Person(lab).get("/import").text
    assert "There is no experiment that you may write in" in stranger.get("/import").text
    assert looked_at(stranger, address="https://zenodo.org/records/1")[0].status_code == 403
    assert zenodo.asked == []
    nobody = Person(lab)
    assert nobody.post("/import", {"address": "https://zenodo.org/records/1"}).status_code == 403


def test_what_waits_is_for_who_looked_at_it_and_goes_only_where_he_may_write(lab):
    _, place = looked_at(lab.member, entry=OLD)
    eve = lab.person("Eve", "reader")
    manager, stranger = Person(lab, lab.token("dataManager")), Person(lab, lab.token("reader", eve))
    for person in (manager, stranger, Person(lab)):
        assert person.get(place).status_code == 404
    assert imported(stranger, place, lab.experiment).status_code == 404
    closed = lab.as_("admin").post("/proposals", json={"proposalId": "9", "proposalTitle": "closed"}).json()["id"]
    hidden = lab.as_("admin").post("/experiments", json={"experimentName": "e", "proposalId": closed}).json()["id"]
    assert imported(lab.member, place, hidden).status_code == 404
    assert imported(lab.member, place, "no-such").status_code == 404
    assert "closed" not in lab.member.get(f"{place}?experiment={hidden}").text
    assert imported(lab.member, place, lab.experiment, kind="joke").status_code == 422
    fields = {"experiment": lab.experiment, "kind": "calculation"}
    assert lab.member.post(place, fields | {"proof": stranger.proof("/proposals")}).status_code == 403
    assert measurements(lab) == []


def test_only_a_few_records_wait(lab):
    places = [looked_at(lab.member, entry={**OLD, "Title": str(number)})[1] for number in range(adopting.EACH + 1)]
    assert [lab.member.get(each).status_code for each in places] == [404, *[200] * adopting.EACH]


def test_hostile_records_are_only_ever_text(lab):
    entry = {
        "Title": HOSTILE, "Description": HOSTILE, "DOI": HOSTILE, HOSTILE: {HOSTILE: HOSTILE}, "License": HOSTILE,
        "File": [{"name": HOSTILE, "size_bytes": 1, "md5": MD5, "url": "javascript:alert(1)", HOSTILE: [HOSTILE]},
                 {"name": HOSTILE + "2", "size_bytes": HOSTILE, "md5": HOSTILE}],
    }  # fmt: skip
    _, place = looked_at(lab.member, entry=entry, name=HOSTILE)
    done = None
    for page in (lab.member.get(place), done := imported(lab.member, place, lab.experiment)):
        assert Page(page.text).strange == []
        assert "\u202e" not in page.text
        assert "xyxyxy" not in page.text
    shown = lab.member.get(done.headers["Location"])
    assert shown.status_code == 200
    assert Page(shown.text).strange == []


@BOTH
def test_what_the_command_delivered_the_page_finds_again(lab, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NFFA_TOKEN", lab.token("admin"))
    monkeypatch.setattr(secrets, "_first", {})
    (tmp_path / "entry.json").write_text(json.dumps(OLD), encoding="utf-8")
    words = ["--proposal", "161", "--experiment", "first"]
    assert cli.run(["crosswalk", "import", "materials-cloud", str(tmp_path / "entry.json"), *words]) == 0
    assert cli.run(["sync", "--to", lab.url]) == 0
    capsys.readouterr()
    (sent,) = measurements(lab)
    done = imported(lab.member, looked_at(lab.member, entry=OLD)[1], lab.experiment)
    assert done.headers["Location"] == f"/measurements/{sent['id']}"
    assert [each["version"] for each in measurements(lab)] == [sent["version"]], "nothing new, nothing doubled"


@given(st.binary(max_size=400), st.sampled_from(["x", '"x"', "", "\u00e9", "x y"]))
def test_whatever_a_form_holds_it_is_read_or_refused(body, boundary):
    for data in (body, b"--x\r\n" + body + b"\r\n--x--"):
        try:
            found = enclosed.read(f"multipart/form-data; boundary={boundary}", data)
        except Problem:
            continue
        assert all(isinstance(each, str) for each in found.fields.values())


def test_what_the_contract_does_not_take_is_told_and_kept_nowhere(lab):
    for entry, sentence in (
        ({**OLD, "Title": "x" * 2000}, "at most 1000 characters"),
        (
            {**OLD, "File": [{"name": n, "size_bytes": s, "md5": MD5} for n, s in (("a", 1), ("b", 2))]},
            "two sizes are said",
        ),
    ):
        _, place = looked_at(lab.member, entry=entry)
        answer = imported(lab.member, place, lab.experiment)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert measurements(lab) == []


def test_the_command_says_which_hosts_are_asked(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr("nffa_cli.node.serving.serve", lambda config, listen, ready: seen.append(config.import_hosts))
    for words in ([], ["--import-host", "Repo.Example", "--import-host", "zenodo.org"], ["--import-host", "none"]):
        assert cli.run(["node", "serve", "--data", str(tmp_path), *words]) == 0
    assert seen == [repositories.HOSTS, ("repo.example", "zenodo.org"), ()]


def test_a_node_may_be_told_to_fetch_nothing_or_from_others(tmp_path):
    with serving(Config(tmp_path / "node", import_hosts=())) as node:
        admin = node.as_("admin")
        proposal = admin.post("/proposals", json={"proposalId": "1", "proposalTitle": "t"}).json()["id"]
        admin.post("/experiments", json={"experimentName": "e", "proposalId": proposal})
        person = Person(node, node.token("admin"))
        assert 'name="address"' not in person.get("/import").text
        answer, _ = looked_at(person, address="https://zenodo.org/records/1")
        assert "is not on the list of hosts" in answer.text
        assert looked_at(person, entry=NOW)[0].status_code == 303
