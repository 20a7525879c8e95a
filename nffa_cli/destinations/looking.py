"""What a node has of measurements that are to be updated, in the words of a bundle: read only, and what many share only once.

Proposals and experiments belong to many: their fields follow a delivery only while nobody else has spoken (docs/idrp.md,
"Deliver"). What the node tells of that counts here: whether a record is ours and still unverified. Which fields a person
changed meanwhile it tells nobody but administrators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from nffa_cli.destinations.answers import Rejected
from nffa_cli.destinations.base import Bundle, Holding

MEASUREMENT = (
    "measurementName", "measurementDescription", "kind", "instrument", "sample", "operator", "technique", "startTime",
    "endTime", "category", "format", "settings", "provenance",
)  # fmt: skip
"""Fields of a measurement that a delivery says; the others are the node's own."""
ASSET = (
    "dataAssetName", "dataAssetType", "role", "dataSize", "dataChecksum", "mediaType", "dateOfCollection",
    "dateOfCollectionSource", "intellectualPropertyRights",
)  # fmt: skip
"""The same of a data asset."""
FOLLOWING: Mapping[str, tuple[str, ...]] = {
    "proposal": ("proposalTitle", "abstract", "principalInvestigator"),
    "experiment": ("description", "startDate", "endDate"),
}
"""Fields of what measurements hang under that may follow a delivery."""
GONE = ("withdrawn", "lost")
"""States of an asset that the node has no bytes of, though it had."""
UNVERIFIED = "unverified"
ID = re.compile(r"[A-Za-z0-9-]{1,64}")

Found = Mapping[str, Any]


class Listing(Protocol):
    """Yields the records of a list, at most so many."""

    def __call__(self, path: str, parameters: Mapping[str, Any] | None, limit: int, /) -> Iterator[Found]:
        """Ask for it."""
        ...


class Looking:
    """One look at a node.

    Parameters
    ----------
    read, listed
        Return one object, and the records of a list.
    person
        Says who we are there; asked only when it matters.
    """

    def __init__(self, read: Callable[[str], Found], listed: Listing, person: Callable[[], str | None]) -> None:
        self._read = read
        self._listed = listed
        self._person = person
        self._known: dict[tuple[str, ...], Found] = {}

    def holding(self, bundle: Bundle, there: Found, assets: Sequence[Found]) -> Holding:
        """Return what there is of a bundle.

        Parameters
        ----------
        there, assets
            The measurement and its data assets, as the node shows them.
        """
        named = str(bundle.proposal["proposalId"]), str(bundle.experiment["experimentName"])
        proposal = self._first("proposals", proposalId=named[0])
        experiment = (
            self._first("experiments", proposal=str(proposal["id"]), name=named[1]) if "id" in proposal else proposal
        )
        if "id" not in experiment or experiment["id"] != there.get("experimentId"):
            above = self._one("experiments", there.get("experimentId"))
            number = self._one("proposals", above.get("proposalId")).get("proposalId")
            named = number, above.get("experimentName")  # type: ignore[assignment]
        documents = {
            name: found
            for name in bundle.documents
            if (found := self._one(f"measurements/{there.get('id')}/metadata", quote(name, safe=""), keep=False))
        }
        stays = {*self._settled("proposal", proposal), *self._settled("experiment", experiment)}
        if _is_answered(there, documents):
            stays.add("measurement/category")
        return Holding(
            {"proposalId": named[0], **_of("proposal", proposal, bundle.proposal)},
            {"experimentName": named[1], **_of("experiment", experiment, bundle.experiment)},
            {name: there[name] for name in MEASUREMENT if name in there} | _external(there, bundle.measurement),
            documents,
            {str(each.get("relativePath")): _asset(each) for each in assets if each.get("state") not in GONE},
            frozenset(stays),
        )

    def _settled(self, kind: str, record: Found) -> Iterator[str]:
        """Yield the places of a record whose own word holds."""
        follows = record.get("state") == UNVERIFIED and record.get("createdBy") == self._person()
        if "id" in record and not follows:
            yield from (f"{kind}/{name}" for name in FOLLOWING[kind])

    def _first(self, path: str, **parameters: str) -> Found:
        """Return the record of a list that has these values; nothing: there is none that we may see."""
        key = (path, *parameters.values())
        if key not in self._known:
            self._known[key] = next(self._listed(path, {**parameters, "limit": 1}, 1), {})
        return self._known[key]

    def _one(self, path: str, id: Any, *, keep: bool = True) -> Found:
        """Return a record by its id; nothing: there is none that we may see."""
        if not isinstance(id, str) or (keep and not ID.fullmatch(id)):
            return {}
        key = (path, id)
        if key in self._known:
            return self._known[key]
        try:
            found = self._read(f"{path}/{id}")
        except Rejected as error:
            if error.status not in (403, 404):
                raise
            found = {}
        if keep:
            self._known[key] = found
        return found


def _of(kind: str, record: Found, said: Found) -> dict[str, Any]:
    """Return what a record says of the fields that a delivery says something of: the others stay as they are."""
    return {name: record[name] for name in FOLLOWING[kind] if name in said and name in record}


def _external(there: Found, said: Found) -> dict[str, Any]:
    """Return the external ids, in our order where they are the same: a node keeps none."""
    ours, theirs = said.get("externalIds"), there.get("externalIds")
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return {"externalIds": ours if all(each in theirs for each in ours) else theirs}
    return {"externalIds": theirs}


def _asset(said: Found) -> dict[str, Any]:
    found = {name: said[name] for name in ASSET if name in said} | {"accessMode": "managed"}
    if said.get("state") == "linked":
        places = said.get("locations")
        uris = [each.get("uri") for each in places if isinstance(each, dict)] if isinstance(places, list) else []
        found |= {"accessMode": "linked", "uri": next(iter(uris), None)}
    return found


def _is_answered(there: Found, documents: Found) -> bool:
    """Tell whether the category is what somebody answered there: a person's word that was not delivered."""
    category = there.get("category")
    if not isinstance(category, dict) or category.get("by") != "person":
        return False
    seen = [each.get("classification") for each in documents.values() if isinstance(each, dict)]
    return not any(isinstance(each, dict) and each.get("persons") for each in seen)
