"""The long trials of ``tests/soak_sync.py``, small."""

from __future__ import annotations

import pytest

from tests import postgres, soak_sync

pytestmark = pytest.mark.soak


def test_killed_again_and_again_a_folder_holds_everything_once(tmp_path):
    figures = soak_sync.folder(20, seed=1, room=tmp_path)
    assert figures["killed"] >= 2, "chance decides how many are killed in the middle, and the machine's pace"


def test_a_death_before_each_step_of_a_sync_is_recovered_from(tmp_path):
    assert soak_sync.crash(tmp_path, stride=13)["died"] > 3, "the driver no longer finds the steps"


def test_client_and_node_killed_everything_arrives_once(tmp_path):
    figures = soak_sync.node(12, 3, seed=4, room=tmp_path)
    assert figures["node killed"] >= 3


def test_client_and_node_on_postgresql_killed_everything_arrives_once(tmp_path):
    with postgres.running() as make:
        if make is None:
            pytest.skip(postgres.ABSENT)
        figures = soak_sync.node(8, 2, seed=5, room=tmp_path, database=make())
    assert figures["node killed"] >= 2
