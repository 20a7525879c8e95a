"""The bytes that an ingest needs, on their way to a node: small files together in packs, others alone, large ones by tus.

Each is proved there by its digest before it counts. A file that changed or cannot be read is taken down and holds up no other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nffa_cli.destinations import sources, tus
from nffa_cli.destinations.answers import Rejected, clean
from nffa_cli.destinations.base import AssetFile, Delivery, Journal
from nffa_cli.destinations.http import Connection
from nffa_cli.errors import Refused

SMALL = 1 << 20
"""Files up to this size travel together in packs,"""
PACK = 16 << 20
"""of about so many bytes."""
SINGLE = 16 << 20
"""Files up to this size travel in one request each; larger ones by tus."""
FRAME = struct.Struct(">32sQ")
TIMES = 3
"""How often bytes are sent that arrive as other bytes."""


@dataclass(slots=True)
class Contents:
    """What bytes are sent with in a run; ``lost`` has for each digest why it could not be sent."""

    connection: Connection
    journal: Journal
    lost: dict[str, str] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)

    def send(self, ingest: str, deliveries: Iterable[Delivery], need: set[str]) -> None:
        """Send the bytes that an ingest needs, each once; what cannot be read is in ``lost``."""
        files: dict[str, tuple[AssetFile, Delivery]] = {}
        for delivery in deliveries:
            for asset in delivery.bundle.assets:
                if asset.sha256 in need:
                    files.setdefault(asset.sha256, (asset, delivery))
        if missing := need - files.keys():
            raise Refused(f"the node asks for bytes that nobody announced ({clean(min(missing), 64)})")
        for pack in _packs(asset for asset, _ in files.values() if asset.size <= SMALL):
            self._send_pack(ingest, pack)
        for asset, delivery in files.values():
            if asset.size > SMALL:
                with self._noting(asset):
                    self._send_one(ingest, asset, delivery)

    def _send_one(self, ingest: str, asset: AssetFile, delivery: Delivery) -> None:
        with sources.opened(asset) as source:
            if asset.size > SINGLE:
                noted = None if asset.sha256 in self._begun else delivery.resume.get(asset.sha256)
                self._begun.add(asset.sha256)  # a note that led nowhere is not followed twice
                named = {"ingest": ingest, "sha256": asset.sha256}
                wish = tus.Upload("uploads", named, noted, checksum=False, chunk=tus.CHUNK)
                tus.send(self.connection, source, wish, lambda where: self.journal.note(asset.sha256, where))
                self.journal.forget(asset.sha256)
                return
            for time in range(TIMES):
                try:
                    self.connection.send(
                        "PUT", f"ingests/{ingest}/content/{asset.sha256}", body=source.reader, size=asset.size,
                        headers={"Content-Type": "application/octet-stream"}, believed=lambda answer: answer.status == 201,
                    )  # fmt: skip
                    source.check()
                    return
                except Rejected as error:
                    if error.status != 400 or time == TIMES - 1:
                        raise
                    source.prove()

    def _send_pack(self, ingest: str, pack: Sequence[AssetFile]) -> None:
        waiting = list(pack)
        for time in range(TIMES):
            parts, sent = [], []
            for asset in waiting:
                with self._noting(asset), sources.opened(asset) as source:
                    data = source.read_at(0, asset.size)
                    if time:
                        source.prove()
                    parts += [FRAME.pack(bytes.fromhex(asset.sha256), asset.size), data]
                    sent.append(asset)
            if not sent:
                return
            answer = self.connection.send(
                "POST", f"ingests/{ingest}/pack", body=b"".join(parts), again=True, wants_json=True,
                headers={"Content-Type": "application/vnd.nffa.pack"},
            )  # fmt: skip
            received = answer.value.get("received") if isinstance(answer.value, dict) else None
            waiting = [asset for asset in sent if asset.sha256 not in (received or ())]
        if waiting:
            raise Refused(
                f"the node does not take the bytes of {clean(waiting[0].name)}", where=self.connection.address
            )

    def _noting(self, asset: AssetFile) -> _Noting:
        return _Noting(self.lost, asset.sha256)


class _Noting:
    """Takes down that a file changed or cannot be read, and lets the rest go on."""

    def __init__(self, lost: dict[str, str], sha256: str) -> None:
        self._lost = lost
        self._sha256 = sha256

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Take a ``Changed`` down."""
        if isinstance(error, sources.Changed):
            self._lost[self._sha256] = str(error)
            return True
        return False


def _packs(assets: Iterable[AssetFile]) -> Iterator[list[AssetFile]]:
    pack: list[AssetFile] = []
    size = 0
    for asset in assets:
        if pack and size + asset.size > PACK:
            yield pack
            pack, size = [], 0
        pack.append(asset)
        size += asset.size
    if pack:
        yield pack
