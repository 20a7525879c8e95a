"""What an ingest is opened with: measurements with all they hang under, their documents, and what is said of their files."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from nffa_cli import vectors
from nffa_cli.node.contract import (
    AssetFields,
    Count,
    Day,
    ExternalId,
    Free,
    Id,
    MeasurementFields,
    Model,
    Name,
    PersonName,
    Sha256,
    Text,
)

ITEMS = 500
"""Measurements that one ingest may carry."""


class NamedProposal(Model):
    """The proposal that a measurement belongs to, by the portal's id; the rest counts where the node does not know it yet."""

    proposal_id: Name
    proposal_title: Name | None = None
    abstract: Text | None = None
    principal_investigator: PersonName | None = None


class SentExperiment(Model):
    """The experiment, by its name in the proposal; the rest counts where the node does not know it yet."""

    experiment_name: Name
    description: Text | None = None
    start_date: Day | None = None
    end_date: Day | None = None


class SentMeasurement(MeasurementFields):
    """A measurement with the ids by which its sender finds it again."""

    external_ids: Annotated[list[ExternalId], Field(min_length=1, max_length=20)]


class SentAsset(AssetFields):
    """A file of a measurement; ``linked``: its bytes stay at ``uri``."""

    external_ids: list[ExternalId] = Field([], max_length=0)
    access_mode: Literal["managed", "linked"] = "managed"
    uri: Annotated[str, Field(max_length=8000, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f]+$")] | None = None

    @model_validator(mode="after")
    def _linked_to_something(self) -> SentAsset:
        if (self.access_mode == "linked") != (self.uri is not None):
            raise ValueError("a linked asset has a uri, a managed one has none")
        if self.access_mode == "managed" and self.data_checksum.algorithm != "sha-256":
            raise ValueError("bytes that are kept here are known by their sha-256")
        return self


def _vector(text: str) -> str:
    vectors.values(text)
    return text


class Embedding(Model):
    """A picture as a model sees it, by which similar ones are found: Base64 of little-endian float16, of unit length.

    ``model``: SHA-256 of the model; only what one model saw is compared.
    """

    model: Sha256
    values: Annotated[str, Field(max_length=4 * vectors.MOST), AfterValidator(_vector)]


class Item(Model):
    """One measurement. ``ref``: how the answer calls it; ``ifMatch``: the version that it is to be an update of."""

    ref: Name
    proposal: NamedProposal
    experiment: SentExperiment
    measurement: SentMeasurement
    measurement_id: Id | None = None
    if_match: Count | None = None
    documents: dict[Name, Free] = Field({}, max_length=20)
    embedding: Embedding | None = None
    assets: list[SentAsset] = Field([], max_length=10_000)

    @model_validator(mode="after")
    def _paths_differ(self) -> Item:
        twice = [path for path, count in Counter(asset.relative_path for asset in self.assets).items() if count > 1]
        if twice:
            raise ValueError(f"two assets have the relativePath {twice[0]}")
        return self


class Manifest(Model):
    """All that one ingest delivers."""

    client_run_id: Name | None = None
    items: Annotated[list[Item], Field(min_length=1, max_length=ITEMS)]

    @model_validator(mode="after")
    def _says_one_thing(self) -> Manifest:
        twice = [ref for ref, count in Counter(item.ref for item in self.items).items() if count > 1]
        if twice:
            raise ValueError(f"two items have the ref {twice[0]}")
        sizes: dict[str, int] = {}
        for item in self.items:
            for asset in item.assets:
                if sizes.setdefault(asset.data_checksum.value, asset.data_size) != asset.data_size:
                    raise ValueError(f"two sizes are said of the bytes {asset.data_checksum.value}")
        return self
