"""The walk: sidecars find their main file, odd things are reported and never opened, nothing is followed."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nffa_cli import scan
from nffa_cli.errors import UsageError
from nffa_cli.records import Acquisition


def names(root):
    """Return {main: sidecars} of everything below root, as relative names."""
    found = {}
    for each in scan.walk(str(root)):
        assert isinstance(each, Acquisition)
        if not each.skip:
            found[os.path.relpath(each.main.path, root)] = [os.path.relpath(s.path, root) for s in each.sidecars]
    return found


def make(root, *files):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.tif", "a.txt"], {"a.tif": ["a.txt"]}),
        (["A.TIF", "a.txt"], {"A.TIF": ["a.txt"]}),
        (["a.tif", "a-tif.hdr"], {"a.tif": ["a-tif.hdr"]}),
        (["a.png", "a-png.hdr", "a.tif"], {"a.png": ["a-png.hdr"], "a.tif": []}),
        (["s.emi", "s_1.ser", "s_2.ser", "s_10.ser"], {"s.emi": ["s_1.ser", "s_2.ser", "s_10.ser"]}),
        (["s_1.ser", "s_2.ser"], {"s_1.ser": [], "s_2.ser": []}),
        (["s.emi", "t_1.ser"], {"s.emi": [], "t_1.ser": []}),
        (["a.txt"], {"a.txt": []}),
        (["a.jpg", "a.tif", "a.txt"], {"a.jpg": [], "a.tif": ["a.txt"]}),
        (["x/a.tif", "y/a.txt"], {"x/a.tif": [], "y/a.txt": []}),
        (["m.mib", "m.hdr"], {"m.mib": ["m.hdr"]}),
        (["r.rpl", "r.raw"], {"r.rpl": ["r.raw"]}),
        (["noextension", ".hidden.tif"], {".hidden.tif": [], "noextension": []}),
    ],
)
def test_sidecars_join_their_main_file(tmp_path, files, expected):
    make(tmp_path, *files)
    assert names(tmp_path) == expected


def test_two_names_that_differ_in_case_stay_two(tmp_path):
    make(tmp_path, "a.tif", "A.tif", "A.txt")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("needs a file system that tells upper from lower case")
    assert names(tmp_path) == {"A.tif": ["A.txt"], "a.tif": []}


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "desktop.ini", "._a.tif", "~$a.docx", "a.tif.tmp", "a.tif.part", ".DS_Store"]
)
def test_furniture_is_skipped(tmp_path, name):
    make(tmp_path, name)
    (found,) = scan.walk(str(tmp_path))
    assert found.skip == "furniture"


def test_missing_partners_are_named(tmp_path):
    make(tmp_path, "a.emi", "b_1.ser", "c.emi", "c_1.ser", "d.ser")
    assert {a.main.path[-5:]: a.partner_missing for a in scan.walk(str(tmp_path))} == {
        "a.emi": ".ser", "_1.ser"[-5:]: ".emi", "c.emi": None, "d.ser": None,
    }  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file kinds")
def test_links_and_special_files_are_reported_and_never_opened(tmp_path):
    make(tmp_path, "real/a.tif")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "link.tif").symlink_to(tmp_path / "real" / "a.tif")
    (tmp_path / "dangling.tif").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.tif")
    reasons = {os.path.basename(a.main.path): a.skip for a in scan.walk(str(tmp_path))}
    assert reasons == {
        "loop": "symlink", "link.tif": "symlink", "dangling.tif": "symlink", "pipe.tif": "special-file", "a.tif": None,
    }  # fmt: skip


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path, monkeypatch):
    make(tmp_path, "closed/a.tif", "open/b.tif")
    listed = os.scandir

    def refuse(folder):
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", folder)
        return listed(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list(scan.walk(str(tmp_path)))
    assert [type(each).__name__ for each in found] == ["Unreadable", "Acquisition"]
    assert found[0].reason == "Permission denied"


def test_a_file_that_vanishes_while_we_look_is_not_there(tmp_path, monkeypatch):
    make(tmp_path, "a.tif", "b.tif")
    listed = os.scandir

    class Gone:
        def __init__(self, entry):
            self.entry, self.name = entry, entry.name

        def __getattr__(self, name):
            return getattr(self.entry, name)

        def stat(self, **_):
            raise FileNotFoundError(2, "No such file", self.name)

    class Listing:
        def __init__(self, folder):
            self.real = listed(folder)

        def __enter__(self):
            return (Gone(e) if e.name == "a.tif" else e for e in self.real)

        def __exit__(self, *_):
            self.real.close()

    monkeypatch.setattr(os, "scandir", Listing)
    assert names(tmp_path) == {"b.tif": []}


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names that are bytes")
def test_names_that_are_not_utf8_are_kept_exactly(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.tif"
    with open(path, "wb") as file:
        file.write(b"x")
    (found,) = scan.walk(str(tmp_path))
    assert os.fsencode(found.main.path) == path


def test_shown_paths_are_as_typed(tmp_path, monkeypatch):
    make(tmp_path, "data/run 1/a.tif")
    monkeypatch.chdir(tmp_path)
    assert [a.shown for a in scan.walk("data/")] == ["data/run 1/a.tif"]
    assert [a.shown for a in scan.walk(".")] == ["./data/run 1/a.tif"]
    assert [a.shown for a in scan.walk("data/run 1/a.tif")] == ["data/run 1/a.tif"]


def test_one_file_by_name_brings_its_partners(tmp_path):
    make(tmp_path, "s.emi", "s_1.ser", "other.tif")
    (found,) = scan.walk(str(tmp_path / "s_1.ser"))
    assert [os.path.basename(s.path) for s in found.files] == ["s.emi", "s_1.ser"]


EMSA = b"#FORMAT      : EMSA/MAS Spectral Data File\r\n#VERSION     : 1.0\r\n"


@pytest.mark.parametrize("picture", ["a.tif", "A.JPG", "a.bmp"])
def test_a_spectrum_saved_as_text_beside_a_picture_of_its_name_stays_one(tmp_path, picture):
    make(tmp_path, picture)
    (tmp_path / "a.txt").write_bytes(EMSA)
    assert names(tmp_path) == {picture: [], "a.txt": []}
    (found,) = scan.walk(str(tmp_path / "a.txt"))
    assert [os.path.basename(stamp.path) for stamp in found.files] == ["a.txt"]


@pytest.mark.parametrize(
    "text", [b"", b"$CM_FORMAT JEOL-SEM\r\n", b"\xff\xfe[\0S\0e\0m\0", b"[SemImageFile]\r\n", b"notes"]
)
def test_any_other_text_stays_with_the_picture_of_its_name(tmp_path, text):
    make(tmp_path, "a.tif")
    (tmp_path / "a.txt").write_bytes(text)
    assert names(tmp_path) == {"a.tif": ["a.txt"]}


def test_a_text_that_turns_out_to_be_a_spectrum_is_looked_at_again_for_itself(tmp_path):
    make(tmp_path, "a.tif", "a.txt")
    before = list(scan.walk(str(tmp_path)))
    (tmp_path / "a.txt").write_bytes(EMSA)
    assert [[os.path.basename(stamp.path) for stamp in now.files] for now in scan.again(before)] == [
        ["a.tif"],
        ["a.txt"],
    ]


def test_only_a_text_beside_a_picture_of_its_name_is_opened(tmp_path, monkeypatch):
    make(tmp_path, "a.tif", "a.txt", "b.txt", "c.dm3", "c.txt", "d.tif", "d-tif.hdr")
    asked = []
    monkeypatch.setattr(scan, "stands_alone", lambda path: bool(asked.append(os.path.basename(path))))
    names(tmp_path)
    assert asked == ["a.txt"]


def test_a_path_that_is_not_there_is_an_error_with_a_hint(tmp_path):
    with pytest.raises(UsageError) as raised:
        list(scan.walk(str(tmp_path / "no")))
    assert raised.value.hint


def test_a_folder_can_be_left_out(tmp_path):
    make(tmp_path, "mine/a.tif", "b.tif")
    found = scan.walk(str(tmp_path), leave_out=lambda folder: folder.endswith("mine"))
    assert [os.path.basename(a.main.path) for a in found] == ["b.tif"]


NAMES = st.text(
    st.characters(blacklist_characters="/\0\\", blacklist_categories=("Cs",)), min_size=1, max_size=12
).filter(lambda name: name not in {".", ".."})


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(NAMES, st.sampled_from(["", ".tif", ".TXT", ".emi", "_1.ser", ".hdr", "-tif.hdr", ".raw"])),
        max_size=12,
    )
)
def test_every_file_belongs_to_exactly_one_acquisition(pairs):
    files = {stem + suffix: os.stat_result([0] * 10) for stem, suffix in pairs}
    grouped = [os.path.basename(s.path) for a in scan.group("/x", "x", files) for s in a.files]
    assert sorted(grouped) == sorted(os.path.basename(name) for name in files)


def test_a_folder_reached_twice_is_walked_once(tmp_path, monkeypatch):
    make(tmp_path, "a/x.tif", "b/y.tif")
    stat = os.stat
    monkeypatch.setattr(
        os, "stat", lambda path, **more: stat(tmp_path / "a" if str(path).endswith("b") else path, **more)
    )
    assert [each.skip for each in scan.walk(str(tmp_path))] == [None, "loop"]
