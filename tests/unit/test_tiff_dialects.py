"""TIFF dialects beyond Zeiss and FEI, on small files made here."""

from __future__ import annotations

import math
import random
import struct
import time

import pytest

from nffa_cli import extract
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import tiff_sem, tiff_software, tiff_tem, xmltree

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 12: 8}


def tiff(tags: dict[int, tuple[int, bytes]], width: int = 8, height: int = 4, frames: int = 1) -> bytes:
    """A little-endian 8-bit TIFF; ``tags``: number → (field type, value bytes)."""
    pixels = bytes(i % 251 + 1 for i in range(width * height * frames))
    every = {
        256: (3, struct.pack("<H", width)),
        257: (3, struct.pack("<H", height)),
        258: (3, struct.pack("<H", 8)),
        259: (3, struct.pack("<H", 1)),
        262: (3, struct.pack("<H", 1)),
        273: (4, struct.pack("<I", 8)),
        277: (3, struct.pack("<H", 1)),
        278: (3, struct.pack("<H", height)),
        279: (4, struct.pack("<I", width * height)),
        **tags,
    }
    start = 8 + len(pixels)
    at = start + 2 + 12 * len(every) + 4
    entries, rest = b"", b""
    for code in sorted(every):
        kind, data = every[code]
        value = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", at + len(rest))
        entries += struct.pack("<HHI", code, kind, len(data) // SIZES[kind]) + value
        rest += data + bytes(len(data) % 2) if len(data) > 4 else b""
    return b"II*\0" + struct.pack("<I", start) + pixels + struct.pack("<H", len(every)) + entries + bytes(4) + rest


def read(tmp_path, data: bytes, **beside: bytes):
    """Write a picture and the texts beside it, and read them."""
    (tmp_path / "a.tif").write_bytes(data)
    files = [tmp_path / "a.tif"]
    for extension, text in beside.items():
        files.append(tmp_path / f"a.{extension}")
        files[-1].write_bytes(text)
    return extract.read([str(path) for path in files], "tiff")


def ascii_tag(text: str) -> tuple[int, bytes]:
    return 2, text.encode() + b"\0"


def scales(raw) -> list[tuple[str, float, str | None]]:
    return [(axis.name, axis.scale, axis.unit) for axis in raw.signals[0].axes]


# --- TESCAN ---


def tescan_tag(*sections: tuple[int, bytes]) -> bytes:
    parts = (struct.pack("<IH", len(body) + 2, number) + body for number, body in (*sections, (0, b"")))
    return b"".join(parts)


MAIN = b"Date=2020-01-02\r\nTime=03:04:05\r\nDevice=EXAMPLE\r\nPixelSizeX=2.0e-9\r\nNew=kept\r\n"
TESCAN = tescan_tag((1, b"\0\0\0\x0cjP  \r\n\x87\n=="), (2, MAIN), (3, b"HV=5.0e3\r\nDetector=SE\r\n"), (9, b"Odd=1\n"))


def test_tescan_sections_have_their_names_and_nothing_is_lost(tmp_path):
    raw = read(tmp_path, tiff({50431: (1, TESCAN), 306: ascii_tag("2020:01:02 03:05:00")}))
    tree = raw.tree["50431"]
    assert (raw.format, raw.anchors, raw.warnings) == ("tescan-sem-tiff", {"header": "50431"}, ())
    assert (tree["MAIN"]["New"], tree["SEM"]["HV"], tree["section-9"]) == ("kept", "5.0e3", {"Odd": "1"})
    assert "@bytes" in tree["thumbnail"]


def test_tescan_ion_column_and_the_header_beside(tmp_path):
    ion = tescan_tag((2, MAIN), (3, b"HV=30000.0\nColumnTilt=55.0\n"))
    raw = read(tmp_path, tiff({50431: (1, ion)}), hdr=b"[MAIN]\nDevice=EXAMPLE\n[FIB]\nHV=1\n")
    assert raw.tree["50431"]["FIB"]["HV"] == "30000.0"
    assert raw.tree["sidecar"]["FIB"] == {"HV": "1"}
    numbered = read(tmp_path, tiff({50431: (1, tescan_tag((2, MAIN), (5, b"HV=30000.0\n")))}))
    assert numbered.tree["50431"]["FIB"] == {"HV": "30000.0"}
    both = read(tmp_path, tiff({50431: (1, tescan_tag((2, MAIN), (3, b"HV=5e3\n"), (5, b"HV=3e4\n")))}))
    assert [remark.code for remark in both.warnings] == ["ambiguous-beam"]
    bare = read(tmp_path, tiff({}), hdr=b"[MAIN]\nDevice=EXAMPLE\n[FIB]\nHV=1\n")
    assert (bare.format, bare.anchors) == ("tescan-sem-tiff", {"header": "sidecar"})


def test_a_tescan_tag_cut_anywhere_keeps_what_is_there():
    whole = tiff_sem.tescan_sections(TESCAN)
    for length in range(len(TESCAN)):
        tree = tiff_sem.tescan_sections(TESCAN[:length])
        assert set(tree) <= {*whole, "rest"}
    cut = tiff_sem.tescan_sections(TESCAN[: TESCAN.index(b"5.0e3") + 2])
    assert cut["MAIN"]["Device"] == "EXAMPLE"
    assert "HV" not in cut.get("SEM", {})
    assert tiff_sem.tescan_sections(b"\xff" * 9 + b"\nHV=5\nWD=1\n")["MAIN"] == {"HV": "5", "WD": "1"}


# --- JEOL and Hitachi SEM ---


def test_a_tiff_takes_its_scale_from_the_text_beside_it(tmp_path):
    text = "$CM_FORMAT JEOL-SEM\n$CM_FULL_SIZE 8 4\n$$SM_MICRON_BAR 4\n$$SM_MICRON_MARKER 1µm\n".encode("cp1252")
    raw = read(tmp_path, tiff({}), txt=text)
    assert (raw.format, scales(raw)) == ("jeol-sem-tiff", [("y", 0.25, "um"), ("x", 0.25, "um")])
    assert not raw.faults
    cut = read(tmp_path, tiff({}), txt=text + b"$CM_MAG 10")
    assert ([fault.code for fault in cut.faults], "$CM_MAG" in cut.tree["sidecar"]) == (["truncated"], False)
    other = read(tmp_path, tiff({}), txt=b"a shopping list")
    assert (other.format, scales(other)[0]) == ("plain-image", ("y", 1.0, None))


def test_jeol_keys_in_the_picture_itself(tmp_path):
    keys = "$CM_FORMAT=JEOL-SEM\t$CM_MAG=500\t$CM_FULL_SIZE=8 4\t$$SM_NOTE=\t$CM_PIXEL_SIZE=12.5nm 12.5nm"
    xmp = b"<x><xmp:CreateDate>2024-05-06T07:08:09</xmp:CreateDate></x>"
    for lead in (b"UNICODE\0", b"UNICODE", b""):
        raw = read(tmp_path, tiff({37500: (7, lead + keys.encode("utf-16-le")), 700: (1, xmp)}))
        assert (raw.format, raw.anchors) == ("jeol-sem-tiff", {"header": "37500"})
        assert raw.tree["37500"]["$CM_MAG"] == "500"
        assert raw.tree["37500"]["$$SM_NOTE"] == ""
        assert raw.tree["xmp"] == {"CreateDate": "2024-05-06T07:08:09"}
        assert scales(raw) == [("y", 12.5, "nm"), ("x", 12.5, "nm")]
    assert read(tmp_path, tiff({37500: (7, b"a camera's own note")})).format == "plain-image"
    raw = read(tmp_path, tiff({37500: (7, b"UNICODE\0lost words\t" + keys.encode())}))
    assert raw.tree["37500"]["#rest"] == "lost words"


def test_hitachi_keys_in_windows_tags_stand_in_for_a_lost_sidecar(tmp_path):
    keys, more = (text.encode("utf-16-le") for text in ("InstructName=TM0000\r\n", "PixelSize=50\r\nDataSize=8x4\r\n"))
    raw = read(tmp_path, tiff({40092: (1, keys), 40093: (1, more)}))
    assert (raw.format, scales(raw)[1]) == ("hitachi-sem-tiff", ("x", 50.0, "nm"))
    assert raw.anchors == {"header": "windows.SemImageFile"}
    both = read(tmp_path, tiff({40092: (1, keys)}), txt=b"[SemImageFile]\nPixelSize=20\nDataSize=8x4\n")
    assert (scales(both)[1], both.anchors) == (("x", 20.0, "nm"), {"header": "sidecar.SemImageFile"})


# --- JEOL SightX ---

REPORT = """<?xml version="1.0"?><TemReporter><Instruments>JEM-0000</Instruments>
<ElectronGun><AccelerationVoltage>200000</AccelerationVoltage></ElectronGun><Eos><EosMode>{mode}</EosMode></Eos>
<ImageFormingSystem><SelectorValue>{value}</SelectorValue><SelectorUnitString>{unit}</SelectorUnitString>
</ImageFormingSystem><Camera><ImageSize><Width>8</Width><Height>4</Height></ImageSize>
<PixelsPerMeter><Horizontal>4000</Horizontal><Vertical>4000</Vertical></PixelsPerMeter></Camera></TemReporter>"""


def sightx(tmp_path, text: str):
    return read(tmp_path, tiff({270: ascii_tag(text), 271: ascii_tag("JEOL Ltd.")}))


def test_sightx_picture_pattern_and_scan(tmp_path):
    raw = sightx(tmp_path, REPORT.format(mode="eosTEM", value=50000, unit="X"))
    assert (raw.format, raw.signals[0].kind, scales(raw)[1]) == (
        "jeol-sightx-tiff",
        "image",
        ("x", pytest.approx(5), "nm"),
    )
    pattern = sightx(tmp_path, REPORT.format(mode="eosTEM", value=80, unit="cm"))
    wanted = 1 / 4000 / (0.8 * 2.5079e-12) * 1e-9  # electrons of 200 kV have 2.5079 pm
    assert pattern.signals[0].kind == "diffraction"
    assert scales(pattern)[1] == ("kx", pytest.approx(wanted, rel=1e-4), "1/nm")
    scan = sightx(tmp_path, REPORT.format(mode="eosASID", value=50000, unit="X"))
    assert scales(scan)[1] == ("x", 1.0, None)


def test_a_cut_or_hostile_report_is_a_warning(tmp_path):
    text = REPORT.format(mode="eosTEM", value=50000, unit="X")
    for length in range(text.index("<TemReporter") + 13, len(text), 7):
        raw = sightx(tmp_path, text[:length])
        assert raw.signals
        assert [remark.code for remark in raw.warnings] == ["broken-xml"]
        assert raw.tree["tiff"]["ImageDescription"] == text[:length]
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><TemReporter>&b;</TemReporter>'
    assert [remark.code for remark in sightx(tmp_path, bomb).warnings] == ["broken-xml"]
    assert xmltree.parse("<a>" * 1000)[1] is not None


# --- headers that are one XML text ---


def test_one_value_and_unit_for_each_key_of_a_helium_ion_picture(tmp_path):
    xml = "<ImageTags><Fov><Value>1</Value><Units>µm</Units></Fov><GFIS.BeamCurrent><Value>2</Value></GFIS.BeamCurrent>"
    raw = read(tmp_path, tiff({65000: (2, f"<?xml version='1.0'?>{xml}</ImageTags>".encode() + b"\0")}))
    assert (raw.format, raw.anchors, raw.warnings) == ("zeiss-orion-tiff", {"header": "65000.ImageTags"}, ())
    assert raw.tree["65000"]["ImageTags"]["Fov"] == {"Value": "1", "Units": "µm"}
    cut = read(tmp_path, tiff({65000: (2, xml.encode() + b"\0")}))
    assert cut.tree["65000"]["ImageTags"]["Fov"]["Value"] == "1"
    assert [remark.code for remark in cut.warnings] == ["broken-xml"]


def test_a_desktop_microscope_writes_its_xml_where_larger_ones_do(tmp_path):
    xml = '<FeiImage><pixelWidth unit="nm">52.5</pixelWidth><instrument><type>X</type></instrument></FeiImage>'
    raw = read(tmp_path, tiff({34683: ascii_tag(xml)}))
    assert (raw.format, raw.anchors) == ("phenom-sem-tiff", {"header": "34683.FeiImage"})
    assert raw.tree["34683"]["FeiImage"]["pixelWidth"] == {"@unit": "nm", "#text": "52.5"}


def test_labels_of_a_transmission_microscope_become_keys(tmp_path):
    item = "<Data><Label>{}</Label><Value>{}</Value><Unit>{}</Unit></Data>"
    once = item.format("High tension", 200, "kV") + item.format("Stage A", -1.5, "deg")
    raw = read(tmp_path, tiff({34682: ascii_tag(" "), 34683: ascii_tag(f"<Root>{once}</Root>")}))
    assert (raw.format, raw.anchors) == ("fei-tem-tiff", {"header": "34683.labels"})
    labels = {"High tension": {"Value": "200", "Unit": "kV"}, "Stage A": {"Value": "-1.5", "Unit": "deg"}}
    assert raw.tree["34683"] == {"Root": {}, "labels": labels}
    twice = once + item.format("Stage A", 7, "deg")
    raw = read(tmp_path, tiff({34683: ascii_tag(f"<Root>{twice}</Root>")}))
    assert raw.tree["34683"]["labels"] == labels
    assert len(raw.tree["34683"]["Root"]["Data"]) == 3
    assert read(tmp_path, tiff({34683: ascii_tag("<Other><Label>x</Label></Other>")})).tree["34683"]


@pytest.mark.parametrize(
    ("field", "pixel"), [("4\xa6\xccm", 5e-7), ("0.5mm", 6.25e-5), ("24 um", 3e-6), ("3 ly", None)]
)
def test_another_makers_text_in_the_tag_of_fei_is_not_taken_for_fei(tmp_path, field, pixel):
    said = f"[User]\r\nDate=2024-05-06\r\n[Beam]\r\nHV=15kV\r\nHFW={field}\r\n[Stage]\r\nStageX=12.5\r\n\0"
    raw = read(tmp_path, tiff({34682: (2, said.encode("latin-1"))}))
    assert (raw.format, [remark.code for remark in raw.warnings]) == ("fei-sem-tiff", ["foreign-tag"])
    assert raw.anchors["ini"] not in raw.tree
    width = next(axis for axis in raw.signals[0].axes if axis.name == "x")
    assert (width.scale, width.unit) == ((pytest.approx(pixel), "m") if pixel else (1.0, None))


def test_a_bare_field_width_is_feis_own(tmp_path):
    raw = read(tmp_path, tiff({34682: ascii_tag("[Beam]\r\nHV=15000\r\nHFW=2.5e-006\r\n")}))
    assert (raw.anchors["ini"], raw.warnings) == ("34682", ())


# --- TVIPS ---


def tvips_header(order: str = "<", mode: int = 0) -> bytes:
    values = {"Version": 2, "HighTension": 2000000, "Date": 2020 << 16 | 1 << 8 | 2, "Time": 11045, "TemMode": mode}
    values |= {"PixelSizeX": 1.5, "PixelSizeY": 1.25, "CameraType": "F000".encode("utf-16-le"), "Magic": 0xAAAAAAAA}
    data = b""
    for entry in (*tiff_tem.TVIPS_FIRST, *tiff_tem.TVIPS_SECOND):
        name, _, code = entry.partition(":")
        layout = struct.Struct(order + (code or "i"))
        value = values.get(name)
        data += bytes(layout.size) if value is None else layout.pack(value)
    return data


def test_tvips_blocks(tmp_path):
    raw = read(tmp_path, tiff({37706: (4, bytes(4)), 37708: (7, tvips_header())}))
    second = raw.tree["TVIPS"]["second"]
    assert (second["Date"], second["Time"], second["CameraType"]) == ("2020-01-02", "03:04:05", "F000")
    assert second["Magic"] == 0xAAAAAAAA
    assert scales(raw) == [("y", 1.25, "nm"), ("x", 1.5, "nm")]
    pattern = read(tmp_path, tiff({37708: (7, tvips_header(mode=3))}))
    assert (pattern.signals[0].kind, scales(pattern)[1]) == ("diffraction", ("kx", 1.0, None))


@pytest.mark.parametrize(("zeros", "codes"), [(25, ["zero-tail"]), (16, []), (32, [])])
def test_of_a_cameras_picture_three_quarters_are_not_zero(tmp_path, zeros, codes):
    data = tiff({37706: (4, struct.pack("<I", 1)), 37708: (7, tvips_header())})
    data = data.replace(struct.pack("<HHII", 273, 4, 1, 8), struct.pack("<HHII", 273, 4, 1, len(data)))
    raw = read(tmp_path, data + data[8 : 8 + 32 - zeros] + bytes(zeros))
    assert raw.format == "tvips-tiff"
    assert [fault.code for fault in raw.faults] == codes
    assert [warning.code for warning in raw.warnings] == ["blank-image"] * (zeros == 32)


def test_a_tvips_header_cut_anywhere_never_crashes():
    data = tvips_header()
    for length in (*range(0, 400, 7), *range(400, len(data), 101)):
        tiff_tem.tvips_fields(data[:length], "<")
    version1 = tiff_tem.tvips_fields(struct.pack("<i", 1) + data[4:], "<")
    assert list(version1) == ["first"]


# --- Olympus SIS ---


def test_sis_calibration(tmp_path):
    plain = tiff({33560: (4, bytes(4))})
    at = len(plain)
    head = struct.pack("<4s6x5h6x32sH", b"SIS0", 42, 19, 15, 10, 118, b"name", 1) + struct.pack("<HHI", 1, 1, at + 68)
    block = struct.pack("<10xhdd8xd2x34s32s", -9, 2.0, 3.0, 5000.0, b"Cam", b"")
    data = tiff({33560: (4, struct.pack("<I", at))}) + head + block
    raw = read(tmp_path, data)
    assert raw.tree["SIS"]["DateTime"] == "2018-11-15T19:42"
    assert scales(raw) == [("y", pytest.approx(3e-9), "m"), ("x", pytest.approx(2e-9), "m")]
    for length in range(at, len(data)):
        assert scales(read(tmp_path, data[:length]))[0][2] is None


def test_hostile_signs_in_the_tags_of_jeol_and_tescan_are_read_in_no_time():
    signs = 200_000  # each text would take minutes if a regular expression began anew at every sign
    started = time.process_time()
    assert list(tiff_sem.jeol_keys(b"UNICODE\0" + b"$" * signs + b" $$SM_WD=8.0\t$CM_MAG =500")) == [
        "$$SM_WD",
        "$CM_MAG",
        "#rest",
    ]
    said = b"=" * signs + b"\1\nHV=5.0e3\nodd\n[SEM]\nWD=8e-3"
    assert tiff_sem.tescan_sections(said) == {"MAIN": {"HV": "5.0e3"}, "SEM": {"WD": "8e-3"}}
    assert time.process_time() - started < 2


# --- AMT ---

AMT = "Camera{0}03/14/09{0}14:12{0}8000{0}7.0{0}80{0}1{0}Imaging{0}{0}XpixCal={1}{0}YpixCal=400.0{0}Unit={2}{0}##fv3{0}"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("said", ["200.0", "200,0"])
def test_amt_pixel_size_is_pixels_per_unit(tmp_path, end, said):
    raw = read(tmp_path, tiff({270: ascii_tag(AMT.format(end, said, "micron"))}))
    assert (raw.format, scales(raw)) == ("amt-tiff", [("y", 0.0025, "um"), ("x", 0.005, "um")])
    assert raw.tree["270"]["lines"][:3] == ["Camera", "03/14/09", "14:12"]


@pytest.mark.parametrize(("said", "unit"), [("0", "um"), ("n/a", "um"), ("200.0", "pixels")])
def test_amt_without_a_calibration(tmp_path, said, unit):
    raw = read(tmp_path, tiff({270: ascii_tag(AMT.format("\r", said, unit))}))
    assert scales(raw)[1] == ("x", 1.0, None)


def test_amt_with_the_calibration_that_its_software_begins_with(tmp_path):
    text = AMT.format("\r", "150.000000", "um").replace("400.0", "150.000000")
    assert scales(read(tmp_path, tiff({270: ascii_tag(text)})))[1] == ("x", 1.0, None)


# --- DigitalMicrograph's export, ImageJ ---


def test_gatan_export(tmp_path):
    tags = {65003: ascii_tag("nm"), 65004: ascii_tag("nm"), 65006: (12, struct.pack("<d", -1.0))}
    tags |= {65009: (12, struct.pack("<d", 0.5)), 65010: (12, struct.pack("<d", 0.25))}
    raw = read(tmp_path, tiff(tags))
    assert (raw.format, scales(raw)) == ("gatan-dm-tiff", [("y", 0.25, "nm"), ("x", 0.5, "nm")])
    assert raw.signals[0].axes[1].offset == -1.0
    tags |= {65003: ascii_tag("1/nm"), 65004: ascii_tag("1/nm")}
    assert read(tmp_path, tiff(tags)).signals[0].kind == "diffraction"
    tags |= {65009: (12, struct.pack("<d", math.nan))}
    assert scales(read(tmp_path, tiff(tags)))[1] == ("x", 1.0, None)


def imagej(tmp_path, said: str, frames: int = 1):
    resolution = struct.pack("<II", 4, 1)
    tags = {270: ascii_tag("ImageJ=1.53t\n" + said), 282: (5, resolution), 283: (5, resolution)}
    return read(tmp_path, tiff(tags, frames=frames))


@pytest.mark.parametrize(("said", "unit"), [("micron", "um"), ("\\u00B5m", "um"), ("nm", "nm"), ("furlong", None)])
def test_imagej_unit(tmp_path, said, unit):
    raw = imagej(tmp_path, f"unit={said}\n")
    assert (raw.format, scales(raw)[1]) == ("imagej-tiff", ("x", 0.25 if unit else 1.0, unit))


@pytest.mark.parametrize(("per_cm", "scale"), [((2835, 100), 1.0), ((7_000_000, 1), pytest.approx(1 / 7e6))])
def test_imagej_scale_in_cm_is_no_prints_resolution(tmp_path, per_cm, scale):
    resolution = struct.pack("<II", *per_cm)
    tags = {270: ascii_tag("ImageJ=1.53t\nunit=cm\n"), 282: (5, resolution), 283: (5, resolution)}
    assert scales(read(tmp_path, tiff(tags)))[1] == ("x", scale, None if scale == 1.0 else "cm")


def test_imagej_stack_without_directories(tmp_path):
    raw = imagej(tmp_path, "images=6\nframes=2\nslices=3\nhyperstack=true\nunit=nm\nspacing=7.0\nfinterval=0.5\n", 6)
    signal = raw.signals[0]
    assert (signal.kind, signal.shape) == ("stack", (2, 3, 4, 8))
    assert scales(raw)[:2] == [("time", 0.5, "s"), ("z", 7.0, "nm")]
    assert list(signal.layout.offsets) == [8 + 32 * i for i in range(6)]
    short = imagej(tmp_path, "images=500\n", 3)
    assert [fault.code for fault in short.faults] == ["truncated"]
    assert imagej(tmp_path, "images=99999999999999\n").signals[0].shape == (4, 8)


def test_unknown_units_calibrate_nothing():
    assert tiff_software.unit_name("pixel") is None
    assert tiff_software.unit_name("\\u00B5m") == "um"


def test_flipped_bytes_end_in_an_answer_or_a_refusal(tmp_path):
    samples = [
        tiff({50431: (1, TESCAN)}),
        tiff({270: ascii_tag(REPORT.format(mode="eosTEM", value=50000, unit="X"))}),
        tiff({37706: (4, bytes(4)), 37708: (7, tvips_header())}),
        tiff({270: ascii_tag("ImageJ=1\nimages=3\nunit=nm\n")}, frames=3),
    ]
    dice = random.Random(7)
    refusals = []
    for sample in samples:
        for _ in range(150):
            data = bytearray(sample)
            for _ in range(3):
                data[dice.randrange(len(data))] = dice.randrange(256)
            try:
                read(tmp_path, bytes(data))
            except UnreadableFile as error:
                refusals.append(error.what)
    assert not [what for what in refusals if "gave up" in what]
