"""Velox EMD: the metadata JSON of every data block, and the signals as Velox arranges them.

A part of the ``emd`` reader; gets an open file from it. Layout as found in files of versions 5 to 11:
``Data/<type>/<id>`` holds ``Data`` and ``Metadata``, the latter one JSON text per frame as a column of bytes. Sources:
the files themselves; RosettaSciIO is the oracle of the tests.
"""

from __future__ import annotations

from typing import Any

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import hdf5, velox_samples
from nffa_cli.rawtree import leaves
from nffa_cli.records import Axis, Kind, Layout, RawMetadata, Remark, Signal

_MAX_JSON = 4 << 20
_MAX_SERIES = 64 << 20
_TYPES = ("Image", "Spectrum", "SpectrumStream", "SpectrumImage", "EelsSpectrumImage")
_DERIVED = {
    "SurfaceReconstructionOperation": "DPC reconstruction",
    "MathematicsOperation": "segment difference",
    "DpcOperation": "DPC",
    "IntegrationOperation": "DCFI",
    "FftOperation": "FFT",
}
"""Operation group of Velox → how an image that it made is called."""


def read(file: Any, path: str, end: int) -> RawMetadata:
    """Read an open Velox file."""
    tree = hdf5.Tree(parse_json=True).group(file)
    faults: list[Remark] = []
    blocks = {kind: _blocks(file, kind, tree, faults) for kind in _TYPES}
    signals = [
        *_spectra(blocks["Spectrum"], path),
        *_images(blocks["Image"], path, tree, with_spectra=bool(blocks["SpectrumImage"])),
        *_spectrum_image(blocks, path),
        *_eels(blocks, path),
    ]
    if not signals:
        raise UnreadableFile("no image and no spectrum in the file", code="empty", where=path)
    return RawMetadata(
        format="velox-emd",
        tree=tree,
        signals=tuple(signals),
        anchors=_anchors(blocks),
        needs=end,
        faults=tuple(faults),
        reader="nffa velox",
    )


class _Block:
    """One member of ``Data/<type>``: its dataset and the metadata of its first frame."""

    def __init__(self, kind: str, name: str, group: Any, metadata: dict[str, Any]) -> None:
        self.path = f"Data.{kind}.{name}"
        self.name = name
        self.group = group
        self.data = hdf5.child(group, "Data")
        self.metadata = metadata

    def words(self, *path: str) -> Any:
        """Return a value of the metadata, or None."""
        found: Any = self.metadata
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def number(self, *path: str) -> float | None:
        """Return a finite number of the metadata, or None."""
        try:
            value = float(self.words(*path))
        except (TypeError, ValueError):
            return None
        return value if abs(value) < float("inf") else None

    def detector_key(self) -> str | None:
        """Return the key of the detector that made this block among ``Detectors`` (None when it does not say)."""
        index, name = self.words("BinaryResult", "DetectorIndex"), self.words("BinaryResult", "Detector")
        entries = self.words("Detectors")
        if not isinstance(entries, dict):
            return None
        if index not in (None, "") and isinstance(entries.get(f"Detector-{index}"), dict):
            return f"Detector-{index}"
        named = (key for key, entry in entries.items() if isinstance(entry, dict) and name)
        return next((key for key in named if str(name) in str(entries[key].get("DetectorName"))), None)

    def detector(self) -> dict[str, Any]:
        """Return the entry of the detector that made this block ({} when it does not say)."""
        key = self.detector_key()
        return self.metadata["Detectors"][key] if key else {}

    def detector_name(self) -> str | None:
        """Return the name of the detector that made this block."""
        return self.words("BinaryResult", "Detector") or self.detector().get("DetectorName") or None


def _blocks(file: Any, kind: str, tree: dict[str, Any], faults: list[Remark]) -> list[_Block]:
    found = []
    for name, group in hdf5.groups(hdf5.at(file, "Data", kind)):
        metadata, changes = _metadata(hdf5.child(group, "Metadata"))
        block = _Block(kind, name, group, metadata)
        written = tree["Data"][kind][name]
        if not isinstance(written, dict):
            continue
        if metadata:
            written["Metadata"] = metadata
        elif "Metadata" in written:
            faults.append(Remark("corrupt", f"{block.path}.Metadata is no JSON"))
        if changes:
            written["MetadataChanges"] = changes
        if not hdf5.is_dataset(block.data):
            faults.append(Remark("corrupt", f"{block.path} holds no data of its own"))
            continue
        found.append(block)
    return found


def _metadata(dataset: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON of the first frame, and by frame number what later ones say differently (path → value).

    Of a series beyond ``_MAX_SERIES`` bytes of JSON only the last frame is compared.
    """
    if not hdf5.is_dataset(dataset) or dataset.ndim != 2 or dataset.dtype != "u1":
        return {}, {}
    length, frames = dataset.shape
    if not (0 < length <= _MAX_JSON and frames > 0):
        return {}, {}

    def parsed(frame: int) -> dict[str, Any]:
        found = hdf5.json_of(bytes(dataset[:, frame]).split(b"\0", 1)[0])
        return found if isinstance(found, dict) else {}

    first = parsed(0)
    said = dict(leaves(first))
    later = range(1, frames) if length * frames <= _MAX_SERIES else range(frames - 1, frames)
    changes = {}
    for frame in later:
        now = dict(leaves(parsed(frame)))
        differs = {path: value for path, value in now.items() if path not in said or said[path] != value}
        gone = [path for path in said if path not in now]
        if now and (differs or gone):
            changes[str(frame)] = {**differs, "@absent": gone} if gone else differs
    return first, changes


def _anchors(blocks: dict[str, list[_Block]]) -> dict[str, str]:
    """Name the metadata that speaks for the file: of the first image that a detector made, else of what there is."""
    ordered = [block for kind in _TYPES for block in blocks[kind] if block.metadata]
    if not ordered:
        return {}
    chosen = next((block for block in ordered if block.detector()), ordered[0])
    anchors = {"metadata": f"{chosen.path}.Metadata"}
    if key := chosen.detector_key():
        anchors["detector"] = f"{chosen.path}.Metadata.Detectors.{key}"
    counting = (block for kind in ("Spectrum", "SpectrumStream") for block in blocks[kind])
    if (block := next((block for block in counting if block.detector()), None)) is not None:
        anchors["spectrometer"] = f"{block.path}.Metadata.Detectors.{block.detector_key()}"
    return anchors


# --- axes ---


def _plane(block: _Block, height: int, width: int) -> tuple[Axis, Axis]:
    unit = block.words("BinaryResult", "PixelUnitX") or None
    return (
        _axis(block, "y", height, "height", unit),
        _axis(block, "x", width, "width", unit),
    )


def _axis(block: _Block, name: str, size: int, side: str, unit: str | None) -> Axis:
    scale = block.number("BinaryResult", "PixelSize", side)
    if not unit or not scale:
        return Axis(name, size)
    return Axis(name, size, scale, block.number("BinaryResult", "Offset", name) or 0.0, unit)


def _energy(block: _Block, size: int) -> Axis:
    """Dispersion and offset of an EDS detector are in eV."""
    entry = block.detector()
    try:
        return Axis("energy", size, float(entry["Dispersion"]), float(entry["OffsetEnergy"]), "eV")
    except (KeyError, TypeError, ValueError):
        return Axis("energy", size)


# --- signals, in RosettaSciIO's order: spectra, images, the spectrum image ---


def _spectra(blocks: list[_Block], path: str) -> list[Signal]:
    found = []
    for block in blocks:
        shape = block.data.shape
        if len(shape) != 2 or block.data.dtype.kind not in "iuf":
            continue
        channels, count = int(shape[0]), int(shape[1])
        axes = (_energy(block, channels),) if count == 1 else (Axis("spectrum", count), _energy(block, channels))
        layout = velox_samples.layout(block.data, path, count, block.data.dtype.str)
        kind: Kind = "spectrum" if count == 1 else "spectrum-image"
        sizes = tuple(axis.size for axis in axes)
        found.append(Signal(block.detector_name(), kind, sizes, block.data.dtype.name, axes, layout))
    return found


def _images(blocks: list[_Block], path: str, tree: dict[str, Any], *, with_spectra: bool) -> list[Signal]:
    """Images are stored (y, x, frame). Beside a spectrum image only the first frame counts, as in RosettaSciIO."""
    found = []
    for block in blocks:
        data = block.data
        complex_ = data.dtype.names is not None and len(data.dtype.names) == 2
        if data.ndim != 3 or not (data.dtype.kind in "iufc" or complex_):
            continue
        height, width, frames = (int(n) for n in data.shape)
        shown = 1 if with_spectra else frames
        axes: tuple[Axis, ...] = _plane(block, height, width)
        if shown > 1:
            axes = (_frames(block, shown), *axes)
        kind: Kind = "complex" if complex_ else "stack" if shown > 1 else "image"
        if kind != "complex" and (axes[-1].unit or "").startswith("1/"):
            kind = "diffraction-stack" if shown > 1 else "diffraction"
        dtype = "complex64" if complex_ else data.dtype.name
        layout = velox_samples.layout(data, path, shown, "<c8" if complex_ else data.dtype.str)
        name = _image_name(block, tree)
        found.append(Signal(name, kind, tuple(axis.size for axis in axes), dtype, axes, layout))
    return found


def _frames(block: _Block, count: int) -> Axis:
    """Return the axis of scanned frames; when a camera took its own is not said: a frame lasts longer than its exposure."""
    unit, kind = block.words("BinaryResult", "AcquisitionUnit"), block.detector().get("DetectorType")
    camera = unit == "CameraImage" or kind == "ImagingDetector"
    step = None if camera else block.number("Scan", "FrameTime")
    return Axis("time", count, step, 0.0, "s") if step and step > 0 else Axis("frame", count)


def _image_name(block: _Block, tree: dict[str, Any]) -> str | None:
    """Return the detector's name; of a computed image the operation that made it or the label of its display."""
    operations = tree.get("Operations")
    for group, name in _DERIVED.items():
        made = operations.get(group, {}) if isinstance(operations, dict) else {}
        if isinstance(made, dict) and any(_points_to(value, block.name) for value in made.values()):
            return name
    if block.words("BinaryResult", "DetectorIndex") in (None, "") and (label := _label(block, tree)):
        return label
    return block.detector_name() or _label(block, tree)


def _points_to(operation: Any, name: str) -> bool:
    if not isinstance(operation, dict):
        return False
    return any(str(key).endswith(("ataPath", "utputPath")) and name in str(value) for key, value in operation.items())


def _label(block: _Block, tree: dict[str, Any]) -> str | None:
    """Look for the display that shows this block: version 11 keeps displays apart from what they refer to."""
    shared = (tree.get("SharedProperties") or {}).get("ImageSeriesDataReference") or {}
    references = {key: value.get("dataPath") for key, value in shared.items() if isinstance(value, dict)}
    for display in ((tree.get("Displays") or {}).get("ImageDisplay") or {}).values():
        if isinstance(display, dict) and block.name in str(references.get(str(display.get("data")).rsplit("/", 1)[-1])):
            return display.get("title") or display.get("id")
    old = ((tree.get("Presentation") or {}).get("Displays") or {}).get("ImageDisplay") or {}
    for display in old.values():
        if isinstance(display, dict) and block.name in str(display.get("dataPath")):
            return (display.get("display") or {}).get("label")
    return None


def _spectrum_image(blocks: dict[str, list[_Block]], path: str) -> list[Signal]:
    """All EDS streams of a map are one signal: Velox shows their sum."""
    streams = [block for block in blocks["SpectrumStream"] if block.data.dtype == "<u2" and block.data.ndim == 2]
    if not streams:
        return []
    first = streams[0]
    settings = hdf5.json_of(hdf5.text_of(hdf5.child(first.group, "AcquisitionSettings")))
    settings = settings if isinstance(settings, dict) else {}
    plane = _scanned(first, settings, blocks["Image"])
    try:
        channels = int(settings.get("bincount", 4096))
    except (TypeError, ValueError):
        channels = 0
    if plane is None or not 0 < channels < 1 << 16:
        return []
    height, width = plane
    names = sorted({name for block in streams if (name := block.detector_name())})
    axes = (*_plane(first, height, width), _energy(first, channels))
    detail = {"streams": [block.data.name for block in streams]}
    layout = Layout(path, "rosetta", "<u2", stored=(height, width, channels), detail=detail)
    return [Signal(" + ".join(names) or None, "spectrum-image", (height, width, channels), "uint16", axes, layout)]


def _scanned(block: _Block, settings: dict[str, Any], images: list[_Block]) -> tuple[int, int] | None:
    """Return (height, width) of the scanned area: the size of an image made with it, which must agree to a pixel."""
    shapes = [(int(image.data.shape[0]), int(image.data.shape[1])) for image in images if image.data.ndim == 3]
    raster = settings.get("RasterScanDefinition")
    area = [block.number("Scan", "ScanArea", side) for side in ("top", "bottom", "left", "right")]
    try:
        full_height, full_width = float(raster["Height"]), float(raster["Width"])  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return shapes[0] if shapes else None
    top, bottom, left, right = (0.0, 1.0, 0.0, 1.0) if None in area else tuple(side or 0.0 for side in area)
    wanted = (round((bottom - top) * full_height), round((right - left) * full_width))
    close = (shape for shape in shapes if abs(shape[0] - wanted[0]) <= 1 and abs(shape[1] - wanted[1]) <= 1)
    chosen = next(close, wanted)
    return chosen if all(0 < n <= 1 << 16 for n in chosen) else None


def _eels(blocks: dict[str, list[_Block]], path: str) -> list[Signal]:
    """EELS maps are stored (x, energy, y). Their pixels are those of the images that the same detector made with them."""
    found = []
    for block in blocks["EelsSpectrumImage"]:
        data = block.data
        if data.ndim != 3 or data.dtype.kind not in "iuf":
            continue
        width, channels, height = (int(n) for n in data.shape)
        alike = [
            _plane(image, height, width)
            for image in blocks["Image"]
            if image.data.shape[:2] == (height, width) and image.detector_name() == block.detector_name()
        ]
        plane = alike[0] if alike and alike.count(alike[0]) == len(alike) else (Axis("y", height), Axis("x", width))
        axes = (*plane, _energy_loss(block, channels))
        layout = Layout(path, "hdf5", data.dtype.str, stored=data.shape, order=(2, 0, 1), detail={"dataset": data.name})
        name, shape = block.detector_name(), (height, width, channels)
        found.append(Signal(name, "spectrum-image", shape, data.dtype.name, axes, layout))
    return found


def _energy_loss(block: _Block, size: int) -> Axis:
    """Each line of a map tells dispersion and offset, in eV; used if the first and the last agree."""
    told = hdf5.child(block.group, "AcquisitionMetadata")
    if not hdf5.is_dataset(told) or told.ndim != 2 or told.dtype != "u1" or not 0 < told.shape[0] <= _MAX_JSON:
        return Axis("energy", size)
    scales = set()
    for line in {0, told.shape[1] - 1}:
        words = hdf5.json_of(bytes(told[:, line]).split(b"\0", 1)[0]) if told.shape[1] else None
        entry = words.get("Data") if isinstance(words, dict) else None
        try:
            scales.add((float(entry["dispersion"]), float(entry["offset"])))  # type: ignore[index]
        except (KeyError, TypeError, ValueError):
            return Axis("energy", size)
    step, first = scales.pop()
    return Axis("energy", size) if scales or not step > 0 else Axis("energy", size, step, first, "eV")
