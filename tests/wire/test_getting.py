"""``nffa get``: names that lead nowhere else, nothing overwritten, verified; from a real node, a folder and a share."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.cli import run
from nffa_cli.delivery.getting import safe_join
from nffa_cli.destinations.folder import Folder
from nffa_cli.errors import DiskError
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.wire.test_idrp import asset, bundle, client, deliver

NAMES = (
    ("a.tif", "a.tif"), ("a/b.tif", "a/b.tif"), ("a\\b.tif", "a/b.tif"), ("..", "_"), ("../x", "_/x"),
    ("../../etc/passwd", "_/_/etc/passwd"), ("a/../../b", "a/_/_/b"), ("..\\..\\x", "_/_/x"),
    ("/etc/passwd", "etc/passwd"), ("//server/share/x", "server/share/x"), ("\\\\server\\share\\x", "server/share/x"),
    ("C:\\Windows\\x", "C_/Windows/x"), ("C:x", "C_x"), ("c:/x", "c_/x"), ("\\\\?\\C:\\x", "_/C_/x"),
    ("\\\\.\\PhysicalDrive0", "PhysicalDrive0"), ("a:b", "a_b"), ("a.txt:stream:$DATA", "a.txt_stream_$DATA"),
    ("file:///etc/passwd", "file_/etc/passwd"), ("~/x", "~/x"), ("~root/x", "~root/x"), ("$HOME/x", "$HOME/x"),
    ("%APPDATA%\\x", "%APPDATA%/x"), ("", "_"), (".", "_"), ("./a", "a"), ("a/./b", "a/b"), ("a//b", "a/b"),
    ("a/", "a"), ("/", "_"), ("\\", "_"), ("...", "_"), (". .", "_"), (" ", "_"), ("a ", "a"), ("a.", "a"),
    ("a. . .", "a"), (".. ", "_"), ("..  /x", "_/x"), (".hidden", ".hidden"), ("\x00", "_"), ("a\x00.tif", "a_.tif"),
    ("a\nb", "a_b"), ("a\x1b[31mb", "a_[31mb"), ("a\x7f", "a_"), ("a\x85b", "a_b"), ("\u202egnp.exe", "_gnp.exe"),
    ("a\u200bb", "a_b"), ("\ufeffa", "_a"), ("\u2066a\u2069", "_a_"), ("a\u2028b", "a_b"), ("\ud800", "_"),
    ("CON", "_CON"), ("con.txt", "_con.txt"), ("NUL", "_NUL"), ("lpt1.tif", "_lpt1.tif"), ("COM9", "_COM9"),
    ("aux/x", "_aux/x"), ('a<b>c"d|e?f*g', "a_b_c_d_e_f_g"), ("Bild ä ß 日本.tif", "Bild ä ß 日本.tif"),
    ("I(V)_mtrx", "I(V)_mtrx"), ("😀.tif", "😀.tif"), ("%2e%2e/x", "%2e%2e/x"), ("..%2fx", "..%2fx"), ("-rf", "-rf"),
    ("a;rm -rf b", "a;rm -rf b"), ("‥/x", "‥/x"), ("․․/x", "․․/x"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "safe"), NAMES, ids=range(len(NAMES)))
def test_a_name_is_made_safe(tmp_path, name, safe):
    assert safe_join(tmp_path, name) == tmp_path / safe


def test_there_are_sixty_names_and_more():
    assert len(NAMES) >= 60


@given(
    st.text(max_size=400)
    | st.lists(st.sampled_from(["..", ".", "/", "\\", "C:", "a", " ", "\x00", "NUL", "\u202e"])).map("".join)
)
def test_no_name_leads_out_and_none_is_too_long(tmp_path_factory, name):
    root = tmp_path_factory.getbasetemp() / "root"
    target = safe_join(root, name)
    parts = target.relative_to(root).parts
    assert parts
    assert len(parts) <= 33
    assert not {"..", "."} & set(parts)
    assert all(part and len(part.encode()) <= 255 and part.rstrip(". ") == part for part in parts)
    assert not any(character < " " or character in '\x7f<>:"/\\|?*\u202e' for part in parts for character in part)
    assert safe_join(root, "/".join(parts)) == target


def test_a_link_that_leads_out_is_not_followed(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "a").symlink_to(outside)
    with pytest.raises(DiskError, match="a link leads out"):
        safe_join(root, "a/b/c.tif")


@pytest.fixture
def filled(tmp_path, monkeypatch):
    """A node that holds two measurements, with the token in the environment; gives (url, results)."""
    with serving(Config(tmp_path / "node", None)) as node:
        token = node.token("depositor")
        bundles = [
            bundle(asset(b"one" * 1000), asset(b"p", "p.jpg", role="preview"), n=1, measurementDescription="needle"),
            bundle(asset(b"two"), asset(b"away", "far.tif", uri="file:///x/far.tif", accessMode="linked"), n=2),
        ]
        results = deliver(client(node.url, token), *bundles)
        monkeypatch.setenv("NFFA_TOKEN", token)
        yield node.url, results


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_get_by_id_of_measurement_and_asset_and_by_query(filled, tmp_path, capsys):
    url, results = filled
    one, two = (result.receipt for result in results)
    out = tmp_path / "out"
    assert run(["get", one.measurement, "--from", url, "-o", str(out), "--json"]) == 0
    *found, summary = lines(capsys)
    assert [each["status"] for each in found] == ["done", "done"]
    assert summary["outcomes"] == {"done": 2}
    assert found[0]["measurement"] == one.measurement
    assert (out / f"m1-{one.measurement[-8:]}" / "a.tif").read_bytes() == b"one" * 1000
    assert run(["get", one.measurement, "--from", url, "-o", str(out), "--json"]) == 0
    assert lines(capsys)[-1]["outcomes"] == {"unchanged": 2}
    assert run(["get", one.assets[0][1], "--from", url, "-o", str(tmp_path / "single"), "--json"]) == 0
    assert lines(capsys)[-1]["outcomes"] == {"done": 1}
    assert run(["get", two.measurement, "--from", url, "-o", str(out), "--json"]) == 0
    assert lines(capsys)[-1]["outcomes"] == {"done": 1, "skipped": 1}
    assert run(["get", "needle", "--from", url, "-o", str(tmp_path / "found"), "--json"]) == 0
    assert lines(capsys)[-1]["outcomes"] == {"done": 2}
    assert run(["get", "nothing-of-this-name", "--from", url, "-o", str(out)]) == 2
    assert not list(tmp_path.rglob("*.part"))


def test_another_file_is_never_overwritten(filled, tmp_path, capsys):
    url, results = filled
    receipt = results[0].receipt
    place = tmp_path / f"m1-{receipt.measurement[-8:]}" / "a.tif"
    place.parent.mkdir()
    place.write_bytes(b"mine")
    assert run(["get", receipt.measurement, "--from", url, "-o", str(tmp_path), "--json"]) == 3
    assert {each.get("status"): each.get("reason") for each in lines(capsys)}["failed"].startswith("another file")
    assert place.read_bytes() == b"mine"


def test_get_from_a_folder(tmp_path, capsys):
    disk = tmp_path / "disk"
    deliver(Folder("disk", disk), bundle(asset(b"data"), n=3))
    assert run(["get", "m3", "--from", str(disk), "-o", str(tmp_path / "out")]) == 0
    (path,) = (tmp_path / "out").rglob("a.tif")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == asset(b"data").sha256


def test_get_needs_one_destination(home, tmp_path, capsys):
    assert run(["get", "x"]) == 2
    home.mkdir()
    (home / "nffa.toml").write_text(
        '[[destination]]\nname = "a"\nfolder = "/a"\n[[destination]]\nname = "b"\nfolder = "/b"\n'
    )
    assert run(["get", "x"]) == 2
    assert "a, b" in capsys.readouterr().err
