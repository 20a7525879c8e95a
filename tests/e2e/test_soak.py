"""The long trials of ``tests/soak.py``, small."""

from __future__ import annotations

import pytest

from tests import soak

pytestmark = pytest.mark.soak


def test_killed_again_and_again_nothing_is_lost_doubled_or_torn(tmp_path):
    figures = soak.kill(20, seed=1, room=tmp_path)
    assert figures["killed"] > 5
    assert figures["recorded"] == figures["files"] > 0


def test_a_death_before_each_step_is_recovered_from(tmp_path):
    figures = soak.crash(seed=2, room=tmp_path, stride=5)
    assert figures["steps"] > 5, "the driver no longer finds the steps"


def test_damaged_files_stop_nothing_and_no_cut_one_is_called_done(tmp_path):
    figures = soak.mutate(300, seed=3, room=tmp_path)
    assert not figures["cut_but_done"]
    assert not figures["internal"]
    assert sum(figures["statuses"].values()) == 300
