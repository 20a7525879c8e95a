"""The TIFF reader on files built here byte by byte: both byte orders, BigTIFF, cut, hostile and half-written ones."""

from __future__ import annotations

import base64
import contextlib
import itertools
import random
import struct
import time

import pytest

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import tiff
from nffa_cli.extract.tiff_vendors import ini

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 12: 8, 16: 8}
LETTERS = {1: "B", 3: "H", 4: "I", 5: "I", 12: "d", 16: "Q"}


def pack(order, kind, value):
    """The bytes and the count of a tag's value."""
    if isinstance(value, bytes):
        return value, len(value)
    numbers = value if isinstance(value, (list, tuple)) else [value]
    data = struct.pack(f"{order}{len(numbers)}{LETTERS[kind]}", *numbers)
    return data, len(data) // SIZES[kind]


def build(pages, *, order="<", big=False):
    """A TIFF file of pages: dict(pixels=bytes, tags={code: (type, value)}); strips get one offset each."""
    head = b"II" if order == "<" else b"MM"
    start = 16 if big else 8
    body = bytearray()
    links = []

    def put(data):
        at = start + len(body)
        body.extend(data + b"\0" * (len(data) % 2))
        return at

    def directory(page):
        tags = dict(page["tags"])
        strips = page.get("strips", [page["pixels"]])
        tags[273] = (16 if big else 4, [put(strip) for strip in strips])
        tags[279] = (4, [len(strip) for strip in strips])
        entries = []
        for code, (kind, value) in sorted(tags.items()):
            data, count = pack(order, kind, value)
            width = 8 if big else 4
            inline = (
                data.ljust(width, b"\0")
                if len(data) <= width
                else struct.pack(order + ("Q" if big else "I"), put(data))
            )
            entries.append(struct.pack(order + ("HHQ" if big else "HHI"), code, kind, count) + inline)
        at = put(struct.pack(order + ("Q" if big else "H"), len(entries)) + b"".join(entries) + bytes(8 if big else 4))
        links.append((at, at + (8 if big else 2) + len(b"".join(entries))))
        return at

    for page in pages:
        directory(page)
    width = "Q" if big else "I"
    for (_, link), (following, _) in itertools.pairwise(links):
        struct.pack_into(order + width, body, link - start, following)
    if big:
        return head + struct.pack(order + "HHHQ", 43, 8, 0, links[0][0]) + bytes(body)
    return head + struct.pack(order + "HI", 42, links[0][0]) + bytes(body)


def page(width, height, pixels, *, bits=8, tags=None, strips=None, **more):
    """One grey page."""
    base = {256: (4, width), 257: (4, height), 258: (3, bits), 259: (3, 1), 262: (3, 1), 277: (3, 1), 278: (4, height)}
    result = {"pixels": pixels, "tags": {**base, **(tags or {})}, **more}
    return {**result, "strips": strips} if strips else result


def pixels_last(data):
    """The same little-endian one-page file with its one strip moved behind all else, as SmartSEM writes it."""
    at = struct.unpack_from("<I", data, 4)[0]
    entries = range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12)
    place, size = (
        next(each + 8 for each in entries if data[each : each + 2] == code) for code in (b"\x11\1", b"\x17\1")
    )
    start, count = struct.unpack_from("<I", data, place)[0], struct.unpack_from("<I", data, size)[0]
    return data[:place] + struct.pack("<I", len(data)) + data[place + 4 :] + data[start : start + count]


def saved(folder, data, name="a.tif"):
    path = folder / name
    path.write_bytes(data)
    return str(path)


NOISE = bytes(random.Random(1).randrange(1, 256) for _ in range(4096))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_one_page_in_both_byte_orders(tmp_path, order, big):
    pixels = NOISE[: 2 * 20 * 10]
    tags = {305: (2, b"SomeSoft 1\0"), 282: (5, (300, 1)), 40000: (12, [1.5, 2.5])}
    data = build([page(20, 10, pixels, bits=16, tags=tags)], order=order, big=big)
    raw = tiff.read([saved(tmp_path, data)])
    (signal,) = raw.signals
    assert raw.format == "plain-image"
    assert (signal.kind, signal.shape, signal.dtype) == ("image", (10, 20), "uint16")
    assert [axis.name for axis in signal.axes] == ["y", "x"]
    assert signal.layout.method == "raw"
    assert signal.layout.dtype == f"{order}u2"
    (at,) = signal.layout.offsets
    assert data[at : at + len(pixels)] == pixels
    assert raw.tree["tiff"]["Software"] == "SomeSoft 1"
    assert raw.tree["tiff"]["XResolution"] == [300, 1]
    assert raw.tree["tiff"]["40000"] == [1.5, 2.5]
    assert raw.needs <= len(data)
    assert not raw.faults


def test_pages_of_one_size_are_a_stack_and_thumbnails_are_left_out(tmp_path):
    pages = [page(8, 4, NOISE[i * 32 : i * 32 + 32], tags={285: (2, b"p%d\0" % i)}) for i in range(5)]
    pages.append(page(2, 2, b"1234", tags={254: (4, 1)}))
    pages.append(page(3, 3, NOISE[:9]))
    raw = tiff.read([saved(tmp_path, build(pages))])
    assert [(signal.kind, signal.shape) for signal in raw.signals] == [("stack", (5, 4, 8)), ("image", (3, 3))]
    assert len(raw.signals[0].layout.offsets) == 5
    assert raw.tree["tiff"]["PageName"] == "p0"
    assert raw.tree["pages"]["3"]["PageName"] == "p3"


def test_separate_strips_give_their_offsets_and_uneven_ones_go_to_the_library(tmp_path):
    strips = [NOISE[i * 16 : i * 16 + 16] for i in range(4)]
    spaced = build([page(8, 8, b"", strips=[s + b"pad!" for s in strips], tags={278: (4, 2)})])
    raw = tiff.read([saved(tmp_path, spaced)])
    assert [spaced[at : at + 16] for at in raw.signals[0].layout.offsets] == strips
    uneven = build([page(8, 7, b"", strips=[s + b"pad!" for s in strips], tags={278: (4, 2)})])
    layout = tiff.read([saved(tmp_path, uneven)]).signals[0].layout
    assert (layout.method, dict(layout.detail)) == ("tiff", {"page": 0})


@pytest.mark.parametrize(("planar", "stored"), [(1, ()), (2, (3, 2, 4))])
def test_colour(tmp_path, planar, stored):
    tags = {258: (3, [8, 8, 8]), 262: (3, 2), 277: (3, 3), 284: (3, planar)}
    strips = [NOISE[:24]] if planar == 1 else [NOISE[:8], NOISE[8:16], NOISE[16:24]]
    signal = tiff.read([saved(tmp_path, build([page(4, 2, b"", strips=strips, tags=tags)]))]).signals[0]
    assert (signal.kind, signal.shape, signal.layout.stored) == ("image", (2, 4, 3), stored)


def test_compressed_and_tiled_pages_name_their_page(tmp_path):
    raw = tiff.read([saved(tmp_path, build([page(4, 2, b"\x80\x00", tags={259: (3, 5)})]))])
    assert raw.signals[0].layout.method == "tiff"


@pytest.mark.parametrize(
    ("sample_format", "bits", "dtype"), [(2, 16, "int16"), (3, 32, "float32"), (6, 64, "complex64")]
)
def test_sample_formats(tmp_path, sample_format, bits, dtype):
    data = build([page(4, 4, NOISE[: 2 * bits], bits=bits, tags={339: (3, sample_format)})])
    assert tiff.read([saved(tmp_path, data)]).signals[0].dtype == dtype


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_cut_at_every_byte_is_never_a_success(tmp_path, order, big):
    text = "\r\n".join(["0"] * 30 + ["AP_MAG", "Mag =   10.00 K X"] + ["DP_SEM", "Sem = X"] * 20).encode()
    whole = build([page(24, 24, NOISE[:576], tags={34118: (2, text + b"\0")})], order=order, big=big)
    path = saved(tmp_path, whole)
    assert not tiff.read([path]).faults
    needs = tiff.read([path]).needs
    for length in range(needs):
        saved(tmp_path, whole[:length])
        with contextlib.suppress(UnreadableFile):
            raw = tiff.read([path])
            assert raw.needs > length
            assert [fault.code for fault in raw.faults] == ["truncated"]


def test_mutated_files_raise_nothing_unexpected(tmp_path):
    text = b"[User]\r\nDate=02/03/2015\r\n[Beam]\r\nBeam=EBeam\r\n\0"
    xml = b"<Metadata><A unit='m'>1</A></Metadata>\0"
    good = build(
        [page(8, 8, NOISE[:64], tags={34682: (2, text), 34683: (2, xml), 330: (4, 8)}), page(8, 8, NOISE[:64])]
    )
    rng = random.Random(7)
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = saved(tmp_path, bytes(data))
        with contextlib.suppress(UnreadableFile):
            tiff.read([path])


def test_directory_loop_ends(tmp_path):
    data = bytearray(build([page(4, 4, NOISE[:16])]))
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    raw = tiff.read([saved(tmp_path, bytes(data))])
    assert [fault.code for fault in raw.faults] == ["corrupt"]


def test_hostile_counts_are_not_believed(tmp_path):
    data = bytearray(build([page(4, 4, NOISE[:16], tags={34118: (2, b"x" * 40)})]))
    at = data.index(struct.pack("<HHI", 34118, 2, 40))
    struct.pack_into("<I", data, at + 4, 0xFFFFFFF0)
    raw = tiff.read([saved(tmp_path, bytes(data))])
    assert raw.needs > len(data)
    assert "truncated" in [fault.code for fault in raw.faults]


def test_many_tags_that_share_their_bytes_do_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "MAX_TREE_BYTES", 1000)
    data = bytearray(build([page(4, 4, NOISE[:16], tags={40000 + n: (7, b"%03d" % n * 100) for n in range(9)})]))
    first = data.index(b"000" * 100)
    for number in range(9):
        at = data.index(struct.pack("<HHI", 40000 + number, 7, 300))
        struct.pack_into("<I", data, at + 8, first)
    tree = tiff.read([saved(tmp_path, bytes(data))]).tree["tiff"]
    assert [set(tree[str(40000 + n)]) for n in range(9)] == [{"@bytes"}] * 3 + [{"@data"}] * 6
    assert tree["40008"]["@data"] == {"offset": first, "bytes": 300, "dtype": "|u1"}


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b"II*\0", "truncated"), (b"II*\0\0\0\0\0", "truncated"), (b"PK\3\4aaaaaaaaaaaa", "corrupt")],
)
def test_what_is_no_tiff(tmp_path, data, code):
    with pytest.raises(UnreadableFile) as caught:
        tiff.read([saved(tmp_path, data)])
    assert caught.value.code == code


def test_strips_too_short_for_the_image_are_corrupt(tmp_path):
    with pytest.raises(UnreadableFile, match="strips of page 0"):
        tiff.read([saved(tmp_path, build([page(40, 40, b"abcd")]))])


ZEISS = "0\r\n0\r\n0\r\n5.000000e-009\r\n1.0e+004\r\nAP_MAG\r\nMag =   10.00 K X\r\n" + (
    "AP_APERTURESIZE\r\nAperture Size = 30.00 µm\r\nSV_USER_TEXT\r\nUser Text = ?????"
)


def zeiss_file(folder, pixels, *, width=64, text=ZEISS, height=64):
    tags = {34118: (2, text.encode("cp1252") + b"\0"), 34119: (7, text.replace("?????", "образ").encode("utf-16-le"))}
    return saved(folder, pixels_last(build([page(width, height, pixels, tags=tags)])))


def test_zeiss_lines_copy_and_pixel_size(tmp_path):
    raw = tiff.read([zeiss_file(tmp_path, NOISE)])
    assert raw.format == "zeiss-sem-tiff"
    assert raw.tree["34118"]["AP_MAG"] == "Mag =   10.00 K X"
    assert raw.tree["34118"]["AP_APERTURESIZE"] == "Aperture Size = 30.00 µm"
    assert raw.tree["34118"]["header"][3] == "5.000000e-009"
    assert raw.tree["34119"] == {"SV_USER_TEXT": "User Text = образ"}
    assert "34118" not in raw.tree["tiff"]
    axis = raw.signals[0].axes[1]
    assert (axis.unit, axis.scale) == ("m", pytest.approx(5e-9 * 1024 / 64))


def test_zeiss_lines_in_utf8(tmp_path):
    data = build([page(8, 8, NOISE[:64], tags={34118: (2, ZEISS.encode() + b"\0")})])
    assert tiff.read([saved(tmp_path, data)]).tree["34118"]["AP_APERTURESIZE"] == "Aperture Size = 30.00 µm"


LOST = (
    "0\r\nAP_APERTURESIZE\r\nAperture Size = 20.00 µm\r\nAP_SCM\r\nSpecimen I =   -1.5 µA\r\nAP_STAGE_AT_T\r\n"
    "Stage at T =  -5.0 °\r\nAP_WATER_TEMP\r\nEO Temp =  21.5 °C\r\nAP_FILE_NUMBER\r\nFile No = 7     \r\n"
    "DP_DWELL_TIME\r\nDwell Time = 1.6 µs\r\nSV_USER_TEXT\r\nUser Text = which? = 3 ?\r\n"
)


@pytest.mark.parametrize("code_page", ["cp1252", "utf-8", "cp932", "gbk", "cp949", "big5", "ascii"])
def test_zeiss_units_outside_ascii_survive_every_code_page(tmp_path, code_page):
    """SmartSEM 7 writes question marks for them, older ones what the Windows of the PC does."""
    cjk = code_page not in ("cp1252", "utf-8", "ascii")
    text = LOST.replace("µ", "μ") if cjk else LOST
    written = text.replace("µ", "?").replace("°", "?") if code_page == "ascii" else text
    data = build([page(8, 8, NOISE[:64], tags={34118: (2, written.encode(code_page) + b"\0")})])
    keys = tiff.read([saved(tmp_path, data)]).tree["34118"]
    lines = text.split("\r\n")[1:-1]
    assert {key: keys[key] for key in lines[::2]} == dict(zip(lines[::2], lines[1::2], strict=True))


def test_zeiss_words_of_a_japanese_pc_are_read_where_its_degree_sign_tells_it(tmp_path):
    written = LOST.replace("µ", "μ").replace("which? = 3 ?", "試料").encode("cp932")
    data = build([page(8, 8, NOISE[:64], tags={34118: (2, written + b"\0")})])
    assert tiff.read([saved(tmp_path, data)]).tree["34118"]["SV_USER_TEXT"] == "User Text = 試料"


def test_zeiss_pixel_size_whose_unit_is_written_with_a_question_mark(tmp_path):
    text = ZEISS.replace("5.000000e-009", "5.000000e-007")
    shown = "\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 8.000 ?m\r\n"
    axis = tiff.read([zeiss_file(tmp_path, NOISE, text=text + shown)]).signals[0].axes[1]
    assert (axis.unit, axis.scale) == ("m", pytest.approx(8e-6))


def test_zeiss_pixel_size_of_hostile_digits_is_read_in_no_time(tmp_path):
    text = ZEISS + f"\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = {'1' * 200_000} a b\r\n"
    started = time.process_time()
    assert tiff.read([zeiss_file(tmp_path, NOISE, text=text)]).signals[0].axes[1].unit == "m"
    assert time.process_time() - started < 2


def test_zeiss_pixel_size_that_the_lines_contradict_is_left_to_the_crosswalk(tmp_path):
    text = ZEISS + "\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 12.00 nm\r\n"
    assert tiff.read([zeiss_file(tmp_path, NOISE, text=text)]).signals[0].axes[1].unit is None
    text = ZEISS + "\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 80.00 nm\r\n"
    assert tiff.read([zeiss_file(tmp_path, NOISE, text=text)]).signals[0].axes[1].unit == "m"


@pytest.mark.parametrize(
    ("beam", "size", "shown", "unit"),
    [
        ("FIB", "40.00 nm", "", None),  # not the 5 nm of the header, which are the other beam's
        ("FIB", "40.00 nm", "80.00 nm", None),
        ("FIB", "5.000 nm", "", "m"),
        ("FIB", "0.0 fm", "", "m"),
        ("FIB", "2.0 parsec", "", None),
        ("SEM", "40.00 nm", "", "m"),
    ],
)
def test_zeiss_ion_picture_has_the_ion_beams_pixel_size(tmp_path, beam, size, shown, unit):
    text = ZEISS + f"\r\nDP_FIB_IMAGING\r\nFIB Imaging = {beam}\r\nAP_FIB_PIXEL_SIZE\r\nFIB Pixel Size = {size}"
    text += f"\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = {shown}\r\n" if shown else "\r\n"
    assert tiff.read([zeiss_file(tmp_path, NOISE, text=text)]).signals[0].axes[1].unit == unit


def test_half_written_pixels_are_a_fault_and_blank_ones_a_warning(tmp_path):
    raw = tiff.read([zeiss_file(tmp_path, NOISE[:3000] + bytes(1096))])
    assert [fault.code for fault in raw.faults] == ["zero-tail"]
    raw = tiff.read([zeiss_file(tmp_path, NOISE[:4000] + bytes(96))])
    assert not raw.faults
    assert not raw.warnings
    raw = tiff.read([zeiss_file(tmp_path, bytes(4096))])
    assert not raw.faults
    assert [warning.code for warning in raw.warnings] == ["blank-image"]


def test_zeros_before_what_was_written_last_are_a_picture(tmp_path):
    """A trench or a picture without its data bar: the directory behind the pixels shows that the writer came to its end."""
    pixels = NOISE[:1024] + bytes(3072)
    whole = build([page(64, 64, pixels, tags={34682: (2, FEI + b"\0")})])
    raw = tiff.read([saved(tmp_path, whole)])
    assert (raw.format, raw.faults, raw.warnings) == ("fei-sem-tiff", (), ())
    moved = pixels_last(whole)
    for behind, codes in ((b"", ["zero-tail"]), (bytes(9000), ["zero-tail"]), (b"end" + bytes(9000), [])):
        assert [fault.code for fault in tiff.read([saved(tmp_path, moved + behind)]).faults] == codes


def test_pixels_whose_end_and_all_behind_it_are_zeros_are_never_a_success(tmp_path):
    whole = build([page(64, 64, NOISE, tags={34682: (2, FEI + b"\0")})])
    for data, begin in ((whole, 8), (pixels_last(whole), len(whole))):
        for cut in range(begin + 1, begin + 3500, 97):
            try:
                raw = tiff.read([saved(tmp_path, data[:cut] + bytes(len(data) - cut))])
            except UnreadableFile:
                continue
            assert [fault.code for fault in raw.faults] == ["zero-tail"], cut


FEI = b"[User]\r\nDate=02/03/2015\r\n\r\n[Beam]\r\nBeam=EBeam\r\nHV=5000\r\n" + (
    b"[Detectors]\r\nName=ETD\r\n[ETD]\r\nSignal=SE\r\n"
)


def test_fei_sections_anchors_and_base64(tmp_path):
    memento = base64.b64encode(b'\xef\xbb\xbf<?xml version="1.0"?><M><item>1</item></M>')
    xml = b'<?xml version="1.0"?><Metadata><Optics><HV unit="V">5000</HV></Optics></Metadata>'
    tags = {34680: (2, memento + b"\0"), 34682: (2, FEI + b"\0"), 34683: (2, xml + b"\0")}
    raw = tiff.read([saved(tmp_path, build([page(8, 8, NOISE[:64], tags=tags)]))])
    assert raw.format == "fei-sem-tiff"
    assert raw.tree["34682"]["Beam"] == {"Beam": "EBeam", "HV": "5000"}
    assert raw.tree["34680"]["M"]["item"] == "1"
    assert raw.tree["34683"]["Metadata"]["Optics"]["HV"] == {"@unit": "V", "#text": "5000"}
    assert raw.anchors == {"ini": "34682", "detector": "ETD"}


@pytest.mark.parametrize(
    ("code", "said", "name"),
    [
        (51023, b"<Fibics><Image><Machine>M</Machine></Image></Fibics>\0", "fibics-atlas-tiff"),
        (34682, FEI + b"\0", "fei-sem-tiff"),
        (34118, b"0\r\nAP_MAG\r\nMag = 5.00 K X\r\n\0", "zeiss-sem-tiff"),
    ],
)
def test_a_vendors_tag_may_be_on_a_later_page(tmp_path, code, said, name):
    pages = [page(8, 8, NOISE[:64]), page(8, 8, NOISE[64:128], tags={code: (2, said)})]
    raw = tiff.read([saved(tmp_path, build(pages))])
    assert (raw.format, raw.faults, isinstance(raw.tree[str(code)], dict)) == (name, (), True)


def test_fei_older_software_keeps_the_text_in_34680(tmp_path):
    raw = tiff.read([saved(tmp_path, build([page(8, 8, NOISE[:64], tags={34680: (2, FEI + b"\0")})]))])
    assert raw.anchors["ini"] == "34680"
    assert raw.tree["34680"]["User"]["Date"] == "02/03/2015"


def test_fei_closing_copy_that_breaks_off_is_truncated(tmp_path):
    whole = build([page(8, 8, NOISE[:64], tags={34682: (2, FEI + b"\0")})])
    assert not tiff.read([saved(tmp_path, whole + FEI)]).faults
    (fault,) = tiff.read([saved(tmp_path, whole + FEI[:-20])]).faults
    assert fault.code == "truncated"


def test_fei_text_that_is_still_zeros(tmp_path):
    (fault,) = tiff.read([saved(tmp_path, build([page(8, 8, NOISE[:64], tags={34682: (2, bytes(400))})]))]).faults
    assert fault.code == "zero-tail"


@pytest.mark.parametrize(("kept", "codes"), [(FEI[:-9], ["zero-tail"]), (FEI, []), (b"<M><a>1</a></M>", []),
                                             (b"<M><a>1</", ["zero-tail"])])  # fmt: skip
def test_a_text_that_breaks_off_into_zeros_was_never_written(tmp_path, kept, codes):
    code = 34683 if kept.startswith(b"<") else 34682
    data = build([page(8, 8, NOISE[:64], tags={code: (2, kept + bytes(40))})])
    assert [fault.code for fault in tiff.read([saved(tmp_path, data)]).faults] == codes


def test_ini_keeps_what_comes_twice():
    tree = ini("[A]\nx=1\nx=2\nstray\n[A]\ny = a=b\n")
    assert tree == {"A": {"x": "1", "x#2": "2", "#line": "stray"}, "A#2": {"y": "a=b"}}


def test_fibics_vectors_calibrate_also_a_rotated_scan(tmp_path):
    xml = (
        '<?xml version="1.0" encoding="iso-8859-1"?><Fibics><Image><Aperture>30 µm</Aperture></Image>'
        "<Scan><Ux>0.03</Ux><Uy>0.04</Uy><Vx>-0.04</Vx><Vy>0.03</Vy></Scan></Fibics>"
    ).encode("latin-1")
    raw = tiff.read([saved(tmp_path, build([page(8, 8, NOISE[:64], tags={51023: (2, xml + b"\0")})]))])
    assert raw.format == "fibics-atlas-tiff"
    assert raw.tree["51023"]["Fibics"]["Image"]["Aperture"] == "30 µm"
    assert [(axis.scale, axis.unit) for axis in raw.signals[0].axes] == [(pytest.approx(0.05), "um")] * 2


@pytest.mark.parametrize(
    ("said", "unit", "codes"),
    [
        ('<Scan><FOV_X units="um">4</FOV_X><FOV_Y units="um">2</FOV_Y></Scan>', "um", []),  # a field of view alone
        ('<Scan><FOV_X units="mm">4</FOV_X></Scan>', None, []),
        ("<Image><Width>8</Width><Height>4</Height></Image><Scan><Ux>0.5</Ux><Uy>0</Uy></Scan>", "um", []),
        (
            "<Image><Width>16</Width><Height>8</Height></Image><Scan><Ux>0.5</Ux><Uy>0</Uy></Scan>",
            None,
            ["no-calibration"],
        ),
        ("<Image><Width>8</Width><Height>8</Height></Image><Scan><FOV_X>4</FOV_X></Scan>", "um", []),  # cut
        ("<Image><Width>16</Width></Image><Scan><FOV_X>4.0</FOV_X><Ux>0.5</Ux><Uy>0</Uy></Scan>", "um", []),
    ],
)
def test_fibics_text_calibrates_only_the_picture_that_it_describes(tmp_path, said, unit, codes):
    xml = f"<Fibics>{said}</Fibics>\0".encode()
    raw = tiff.read([saved(tmp_path, build([page(8, 4, NOISE[:32], tags={51023: (2, xml)})]))])
    x = raw.signals[0].axes[1]
    assert (x.unit, [warning.code for warning in raw.warnings]) == (unit, codes)
    assert unit is None or x.scale == pytest.approx(0.5)


def test_fibics_named_items_become_keys(tmp_path):
    xml = (
        b'<Fibics><BeamInfo a="1"><item name="AccV">29900</item><item name="AccV">1</item><item>odd</item></BeamInfo>'
        b'<DetectorInfo><item name="Gain"/></DetectorInfo></Fibics>'
    )
    raw = tiff.read([saved(tmp_path, build([page(8, 8, NOISE[:64], tags={51023: (2, xml + b"\0")})]))])
    assert raw.tree["51023"]["Fibics"] == {
        "BeamInfo": {"@a": "1", "AccV": "29900", "AccV#2": "1", "item": ["odd"]},
        "DetectorInfo": {"Gain": ""},
    }


def test_openfibsem_json(tmp_path):
    said = b'{"image": {"beam_type": "ION", "dwell_time": 1e-6}, "pixel_size": {"x": 1e-8}, "microscope_state": {}}'
    raw = tiff.read([saved(tmp_path, build([page(8, 8, NOISE[:64], tags={270: (2, said + b"\0")})]))])
    assert raw.format == "openfibsem-tiff"
    assert raw.tree["270"]["pixel_size"] == {"x": 1e-8}
    broken = build([page(8, 8, NOISE[:64], tags={270: (2, said[:-1] + b"\0")})])
    assert [warning.code for warning in tiff.read([saved(tmp_path, broken)]).warnings] == ["broken-json"]


def test_sis_volume_tells_where_the_file_ends(tmp_path):
    inner = struct.pack("<HHIIIII", 24, 0x5349, 402, 24, 0, 1, 0) + struct.pack("<IIII", 0x2000, 34, 0, 12) + b"M" * 12
    whole = bytearray(build([page(8, 8, NOISE[:64], tags={33560: (4, 0)})]))
    volume = struct.pack("<HHIIIII", 24, 0x5349, 402, 24, 0, 2, 0) + struct.pack("<IIII", 0x98000000, 2000, 0, 0)
    moved = bytearray(build([page(8, 8, volume + NOISE[:64], tags={33560: (4, 0)})]))
    assert moved[8:12] == b"\x18\0IS"
    tail = len(moved)
    struct.pack_into("<I", moved, 8 + 24 + 8, tail - 8)
    moved += struct.pack("<IIII", 0x90000001, 2, 0, 0) + inner
    assert tiff.read([saved(tmp_path, bytes(moved))]).needs == len(moved)
    for length in range(tail, len(moved)):
        raw = tiff.read([saved(tmp_path, bytes(moved[:length]))])
        assert [fault.code for fault in raw.faults] == ["truncated"]
    raw = tiff.read([saved(tmp_path, bytes(moved[:-28]) + bytes(28))])
    assert [fault.code for fault in raw.faults] == ["truncated"], "the last field was never written"
    assert not tiff.read([saved(tmp_path, bytes(whole))]).faults
