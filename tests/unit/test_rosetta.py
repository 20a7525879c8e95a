"""The door of RosettaSciIO on tiny files written here: allow-list, silence, both branches of the tree, missing bytes."""

from __future__ import annotations

import logging
import re
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
from rsciio import digitalsurf

from nffa_cli import arrays, pixels
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import blockfile, rosetta
from nffa_cli.extract.rosetta_signals import signal
from nffa_cli.identify import FORMATS, HEAD_BYTES, identify
from nffa_cli.records import Layout

LOADERS = {"rosetta": rosetta.load}

MSA = """#FORMAT      : EMSA/MAS Spectral Data File
#VERSION     : 1.0
#TITLE       : oxide
#DATE        : 03-Mar-2021
#TIME        : 10:14
#OWNER       : Ada
#NPOINTS     : 4
#NCOLUMNS    : 1
#XUNITS      : Energy (EV)
#YUNITS      : Intensity
#DATATYPE    : Y
#XPERCHAN    : 5.0
#OFFSET      : -10.0
#SIGNALTYPE  : EDS
#BEAMKV   -kV: 15.0
#SPECTRUM    : Spectral Data Starts Here
1.0,
2.0,
3.0,
4.0,
#ENDOFDATA   :
"""

SPX = """<?xml version="1.0" encoding="WINDOWS-1252" standalone="yes"?>
<TRTSpectrum><ClassInstance Type="TRTSpectrum" Name="test">
<TRTHeaderedClass>
<ClassInstance Type="TRTSpectrumHardwareHeader"><RealTime>7575</RealTime>
<LifeTime>7385</LifeTime><Amplification>1E4</Amplification><ShapingTime>130000</ShapingTime></ClassInstance>
<ClassInstance Type="TRTDetectorHeader"><Type>XFlash</Type>
<DetLayers>eJyzcUkt8UmsTC0qtrMB0wYKjiX5ubZKhsZK+nY2+ghpACp/Dao=</DetLayers></ClassInstance>
<ClassInstance Type="TRTESMAHeader"><PrimaryEnergy>1.5E1</PrimaryEnergy><ElevationAngle>3.5E1</ElevationAngle>
<AzimutAngle>4.5E1</AzimutAngle></ClassInstance>
</TRTHeaderedClass>
<ClassInstance Type="TRTSpectrumHeader"><Date>2.3.2018</Date><Time>13:53:4</Time><ChannelCount>4</ChannelCount>
<CalibAbs>-2.0E-1</CalibAbs><CalibLin>2.5E-3</CalibLin><SigmaAbs>1</SigmaAbs><SigmaLin>1</SigmaLin></ClassInstance>
<Channels>1,2,3,4</Channels></ClassInstance></TRTSpectrum>
"""


def blo(path, *, cut=0):
    header = bytearray(4096)
    header[:6] = b"IMGBLO"
    struct.pack_into("<HII", header, 6, 0x102, 4096, 4112)
    struct.pack_into("<HHHHHddIHId", header, 20, 4, 0, 2, 3, 2500, 12.8, 12.8, 200000, 6226, 2000, 43831.5)
    header[240:244] = b"note"
    frames = b"".join(b"\xaa\x55" + struct.pack("<I", n) + bytes([n]) * 16 for n in range(6))
    data = bytes(header) + bytes(16) + frames
    path.write_bytes(data[: len(data) - cut])
    return str(path)


def write(path, text):
    path.write_text(text, encoding="ascii")
    return str(path)


def test_msa(tmp_path):
    raw = rosetta.read([write(tmp_path / "a.msa", MSA)])
    (found,) = raw.signals
    assert (raw.format, found.kind, found.shape, found.dtype) == ("emsa-msa", "spectrum", (4,), "float64")
    assert (found.axes[0].scale, found.axes[0].offset, found.axes[0].unit) == (5.0, -10.0, "eV")
    assert raw.tree["vendor"]["0"]["BEAMKV   -kV"] == "15.0"
    assert raw.tree["rosettasciio"]["0"] == {"General": {"title": "oxide"}, "Signal": {"signal_type": "EDS_SEM"}}
    assert raw.reader == "nffa rosetta"
    assert list(pixels.spectrum(found, loaders=LOADERS)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changes", "axis"),
    [
        ({"Spectral Data Starts Here": ""}, (5.0, -10.0, "eV")),  # Bruker's
        ({"#SPECTRUM    : Spectral Data Starts Here": "##SPECTRUM"}, (5.0, -10.0, "eV")),  # Phenom's
        ({"#DATATYPE    : Y\n": ""}, (5.0, -10.0, "eV")),
        ({": Energy (EV)": ": keV", ": 5.0": ": 0.01", ": -10.0": ": -0.2"}, (0.01, -0.2, "keV")),
        ({": 5.0": ": 5.0   eV per channel"}, (5.0, -10.0, "eV")),
        ({": 5.0": ": 5,0", "1.0,": "1,0"}, (5.0, -10.0, "eV")),
        ({"4\n#NCOL": "4.\n#NCOL", "1.0,\n2.0,\n3.0,\n4.0,": "1., 2.,\n3., 4."}, (5.0, -10.0, "eV")),
        ({": Y": ": XY", "1.0,": "-10, 1", "2.0,": "-5, 2", "3.0,": "0 3", "4.0,": "5, 4"}, (5.0, -10.0, "eV")),
        ({": Y": ": XY", "1.0,\n2.0,\n3.0,\n4.0": "-10, 1, -5, 2\n0, 3, 5, 4"}, (5.0, -10.0, "eV")),
        ({": Y\n#XPERCHAN    : 5.0": ": XY", "1.0,": "7, 1", "2.0,": "9, 2", "3.0,": "11, 3", "4.0,": "13, 4"}, (2, 7, "eV")),
        ({"#SIGNALTYPE  : EDS": "#SIGNALTYPE  : EDS\n#TITLE : 2: b"}, (5.0, -10.0, "eV")),
    ],
)  # fmt: skip
def test_msa_as_different_programs_write_it(tmp_path, changes, axis):
    text = MSA
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    raw = rosetta.read([write(tmp_path / "a.msa", text)])
    (found,) = raw.signals
    assert (found.axes[0].scale, found.axes[0].offset, found.axes[0].unit) == axis
    assert list(pixels.spectrum(found, loaders=LOADERS)) == [1, 2, 3, 4]
    assert raw.tree["vendor"]["0"]["TITLE"] == ("oxide 2: b" if ": b" in text else "oxide")
    assert raw.warnings == ()


def test_msa_in_the_western_code_page_and_with_old_line_ends(tmp_path):
    path = tmp_path / "a.msa"
    path.write_bytes(MSA.replace("oxide", "5 µm – \u2026").replace("\n", "\r").encode("cp1252"))
    raw = rosetta.read([str(path)])
    assert raw.tree["vendor"]["0"]["TITLE"] == "5 µm – \u2026"
    assert raw.signals[0].shape == (4,)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"1.0,\n2.0,\n3.0,\n4.0,\n": ""}, "empty"), ({"2.0": "two"}, "corrupt"), ({": Y": ": YY"}, "corrupt")],
)
def test_msa_without_channels_that_can_be_read(tmp_path, changes, code):
    text = MSA
    for old, new in changes.items():
        text = text.replace(old, new)
    with pytest.raises(UnreadableFile) as caught:
        rosetta.read([write(tmp_path / "a.msa", text)])
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["a.msa", "a.txt"])
@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n", b"\xef\xbb\xbf\n"])
def test_msa_with_a_mark_or_a_blank_line_first_and_as_text(tmp_path, name, before):
    title = "oxide, 1 µm" if before.startswith(b"\xef") else "oxide"
    path = tmp_path / name
    whole = before + MSA.replace("oxide", title).encode()
    path.write_bytes(whole)
    raw = rosetta.read([str(path)])
    assert (raw.format, raw.signals[0].shape, raw.warnings) == ("emsa-msa", (4,), ())
    assert raw.tree["vendor"]["0"]["TITLE"] == title
    assert list(pixels.spectrum(raw.signals[0], loaders=LOADERS)) == [1, 2, 3, 4]
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFile, match="missing"):
        rosetta.read([str(path)])


def test_spx(tmp_path):
    raw = rosetta.read([write(tmp_path / "a.spx", SPX)])
    assert raw.tree["vendor"]["0"]["Spectrum"]["Date"] == "2.3.2018"
    assert (raw.signals[0].kind, raw.signals[0].axes[0].unit) == ("spectrum", "keV")
    assert raw.tree["vendor"]["0"]["Name"] == "test"


def test_spx_with_decimal_commas(tmp_path):
    text = SPX.replace(">-2.0E-1<", ">-0,2<").replace(">2.5E-3<", ">2,5E-3<")
    (axis,) = rosetta.read([write(tmp_path / "a.spx", text)]).signals[0].axes
    assert (axis.scale, axis.offset) == (0.0025, -0.2)


def test_blockfile(tmp_path):
    raw = blockfile.read([blo(tmp_path / "a.blo")])
    (found,) = raw.signals
    assert (raw.format, raw.faults, found.kind, found.shape) == ("blockfile", (), "4d-stem", (3, 2, 4, 4))
    assert [(axis.name, axis.unit) for axis in found.axes] == [("y", "nm"), ("x", "nm"), ("ky", "cm"), ("kx", "cm")]
    assert raw.tree["blockfile_header"]["Note"] == "note"
    assert raw.tree["blockfile_header"]["Beam_energy"] == 200000
    whole = pixels.slab(found, (slice(None),) * 4)
    assert whole[:, :, 0, 0].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_a_cut_blockfile_has_a_fault(tmp_path):
    raw = blockfile.read([blo(tmp_path / "a.blo", cut=1)])
    assert [fault.code for fault in raw.faults] == ["truncated"]


@pytest.mark.parametrize(("name", "text"), [("a.msa", MSA), ("a.spx", SPX)])
def test_a_cut_text_is_truncated(tmp_path, name, text):
    with pytest.raises(UnreadableFile) as caught:
        rosetta.read([write(tmp_path / name, text[: len(text) * 2 // 3])])
    assert caught.value.code == "truncated"


def test_a_ripple_header_needs_its_raw_file(tmp_path):
    lines = ["key\tvalue", "width\t4", "height\t3", "depth\t1", "offset\t0", "data-length\t2", "data-type\tunsigned",
             "byte-order\tlittle-endian", "record-by\tdont-care"]  # fmt: skip
    path = write(tmp_path / "a.rpl", "\n".join(lines) + "\n")
    with pytest.raises((UnreadableFile, OSError)):
        rosetta.read([path])
    (tmp_path / "a.raw").write_bytes(bytes(23))
    with pytest.raises((UnreadableFile, ValueError)):
        rosetta.read([path])
    (tmp_path / "a.raw").write_bytes(bytes(24))
    assert rosetta.read([path]).signals[0].shape == (3, 4)


def test_only_listed_formats_are_read(tmp_path):
    for name in ("a.png", "a.hspy", "a.asw", "a"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        with pytest.raises(UnreadableFile):
            rosetta.read([str(tmp_path / name)])
    (tmp_path / "a.bcf").write_bytes(b"no container at all")
    with pytest.raises(UnreadableFile, match="does not start like"):
        rosetta.read([str(tmp_path / "a.bcf")])


def test_every_plugin_exists_and_says_why_it_is_here():
    for plugin in rosetta.PLUGINS:
        assert plugin.why
        assert all(extension.startswith(".") for extension in plugin.extensions)
    assert len({plugin.format for plugin in rosetta.PLUGINS}) == len(rosetta.PLUGINS)


def test_every_extension_of_a_plugin_is_reached_by_identify():
    known = {(each.name, extension) for each in FORMATS if each.family == "rosetta" for extension in each.extensions}
    listed = {(plugin.format, extension) for plugin in rosetta.PLUGINS for extension in plugin.extensions}
    assert listed == known


@pytest.mark.parametrize("compressed", [True, False])
def test_a_surface_and_one_that_is_cut(tmp_path, compressed):
    path = tmp_path / "a.sur"
    axes = [{"name": name, "size": size, "units": "um", "scale": 0.5, "offset": 0.0, "navigate": False}
            for name, size in (("Y", 4), ("X", 5))]  # fmt: skip
    written = {"data": np.arange(20, dtype="int16").reshape(4, 5), "axes": axes, "original_metadata": {}}
    metadata = {"General": {}, "Signal": {}}
    digitalsurf.file_writer(str(path), {**written, "metadata": metadata}, compressed=compressed)
    whole = path.read_bytes()
    assert identify(path.name, whole[:HEAD_BYTES]).format == "rosetta-digitalsurf"
    raw = rosetta.read([str(path)])
    assert (raw.format, raw.signals[0].kind, raw.signals[0].shape) == ("rosetta-digitalsurf", "image", (4, 5))
    assert (raw.signals[0].axes[1].scale, raw.signals[0].axes[1].unit) == (0.5, "um")
    for length in (len(whole) - 1, len(whole) - 9, 400):
        path.write_bytes(whole[:length])
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever RosettaSciIO raises, it is no success
            rosetta.read([str(path)])


def test_nothing_reaches_stdout(tmp_path):
    path = write(tmp_path / "a.msa", MSA)
    code = (
        "import sys, logging\nfrom nffa_cli.extract import rosetta\n"
        "logging.getLogger('rsciio').error('heard')\nlogging.getLogger('rsciio.msa').error('heard')\n"
        f"rosetta.read([{path!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_rosettasciio_says_is_kept_as_warnings(caplog):
    with caplog.at_level(logging.WARNING, "rsciio"), rosetta._quiet() as said:  # corpus tests silence the logger
        logging.getLogger("rsciio.bruker").warning("no calibration in %s", "it")
        warnings.warn("padded", UserWarning, stacklevel=1)
    assert said == ["no calibration in it", "padded"]


# --- signals ---


def described(shape, navigate, *, units=None, signal_type="", dtype="uint8"):
    axes = [
        {"name": f"a{i}", "navigate": nav, "scale": 2.0, "offset": 0.0, "units": units, "size": n}
        for i, (n, nav) in enumerate(zip(shape, navigate, strict=True))
    ]
    return {"data": np.zeros(shape, dtype), "axes": axes, "metadata": {"Signal": {"signal_type": signal_type}}}


@pytest.mark.parametrize(
    ("shape", "navigate", "units", "signal_type", "kind"),
    [
        ((4,), (0,), "keV", "", "spectrum"),
        ((4,), (0,), "nm", "", "profile"),
        ((3, 4), (1, 0), "eV", "EELS", "spectrum-image"),
        ((2, 3, 4), (1, 1, 0), "keV", "EDS_SEM", "spectrum-image"),
        ((3, 4), (0, 0), "nm", "", "image"),
        ((3, 4), (1, 1), "µm", "", "image"),
        ((3, 4), (0, 0), "1/nm", "", "diffraction"),
        ((2, 3, 4), (1, 0, 0), "nm", "", "stack"),
        ((2, 3, 4), (1, 0, 0), "mrad", "", "diffraction-stack"),
        ((2, 3, 4, 4), (1, 1, 0, 0), "", "", "4d-stem"),
    ],
)
def test_kinds(shape, navigate, units, signal_type, kind):
    layout = Layout("a", "rosetta", "")
    assert signal(described(shape, navigate, units=units, signal_type=signal_type), layout).kind == kind


def test_complex_and_colour():
    layout = Layout("a", "rosetta", "")
    assert signal(described((3, 4), (0, 0), dtype="complex64"), layout).kind == "complex"
    colour = signal(described((3, 4), (0, 0), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]), layout)
    assert (colour.shape, colour.dtype, len(colour.axes)) == ((3, 4, 3), "uint8", 3)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.float32(0.5), 0.5),
        (np.int16(-3), -3),
        (np.bool_(True), True),
        (np.bytes_(b"IMGBLO"), "IMGBLO"),
        (np.void(b"\x00\x01"), {"@bytes": "AAE="}),
        (np.array([1, 2], "<u2"), [1, 2]),
        (np.array([np.nan]), [{"@float": "nan"}]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(7), 7),
        ({"a": (1, 2.5)}, {"a": [1, 2.5]}),
        (np.zeros(2 << 20, "u1"), {"@data": {"dtype": "uint8", "shape": [2 << 20]}}),
    ],
)
def test_numpy_values_in_the_tree(value, written):
    assert arrays.plain(value) == written


def test_long_number_arrays_keep_every_bit():
    value = np.linspace(0, 1, 100).reshape(10, 10)
    assert arrays.plain(value)["shape"] == [10, 10]
    assert arrays.plain(value)["@array"] == "<f8"


def test_endless_nesting_is_refused():
    tree: dict = {}
    tree["self"] = tree
    with pytest.raises(ValueError, match="too deeply"):
        arrays.plain(tree)


def test_spx_without_layers_and_amplification(tmp_path):
    bare = re.sub(r"<(DetLayers|Amplification)>.*?</\1>", "", SPX, flags=re.DOTALL)
    bare = bare.replace(
        '<ClassInstance Type="TRTESMAHeader">',
        '<ClassInstance Type="TRTSEMStageData"><X>1.5E3</X></ClassInstance><ClassInstance Type="TRTESMAHeader">',
    )
    raw = rosetta.read([write(tmp_path / "a.spx", bare)])
    (found,) = raw.signals
    tree = raw.tree["vendor"]["0"]
    assert (tree["Analysis"]["PrimaryEnergy"], tree["Stage"]["X"]) == ("1.5E1", "1.5E3")
    assert (found.axes[0].scale, found.axes[0].offset, found.axes[0].unit) == (0.0025, -0.2, "keV")
    assert list(pixels.spectrum(found, loaders=LOADERS)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "text", ["<TRTSpectrum></TRTSpectrum>", SPX.replace("1,2,3,4", "1,x"), SPX.replace("1,2,3,4", "")]
)
def test_spx_without_a_spectrum(tmp_path, text):
    with pytest.raises(UnreadableFile):
        rosetta.read([write(tmp_path / "a.spx", text)])
