"""Proposals as every portal's are written here: one document, few words on persons, states by one list. Pure.

What a portal says is read through JSON pointers (RFC 6901), so that a portal of another shape needs settings and no code.
Of a person we keep name, ORCID (if its check digit is right), affiliation, role and a keyed hash of the e-mail.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nffa_cli import orcid

STATES = (
    "draft", "submitted", "underReview", "accepted", "scheduled", "inAccess", "closed", "rejected", "withdrawn",
)  # fmt: skip
"""The states of a proposal."""
OPEN = frozenset({"accepted", "scheduled", "inAccess", "closed"})
"""States in which data are taken in."""
UNVERIFIED = "unverified"
"""What the state of a proposal is called that the portal does not know, or whose portal was never heard."""
ABSENT = object()
_LONGEST = 20_000
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How a portal writes its proposals: field → JSON pointer, and the portal's words for states → ours."""

    fields: Mapping[str, str]
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """A person, as little as serves: ``email`` is a keyed hash."""

    name: str
    orcid: str | None = None
    affiliation: str | None = None
    email: str | None = None
    role: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what is known."""
        said = {"name": self.name, "orcid": self.orcid, "affiliation": self.affiliation, "emailHash": self.email,
                "role": self.role}  # fmt: skip
        return {key: value for key, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Access:
    """Access that was granted at a facility: ``start`` and ``end`` as the portal writes them."""

    facility: str
    techniques: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what is known."""
        said = {"facilityId": self.facility, "techniques": list(self.techniques) or None, "accessStart": self.start,
                "accessEnd": self.end}  # fmt: skip
        return {key: value for key, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal. ``state`` is one of ``STATES``, or None where the portal's word (``word``) is none of ours."""

    id: str
    title: str | None = None
    state: str | None = None
    word: str | None = None
    abstract: str | None = None
    call: str | None = None
    investigator: Person | None = None
    members: tuple[Person, ...] = ()
    facilities: tuple[Access, ...] = ()
    accepted: str | None = None
    updated: str | None = None

    @property
    def takes_data(self) -> bool:
        """Whether its state is one in which data are taken in."""
        return self.state in OPEN

    def as_delivered(self) -> dict[str, Any]:
        """Return what a delivery says of it beside its number: title and principal investigator, as the model has them."""
        found: dict[str, Any] = {"proposalTitle": self.title[:1000]} if self.title else {}
        if self.investigator is not None:
            orcid = {"orcid": self.investigator.orcid} if self.investigator.orcid else {}
            found["principalInvestigator"] = {**name_parts(self.investigator.name), **orcid}
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the document; absent is absent."""
        said = {
            "portalId": self.id, "title": self.title, "abstract": self.abstract, "state": self.state,
            "stateAsWritten": self.word, "call": self.call,
            "principalInvestigator": self.investigator.as_json() if self.investigator else None,
            "members": [each.as_json() for each in self.members] or None,
            "facilities": [each.as_json() for each in self.facilities] or None,
            "acceptedAt": self.accepted, "updatedAt": self.updated,
        }  # fmt: skip
        return {key: value for key, value in said.items() if value is not None}


def read(document: Any, shape: Shape, key: bytes) -> Proposal | None:
    """Return one proposal of a portal; None where it has no number. ``key``: what e-mails are hashed with."""

    def said(name: str) -> str | None:
        return _text(pointed(document, shape.fields[name]))

    number = said("id")
    if number is None:
        return None
    word = said("state")
    ours = state(word, shape.states)
    investigator = pointed(document, shape.fields["investigator"])
    return Proposal(
        id=number,
        title=said("title"),
        state=ours,
        word=word if ours is None else None,
        abstract=said("abstract"),
        call=said("call"),
        investigator=_person(investigator, shape, key),
        members=tuple(
            person
            for each in _listed(pointed(document, shape.fields["members"]))
            if (person := _person(each, shape, key)) is not None
        ),
        facilities=tuple(
            access
            for each in _listed(pointed(document, shape.fields["facilities"]))
            if (access := _access(each, shape)) is not None
        ),
        accepted=said("accepted"),
        updated=said("updated"),
    )


def again(document: Mapping[str, Any]) -> Proposal:
    """Return a proposal from its own document (``as_json``), whose e-mails are hashed already."""

    def person(found: Mapping[str, Any]) -> Person:
        return Person(
            found["name"], found.get("orcid"), found.get("affiliation"), found.get("emailHash"), found.get("role")
        )

    investigator = document.get("principalInvestigator")
    return Proposal(
        id=document["portalId"],
        title=document.get("title"),
        state=document.get("state"),
        word=document.get("stateAsWritten"),
        abstract=document.get("abstract"),
        call=document.get("call"),
        investigator=person(investigator) if investigator else None,
        members=tuple(map(person, document.get("members", ()))),
        facilities=tuple(
            Access(
                each["facilityId"], tuple(each.get("techniques", ())), each.get("accessStart"), each.get("accessEnd")
            )
            for each in document.get("facilities", ())
        ),
        accepted=document.get("acceptedAt"),
        updated=document.get("updatedAt"),
    )


def state(word: str | None, states: Mapping[str, str]) -> str | None:
    """Return our state for a portal's word: by its own table, else by its letters alone; None: none of ours."""
    if word is None:
        return None
    own = {_letters(key): value for key, value in states.items()}
    known = {_letters(each): each for each in STATES}
    return own.get(_letters(word)) or known.get(_letters(word))


def pointed(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to; ``ABSENT``: nothing."""
    if pointer == "":
        return document
    found = document
    for part in pointer.removeprefix("/").split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and re.fullmatch(r"0|[1-9]\d{0,8}", part) and int(part) < len(found):
            found = found[int(part)]
        else:
            return ABSENT
    return found


def name_parts(name: str) -> dict[str, str]:
    """Return a name as the model has it; only a comma tells family from given names."""
    family, _, given = (part.strip() for part in name[:1000].partition(","))
    return {"familyName": family, "givenName": given} if family and given else {"familyName": name[:1000]}


def hashed(email: str, key: bytes) -> str:
    """Return what is kept of an e-mail address: the same for the same address on this computer, and not to be turned back."""
    return (
        "hmac-sha256:" + hmac.new(key, email.strip().casefold().encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    )


def _person(found: Any, shape: Shape, key: bytes) -> Person | None:
    if isinstance(found, str):
        found = {shape.fields["person_name"].removeprefix("/"): found}

    def said(name: str) -> str | None:
        return _text(pointed(found, shape.fields[f"person_{name}"]))

    name = said("name")
    if name is None:
        return None
    email = said("email")
    number = said("orcid")
    return Person(
        name,
        orcid.normal(number) if number else None,
        said("affiliation"),
        hashed(email, key) if email else None,
        said("role"),
    )


def _access(found: Any, shape: Shape) -> Access | None:
    if isinstance(found, str):
        return Access(found) if found.strip() else None
    facility = _text(pointed(found, shape.fields["facility_id"]))
    if facility is None:
        return None
    techniques = tuple(
        text
        for each in _listed(pointed(found, shape.fields["facility_techniques"]))
        if (text := _text(each)) is not None
    )
    return Access(
        facility,
        techniques,
        _text(pointed(found, shape.fields["facility_start"])),
        _text(pointed(found, shape.fields["facility_end"])),
    )


def _listed(found: Any) -> list[Any]:
    return found[:_MOST] if isinstance(found, list) else []


def _text(found: Any) -> str | None:
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        return None
    text = re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", str(found))
    return " ".join(text.split())[:_LONGEST] or None


def _letters(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).casefold()
