"""Sidecar texts: encodings, syntax, pixel sizes, and what happens when they are damaged."""

from __future__ import annotations

import struct
import time
import zlib

import pytest

from nffa_cli import extract, readiness, reading, scan
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import picture, sidecar

JEOL = (
    "$SEM_DATA_VERSION 1\r\n$CM_FORMAT JEOL-SEM\r\n$CM_INSTRUMENT JSM-0000\r\n$CM_ACCEL_VOLT 15.0\r\n"
    "$CM_FULL_SIZE 1280 960\r\n$$SM_MICRON_BAR 100\r\n$$SM_MICRON_MARKER 1µm\r\n$CM_STRANGE key kept\r\n"
)
HITACHI = (
    "[SemImageFile]\r\nInstructName=TM0000\r\nDataSize=1280x960\r\nPixelSize=99.2\r\n"
    "AcceleratingVoltage=15000 Volt\r\nStagePositionX=-1000\r\nSampleName={}\r\n"
)
TESCAN = "[MAIN]\r\nDevice=EXAMPLE\r\nDate=2020-01-02\r\nTime=03:04:05\r\n\r\n[FIB]\r\nHV=30000.0\r\nOdd line\r\n"


def bmp(width: int, height: int) -> bytes:
    """A grey BMP picture with a palette."""
    rows = bytes((width + 3) // 4 * 4 * height)
    palette = b"".join(bytes((i, i, i, 0)) for i in range(256))
    head = struct.pack("<2sIII", b"BM", 54 + 1024 + len(rows), 0, 54 + 1024)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, len(rows), 0, 0, 0, 0) + palette + rows


def png(width: int, height: int, *extra: tuple[bytes, bytes]) -> bytes:
    """A grey PNG picture with extra chunks."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    middle = b"".join(chunk(kind, body) for kind, body in extra)
    pixels = chunk(b"IDAT", zlib.compress(bytes((width + 1) * height)))
    return b"\x89PNG\r\n\x1a\n" + head + middle + pixels + chunk(b"IEND", b"")


def jpeg(width: int, height: int, comment: bytes = b"") -> bytes:
    """The frame of a grey JPEG picture around meaningless scan data."""
    note = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment if comment else b""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + note + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + bytes(64) + b"\xff\xd9"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("1µm".encode("cp1252"), "1µm"),
        ("1µm".encode(), "1µm"),
        ("1µm".encode("utf-8-sig"), "1µm"),
        ("é 1µm".encode("utf-16"), "é 1µm"),
        ("[SemImageFile]".encode("utf-16-le"), "[SemImageFile]"),
        ("試料 金ナノ粒子".encode("cp932"), "試料 金ナノ粒子"),
        ("Università".encode("cp1252"), "Università"),
    ],
)
def test_every_encoding_is_read(data, text):
    assert sidecar.decode(data) == text


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        (JEOL, "cp1252", "jeol-sem-tiff"),
        (HITACHI.format("x"), "utf-16", "hitachi-sem-tiff"),
        (HITACHI.format("酸化物"), "cp932", "hitachi-sem-tiff"),
        (TESCAN, "ascii", "tescan-sem-tiff"),
    ],
)
def test_a_lone_sidecar_has_a_tree_and_no_signal(tmp_path, text, encoding, name):
    path = tmp_path / ("x.hdr" if name.startswith("tescan") else "x.txt")
    path.write_bytes(text.encode(encoding))
    raw = extract.read([str(path)], "sidecar")
    assert (raw.format, raw.signals, raw.faults) == (name, (), ())
    assert sidecar.format_of(str(path)) == name


def test_unknown_keys_repeated_keys_and_odd_lines_are_kept():
    assert sidecar.parse_jeol("$A 1\n$A 2\n$A 3\n$B\nfree text")["$A"] == ["1", "2", "3"]
    assert sidecar.parse_jeol(JEOL)["$CM_STRANGE"] == "key kept"
    tree = sidecar.parse_ini("lost=1\n[A]\nx=1=2\nodd\n[A]\nx=3")
    assert tree == {"": {"lost": "1"}, "A": {"x": "1=2", "odd": ""}, "A#2": {"x": "3"}}


@pytest.mark.parametrize(("width", "pixel"), [(1280, 0.01), (2560, 0.005)])
def test_jeol_pixel_size_follows_the_size_of_the_saved_picture(tmp_path, width, pixel):
    (tmp_path / "a.txt").write_bytes(JEOL.encode("cp1252"))
    (tmp_path / "a.bmp").write_bytes(bmp(width, 8))
    raw = extract.read([str(tmp_path / "a.bmp"), str(tmp_path / "a.txt")], "sidecar")
    assert raw.format == "jeol-sem-tiff"
    assert [(axis.name, pytest.approx(axis.scale), axis.unit) for axis in raw.signals[0].axes] == [
        ("y", pixel, "um"),
        ("x", pixel, "um"),
    ]
    assert raw.signals[0].layout.method == "picture"


@pytest.mark.parametrize(
    ("lines", "scale"),
    [
        ("$CM_PIXEL_SIZE 13.3nm/pixel\n$CM_FULL_SIZE 1280 960\n", (13.3, "nm")),
        ("$CM_FIELD_OF_VIEW 128.0µm 96.0µm\n", (0.1, "um")),
        ("$$SM_MICRON_MARKER 500um\n$CM_FULL_SIZE 1280 960\n", (1.0, None)),
        ("$$SM_MICRON_MARKER 500um\n$$SM_MICRON_BAR 0\n", (1.0, None)),
        ("$CM_FIELD_OF_VIEW 128,000µm 96,000µm\n", (1.0, None)),  # no 0 µm
        ("$$SM_MICRON_MARKER 0,5um\n$$SM_MICRON_BAR 100\n", (1.0, None)),  # no 5 µm
    ],
)
def test_jeol_pixel_size_by_other_keys_or_absent(lines, scale):
    signal = picture.signal("a.jpg", picture.Header(1280, 960, "L", {}))
    (done,) = sidecar.calibrated((signal,), "jeol-sem-tiff", sidecar.parse_jeol("$CM_FORMAT JEOL-SEM\n" + lines))
    assert (pytest.approx(done.axes[1].scale), done.axes[1].unit) == scale


def test_hitachi_pixel_size_is_nm_of_the_stated_size(tmp_path):
    (tmp_path / "a.txt").write_bytes(HITACHI.format("x").encode("utf-16"))
    (tmp_path / "a.jpg").write_bytes(jpeg(640, 480))
    raw = extract.read([str(tmp_path / "a.jpg"), str(tmp_path / "a.txt")], "sidecar")
    assert (raw.signals[0].axes[1].scale, raw.signals[0].axes[1].unit) == (pytest.approx(198.4), "nm")
    assert raw.anchors == {"header": "sidecar.SemImageFile"}


def test_a_hostile_number_is_read_in_no_time():
    digits = "1" * 200_000  # each would take hours if a regular expression tried every way to divide it
    started = time.process_time()
    keys = {"$CM_PIXEL_SIZE": f"{digits} x", "$CM_FIELD_OF_VIEW": f"{digits} x"}
    assert sidecar.PIXEL_SIZE["jeol-sem-tiff"](keys, 1280) is None
    assert sidecar.PIXEL_SIZE["hitachi-sem-tiff"]({"SemImageFile": {"PixelSize": f"{digits} x"}}, 1280) is None
    assert time.process_time() - started < 2


def test_a_hitachi_text_without_its_heading_is_one(tmp_path):
    (tmp_path / "a.txt").write_text("Version=02-01\nInstructName=TM0000\nDataSize=1280x1100\nPixelSize=198.4\n")
    (tmp_path / "a.jpg").write_bytes(jpeg(640, 550))
    raw = extract.read([str(tmp_path / "a.jpg"), str(tmp_path / "a.txt")], "sidecar")
    assert (raw.format, raw.anchors) == ("hitachi-sem-tiff", {"header": "sidecar.SemImageFile"})
    assert (raw.signals[0].axes[1].scale, raw.signals[0].axes[1].unit) == (pytest.approx(396.8), "nm")


def test_hitachi_magnification_stands_in_for_the_pixel_size():
    keys = {"DataSize": "1280x960", "Magnification": "10000"}
    pixel = sidecar.PIXEL_SIZE["hitachi-sem-tiff"]
    assert pixel({"SemImageFile": keys}, 1280) == (pytest.approx(9.921875), "nm")  # what newer models state as well
    assert pixel({"SemImageFile": {**keys, "PixelSize": "5"}}, 1280) == (5.0, "nm")
    assert pixel({"SemImageFile": keys}, 640) is None
    assert pixel({"SemImageFile": {**keys, "PixelSize": "0"}}, 1280) is None
    assert pixel({"SemImageFile": {**keys, "PixelSize": "9,92"}}, 1280) is None
    assert pixel({"SemImageFile": {**keys, "PixelSize": "0.00992 um"}}, 1280) == (0.00992, "um")
    assert pixel({"SemImageFile": {"Magnification": "10000"}}, 1280) is None
    assert pixel({"TemImageFile": keys}, 1280) is None  # what that refers to is not known
    assert pixel({"SemImageFile": {**keys, "DataSize": "0x0"}}, 0) is None


@pytest.mark.parametrize("said", ["10000", "10.0k", "x10.0k", "X 10 K"])
def test_a_hitachi_magnification_may_be_in_thousands(said):
    keys = {"DataSize": "1280x960", "Magnification": said}
    assert sidecar.PIXEL_SIZE["hitachi-sem-tiff"]({"SemImageFile": keys}, 1280) == (pytest.approx(9.921875), "nm")


@pytest.mark.parametrize("said", ["10,000", "x10.0 kk", "9" * 400, "10.0.0", "about 10", "-10", "0", "10 20"])
def test_a_pixel_size_is_not_inferred_from_an_odd_magnification(said):
    keys = {"DataSize": "1280x960", "Magnification": said}
    assert sidecar.PIXEL_SIZE["hitachi-sem-tiff"]({"SemImageFile": keys}, 1280) is None


@pytest.mark.parametrize(("line", "codes"), [("", ["scale-inferred"]), ("PixelSize=50\n", []), ("PixelSize=0\n", [])])
def test_an_inferred_pixel_size_is_said_to_be_one(tmp_path, line, codes):
    (tmp_path / "a.txt").write_text(f"[SemImageFile]\nInstructName=S-0\nDataSize=64x48\nMagnification=100\n{line}")
    (tmp_path / "a.jpg").write_bytes(jpeg(64, 48))
    raw = extract.read([str(tmp_path / "a.jpg"), str(tmp_path / "a.txt")], "sidecar")
    assert [remark.code for remark in raw.warnings] == codes


@pytest.mark.parametrize("text", [JEOL, HITACHI.format("x"), TESCAN])
def test_a_sidecar_cut_anywhere_never_crashes(tmp_path, text):
    (tmp_path / "a.png").write_bytes(png(16, 8))
    data = text.encode("cp1252")
    for length in range(len(data)):
        (tmp_path / "a.txt").write_bytes(data[:length])
        raw = extract.read([str(tmp_path / "a.png"), str(tmp_path / "a.txt")], "sidecar")
        assert raw.signals[0].shape == (8, 16)
        assert raw.format != "plain-image" or [remark.code for remark in raw.warnings] == ["sidecar-unreadable"]


@pytest.mark.parametrize("section", ["SemImageFile", "TemImageFile"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-16", "utf-16-le"])
def test_a_bmp_with_a_hitachi_text_is_no_plain_image(tmp_path, section, encoding):
    (tmp_path / "a.bmp").write_bytes(bmp(1280, 960))
    (tmp_path / "a.txt").write_bytes(HITACHI.format("x").replace("SemImageFile", section).encode(encoding))
    (acquisition,) = scan.walk(str(tmp_path))
    raw = reading.take({"pictures": False, "partner_missing": None}, acquisition.files)
    assert (raw.format, raw.signals[0].axes[1].scale, raw.signals[0].axes[1].unit) == ("hitachi-sem-tiff", 99.2, "nm")


@pytest.mark.parametrize(("data", "code"), [(b"", "empty"), (b"\0" * 100, "empty"), (b"notes of today", "corrupt")])
def test_a_text_that_is_no_sidecar_is_refused(tmp_path, data, code):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(UnreadableFile) as caught:
        extract.read([str(tmp_path / "a.txt")], "sidecar")
    assert caught.value.code == code


def test_a_half_written_sidecar_is_damaged(tmp_path):
    (tmp_path / "a.txt").write_bytes(JEOL.encode("cp1252") + bytes(100))
    assert [fault.code for fault in extract.read([str(tmp_path / "a.txt")], "sidecar").faults] == ["truncated"]
    (tmp_path / "a.txt").write_bytes(JEOL.encode("cp1252") + b"\0")  # as some programs close a text
    assert not extract.read([str(tmp_path / "a.txt")], "sidecar").faults


@pytest.mark.parametrize(
    ("text", "encoding"), [(JEOL, "cp1252"), (HITACHI, "ascii"), (HITACHI, "utf-16"), (HITACHI, "utf-16-le")]
)
def test_nothing_of_a_line_without_its_end_is_a_value(tmp_path, text, encoding):
    (tmp_path / "a.png").write_bytes(png(16, 8))
    data, files = text.encode(encoding), [str(tmp_path / "a.png"), str(tmp_path / "a.txt")]
    (tmp_path / "a.txt").write_bytes(data)
    (whole,) = extract.read(files, "sidecar").tree["sidecar"].values() if text is HITACHI else (None,)
    whole = whole or extract.read(files, "sidecar").tree["sidecar"]
    for length in range(len(text[: text.index("\n") + 1].encode(encoding)), len(data)):
        (tmp_path / "a.txt").write_bytes(data[:length])
        raw = extract.read(files, "sidecar")
        tree = raw.tree["sidecar"]
        keys = tree.get("SemImageFile", {}) if text is HITACHI else tree
        assert keys.items() <= whole.items(), length
        ends = sidecar.decode(data[:length]).endswith(("\r", "\n"))
        assert [fault.code for fault in raw.faults] == ([] if ends else ["truncated"]), length


def test_a_picture_waits_for_the_end_of_its_text(tmp_path):
    (tmp_path / "a.bmp").write_bytes(bmp(1280, 8))
    (tmp_path / "a.txt").write_bytes(JEOL.encode("cp1252") + b"$CM_MAG 10")
    raw = extract.read([str(tmp_path / "a.bmp"), str(tmp_path / "a.txt")], "sidecar")
    assert "$CM_MAG" not in raw.tree["sidecar"]
    states = [readiness.judge(raw, 10**6, partner_missing=None, age=age, patience=600.0) for age in (10.0, 1000.0)]
    assert [(state.state, str(state.reason)[:9]) for state in states] == [
        ("waiting", "truncated"),
        ("damaged", "truncated"),
    ]


@pytest.mark.parametrize("text", ["[MAIN]\nPixelSizeX=1e-9\n[SEM]\nHV=5000\n[FIB]\nHV=30000\n"])
@pytest.mark.parametrize("pictured", [True, False])
def test_settings_of_two_columns_are_remarked(tmp_path, text, pictured):
    (tmp_path / "a.png").write_bytes(png(16, 8))
    (tmp_path / "a.hdr").write_text(text)
    files = [str(tmp_path / "a.png")] * pictured + [str(tmp_path / "a.hdr")]
    assert [remark.code for remark in extract.read(files, "sidecar").warnings] == ["ambiguous-beam"]


@pytest.mark.parametrize(("name", "data"), [("a.png", png(33, 22)), ("a.bmp", bmp(33, 22)), ("a.jpg", jpeg(33, 22))])
def test_pictures_say_their_size_and_whether_they_are_whole(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    raw = extract.read([str(path)], "picture")
    assert (raw.format, raw.signals[0].shape, raw.signals[0].dtype, raw.faults) == (
        "plain-image",
        (22, 33),
        "uint8",
        (),
    )
    for length in range(len(data)):
        path.write_bytes(data[:length])
        try:
            code = extract.read([str(path)], "picture").faults[0].code
        except UnreadableFile as error:
            code = error.code
        assert code == ("empty" if length == 0 else "truncated" if length > 8 else code), length


def test_texts_of_pictures_are_kept(tmp_path):
    bomb = b"Bomb\0\0" + zlib.compress(bytes(64 << 20))
    chunks = ((b"tEXt", b"Title\0caf\xe9"), (b"iTXt", b"Note\0\0\0\0\0" + "µ".encode()), (b"zTXt", bomb))
    (tmp_path / "a.png").write_bytes(png(4, 4, *chunks))
    text = extract.read([str(tmp_path / "a.png")], "picture").tree["text"]
    assert (text["Title"], text["Note"], len(text["Bomb"])) == ("café", "µ", picture.LARGEST_TEXT)
    (tmp_path / "a.jpg").write_bytes(jpeg(4, 4, b"hello"))
    assert extract.read([str(tmp_path / "a.jpg")], "picture").tree["comments"] == ["hello"]


def test_exif_is_read_inside_its_block_only():
    entries = struct.pack("<HHIHH", 274, 3, 1, 6, 0) + struct.pack("<HHII", 271, 2, 7, 38)
    block = b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0) + b"Camera\0"
    assert picture.exif(block) == {"274": 6, "271": "Camera"}
    for length in range(len(block)):
        picture.exif(block[:length])
    assert picture.exif(b"II*\0" + struct.pack("<IHHHII", 8, 1, 271, 2, 2**32 - 1, 8)) == {}


PILLOW_WRITES = {
    "png": ("1", "L", "P", "RGB", "RGBA", "LA", "I;16"),
    "bmp": ("1", "L", "P", "RGB", "RGBA"),
    "jpeg": ("1", "L", "RGB", "CMYK"),
}


@pytest.mark.parametrize(("form", "mode"), [(form, mode) for form, modes in PILLOW_WRITES.items() for mode in modes])
def test_the_announced_shape_is_that_of_the_decoded_pixels(tmp_path, form, mode):
    image = pytest.importorskip("PIL.Image")
    pixels = pytest.importorskip("nffa_cli.pixels")
    path = tmp_path / f"a.{form}"
    made = image.linear_gradient("L").resize((37, 23))
    made = image.frombytes("I;16", (37, 23), bytes(range(37)) * 46) if mode == "I;16" else made.convert(mode)
    made.save(path)
    signal = extract.read([str(path)], "picture").signals[0]
    samples = pixels.slab(signal, [slice(None)] * len(signal.shape))
    assert (samples.shape, samples.dtype.name) == (signal.shape, signal.dtype)
    if mode in ("L", "I;16") and form != "jpeg":
        assert samples.tobytes() == made.tobytes()
