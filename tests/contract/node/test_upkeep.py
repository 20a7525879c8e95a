"""Backup and check of a node: a copy that can be served, and every byte that was lost named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from nffa_cli.errors import LockedError, UsageError
from nffa_cli.node import checking, mending, sweeping
from nffa_cli.node.backup import Backup, backup
from nffa_cli.node.config import Config
from nffa_cli.node.storage import Storage
from tests.contract.node.conftest import Client, serving
from tests.contract.node.parcels import delivered, item, opened, sha256
from tests.contract.node.test_pages_served import Person


@pytest.fixture
def full(node):
    """A node with ten measurements; one asset has an older version."""
    client = node.as_("depositor")
    delivered(client, *((item(f"{n}", {"a.tif": b"%d" % n * 1000}), [b"%d" % n * 1000]) for n in range(10)))
    delivered(client, (item("0", {"a.tif": b"newer"}, ifMatch=1), [b"newer"]))
    return node


def findings(node, **options):
    return list(checking.check(node.database, node.app.state.storage, checking.Checked(), **options))


def copied(node, target):
    done = Backup()
    assert list(backup(node.database, node.app.state.storage, target, done)) == []
    return done


def test_a_whole_node_is_found_whole(full):
    checked = checking.Checked()
    assert list(checking.check(full.database, full.app.state.storage, checked, read_data=True)) == []
    assert (checked.blobs, checked.bytes) == (11, 10_005)


def test_what_is_lost_is_named(full):
    storage = full.app.state.storage
    flipped, gone, shorter = (storage.path(sha256(b"%d" % n * 1000)) for n in (1, 2, 3))
    flipped.write_bytes(b"?" + flipped.read_bytes()[1:])
    gone.unlink()
    shorter.write_bytes(b"3")
    stray = storage.path("0" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"")
    assert {(each.kind, each.sha256) for each in findings(full)} == {
        ("missing", gone.name), ("damaged", shorter.name), ("orphan", "0" * 64),
    }  # fmt: skip
    deep = findings(full, read_data=True)
    assert ("damaged", flipped.name) in {(each.kind, each.sha256) for each in deep}
    assert all(each.assets for each in deep if each.is_wrong)


def mended(node, **options):
    storage = node.app.state.storage
    found = checking.check(node.database, storage, checking.Checked(), **options)
    return list(mending.mend(node.database, storage, found))


def test_what_is_lost_is_asked_for_again(full):
    storage, client = full.app.state.storage, full.as_("depositor")
    flipped, gone = (sha256(b"%d" % n * 1000) for n in (1, 2))
    storage.path(flipped).write_bytes(b"?" + b"1" * 999)
    storage.path(gone).unlink()
    waiting = opened(client, item("other", {"a.tif": b"2" * 1000}))
    assert waiting["need"] == [], "the node believes that it has them"
    assert {each.kind: each.mended for each in mended(full, read_data=True)} == {"damaged": True, "missing": True}
    (aside,) = (storage.folder / "damaged").iterdir()
    assert (aside.name[:64], aside.read_bytes()[:2]) == (flipped, b"?1")
    assert {(each.kind, each.sha256) for each in findings(full, read_data=True)} == {("lost", flipped), ("lost", gone)}
    assert client.post(f"/ingests/{waiting['id']}:commit").status_code == 409, "nobody commits onto nothing"
    lost = [each for each in client.get("/dataassets?limit=50").json()["items"] if each["state"] == "lost"]
    assert len(lost) == 2
    for each in lost:
        address = f"/dataassets/{each['id']}/content"
        assert (client.get(address).status_code, client.head(address).status_code) == (409, 409)
        measurement = each["measurementId"]
        crate = client.get(f"/measurements/{measurement}/export?format=ro-crate").json()["@graph"]
        assert [node["description"] for node in crate if node["@type"] == "File"] == [
            "the repository has lost the bytes of this file"
        ]
        assert client.get(f"/measurements/{measurement}/export?format=datacite-json").status_code == 200
    again = opened(client, item("1", {"a.tif": b"1" * 1000}), item("2", {"a.tif": b"2" * 1000}))
    assert [(each["action"], each["version"]) for each in again["items"]] == [("conflict", 1)] * 2
    parcels = ((item(f"{n}", {"a.tif": b"%d" % n * 1000}, ifMatch=1), [b"%d" % n * 1000]) for n in (1, 2))
    delivered(client, *parcels)
    assert findings(full, read_data=True) == []
    for each in lost:
        assert sha256(client.get(f"/dataassets/{each['id']}/content").content) == each["dataChecksum"]["value"]
    told = full.as_("dataManager").get("/audit?limit=200").json()["items"]
    assert sum(each["action"] == "lose" for each in told) == sum(each["action"] == "restore" for each in told) == 2


def test_bytes_that_one_brings_again_are_there_for_all(full):
    client, lost = full.as_("depositor"), sha256(b"5" * 1000)
    delivered(client, (item("same", {"b.tif": b"5" * 1000}), [b"5" * 1000]))
    full.app.state.storage.path(lost).unlink()
    (told,) = mended(full)
    assert (told.kind, len(told.assets)) == ("missing", 2)
    delivered(client, (item("5", {"a.tif": b"5" * 1000}, ifMatch=1), [b"5" * 1000]))
    assert findings(full, read_data=True) == []


def test_an_older_version_that_is_lost_is_noted(full):
    older = sha256(b"0" * 1000)
    full.app.state.storage.path(older).unlink()
    (told,) = mended(full)
    assert (told.mended, len(told.assets)) == (True, 1)
    assert findings(full) == [], "nothing that is there now is lost"
    (noted,) = (
        each for each in full.as_("dataManager").get("/audit?limit=200").json()["items"] if each["action"] == "lose"
    )
    assert (noted["diff"]["sha256"], noted["diff"]["isNow"]) == (older, False)


def test_what_came_again_meanwhile_is_left_alone(full):
    storage, found = full.app.state.storage, sha256(b"3" * 1000)
    storage.path(found).unlink()
    seen = findings(full)
    storage.path(found).write_bytes(b"3" * 1000)
    assert [each.mended for each in mending.mend(full.database, storage, seen)] == [False]
    assert findings(full, read_data=True) == []


def test_nothing_is_mended_while_a_backup_runs(full, tmp_path):
    running = backup(full.database, full.app.state.storage, tmp_path / "copy", Backup())
    full.app.state.storage.path(sha256(b"1" * 1000)).unlink()
    next(running)
    with pytest.raises(LockedError):
        mended(full)
    list(running)


def test_a_page_shows_a_lost_file(full):
    client, gone = full.as_("depositor"), sha256(b"4" * 1000)
    full.app.state.storage.path(gone).unlink()
    listed = client.get("/dataassets?limit=50").json()["items"]
    (asset,) = (each for each in listed if each["dataChecksum"]["value"] == gone)
    address = f"/dataassets/{asset['id']}/content"
    assert (client.get(address).status_code, client.head(address).status_code) == (500, 500)
    mended(full)
    page = Person(full, full.token("depositor")).get(f"/measurements/{asset['measurementId']}")
    assert page.status_code == 200
    assert "lost: the node has no bytes of it any more" in page.text
    assert f'href="/files/{asset["id"]}"' not in page.text


def test_a_backup_can_be_served_and_grows(full, tmp_path):
    target, token = tmp_path / "copy", full.token("dataManager")
    first = copied(full, target)
    assert (first.copied + first.linked, first.there) == (11, 0)
    delivered(full.as_("depositor"), (item("later", {"a.tif": b"later"}), [b"later"]))
    second = copied(full, target)
    assert (second.copied + second.linked, second.there) == (1, 11)
    assert not [path for path in target.rglob("*") if "part" in path.suffix or path.name.startswith("backup-")]
    if full.config.database is None:
        with serving(Config(target)) as again:
            client = Client(again.url, token)
            found = client.get("/dataassets?limit=50").json()["items"]
            assert len(found) == 11
            for asset in found:
                content = client.get(f"/dataassets/{asset['id']}/content").content
                assert sha256(content) == asset["dataChecksum"]["value"]


def test_a_backup_names_what_the_node_lost_and_takes_the_rest(full, tmp_path):
    lost = sha256(b"2" * 1000)
    full.app.state.storage.path(lost).write_bytes(b"?" * 1000)
    done = Backup()
    found = list(backup(full.database, full.app.state.storage, tmp_path / "copy", done))
    assert [(each.kind, each.sha256) for each in found] == [("damaged", lost)]
    assert done.copied + done.linked == 10


def test_nothing_is_swept_while_a_backup_runs(full, tmp_path):
    storage = full.app.state.storage
    with full.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM asset_version")
    running = backup(full.database, storage, tmp_path / "copy", Backup())
    storage.path(sha256(b"1" * 1000)).unlink()
    next(running)
    assert sweeping.sweep(full.database, storage, grace=-1).blobs == 0
    with pytest.raises(LockedError):
        next(backup(full.database, storage, tmp_path / "other", Backup()))
    list(running)
    assert sweeping.sweep(full.database, storage, grace=-1).blobs == 1


def test_a_node_is_not_copied_into_itself(full):
    with pytest.raises(UsageError):
        next(backup(full.database, full.app.state.storage, full.config.data, Backup()))


def test_the_commands_tell_the_truth_by_their_status(tmp_path, home):
    data = tmp_path / "node"
    with serving(Config(data)) as node:
        delivered(node.as_("depositor"), (item("a", {"a.tif": b"one"}), [b"one"]))

    def nffa(*arguments):
        command = [sys.executable, "-m", "nffa_cli", "node", *map(str, arguments), "--data", str(data), "--json"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in run.stderr
        return run.returncode, [json.loads(line) for line in run.stdout.splitlines()]

    assert nffa("check", "--read-data")[0] == 0
    status, lines = nffa("backup", tmp_path / "copy")
    assert (status, lines[-1]["type"]) == (0, "backup")
    Storage(data).path(sha256(b"one")).unlink()
    status, lines = nffa("check")
    assert (status, lines[0]["kind"], lines[-1]["wrong"]) == (3, "missing", 1)
    assert nffa("check", "--mend")[1][0]["mended"] is True
    assert nffa("check")[1][0]["kind"] == "lost"
    shutil.rmtree(tmp_path / "copy")
    assert nffa("backup", tmp_path / "copy")[0] == 3
