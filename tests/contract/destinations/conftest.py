"""Every kind of destination, really there: a folder, a node in a process of its own, and a WebDAV server."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from nffa_cli import secrets
from nffa_cli.destinations import access, registry
from nffa_cli.destinations.base import AssetFile, Bundle, Delivery
from nffa_cli.destinations.pace import Pace
from nffa_cli.destinations.patience import Patience
from tests.soak_sync import Node

PATIENCE = 10
"""Seconds until a server without an answer counts as away; no test waits for longer than it must."""
CUT = 2
"""The same where the test itself breaks the transfer off and nothing ever comes of trying again."""


class Notes(dict):
    """A journal that only remembers."""

    def note(self, sha256, token):
        self[sha256] = token

    def forget(self, sha256):
        self.pop(sha256, None)


@dataclass
class There:
    """One destination of a kind; ``open`` opens it anew, as the next run would."""

    kind: str
    address: str
    scratch: Path
    proves: str = "digest"
    """What a check of whole files finds at best; a WebDAV server computes no digests."""
    journal: Notes = field(default_factory=Notes)
    made: int = 0

    def open(self, pace=None):
        options = {} if self.kind == "folder" else {"patience": CUT if pace else PATIENCE}
        place = replace(registry.of_address(self.address), kind=self.kind, options=options, pace=pace or Pace())
        return registry.make(place)

    def deliver(self, *deliveries, pace=None):
        return list(self.open(pace).deliver(deliveries, self.journal))

    def proof(self, receipt):
        ((_, found),) = self.open().verify([("key", receipt)])
        return found.proof

    def asset(self, name, data=b"pixels", role="main", *, content=False, **fields):
        """A file on this computer, or bytes in memory, as an asset."""
        self.made += 1
        path = self.scratch / f"{self.made}"
        path.write_bytes(data)
        kind = {"preview": "preview", "raw-metadata": "metadata", "nxem": "nexus"}.get(role, "raw")
        return AssetFile(
            role, name, name, None if content else path, data if content else None, len(data),
            hashlib.sha256(data).hexdigest(), "application/octet-stream", kind, {"accessMode": "managed", **fields},
        )  # fmt: skip

    def bundle(self, *assets, word="alpha", key=None, experiment="Growth", **measurement):
        """A bundle with a key of its own, in a proposal of its own test."""
        self.made += 1
        key = key or "sha256:" + hashlib.sha256(f"{self.scratch} {self.made}".encode()).hexdigest()
        assets = assets or (self.asset("a.tif", f"pixels of {key}".encode()),)
        proposal = hashlib.sha256(str(self.scratch).encode()).hexdigest()[:10]
        said = {
            "measurementName": f"{word}.tif", "kind": "measurement", "format": "zeiss-sem-tiff", "technique": "SEM",
            "externalIds": [{"scheme": "nffa", "value": key}], "provenance": {"software": "nffa"},
            "settings": {"beam.accelerating_voltage": {"value": 1e4, "unit": "V", "source": "x"}}, **measurement,
        }  # fmt: skip
        told = repr((key, proposal, experiment, said, [(a.relative_path, a.sha256, dict(a.fields)) for a in assets]))
        return Bundle(
            key, key[-16:], f"/data/{word}.tif", {"proposalId": proposal}, {"experimentName": experiment}, said,
            {"nffa-record": {"terms": {}}}, tuple(assets), hashlib.sha256(told.encode()).hexdigest(),
        )  # fmt: skip

    def one(self, bundle, known=None):
        """Deliver one bundle and return its result, which must be good."""
        (result,) = self.deliver(Delivery(bundle, known))
        assert result.status in ("done", "unchanged"), result
        return result

    def found(self, word):
        """What is there by a word that only one test uses."""
        return list(self.open().find(word, 100))


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """A node that answers, and the token of an instrument PC."""
    running = Node(tmp_path_factory.mktemp("node"))
    running.start()
    yield running, running.token("depositor")
    running.stop()


@pytest.fixture(params=["folder", "idrp", "webdav"])
def there(request, tmp_path, monkeypatch):
    """A destination of each kind, as ``There``."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(access, "Patience", partial(Patience, first=0.01, cap=0.1))  # as many tries, shorter pauses
    if request.param == "folder":
        yield There("folder", str(tmp_path / "disk"), scratch)
        return
    monkeypatch.setattr(secrets, "_first", {})  # each server is a run of its own
    if request.param == "webdav":
        from tests.wire.test_webdav import serving

        monkeypatch.setenv("NFFA_TOKEN", "ada:pw")
        (tmp_path / "disk").mkdir()
        with serving(tmp_path / "disk") as url:
            yield There("webdav", url, scratch, "size-only")
        return
    running, token = request.getfixturevalue("node")
    monkeypatch.setenv("NFFA_TOKEN", token)
    yield There("idrp", running.url, scratch)
