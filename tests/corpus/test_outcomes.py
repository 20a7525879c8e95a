"""Every real file comes to an outcome, said in pure JSON Lines, and nothing is written beside it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from tests.soak import lines, nffa, tree_hash

pytestmark = pytest.mark.corpus


@pytest.mark.parametrize(
    ("name", "expected"),
    [("corpus", {"done", "skipped", "quarantined"}), ("corpus-stm", {"skipped"})],
)
def test_every_file_comes_to_an_outcome(corpus, tmp_path, name, expected):
    folder = corpus.parent / name
    if not folder.is_dir():
        pytest.skip(f"needs ../shared/{name}")
    before = tree_hash(folder)
    run = nffa(tmp_path / "home", "ingest", folder, "--settle", "0", "--json")
    found = [line for line in lines(run) if line["type"] == "outcome"]
    told = Counter(line["status"] for line in found)
    assert set(told) == expected
    assert run.returncode == (3 if told["quarantined"] else 0)
    assert "Traceback" not in run.stderr
    assert all(line["reason"] for line in found if line["status"] in ("skipped", "quarantined"))
    assert not [line for line in found if "internal" in str(line["reason"])]
    mains = {line["path"] for line in found}
    assert len(mains) == len(found)
    assert tree_hash(folder) == before


def test_no_value_is_wrong_and_few_are_missing(corpus, tmp_path):
    scorer = corpus.parent / "tools" / "score_records.py"
    if not scorer.is_file():
        pytest.skip("needs ../shared/tools/score_records.py")
    records = tmp_path / "records.jsonl"
    records.write_text(nffa(tmp_path / "home", "inspect", "--json", corpus).stdout)
    command = [sys.executable, str(scorer), str(corpus), "--jsonl", str(records), "--need", "97", "--show"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
