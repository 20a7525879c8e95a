"""What a bundle is made of, gathered: the record as it may leave this computer, opinions, files with their digests.

The catalogue is read and nothing is written. A record that an ingest has not brought up to date with sessions, profiles and
crosswalks is made anew here from the vendor's tree, so that what is delivered never lags behind them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from nffa_cli import portal, reading, settings, spectra, vectors
from nffa_cli.catalogue.contents import Content
from nffa_cli.catalogue.opinions import Classification
from nffa_cli.catalogue.outbox import Candidate
from nffa_cli.classify import decide, models, waiting
from nffa_cli.context import Contexts
from nffa_cli.crosswalk import digests, outward, personal
from nffa_cli.delivery import bundle, delivering
from nffa_cli.delivery.delivering import Decision, Knowledge
from nffa_cli.destinations.base import Bundle
from nffa_cli.errors import ModelError
from nffa_cli.records import SPECTRAL, Axis, Quantity, RawMetadata, Record, Remark, Signal


class Gathering:
    """Makes bundles of candidates for one run; every session, profile and crosswalk is read once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._folder = settings.shipped("crosswalks")
        self._shape = outward.load(self._folder / "outward" / "nffa.yaml")
        self._contexts: dict[str, Contexts] = {}
        self._known: dict[str, Mapping[str, Any]] = {}
        self._secret = bytes.fromhex(settings.secret("pseudonym"))
        self._previews = settings.home() / "previews"
        self.stale: dict[str, str] = {}
        """NXem files that were left out, by acquisition, until ``export-nexus`` makes them anew."""

    def context(self, path: str) -> Mapping[str, Any]:
        """Return what is known for the folder of a main file; all sessions above it count, as in an export."""
        folder = os.path.dirname(path)  # noqa: PTH120
        if folder not in self._known:
            anchor = Path(path).anchor
            if anchor not in self._contexts:
                self._contexts[anchor] = Contexts(anchor, settings.home(), self._folder)
            self._known[folder] = self._contexts[anchor].of(folder)
        return self._known[folder]

    def decide(self, candidate: Candidate) -> Decision:
        """Return what is to be done about a candidate now."""
        context, named = self.context(candidate.path)["digest"], self.proposal(candidate.path)
        return delivering.due(candidate, context, self.knowledge, named=named)

    def proposal(self, path: str) -> str | None:
        """Return the proposal that a session names for a main file."""
        named: str | None = (self.context(path)["session"].get("proposal") or {}).get("id")
        return named

    def make(self, candidate: Candidate, decision: Decision, content: Content) -> Bundle | None:
        """Return the bundle of a candidate; None where no proposal is known.

        Parameters
        ----------
        content
            What the catalogue holds of it (``Outbox.contents``).

        Raises
        ------
        OSError
            A file of ours (a preview, an NXem file) is there and cannot be read.
        """
        context = self.context(candidate.path)
        raw = reading.unpack(content.raw)
        up_to_date = (candidate.context, candidate.crosswalk) == (
            context["digest"], self.knowledge.crosswalks.get(raw.format),
        )  # fmt: skip
        record = _record(json.loads(content.record_json)) if up_to_date else reading.normalise(raw, context)[0]
        table, words = reading.tables(raw.format, context)
        policy = reading.policy(raw, context)
        raw, record = personal.apply(raw, record, crosswalk=table, policy=policy, secret=self._secret)
        files = [bundle.LocalFile(each.role, each.path, each.size, each.sha256) for each in content.files]
        spectral = any(each.kind in SPECTRAL for each in record.signals)
        material = bundle.Material(
            acquisition=candidate.id,
            shown=candidate.path.replace(os.sep, "/"),
            digest=candidate.digest,
            record=replace(record, format=raw.format),
            raw=_tree(raw),
            files=[*files, *self._made(candidate, content, policy, spectral=spectral)],
            seen=self._seen(candidate, content, policy),
            made={
                "software": "nffa", "version": content.nffa, "reader": raw.reader,
                "crosswalk": self.knowledge.crosswalks.get(raw.format), "vocabulary": words.sha256,
            },
            embedding=_embedding(content),
        )  # fmt: skip
        return bundle.make(
            material,
            self._shape,
            proposal=decision.proposal,
            experiment=decision.experiment,
            link=self.knowledge.link,
            proposals=self.knowledge.proposals,
        )

    def _made(self, candidate: Candidate, content: Content, policy: str, *, spectral: bool) -> list[bundle.LocalFile]:
        """Return what nffa made of an acquisition and is still there: the newest NXem file of these bytes, preview, spectra.

        An NXem file that was made under another operator policy says more, or less, of persons than it may: it stays here.
        """
        found = []
        for asset in reversed(content.assets):
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
            found.append(_local("preview", path))
        if spectral and (path := self._previews / spectra.place(candidate.digest)).is_file():
            found.append(_local("spectra", path))
        return found

    def _seen(self, candidate: Candidate, content: Content, policy: str) -> dict[str, Any]:
        """Return what persons and the model used last say of a content; not what the destination itself has told."""
        found: dict[str, Any] = {}
        told_by = self.knowledge.told_by
        if labels := [each for each in content.labels if told_by is None or each.origin != told_by]:
            found["persons"] = [
                {
                    "label": each.category, "second": each.second, "at": each.made_at, "how": each.how,
                    "labeller": personal.person(each.labeller, policy=policy, secret=self._secret),
                }
                for each in labels
            ]  # fmt: skip
        if content.newest is not None:
            model, said = content.newest
            found["model"] = {
                "label": said.label, "score": said.score, "decision": said.decision, "at": said.made_at,
                "in_distribution": said.in_distribution, "model": model["name"], "version": model["version"],
                "model_sha256": model["sha256"], **_scores(model, said),
            }  # fmt: skip
            if told_by is not None and candidate.preview is not None:  # where persons answer; it takes milliseconds
                found |= _fingerprint(self._previews / candidate.preview)
        return found


def _scores(model: Mapping[str, Any], said: Classification) -> dict[str, Any]:
    """Return the score of each label, in the model's order, and how undecided it is; nothing where the model is gone."""
    temperature = _temperature(model["sha256"])
    if temperature is None:
        return {}
    chances = decide.softmax([value / temperature for value in said.logits])
    scores = [
        {"label": label, "score": round(chance, 6)} for label, chance in zip(model["labels"], chances, strict=False)
    ]
    return {"scores": scores, "doubt": round(waiting.doubt(chances), 6)}


@cache
def _temperature(sha256: str) -> float | None:
    """Return the temperature of an installed model."""
    for place in models.places():
        if place.sha256 == sha256:
            with suppress(ModelError):
                return models.read(place)[0].temperature
    return None


def _fingerprint(preview: Path) -> dict[str, str]:
    """Return what a preview is known again by, as the terminal takes it; nothing where there is nothing to be seen."""
    from nffa_cli.review import inline

    bits = inline.fingerprint(preview)
    return {} if bits is None else {"fingerprint": f"{bits:032x}"}


def _embedding(content: Content) -> dict[str, str] | None:
    if content.newest is None:
        return None
    model, said = content.newest
    return vectors.written(model["sha256"], said.embedding)


@cache
def _shape_digest(path: Path) -> str:
    return outward.load(path).sha256


def knowledge(*, proposal: str | None = None, experiment: str | None = None, link: bool = False) -> Knowledge:
    """Return what holds for all acquisitions now."""
    folder = settings.shipped("crosswalks")
    shape = _shape_digest(folder / "outward" / "nffa.yaml")
    said = portal.delivered()
    return Knowledge(digests.by_format(folder), f"{bundle.VERSION} {shape}", proposal, experiment, link, said)


def _local(role: str, path: Path) -> bundle.LocalFile:
    return bundle.LocalFile(role, str(path), path.stat().st_size, reading.sha256(str(path)))


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
