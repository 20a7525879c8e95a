"""What becomes of an acquisition, as text that can be read: one small tree of each kind, whole."""

from __future__ import annotations

import pytest
from nxem_cases import ACQUISITIONS, build, outline

GOLDENS = {
    "sem": """
        / NXroot @default=entry1 @creator=nffa @creator_version=1.2 @NeXus_release=v2026.01
        /entry1 NXentry @default=measurement
          definition = NXem @version=v2026.01 @URL=https://github.com/nexusformat/definitions/blob/v2026.01/applications/NXem.nxdl.xml
          start_time = 2024-05-06T09:05:00+02:00
        /entry1/profiling NXcs_profiling
        /entry1/profiling/program1 NXprogram
          program = nffa @version=1.2
        /entry1/note1 NXnote
          type = image/tiff
          file_name = pic.tif
          checksum = 000...
          algorithm = sha256
        /entry1/sample NXsample
          name = W12
          is_simulation = False
          preparation_date = 2024-05-06T08:00:00+02:00
          atom_types = Si, O
          physical_form = nanowires @custom=True
        /entry1/user1 NXuser
          name = Jane
          identifier_orcid = 0000-0002-1825-0097 @type=ORCID
        /entry1/processing_reference_frame NXcoordinate_system
          alias = image
          type = cartesian
          origin = front_top_left
          x = [1.0, 0.0, 0.0] @units=m
          x_direction = east
          y = [0.0, 1.0, 0.0] @units=m
          y_direction = south
          z = [0.0, 0.0, 1.0] @units=m
          z_direction = in
        /entry1/measurement NXem_measurement @default=event1
        /entry1/measurement/instrument NXem_instrument
          location = Trieste
          type = sem
        /entry1/measurement/instrument/fabrication NXfabrication
          vendor = Zeiss
          model = SUPRA 40
          serial_number = 77
        /entry1/measurement/instrument/program1 NXprogram
          program = SmartSEM @version=V06.00
        /entry1/measurement/instrument/ebeam_column NXebeam_column
        /entry1/measurement/instrument/ebeam_column/electron_source NXsource
          emitter_type = Schottky
        /entry1/measurement/instrument/detector1 NXdetector
          name = InLens
        /entry1/measurement/event1 NXem_event_data @default=image1
          start_time = 2024-05-06T09:05:00+02:00
        /entry1/measurement/event1/instrument NXem_instrument
        /entry1/measurement/event1/instrument/ebeam_column NXebeam_column
        /entry1/measurement/event1/instrument/ebeam_column/electron_source NXsource
          voltage = 10000.0 @units=V
        /entry1/measurement/event1/instrument/stage1 NXmanipulator
          tilt1 = 1.5 @units=degree
          tilt2 = 0.0 @units=degree
          rotation = 15.0 @units=degree
          position = [0.01, 0.02, 0.03] @units=m
        /entry1/measurement/event1/instrument/optics NXem_optical_system
          magnification = 20000.0
          working_distance = 0.005 @units=m
        /entry1/measurement/event1/image1 NXimage @default=image_2d
        /entry1/measurement/event1/image1/process NXprocess
          detector_identifier = InLens
        /entry1/measurement/event1/image1/process/input NXnote
          type = image/tiff
          file_name = pic.tif
          checksum = 000...
          algorithm = sha256
          context = signal 1
        /entry1/measurement/event1/image1/image_2d NXdata @signal=real @axes=axis_j,axis_i @axis_j_indices=0 @axis_i_indices=1
          title = pic.tif
          real = signal 0 (4, 6) uint8 @long_name=intensity
          axis_j = 4 from 0.0 by 1e-08 @units=m @long_name=y (m)
          axis_i = 6 from 0.0 by 2e-08 @units=m @long_name=x (m)
        /entry1/measurement/event1/vendor_metadata NXcollection
          format = zeiss-sem-tiff
          reader = nffa tiff
          json = {"EHT": 10.0, "a/b": [1, 2]}
        /entry1/measurement/event1/vendor_metadata/tree NXcollection
          EHT = 10.0
          a_b = [1, 2]
        /entry1/nffa NXcollection
          acquisition = a1
          digest = d1
          key = k1
          plots = [["measurement/event1/image1/image_2d"]]
    """,
    "dm3 with three signals": """
        image1/image_2d NXdata @signal=real @axes=axis_j,axis_i @axis_j_indices=0 @axis_i_indices=1
          title = pic.tif: HAADF
          real = signal 0 (4, 6) uint16 @long_name=intensity
          axis_j = 4 from 0.0 by 1e-09 @units=m @long_name=y (m)
          axis_i = 6 from 0.0 by 1e-09 @units=m @long_name=x (m)
        spectrum1/spectrum_0d NXdata @signal=intensity @axes=axis_energy @axis_energy_indices=0
          title = pic.tif: EELS
          intensity = signal 1 (8,) float32 @long_name=intensity
          axis_energy = 8 from -20.0 by 0.5 @units=eV @long_name=Energy loss (eV)
        image2/image_2d NXdata @signal=real @axes=axis_j,axis_i @axis_j_indices=0 @axis_i_indices=1
          title = pic.tif: SAED
          real = signal 2 (4, 6) int32 @long_name=intensity
          axis_j = 4 from -2.0 by 1000000.0 @units=1/m @long_name=ky (1/m)
          axis_i = 6 from -3.0 by 1000000.0 @units=1/m @long_name=kx (1/m)
    """,
    "spectrum image": """
        spectrum1/spectrum_2d NXdata @signal=intensity @axes=axis_j,axis_i,axis_energy @axis_j_indices=0 @axis_i_indices=1 @axis_energy_indices=2
          title = pic.tif: EELS
          intensity = signal 0 (3, 4, 8) float32 @long_name=intensity
          axis_j = 3 from 0.0 by 1e-09 @units=m @long_name=y (m)
          axis_i = 4 from 0.0 by 1e-09 @units=m @long_name=x (m)
          axis_energy = 8 from 0.0 by 10.0 @units=eV @long_name=Energy (eV)
    """,  # noqa: E501
    "4D-STEM": """
        image1/image_4d NXdata @signal=real @axes=axis_m,axis_k,axis_j,axis_i @axis_m_indices=0 @axis_k_indices=1 @axis_j_indices=2 @axis_i_indices=3
          title = pic.tif
          real = signal 0 (2, 3, 4, 5) uint16 @long_name=intensity
          axis_m = 2 from 0.0 by 1e-09 @units=m @long_name=y (m)
          axis_k = 3 from 0.0 by 1e-09 @units=m @long_name=x (m)
          axis_j = 4 from 0.0 by 1000000.0 @units=1/m @long_name=ky (1/m)
          axis_i = 5 from 0.0 by 1000000.0 @units=1/m @long_name=kx (1/m)
    """,  # noqa: E501
    "colour": """
        image1/image_2d NXdata @signal=real @axes=axis_j,axis_i @axis_j_indices=0 @axis_i_indices=1
          title = pic.tif, red
          real = signal 0 (4, 6) uint8 [:,:,0:1] @long_name=red
          axis_j = 4 from 0.0 by 1.0 @units=px @long_name=y (not calibrated)
          axis_i = 6 from 0.0 by 1.0 @units=px @long_name=x (not calibrated)
        image2/image_2d NXdata @signal=real @axes=axis_j,axis_i @axis_j_indices=0 @axis_i_indices=1
          title = pic.tif, green
          real = signal 0 (4, 6) uint8 [:,:,1:2] @long_name=green
          axis_j = 4 from 0.0 by 1.0 @units=px @long_name=y (not calibrated)
          axis_i = 6 from 0.0 by 1.0 @units=px @long_name=x (not calibrated)
        image3/image_2d NXdata @signal=real @axes=axis_j,axis_i @axis_j_indices=0 @axis_i_indices=1
          title = pic.tif, blue
          real = signal 0 (4, 6) uint8 [:,:,2:3] @long_name=blue
          axis_j = 4 from 0.0 by 1.0 @units=px @long_name=y (not calibrated)
          axis_i = 6 from 0.0 by 1.0 @units=px @long_name=x (not calibrated)
    """,
    "complex": """
        image1/image_2d NXdata @signal=real @axes=axis_j,axis_i @axis_j_indices=0 @axis_i_indices=1
          title = pic.tif: FFT
          real = signal 0 (4, 6) float32 real @long_name=real part
          imag = signal 0 (4, 6) float32 imag @long_name=imaginary part
          axis_j = 4 from 0.0 by 1000000.0 @units=1/m @long_name=y (1/m)
          axis_i = 6 from 0.0 by 1000000.0 @units=1/m @long_name=x (1/m)
    """,
    "stack": """
        image1/stack_2d NXdata @signal=real @axes=indices_image,axis_j,axis_i @indices_image_indices=0 @axis_j_indices=1 @axis_i_indices=2 @position_indices=0
          title = pic.tif
          real = signal 0 (5, 4, 6) uint16 @long_name=intensity
          indices_image = 5 whole @long_name=number along time
          axis_j = 4 from 0.0 by 1e-09 @units=m @long_name=y (m)
          axis_i = 6 from 0.0 by 1e-09 @units=m @long_name=x (m)
          position = 5 from 0.0 by 0.1 @units=s @long_name=time (s)
    """,  # noqa: E501
}


@pytest.mark.parametrize("name", GOLDENS)
def test_tree_is_the_golden_one(name):
    tree = build(ACQUISITIONS[name])
    if name == "sem":
        for left_out in ("record", "terms"):
            del tree["entry1"]["nffa"][left_out]
        found = outline(tree)
    else:
        event = tree["entry1"]["measurement"]["event1"]
        found = "\n".join(
            outline(data, f"{plot}/{data_name}")
            for plot, group in event.items()
            if plot.startswith(("image", "spectrum"))
            for data_name, data in group.items()
            if isinstance(data, dict) and data["@NX_class"] == "NXdata"
        )
    wanted = GOLDENS[name].strip("\n").rstrip().split("\n")
    assert found.split("\n") == [line.removeprefix(" " * 8) for line in wanted]
