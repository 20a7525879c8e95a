"""What ``nffa report`` costs: pictures already ingested, against making their previews, in the same run; and the page's size.

Making the previews is a loop that opens each file, finds its samples and draws, as an ingest does, in one process whose start
counts, too; it hashes nothing and keeps no catalogue.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import files, measure
from tests.benchmarks.ingest import ingest
from tests.benchmarks.measure import Run
from tests.benchmarks.scale import Scale

PREVIEWS = """
import os, sys
from nffa_cli import extract, identify, preview
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            head = file.read(identify.HEAD_BYTES)
        raw = extract.read([path], identify.identify(name, head).family)
        assert preview.render(raw.signals, os.path.join(sys.argv[2], name + ".jpg"))
"""


def command(folder: Path, scale: Scale) -> None:
    """Report on so many pictures, in turn with the loop."""
    root, home, page, drawn = folder / "pictures", folder / "home", folder / "report.html", folder / "previews"
    drawn.mkdir()
    paths = files.many(root, scale.reported)
    ingest(root, home)

    def ours() -> Run:
        return measure.run(measure.nffa("report", root, "-o", page), home=home)

    def floor() -> Run:
        return measure.run(measure.python(PREVIEWS, root, drawn))

    found = measure.pairs(ours, floor, max(1, scale.rounds // 2 + 1))
    detail = measure.milliseconds("per picture", [a.wall / len(paths) for a, _ in found])
    detail += measure.milliseconds("; its preview", [b.wall / len(paths) for _, b in found])
    measure.show("report / making the previews", [a.wall / b.wall for a, b in found], "<= 1.5", detail)
    measure.show("report / making the previews, CPU", [a.cpu / b.cpu for a, b in found], "<= 1.5")
    size = page.stat().st_size / len(paths) / 1e3
    measure.show("report, its file per picture", [size], "<= 15", f"{len(paths)} pictures", unit="kB")
