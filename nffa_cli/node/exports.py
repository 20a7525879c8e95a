"""Measurements in other people's forms: DataCite 4 and the metadata of an RO-Crate 1.1. Pure, but for ``gathered``.

What is not known is left out; where DataCite asks for something all the same, it gets the code that DataCite has for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import sqlalchemy as sa

from nffa_cli.node import access, embargo, policies, records, tables
from nffa_cli.node.callers import Caller

Format = Literal["datacite-json", "ro-crate"]
UNKNOWN = ":unkn"
"""DataCite's code for what is not known."""
BY_POLICY = "default of the proposal's data policy, for files that name no licence"
POLICY_LICENCE = "#policy-licence"
KINDS = {"measurement": "Measurement", "calculation": "Computation", "simulation": "Simulation"}


@dataclass(frozen=True, slots=True)
class Held:
    """All that an export says, as far as the caller may see it.

    measurement, proposal
        Fields as the contract names them; the latter without what only its members see.
    assets
        Data assets that the caller may read; empty where the content is closed.
    default
        The licence that the proposal's policy gives to assets which name none.
    """

    id: str
    base: str
    publisher: str
    created_at: str
    updated_at: str
    version: int
    released_at: str
    measurement: Mapping[str, Any]
    proposal: Mapping[str, Any]
    assets: Sequence[Mapping[str, Any]]
    default: str | None

    @property
    def address(self) -> str:
        """Where it is on the web."""
        return f"{self.base}/measurements/{self.id}"

    @property
    def investigator(self) -> Mapping[str, Any] | None:
        """The principal investigator, whom a proposal names for all to see."""
        found: Mapping[str, Any] | None = self.proposal.get("principalInvestigator")
        return found

    @property
    def licences(self) -> list[str]:
        """The licences of the assets, each once; that of the policy last, as such, where an asset has no other."""
        named = sorted({said for each in self.assets if (said := each.get("intellectualPropertyRights"))})
        return [*named, f"{self.default} ({BY_POLICY})"] if any(map(self.by_policy, self.assets)) else named

    def by_policy(self, asset: Mapping[str, Any]) -> bool:
        """Tell whether the licence of an asset is that of the policy."""
        return self.default is not None and policies.falls_under(asset)


def gathered(connection: sa.Connection, caller: Caller, id: str, *, base: str, publisher: str, now: str) -> Held:
    """Return what an export of a measurement says; the caller sees it, and its proposal with it."""
    kinds = [records.BY_TYPE[name] for name in ("measurement", "proposal")]
    row = connection.execute(tables.measurement.select().where(tables.measurement.c.id == id)).one()
    said: list[dict[str, Any]] = []
    for kind, key in zip(kinds, (id, row.proposal), strict=True):
        one = connection.execute(sa.select(kind.table).where(kind.table.c.id == key)).one()
        fields = records.fields_of(connection, kind, [one])[0]
        said.append({name: value for name, value in fields.items() if name not in kind.inner})
    asset = tables.asset
    mine = access.readable(caller, now, "dataasset")
    query = asset.select().where(asset.c.measurement == id, asset.c.state != "withdrawn", mine)
    rows = connection.execute(query.order_by(asset.c.relative_path)).all()
    held = records.fields_of(connection, records.BY_TYPE["dataasset"], rows)
    return Held(
        id=id,
        base=base,
        publisher=publisher,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        released_at=row.released_at,
        measurement=said[0],
        proposal=said[1],
        assets=[{"id": each.id, **fields} for each, fields in zip(rows, held, strict=True)],
        default=policies.licence(connection, said[1].get("policyId")),
    )


def datacite(held: Held) -> dict[str, Any]:
    """Return the measurement as DataCite 4 wants a dataset; it has no DOI here, its identifier is its address."""
    said = held.measurement
    dates = [
        {"date": _day(held.created_at), "dateType": "Submitted"},
        {"date": _day(held.updated_at), "dateType": "Updated"},
    ]
    if began := embargo.day(said.get("startTime")):
        ended = embargo.day(said.get("endTime"))
        span = f"{began}/{ended}" if ended and ended > began else f"{began}"
        dates.append({"date": span, "dateType": "Collected"})
    dates.append({"date": _day(held.released_at), "dateType": "Available"})
    found: dict[str, Any] = {
        "identifiers": [{"identifier": held.address, "identifierType": "URL"}],
        "creators": [_creator(held.investigator)],
        "titles": [{"title": said["measurementName"]}],
        "publisher": {"name": held.publisher},
        "publicationYear": max(_day(held.released_at), _day(held.created_at))[:4],
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": KINDS[said.get("kind", "measurement")]},
        "dates": dates,
        "subjects": _subjects(said),
        "descriptions": _descriptions(said),
        "alternateIdentifiers": [
            {"alternateIdentifier": each["value"], "alternateIdentifierType": each["scheme"]}
            for each in said["externalIds"]
        ],
        "sizes": [f"{each['dataSize']} bytes" for each in held.assets],
        "formats": sorted({each["mediaType"] for each in held.assets if each.get("mediaType")}),
        "rightsList": [{"rights": licence} for licence in held.licences],
        "version": str(held.version),
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    return {name: value for name, value in found.items() if value not in ([], None)}


def crate(held: Held) -> dict[str, Any]:
    """Return the metadata file of an RO-Crate 1.1 whose files are on the web: those of the assets that the caller may read."""
    said = held.measurement
    files = [_file(each, held) for each in held.assets]
    people = [_person(held.investigator)] if held.investigator else []
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": said["measurementName"],
        "description": said.get("measurementDescription") or said["measurementName"],
        "datePublished": _day(held.released_at),
        "license": _licence(held.licences),
        "identifier": held.address,
        "url": held.address,
        "keywords": ", ".join(each["subject"] for each in _subjects(said)) or None,
        "creator": [{"@id": each["@id"]} for each in people] or None,
        "hasPart": [{"@id": each["@id"]} for each in files] or None,
        "mentions": {"@id": "#measurement"},
    }
    action: dict[str, Any] = {
        "@id": "#measurement",
        "@type": "CreateAction",
        "name": said["measurementName"],
        "startTime": said.get("startTime"),
        "endTime": said.get("endTime"),
        "instrument": {"@id": "#instrument"} if said.get("instrument") else None,
        "object": {"@id": "#sample"} if said.get("sample") else None,
        "result": [{"@id": each["@id"]} for each in files] or {"@id": "./"},
    }
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        root,
        action,
        *files,
        *people,
    ]
    if any(map(held.by_policy, held.assets)):
        graph.append({"@id": POLICY_LICENCE, "@type": "CreativeWork", "name": held.default, "description": BY_POLICY})
    if instrument := said.get("instrument"):
        known = {"name": "instrumentName", "manufacturer": "manufacturer", "model": "model", "serialNumber": "serial"}
        graph.append(
            {
                "@id": "#instrument",
                "@type": "IndividualProduct",
                **{to: instrument.get(name) for to, name in known.items()},
            }
        )
    if sample := said.get("sample"):
        graph.append(
            {"@id": "#sample", "@type": "Thing", "name": sample["sampleName"], "description": sample.get("description")}
        )
    bare = [{name: value for name, value in each.items() if value is not None} for each in graph]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": bare}


FORMS: Mapping[Format, tuple[Callable[[Held], dict[str, Any]], str]] = {
    "datacite-json": (datacite, "application/vnd.datacite.datacite+json"),
    "ro-crate": (crate, "application/ld+json"),
}


def _day(moment: str) -> str:
    return moment[: len("2026-11-21")]


def _creator(person: Mapping[str, Any] | None) -> dict[str, Any]:
    if person is None:
        return {"name": UNKNOWN}
    given = person.get("givenName")
    names = {"familyName": person["familyName"]} | ({"givenName": given} if given else {})
    found = {"name": ", ".join(names.values()), "nameType": "Personal", **names}
    if orcid := person.get("orcid"):
        scheme = {"nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}
        found["nameIdentifiers"] = [{"nameIdentifier": f"https://orcid.org/{orcid}", **scheme}]
    return found


def _person(person: Mapping[str, Any]) -> dict[str, Any]:
    orcid = person.get("orcid")
    return {
        "@id": f"https://orcid.org/{orcid}" if orcid else "#principal-investigator",
        "@type": "Person",
        "name": " ".join(filter(None, (person.get("givenName"), person["familyName"]))),
        "familyName": person["familyName"],
        "givenName": person.get("givenName"),
    }


def _subjects(said: Mapping[str, Any]) -> list[dict[str, str]]:
    texts = (
        said.get("technique"),
        (said.get("category") or {}).get("label"),
        (said.get("sample") or {}).get("sampleName"),
    )
    return [{"subject": text} for text in dict.fromkeys(texts) if text]


def _descriptions(said: Mapping[str, Any]) -> list[dict[str, str]]:
    text = said.get("measurementDescription")
    return [{"description": text, "descriptionType": "Abstract"}] if text else []


def _file(asset: Mapping[str, Any], held: Held) -> dict[str, Any]:
    address = f"{held.base}/dataassets/{quote(asset['id'])}/content"
    return {
        "@id": address,
        "@type": "File",
        "name": asset["relativePath"],
        "contentSize": str(asset["dataSize"]),
        "encodingFormat": asset.get("mediaType"),
        "contentUrl": _elsewhere(asset),
        "description": "the repository has lost the bytes of this file" if asset.get("state") == "lost" else None,
        **({"sha256": asset["dataChecksum"]["value"]} if asset["dataChecksum"]["algorithm"] == "sha-256" else {}),
        "dateCreated": asset.get("dateOfCollection"),
        "license": {"@id": POLICY_LICENCE} if held.by_policy(asset) else asset.get("intellectualPropertyRights"),
    }


def _elsewhere(asset: Mapping[str, Any]) -> str | None:
    """Return where on the web the bytes of an asset lie that are not kept here; None: nobody said, or they are."""
    places = [each["uri"] for each in asset.get("locations", ())] if asset.get("state") == "linked" else []
    return next((uri for uri in places if uri.startswith(("https://", "http://"))), None)


def _licence(licences: Sequence[str]) -> str:
    """Return what RO-Crate wants to be told: there must be something, and it must be true."""
    return "; ".join(licences) or "no licence is stated: ask the principal investigator"
