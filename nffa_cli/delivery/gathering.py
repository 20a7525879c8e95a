"""What a bundle is made of, gathered: the record as it may leave this computer, opinions, files with their digests.

The catalogue is read and nothing is written. A record that an ingest has not brought up to date with sessions, profiles and
crosswalks is made anew here from the vendor's tree, so that what is delivered never lags behind them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from nffa_cli import portal, reading, settings
from nffa_cli.catalogue.outbox import Candidate
from nffa_cli.catalogue.store import Store
from nffa_cli.context import Contexts
from nffa_cli.crosswalk import digests, outward, personal
from nffa_cli.delivery import bundle, delivering
from nffa_cli.delivery.delivering import Decision, Knowledge
from nffa_cli.destinations.base import Bundle
from nffa_cli.records import Axis, Quantity, RawMetadata, Record, Remark, Signal


class Gathering:
    """Makes bundles of candidates for one run; every session, profile and crosswalk is read once."""

    def __init__(self, store: Store, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._store = store
        self._folder = settings.shipped("crosswalks")
        self._shape = outward.load(self._folder / "outward" / "nffa.yaml")
        self._contexts: dict[str, Contexts] = {}
        self._secret = bytes.fromhex(settings.secret("pseudonym"))
        self._previews = settings.home() / "previews"
        self.stale: dict[str, str] = {}
        """NXem files that were left out, by acquisition, until ``export-nexus`` makes them anew."""

    def context(self, path: str) -> Mapping[str, Any]:
        """Return what is known for the folder of a main file; all sessions above it count, as in an export."""
        anchor = Path(path).anchor
        if anchor not in self._contexts:
            self._contexts[anchor] = Contexts(anchor, settings.home(), self._folder)
        return self._contexts[anchor].of(os.path.dirname(path))  # noqa: PTH120

    def decide(self, candidate: Candidate) -> Decision:
        """Return what is to be done about a candidate now."""
        context, named = self.context(candidate.path)["digest"], self.proposal(candidate.path)
        return delivering.due(candidate, context, self.knowledge, named=named)

    def proposal(self, path: str) -> str | None:
        """Return the proposal that a session names for a main file."""
        named: str | None = (self.context(path)["session"].get("proposal") or {}).get("id")
        return named

    def make(self, candidate: Candidate, decision: Decision) -> Bundle | None:
        """Return the bundle of a candidate; None where no proposal is known.

        Raises
        ------
        OSError
            A file of ours (a preview, an NXem file) is there and cannot be read.
        """
        context = self.context(candidate.path)
        shown = self._store.show(candidate.id)
        current = next(each for each in shown.versions if each.current)
        raw = reading.unpack(self._store.raw(candidate.id))
        up_to_date = (candidate.context, candidate.crosswalk) == (
            context["digest"], self.knowledge.crosswalks.get(raw.format),
        )  # fmt: skip
        record = _record(shown.entry.record) if up_to_date else reading.normalise(raw, context)[0]
        table, words = reading.tables(raw.format, context)
        policy = reading.policy(raw, context)
        raw, record = personal.apply(raw, record, crosswalk=table, policy=policy, secret=self._secret)
        files = [bundle.LocalFile(each.role, each.path, each.size, each.sha256) for each in current.files]
        material = bundle.Material(
            acquisition=candidate.id,
            shown=candidate.path.replace(os.sep, "/"),
            digest=candidate.digest,
            record=replace(record, format=raw.format),
            raw=_tree(raw),
            files=[*files, *self._made(candidate, policy)],
            seen=self._seen(candidate.main_sha256, policy),
            made={
                "software": "nffa", "version": current.provenance.nffa, "reader": raw.reader,
                "crosswalk": self.knowledge.crosswalks.get(raw.format), "vocabulary": words.sha256,
            },
        )  # fmt: skip
        return bundle.make(
            material,
            self._shape,
            proposal=decision.proposal,
            experiment=decision.experiment,
            link=self.knowledge.link,
            proposals=self.knowledge.proposals,
        )

    def _made(self, candidate: Candidate, policy: str) -> list[bundle.LocalFile]:
        """Return what nffa made of an acquisition and is still there: the newest NXem file of these bytes, the preview.

        An NXem file that was made under another operator policy says more, or less, of persons than it may: it stays here.
        """
        found = []
        for asset in reversed(self._store.assets(candidate.id)):
            if (
                asset.kind == "nxem"
                and asset.source == candidate.stamp
                and _is_as(asset.path, asset.size, asset.mtime_ns)
            ):
                if asset.policy != policy:
                    self.stale[candidate.id] = f"{asset.path} (made under the operator policy {asset.policy})"
                    break
                found.append(bundle.LocalFile("nxem", asset.path, asset.size, reading.sha256(asset.path)))
                break
        if candidate.preview is not None and (path := self._previews / candidate.preview).is_file():
            found.append(bundle.LocalFile("preview", str(path), path.stat().st_size, reading.sha256(str(path))))
        return found

    def _seen(self, sha256: str, policy: str) -> dict[str, Any]:
        """Return what persons and the newest model say of a content."""
        found: dict[str, Any] = {}
        if labels := self._store.opinions.labels(sha256):
            found["persons"] = [
                {
                    "label": each.category, "second": each.second, "at": each.made_at, "how": each.how,
                    "labeller": personal.person(each.labeller, policy=policy, secret=self._secret),
                }
                for each in labels
            ]  # fmt: skip
        if newest := self._store.opinions.newest(sha256):
            model, said = newest
            found["model"] = {
                "label": said.label, "score": said.score, "decision": said.decision, "at": said.made_at,
                "in_distribution": said.in_distribution, "model": model["name"], "version": model["version"],
                "model_sha256": model["sha256"],
            }  # fmt: skip
        return found


@cache
def _shape_digest(path: Path) -> str:
    return outward.load(path).sha256


def knowledge(*, proposal: str | None = None, experiment: str | None = None, link: bool = False) -> Knowledge:
    """Return what holds for all acquisitions now."""
    folder = settings.shipped("crosswalks")
    shape = _shape_digest(folder / "outward" / "nffa.yaml")
    said = portal.delivered()
    return Knowledge(digests.by_format(folder), f"{bundle.VERSION} {shape}", proposal, experiment, link, said)


def _is_as(path: str, size: int, mtime_ns: int) -> bool:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (size, mtime_ns)


def _tree(raw: RawMetadata) -> bytes:
    return json.dumps(reading.as_json(raw), allow_nan=False, separators=(",", ":")).encode("ascii")


def _record(found: Mapping[str, Any]) -> Record:
    """Return a record that the catalogue keeps as JSON."""
    terms = {}
    for name, each in found["terms"].items():
        extra = {key: value for key, value in each.items() if key not in ("value", "unit", "source", "raw")}
        terms[name] = Quantity(each["value"], each["unit"], each["source"], each["raw"], extra)
    signals = tuple(
        Signal(each["name"], each["kind"], tuple(each["shape"]), each["dtype"],
               tuple(Axis(**axis) for axis in each["axes"]))
        for each in found["signals"]
    )  # fmt: skip
    warnings = tuple(Remark(**each) for each in found["warnings"])
    return Record(found["format"], terms, signals, tuple(found["missing"]), found["unmapped"], warnings)
