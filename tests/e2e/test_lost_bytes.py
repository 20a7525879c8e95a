"""Bytes that a node has lost come back from the PC that delivered them: found by its check, noted, brought, proved."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.e2e.room import sha256
from tests.soak_sync import Node


@pytest.fixture
def delivered(room):
    """A room whose two pictures a node has, the node, and how to sync with it."""
    node = Node(room.folder)
    node.start()
    try:
        for name in ("a.tif", "b.tif"):
            room.put(name)
        session = "proposal: {id: '161', title: Wires}\nexperiment: {name: Growth}\n"
        (room.inbox / "nffa-session.yaml").write_text(session, encoding="utf-8")
        assert room.ingest().status == 0
        token = {"NFFA_TOKEN": node.token("depositor")}

        def sync(*arguments):
            return room.json("sync", "--to", node.url, *arguments, env=token)

        assert sync().statuses == {"a.tif": "done", "b.tif": "done"}
        yield room, node, sync
    finally:
        node.stop()


def check(node, *arguments):
    command = [
        sys.executable,
        "-m",
        "nffa_cli",
        "node",
        "check",
        "--read-data",
        "--data",
        node.data,
        "--json",
        *arguments,
    ]
    run = subprocess.run(command, env=node.environment(), capture_output=True, text=True, check=False)
    assert "Traceback" not in run.stderr
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()][:-1]


def test_what_a_node_lost_comes_back(delivered):
    room, node, sync = delivered
    assert sync("--check").status == 0
    assert len(room.json("list", "--safe-to-delete").of("safe-to-delete")) == 2
    damaged, gone = (
        next(node.data.glob(f"*/*/{sha256((room.inbox / name).read_bytes())}")) for name in ("a.tif", "b.tif")
    )
    damaged.write_bytes(b"?" + damaged.read_bytes()[1:])
    gone.unlink()
    status, found = check(node, "--mend")
    assert status == 3
    assert {(each["kind"], each["sha256"], each["mended"]) for each in found} == {
        ("damaged", damaged.name, True), ("missing", gone.name, True),
    }  # fmt: skip
    proved = sync("--check")
    assert proved.status == 3
    assert {name: line["proof"] for name, line in proved.outcomes.items()} == {"a.tif": "missing", "b.tif": "missing"}
    assert room.json("list", "--safe-to-delete").of("safe-to-delete") == []
    plan = sync("--dry-run").of("plan")
    assert [(line["due"], line["needed"]) for line in plan] == [(["update"], 1)] * 2
    assert sync().statuses == {"a.tif": "done", "b.tif": "done"}
    assert check(node) == (0, [])
    assert sync("--check").status == 0
    assert sync().statuses == {"a.tif": "unchanged", "b.tif": "unchanged"}
    assert len(room.json("list", "--safe-to-delete").of("safe-to-delete")) == 2
