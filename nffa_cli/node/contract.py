"""What clients may send, field by field; pydantic lives here and nowhere else. What the node answers is in ``answers``.

A field that is not named here is refused, so that no typing error is taken for data; those that only the node sets are
left aside, so that what was read may be sent back. Texts that are to be numbers, or numbers that are to be texts, are refused.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasGenerator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from nffa_cli import orcid as orcids
from nffa_cli.node import checksums
from nffa_cli.node.callers import ProposalRole, Role

OWN = ("id", "type", "version", "createdAt", "createdBy", "updatedAt", "updatedBy", "links")
"""Fields that only the node sets."""
FAR = 10**15
"""Largest whole number of a column; beyond, databases differ."""


def _moment(text: str) -> str:
    """Take a moment in ISO 8601, with or without an offset: what an instrument does not know is not made up."""
    if not text.isascii() or datetime.fromisoformat(text).year < 1:
        raise ValueError("not a moment such as 2026-11-21T14:05:00+01:00")
    return text


def _day_or_moment(text: str) -> str:
    if len(text) == len("2026-11-21"):
        return date.fromisoformat(text).isoformat()
    return _moment(text)


def _orcid(text: str) -> str:
    found = orcids.normal(text)
    if found is None:
        raise ValueError("not an ORCID: a digit is missing or wrong")
    return found


Name = Annotated[str, Field(min_length=1, max_length=1000)]
Text = Annotated[str, Field(max_length=100_000)]
Id = Annotated[str, Field(min_length=1, max_length=100)]
Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]
Day = Annotated[str, Field(max_length=40), AfterValidator(_day_or_moment)]
Orcid = Annotated[str, Field(max_length=50), AfterValidator(_orcid)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=FAR)]
Months = Annotated[int, Field(ge=0, le=1200)]
AssetRole = Literal["main", "sidecar", "nxem", "preview", "spectra", "raw-metadata"]
AccessMode = Literal["managed", "linked", "external"]
Free = dict[str, Any]


def _wire(name: str) -> str:
    return to_camel(name)


class Model(BaseModel):
    """A JSON object: camelCase outside, no unknown fields, no guessing of types."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(alias=_wire),
        populate_by_name=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
    )

    def fields(self) -> dict[str, Any]:
        """Return what was said, as it goes over the wire; what was not said is absent."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Kept(Model):
    """A resource, as a client sends it."""

    @model_validator(mode="before")
    @classmethod
    def _without_ours(cls, value: Any) -> Any:
        return {name: each for name, each in value.items() if name not in OWN} if isinstance(value, dict) else value


class ExternalId(Model):
    """How somebody else calls a thing."""

    scheme: Annotated[str, Field(min_length=1, max_length=100)]
    value: Name


ExternalIds = Annotated[list[ExternalId], Field(max_length=20)]


class Checksum(Model):
    """The digest of bytes: SHA-256 of what is kept here, of bytes elsewhere also what their archive says."""

    algorithm: Literal["sha-256", "md5", "sha-1", "sha-512"] = "sha-256"
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{32,128}$")]

    @model_validator(mode="after")
    def _is_one(self) -> Checksum:
        if len(self.value) != checksums.LENGTHS[self.algorithm]:
            raise ValueError(f"a {self.algorithm} has {checksums.LENGTHS[self.algorithm]} hexadecimal digits")
        return self


class PersonName(Model):
    """A person, by name."""

    family_name: Name
    given_name: Name | None = None
    orcid: Orcid | None = None


class Member(Model):
    """A person's part in a proposal."""

    person_id: Id
    role: ProposalRole


class Proposal(Kept):
    """A request for facility time, with who takes part."""

    proposal_id: Name
    proposal_title: Name
    abstract: Text | None = None
    state: Name = "accepted"
    principal_investigator: PersonName | None = None
    members: Annotated[list[Member], Field(max_length=1000)] = []
    policy_id: Id | None = None
    facility_ids: Annotated[list[Id], Field(max_length=100)] = []
    external_ids: ExternalIds = []


class ExperimentFields(Kept):
    """An activity with a clear start and end on instruments; what holds wherever it hangs."""

    experiment_name: Name
    description: Text | None = None
    instrument_ids: Annotated[list[Id], Field(max_length=100)] = []
    start_date: Day | None = None
    end_date: Day | None = None
    state: Name = "open"
    external_ids: ExternalIds = []


class Experiment(ExperimentFields):
    """An experiment of a proposal (``proposalId``: the node's id of it)."""

    proposal_id: Id


class InstrumentName(Model):
    """The instrument as the file names it."""

    instrument_name: Name
    manufacturer: Name | None = None
    model: Name | None = None
    serial: Name | None = None
    acquisition_software: Name | None = None
    facility_name: Name | None = None


class SampleName(Model):
    """The sample as file and session name it."""

    model_config = ConfigDict(extra="allow")

    sample_name: Name
    description: Text | None = None


class Category(Model):
    """What the picture shows, and who says so."""

    label: Name | None = None
    second: Name | None = None
    decision: Name | None = None
    score: Annotated[float, Field(ge=0, le=1, strict=False)] | None = None
    by: Name | None = None


class MeasurementFields(Kept):
    """One data acquisition on a sample with a technique under given settings; what holds wherever it hangs."""

    measurement_name: Name
    measurement_description: Text | None = None
    kind: Literal["measurement", "calculation", "simulation"] = "measurement"
    instrument: InstrumentName | None = None
    instrument_id: Id | None = None
    sample: SampleName | None = None
    operator: Free | None = None
    technique: Name | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    category: Category | None = None
    format: Name | None = None
    settings: Annotated[dict[Name, Free], Field(max_length=1000)] = {}
    provenance: Free = {}
    external_ids: ExternalIds = []


class Measurement(MeasurementFields):
    """A measurement of an experiment (``experimentId``: the node's id of it)."""

    experiment_id: Id


class AssetFields(Kept):
    """A file with its context; what holds wherever it hangs."""

    data_asset_name: Name
    relative_path: Annotated[str, Field(min_length=1, max_length=4000)]
    data_asset_type: Literal["raw", "processed", "preview", "metadata", "nexus"] = "raw"
    role: AssetRole = "main"
    data_size: Count
    data_checksum: Checksum
    media_type: Name | None = None
    date_of_collection: Moment | None = None
    date_of_collection_source: Name | None = None
    intellectual_property_rights: Name | None = None
    external_ids: ExternalIds = []

    @model_validator(mode="after")
    def _path_stays_below(self) -> AssetFields:
        parts = self.relative_path.split("/")
        if (
            {"", ".", ".."} & set(parts)
            or "\\" in self.relative_path
            or any(ord(each) < 32 for each in self.relative_path)
        ):
            raise ValueError("relativePath must be a path with slashes below the measurement, without `.` and `..`")
        return self


class Location(Model):
    """Where a copy of an asset lies."""

    uri: Annotated[str, Field(min_length=3, max_length=8000, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f]+$")]
    access_mode: Literal["linked", "external"] = "linked"
    archive_id: Id | None = None
    verified_at: Moment | None = None
    verified_digest: Sha256 | None = None


class KnownLocation(Location):
    """A location as it is read; sent back, it stays as it is."""

    id: Id | None = None
    access_mode: AccessMode = "linked"  # type: ignore[assignment]


class DataAsset(AssetFields):
    """A data asset of a measurement whose bytes are somewhere else; bytes come in by an ingest."""

    measurement_id: Id
    locations: Annotated[list[KnownLocation], Field(max_length=20)] = []
    state: Name | None = None


class Facility(Kept):
    """A place that gives access to instruments."""

    facility_name: Name
    ror: Name | None = None
    site: Name | None = None
    default_policy_id: Id | None = None
    external_ids: ExternalIds = []


class Instrument(Kept):
    """Equipment or software that produces data; ``scientists``: ids of the persons who run it."""

    instrument_name: Name
    instrument_pid: Name | None = None
    manufacturer: Name | None = None
    model: Name | None = None
    serial: Name | None = None
    facility_id: Id | None = None
    techniques: Annotated[list[Name], Field(max_length=100)] = []
    scientists: Annotated[list[Id], Field(max_length=100)] = []
    external_ids: ExternalIds = []


class Person(Kept):
    """Who takes part: as little personal data as will do. ``roles`` are those in the whole node.

    ``disabled``: no token of theirs is good. An external id whose scheme is the issuer of OpenID Connect that the node trusts,
    and whose value is a subject there, lets tokens of that issuer count as theirs.
    """

    family_name: Name
    given_name: Name | None = None
    orcid: Orcid | None = None
    affiliation: Free | None = None
    portal_user_id: Name | None = None
    roles: Annotated[list[Role], Field(max_length=5)] = []
    disabled: bool | None = None
    external_ids: ExternalIds = []


class Sample(Kept):
    """A system of materials that is measured."""

    sample_name: Name
    sample_pid: Name | None = None
    formula: Name | None = None
    description: Text | None = None
    parents: Annotated[list[Id], Field(max_length=100)] = []
    external_ids: ExternalIds = []


class Archive(Kept):
    """A store that holds assets; never its secrets."""

    archive_name: Name
    kind: Name
    base_url: Name | None = None
    facility_id: Id | None = None
    policy_id: Id | None = None
    capabilities: Free = {}
    external_ids: ExternalIds = []


class Policy(Kept):
    """Rules on embargo, keeping and licence.

    ``embargoStart``: what the months are counted from. ``isDefault``: proposals that name none get this one.
    """

    policy_name: Name
    embargo_months: Months = 36
    embargo_start: Literal["experimentEnd", "collection", "ingest"] = "experimentEnd"
    embargo_maximum_months: Months | None = None
    retention_years: Annotated[int, Field(ge=0, le=1000)] | None = None
    default_licence: Name | None = None
    metadata_public: bool = False
    is_default: bool = False
    external_ids: ExternalIds = []


class Schema(Kept):
    """A JSON Schema that technique documents are held to; ``schemaName`` is the name under which they are attached."""

    schema_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
    title: Name | None = None
    document: Free
    external_ids: ExternalIds = []


class TokenWish(Model):
    """A token to be made; ``roles`` at most those of its owner. ``personId``: of somebody else, for administrators."""

    label: Name
    roles: Annotated[list[Role], Field(min_length=1, max_length=5)]
    days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    person_id: Id | None = None
