"""``nffa sync`` as cron and people use it, to a folder: delivered once, updated when something changes, never wrong."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.e2e.room import finish, sha256, until, zeiss

MAIN = "a.tif"


@pytest.fixture
def filled(room):
    """A room with two pictures that were ingested, in a proposal."""
    room.put(MAIN)
    room.put("b.tif")
    say(room, "proposal: {id: '161', title: Wires}\nexperiment: {name: Growth}\nlicence: CC-BY-4.0\n")
    assert room.ingest().status == 0
    return room


def say(room, text):
    (room.inbox / "nffa-session.yaml").write_text(text, encoding="utf-8")


def disk(room):
    return room.folder / "disk"


def sync(room, *arguments, to="disk", **more):
    return room.json("sync", "--to", f"./{to}", *arguments, **more)


def bags(room, to="disk"):
    """{name of the main file: what its bag says}, for every bag on the disk, each proved by its own manifests."""
    found = {}
    for path in (room.folder / to).glob("*/*/*/bagit.txt"):
        bag = path.parent
        assert path.read_bytes() == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
        for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
            for line in (bag / manifest).read_text().splitlines():
                digest, name = line.split(None, 1)
                listed = (bag / "fetch.txt").read_text() if (bag / "fetch.txt").exists() else ""
                if not (bag / name).exists() and name in listed:
                    continue
                assert sha256((bag / name).read_bytes()) == digest, name
        said = json.loads((bag / "data/nffa-measurement.json").read_bytes())
        name = said["measurement"]["measurementName"]
        assert name not in found, f"{name} is there twice"
        found[name] = {**said, "place": bag.relative_to(room.folder / to).as_posix(), "bag": bag}
    assert not list((room.folder / to).glob(".nffa*"))
    return found


def test_everything_arrives_once_with_what_is_known(filled):
    run = sync(filled)
    assert (run.status, run.statuses) == (0, {MAIN: "done", "b.tif": "done"})
    there = bags(filled)
    said = there[MAIN]
    assert said["place"].startswith("161/Growth/a.tif-")
    assert said["proposal"] == {"proposalId": "161", "proposalTitle": "Wires"}
    assert said["measurement"]["settings"]["beam.accelerating_voltage"] == {
        "value": 10000.0, "unit": "V", "source": "34118/AP_ACTUALKV",
    }  # fmt: skip
    assert said["measurement"]["technique"] == "SEM"
    roles = {asset["role"]: asset for asset in said["assets"]}
    assert set(roles) == {"main", "preview", "raw-metadata"}
    assert roles["main"]["dataChecksum"]["value"] == sha256((filled.inbox / MAIN).read_bytes())
    assert {asset["intellectualPropertyRights"] for asset in said["assets"]} == {"CC-BY-4.0"}
    assert "beam.accelerating_voltage" in said["documents"]["nffa-record"]["terms"]
    crate = json.loads((said["bag"] / "data/ro-crate-metadata.json").read_bytes())
    root = next(each for each in crate["@graph"] if each["@id"] == "./")
    parts = {each["@id"] for each in root["hasPart"]}
    assert all((said["bag"] / "data" / part).is_file() for part in parts)

    before = {path: path.stat().st_mtime_ns for path in disk(filled).rglob("*")}
    again = sync(filled)
    assert (again.status, set(again.statuses.values())) == (0, {"unchanged"})
    assert {path: path.stat().st_mtime_ns for path in disk(filled).rglob("*")} == before
    receipt = again.outcomes[MAIN]["receipt"]
    assert receipt["measurement"] == said["place"]


def test_without_a_proposal_it_waits_and_says_so(room):
    room.put(MAIN)
    assert room.ingest().status == 0
    run = sync(room)
    assert (run.status, run.outcomes[MAIN]["status"], run.outcomes[MAIN]["reason"]) == (0, "waiting", "no-proposal")
    assert not bags(room)
    held = room.json("status").of("held")
    assert [(line["status"], line["reason"]) for line in held] == [("waiting", "no-proposal")]
    assert [line["reason"] for line in room.json("outbox", "list").of("delivery")] == ["no-proposal"]
    assert sync(room, "--proposal", "7", "--experiment", "E").statuses == {MAIN: "done"}
    assert bags(room)[MAIN]["place"].startswith("7/E/")
    assert sync(room).statuses == {MAIN: "unchanged"}, "what the command line said once is remembered"
    assert room.json("status").of("held") == []


def test_a_new_session_updates_what_was_delivered_and_doubles_nothing(filled):
    sync(filled)
    first = bags(filled)[MAIN]
    say(filled, "proposal: {id: '162'}\nexperiment: {name: Decay}\nsample: {name: W12}\n")
    due = sync(filled, "--dry-run").of("plan")
    assert {(line["due"][0], line["reason"], line["bytes"]) for line in due} == {("update", "session-changed", 0)}
    run = sync(filled)
    assert run.statuses == {MAIN: "done", "b.tif": "done"}
    there = bags(filled)
    assert (len(there), there[MAIN]["version"]) == (2, first["version"] + 1)
    assert there[MAIN]["place"].startswith("162/Decay/")
    assert there[MAIN]["measurement"]["sample"] == {"sampleName": "W12"}
    assert not (disk(filled) / "161").exists()
    filled.ingest()  # the record follows; nothing new leaves
    assert set(sync(filled).statuses.values()) == {"unchanged"}


def test_a_label_updates_what_was_delivered(filled):
    sync(filled)
    from nffa_cli.catalogue.opinions import Label
    from nffa_cli.catalogue.store import Store

    with Store.open(filled.home / "catalogue.sqlite") as store:
        store.opinions.say(Label(sha256((filled.inbox / MAIN).read_bytes()), "label", "Nanowires", None, "Maria Rossi"))
    assert sync(filled).statuses == {MAIN: "done", "b.tif": "unchanged"}
    said = bags(filled)[MAIN]
    assert said["measurement"]["category"] == {
        "label": "Nanowires", "decision": "confirmed", "score": None, "by": "person",
    }  # fmt: skip
    labeller = said["documents"]["nffa-record"]["classification"]["persons"][0]["labeller"]
    assert labeller.startswith("operator-"), "persons leave as pseudonyms"
    assert "Rossi" not in json.dumps({**said, "bag": None})


def test_an_nxem_file_goes_along_when_there_is_one(filled):
    sync(filled)
    assert filled.nffa("export-nexus", "inbox/a.tif").status in (0, 3)
    assert sync(filled).statuses == {MAIN: "done", "b.tif": "unchanged"}
    assert "a.tif.nxs" in {asset["relativePath"] for asset in bags(filled)[MAIN]["assets"]}


def test_an_nxem_file_that_tells_more_of_persons_than_it_may_stays_here(filled):
    def policy(word):
        run = filled.nffa("profile", "add", "sem", "--vendor", "Zeiss", "--operator-policy", word, "--replace")
        assert run.status == 0

    policy("keep")
    assert filled.nffa("export-nexus", "inbox/a.tif").status in (0, 3)
    sync(filled)
    assert "a.tif.nxs" in {asset["relativePath"] for asset in bags(filled)[MAIN]["assets"]}
    policy("drop")
    (plan,) = [each for each in sync(filled, "--dry-run").of("plan") if each["path"].endswith(MAIN)]
    assert plan["lost"][0].endswith("a.tif.nxs (made under the operator policy keep)")
    assert sync(filled).statuses[MAIN] == "done"
    assert "a.tif.nxs" not in {asset["relativePath"] for asset in bags(filled)[MAIN]["assets"]}
    assert filled.nffa("export-nexus", "inbox/a.tif").status in (0, 3)
    assert sync(filled).statuses[MAIN] == "done"
    assert "a.tif.nxs" in {asset["relativePath"] for asset in bags(filled)[MAIN]["assets"]}


def test_a_dry_run_names_the_fields_that_would_follow(filled):
    sync(filled)
    say(
        filled,
        "proposal: {id: '161', title: Nanowires}\nexperiment: {name: Growth}\nsample: {name: W12}\nlicence: CC-BY-4.0\n",
    )
    before = {path: path.stat().st_mtime_ns for path in disk(filled).rglob("*")}
    told = filled.nffa("sync", "--to", "./disk", "--dry-run").out.decode().replace(f"{filled.inbox}/", "inbox/")
    first, second = sorted(("a", "b"), key=lambda name: told.index(f"inbox/{name}.tif"))  # as old as each other
    assert told.splitlines() == [
        f"update       inbox/{first}.tif  (session-changed, 0 bytes)",
        "    proposal/proposalTitle: Wires → Nanowires",
        "    measurement/sample/sampleName: nothing → W12",
        "    documents/nffa-record/terms/proposal.title: Wires → Nanowires",
        "    documents/nffa-record/terms/sample.name: nothing → W12",
        "    documents/nffa-record/missing: sample.name → nothing",
        f"update       inbox/{second}.tif  (session-changed, 0 bytes)",
        "    the same as above",
        "2 due, 0 with nothing to do; nothing was changed",
    ]
    plans = sync(filled, "--dry-run").of("plan")
    assert plans[0]["changes"] == plans[1]["changes"]
    assert plans[0]["changes"][:2] == [
        {"field": "proposal/proposalTitle", "old": "Wires", "new": "Nanowires"},
        {"field": "measurement/sample/sampleName", "old": None, "new": "W12"},
    ]
    assert {path: path.stat().st_mtime_ns for path in disk(filled).rglob("*")} == before
    sync(filled)
    assert [line["due"] for line in sync(filled, "--dry-run").of("plan")] == [[], []]


def test_changed_bytes_are_never_delivered(filled):
    (filled.inbox / MAIN).write_bytes(zeiss(seed="other"))
    run = sync(filled)
    assert (run.status, run.statuses) == (3, {MAIN: "failed", "b.tif": "done"})
    assert run.outcomes[MAIN]["reason"].startswith("changed: ")
    assert set(bags(filled)) == {"b.tif"}
    filled.ingest()
    assert sync(filled).statuses == {MAIN: "done", "b.tif": "unchanged"}
    (filled.inbox / MAIN).write_bytes(zeiss(seed="third"))
    filled.ingest()
    assert sync(filled).statuses == {MAIN: "done", "b.tif": "unchanged"}
    assert len(bags(filled)) == 2, "the new bytes replace the old, under the same measurement"


def test_a_vanished_file_is_told_of(filled):
    (filled.inbox / MAIN).unlink()
    run = sync(filled)
    assert (run.status, run.outcomes[MAIN]["reason"].partition(":")[0]) == (3, "missing-source")
    listed = filled.json("outbox", "list").of("delivery")
    assert [(line["state"], line["path"].rpartition("/")[2]) for line in listed] == [("failed", MAIN)]
    assert filled.json("outbox", "drop", listed[0]["acquisition"]).summary["dropped"] == 1
    assert sync(filled).statuses == {MAIN: "unchanged", "b.tif": "unchanged"}
    assert filled.json("outbox", "retry", listed[0]["acquisition"]).summary["retried"] == 1
    assert sync(filled).statuses == {MAIN: "failed", "b.tif": "unchanged"}


def test_what_is_safe_to_delete_was_proved(filled):
    def safe():
        lines = filled.json("list", "--safe-to-delete").of("safe-to-delete")
        return sorted(line["path"].rpartition("/")[2] for line in lines)

    assert safe() == []
    sync(filled)
    assert safe() == [], "delivered is not yet proved"
    assert set(sync(filled, "--check").statuses.values()) == {"unchanged"}
    assert safe() == [MAIN, "b.tif"]
    os.utime(filled.inbox / "b.tif", (1, 1))
    assert safe() == [MAIN], "what changed here since is not safe"
    (filled.inbox / MAIN).unlink()
    say(filled, "proposal: {id: '161'}\nexperiment: {name: Growth}\nsample: {name: later}\n")
    assert sync(filled).statuses[MAIN] == "done", "an update needs no bytes that are there"
    assert bags(filled)[MAIN]["measurement"]["sample"] == {"sampleName": "later"}


def test_check_finds_wrong_bytes_and_the_next_sync_mends_them(filled):
    sync(filled)
    bag = bags(filled)[MAIN]["bag"]
    (bag / "data" / MAIN).write_bytes(b"rotten")
    shutil.rmtree(bags_of(filled, "b.tif"))
    run = sync(filled, "--check")
    assert (run.status, {name: line["proof"] for name, line in run.outcomes.items()}) == (
        3, {MAIN: "different", "b.tif": "missing"},
    )  # fmt: skip
    assert sync(filled).statuses == {MAIN: "done", "b.tif": "done"}
    assert set(bags(filled)) == {MAIN, "b.tif"}
    assert sync(filled, "--check").status == 0


def bags_of(room, name):
    return next(disk(room).glob(f"*/*/{name}-*"))


def test_linked_files_stay_where_they_are(filled):
    run = sync(filled, "--link")
    assert run.statuses == {MAIN: "done", "b.tif": "done"}
    said = bags(filled)[MAIN]
    main = said["assets"][0]
    assert (main["accessMode"], main["uri"]) == ("linked", (filled.inbox / MAIN).as_uri())
    assert not (said["bag"] / "data" / MAIN).exists()
    assert (said["bag"] / "fetch.txt").read_text().startswith(main["uri"])
    sync(filled, "--link", "--check")
    assert filled.json("list", "--safe-to-delete").of("safe-to-delete") == []


def test_a_disk_that_is_away_keeps_the_outbox(filled):
    run = filled.json("sync", "--to", "./away/disk")
    assert (run.status, "not there" in run.err) == (4, True)
    assert run.summary["outcomes"] == {}
    (filled.folder / "away").mkdir()
    assert filled.json("sync", "--to", "./away/disk").statuses == {MAIN: "done", "b.tif": "done"}


def test_one_destination_that_is_away_holds_up_no_other(filled):
    (filled.home / "nffa.toml").write_text(
        f"[[destination]]\nname = 'away'\nfolder = '{filled.folder}/away/disk'\n"
        f"[[destination]]\nname = 'here'\nfolder = '{disk(filled)}'\n"
    )
    run = filled.json("sync")
    assert (run.status, run.statuses) == (4, {MAIN: "done", "b.tif": "done"})
    assert {line["destination"]: (line["delivered"], line["due"]) for line in filled.json("status").of("deliveries")} == {
        "away": (0, 2), "here": (2, 0),
    }  # fmt: skip
    assert sync(filled).statuses == {MAIN: "unchanged", "b.tif": "unchanged"}, "the address is that of a name"


FULL = (
    "import sys, errno, os\n"
    "from nffa_cli.destinations import folder\n"
    "real = folder._put\n"
    "def full(target, data):\n"
    "    if 'full' in target.parts and not os.path.exists('room'):\n"
    "        raise OSError(errno.ENOSPC, 'No space left on device', str(target))\n"
    "    return real(target, data)\n"
    "folder._put = full\n"
    "from nffa_cli.cli import run\n"
    "sys.exit(run(sys.argv[1:]))\n"
)
"""The command with a disk that is full, the folder ``full``, unless there is ``room``."""


def destinations(room, *first):
    """Name destinations, of which the last is the disk; each is told by its tables' lines."""
    (room.folder / "full").mkdir(exist_ok=True)
    tables = [*first, f"name = 'here'\nfolder = '{disk(room)}'\n"]
    (room.home / "nffa.toml").write_text("".join(f"[[destination]]\n{each}" for each in tables))


def full(room):
    return f"name = 'full'\nfolder = '{room.folder}/full'\n"


def away(room):
    return f"name = 'away'\nfolder = '{room.folder}/away/disk'\n"


WRONG = "name = 'node'\nurl = 'https://127.0.0.1:9'\nca_bundle = '/nowhere/ca.pem'\n"


def test_a_full_disk_holds_up_no_other_destination(filled):
    destinations(filled, full(filled), away(filled))
    run = finish(filled.start("sync", "--json", command=("-c", FULL)))
    assert (run.status, run.statuses) == (6, {MAIN: "done", "b.tif": "done"})
    assert "No space left" in run.err
    assert "away" in run.err, "the other trouble is told, too"
    assert len(bags(filled)) == 2


def test_a_wrong_table_holds_up_no_other_destination(filled):
    destinations(filled, full(filled), WRONG)
    run = finish(filled.start("sync", "--json", command=("-c", FULL)))
    assert (run.status, run.statuses) == (1, {MAIN: "done", "b.tif": "done"})
    assert "no such file of certificates" in run.err
    assert "No space left" in run.err
    assert filled.json("sync", "--dry-run").status == 1


def test_a_full_disk_under_the_catalogue_ends_the_run(filled):
    destinations(filled, away(filled))
    code = (
        "import sys, sqlite3\n"
        "from nffa_cli.catalogue import outbox\n"
        "from nffa_cli.catalogue.connection import Translated\n"
        "def full(self, *rest):\n"
        "    with Translated('catalogue.sqlite'):\n"
        "        error = sqlite3.OperationalError('database or disk is full')\n"
        "        error.sqlite_errorcode = 13\n"
        "        raise error\n"
        "outbox.Outbox.begin = full\n"
        "from nffa_cli.cli import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    run = finish(filled.start("sync", "--json", command=("-c", code)))
    assert (run.status, "the catalogue cannot be written" in run.err) == (6, True)
    assert not list(disk(filled).glob("*/*/*/bagit.txt"))
    watching = finish(filled.start("sync", "--watch", "--json", command=("-c", code)))
    assert watching.status == 6, "at the first look somebody is there to mend it"


def watching(room, *arguments):
    return room.start("sync", "--watch", "--json", *arguments, command=("-c", FULL), env={"NFFA_SYNC_EVERY": "0.2"})


def test_a_watch_goes_on_where_others_cannot_be_served(filled):
    destinations(filled, full(filled), WRONG)
    process = watching(filled)
    try:
        until(lambda: len(list(disk(filled).glob("*/*/*/bagit.txt"))) == 2)
        filled.put("c.tif", zeiss(seed=7))
        assert filled.ingest().status == 0
        until(lambda: len(list(disk(filled).glob("*/*/*/bagit.txt"))) == 3)
        assert process.poll() is None
    finally:
        process.kill()
        told = process.communicate()[1].decode()
    assert "looking again" in told


def test_a_watch_of_one_destination_ends_only_at_its_first_look(filled):
    assert finish(watching(filled, "--to", "./full")).status == 6
    (filled.folder / "room").touch()
    process = watching(filled, "--to", "./full")
    try:
        until(lambda: len(list(filled.folder.glob("full/*/*/*/bagit.txt"))) == 2)
        (filled.folder / "room").unlink()
        filled.put("c.tif", zeiss(seed=7))
        assert filled.ingest().status == 0
        until(lambda: filled.json("outbox", "list").of("delivery"))
        (filled.folder / "room").touch()
        until(lambda: len(list(filled.folder.glob("full/*/*/*/bagit.txt"))) == 3)
    finally:
        process.kill()
        told = process.communicate()[1].decode()
    assert "No space left" in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[destination]]\nname = 'x'\nurl = 'https://h'\ntoken = 'abc'\n", "no secrets"),
        ("[[destination]]\nname = 'x'\n", "needs a url or a folder"),
        ("[[destination]]\nname = 'x'\nurl = 'https://u:p@h'\n", "password"),
        ("destination = 1\n", "[[destination]]"),
    ],
)
def test_a_wrong_table_is_told(filled, text, says):
    (filled.home / "nffa.toml").write_text(text)
    run = filled.json("sync")
    assert run.status in (1, 2)
    assert says in run.err


def test_a_mistyped_name_makes_no_folder(filled):
    run = filled.json("sync", "--to", "nod")
    assert (run.status, (filled.folder / "nod").exists()) == (2, False)


def test_a_second_sync_is_told_to_wait(filled):
    holder = filled.start("sync", "--to", "./disk", "--watch", "--json")
    try:
        until(lambda: len(list(disk(filled).glob("*/*/*/bagit.txt"))) == 2)
        with closing(sqlite3.connect(filled.home / "catalogue.sqlite")):
            code = (
                "import sys; from nffa_cli.catalogue.store import Store\n"
                "with Store.open(sys.argv[1]) as store, store.lock('.sync'):\n"
                "    print('held', flush=True); sys.stdin.read()"
            )
            lock = subprocess.Popen(
                [sys.executable, "-c", code, str(filled.home / "catalogue.sqlite")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            assert lock.stdout.readline()
            assert sync(filled).status == 7
            assert filled.ingest().status == 0, "an ingest goes on"
            lock.communicate(b"")
    finally:
        holder.kill()
        holder.communicate()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux")
def test_a_full_disk_leaves_nothing_half(filled):
    code = (
        "import sys, errno, os\n"
        "from nffa_cli.destinations import folder\n"
        "real = folder._put\n"
        "def full(target, data):\n"
        "    if target.name == 'manifest-sha256.txt' and list(target.parents[2].glob('*/*/*/bagit.txt')):\n"
        "        raise OSError(errno.ENOSPC, 'No space left on device', str(target))\n"
        "    return real(target, data)\n"
        "folder._put = full\n"
        "from nffa_cli.cli import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    run = finish(filled.start("sync", "--to", "./disk", "--json", command=("-c", code)))
    assert run.status == 6
    assert len(bags(filled)) == 1
    assert sorted(sync(filled).statuses.values()) == ["done", "unchanged"]
    assert len(bags(filled)) == 2


def test_limit_rate_holds(filled):
    big = filled.put("c.tif", zeiss(seed=3, side=256))
    assert filled.ingest().status == 0
    import time

    began = time.monotonic()
    assert sync(filled, "--limit-rate", "40K").status == 0
    assert time.monotonic() - began > big.stat().st_size / 40960 - 1.0
    assert sync(filled, "--limit-rate", "fast").status == 2


def test_names_that_are_no_unicode_arrive(filled):
    name = os.fsdecode(b"w\xffa: ?.tif")
    filled.put(name, zeiss(seed=9))
    assert filled.ingest().status == 0
    run = sync(filled)
    assert run.status == 0
    assert len(bags(filled)) == 3


def test_the_catalogue_lost_and_made_again_doubles_nothing(filled):
    sync(filled)
    before = {name: said["place"] for name, said in bags(filled).items()}
    shutil.rmtree(filled.home)
    filled.ingest()
    assert set(sync(filled).statuses.values()) == {"unchanged"}
    assert {name: said["place"] for name, said in bags(filled).items()} == before


def test_status_without_any_destination_says_nothing_of_deliveries(filled):
    assert filled.json("status").of("deliveries") == []
