"""Backup and check of a node: a copy that can be served, and every byte that was lost named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from nffa_cli.errors import LockedError, UsageError
from nffa_cli.node import checking, sweeping
from nffa_cli.node.backup import Backup, backup
from nffa_cli.node.config import Config
from nffa_cli.node.storage import Storage
from tests.contract.node.conftest import Client, serving
from tests.contract.node.parcels import delivered, item, sha256


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
    shutil.rmtree(tmp_path / "copy")
    assert nffa("backup", tmp_path / "copy")[0] == 3
