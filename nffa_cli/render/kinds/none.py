"""None of the ten: what also lies in the folders of a microscope, and is no picture of the ten categories.

Rule: the bulk of a material seen on a section or a fracture (alloys, steel, welds, ceramics, rock, teeth); pictures of
other methods (TEM, diffraction, light, scanning probes, maps of elements and orientations); pages (plots, screenshots,
drawings, photographs); and empty, blurred or failed pictures. A thin film on top is a film; grains that lie loose are
powder; a pattern that someone made is a pattern: those are not drawn here.
"""

from __future__ import annotations

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import apparatus, bulk, etched, fractures, methods, pages, steels

KINDS = kinds(
    # Sections and etched surfaces of bulk materials
    ("etched grains", bulk.etched_grains, (20e-6, 800e-6)),
    ("grains by channelling", bulk.channelling, (10e-6, 500e-6)),
    ("twins", bulk.twins, (20e-6, 500e-6)),
    ("pearlite", bulk.pearlite, (5e-6, 80e-6)),
    ("martensite", bulk.martensite, (5e-6, 150e-6)),
    ("carbides in steel", bulk.carbides, (5e-6, 60e-6)),
    ("dendrites", bulk.dendrites, (30e-6, 1.5e-3)),
    ("eutectic", bulk.eutectic, (5e-6, 100e-6)),
    ("lamellae", bulk.lamellae, (2e-6, 40e-6)),
    ("precipitates", bulk.precipitates, (0.5e-6, 20e-6)),
    ("polished with inclusions", bulk.inclusions, (30e-6, 2e-3)),
    ("scratched metal", bulk.scratched, (50e-6, 3e-3)),
    ("weld", bulk.weld, (200e-6, 10e-3)),
    ("layers in section", bulk.layers, (1e-6, 300e-6)),
    ("solder joint in section", bulk.joint, (50e-6, 2e-3)),
    ("concrete or rock", bulk.rock, (100e-6, 10e-3)),
    ("tooth or bone, polished", bulk.tubules, (20e-6, 500e-6)),
    ("indents", bulk.indents, (10e-6, 500e-6)),
    # Etched steels and cast alloys, close up
    ("spheroidite", steels.spheroidite, (5e-6, 80e-6)),
    ("proud carbides", etched.proud_carbides, (3e-6, 60e-6)),
    ("carbide clusters", etched.carbide_clusters, (3e-6, 80e-6)),
    ("fine carbides", etched.fine_carbides, (10e-6, 200e-6)),
    ("breaking pearlite", etched.breaking_pearlite, (3e-6, 60e-6)),
    ("columns of a cast alloy", etched.cast_columns, (3e-6, 300e-6)),
    ("two constituents", etched.two_constituents, (5e-6, 150e-6)),
    ("solidified cells", etched.solidified_cells, (3e-6, 200e-6)),
    ("rosettes of a cast alloy", etched.rosettes, (20e-6, 2e-3)),
    ("carbide network", steels.network, (10e-6, 200e-6)),
    ("Widmanstaetten", etched.plates, (10e-6, 500e-6)),
    ("cast iron", steels.cast_iron, (30e-6, 1e-3)),
    ("alloy in relief", steels.relief, (5e-6, 200e-6)),
    ("sintered, polished", steels.sintered, (10e-6, 800e-6)),
    # Broken
    ("dimples", fractures.dimples, (10e-6, 300e-6)),
    ("cleavage", fractures.cleavage, (10e-6, 500e-6)),
    ("intergranular", fractures.intergranular, (20e-6, 600e-6)),
    ("fatigue striations", fractures.striations, (5e-6, 200e-6)),
    ("broken rock or soil", fractures.broken, (50e-6, 5e-3)),
    ("corrosion", fractures.corrosion, (50e-6, 2e-3)),
    # Other methods
    ("bright field TEM", methods.bright_field, (20e-9, 2e-6)),
    ("lattice fringes", methods.fringes, (5e-9, 40e-9)),
    ("HAADF columns", methods.columns, (3e-9, 20e-9)),
    ("TEM particles", methods.dark_blobs, (20e-9, 1e-6)),
    ("diffraction spots", methods.spots, (1e-9, 1e-6)),
    ("diffraction rings", methods.rings, (1e-9, 1e-6)),
    ("Kikuchi pattern", methods.kikuchi, (1e-9, 1e-6)),
    ("light micrograph", methods.light, (100e-6, 5e-3)),
    ("scanning probe", methods.probe, (50e-9, 50e-6)),
    ("element map", methods.element_map, (5e-6, 1e-3)),
    ("orientation map", methods.orientation_map, (10e-6, 1e-3)),
    # Pages and failures
    ("plot", pages.plot, (1e-6, 1e-3)),
    ("spectrum", pages.spectrum, (1e-6, 1e-3)),
    ("page of text", pages.text, (1e-6, 1e-3)),
    ("map", pages.chart, (1e-6, 1e-3)),
    ("screenshot", pages.screenshot, (1e-6, 1e-3)),
    ("drawing", pages.drawing, (1e-6, 1e-3)),
    ("photograph", pages.photograph, (1e-3, 1.0)),
    ("sample on its stub", pages.stub, (2e-3, 30e-3)),
    ("calibration target", pages.target, (10e-6, 5e-3)),
    ("montage", pages.montage, (1e-6, 1e-3)),
    *apparatus.ROWS,
    ("empty", pages.empty, (0.1e-6, 1e-3)),
    ("black, white or noise", pages.failed, (0.1e-6, 1e-3)),
    ("out of focus", pages.blurred, (0.1e-6, 1e-3)),
)
