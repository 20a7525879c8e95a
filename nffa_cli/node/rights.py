"""Who may do what, as one table: pure, and knows neither database nor request. ``access`` asks the database by it.

A caller stands in *relations* to a thing (its principal investigator, its depositor, everybody once it is released, ...);
``RIGHTS`` says which level each relation gives on each type, and the highest counts. Rights reach downwards (proposal,
experiment, measurement, data asset); there is no deny. Upwards only so much can be seen that no link leads to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Literal

Type = Literal[
    "proposal", "experiment", "measurement", "dataasset", "sample", "person",
    "facility", "instrument", "archive", "policy", "schema",
]  # fmt: skip


class Level(IntEnum):
    """What one may do with a thing; each level holds those below it."""

    NONE = 0
    SEE = 1  # that it exists, and its metadata
    READ = 2  # its content too
    WRITE = 3
    ADMINISTRATE = 4


PERMISSIONS = ("READ", "WRITE", "ADMINISTRATE")
"""What an access list may give."""
EVERYWHERE = frozenset({"admin", "dataManager"})
"""Roles that are relations to everything."""
PERSONAL = frozenset({"reader", "instrumentScientist", "dataManager", "admin"})
"""Roles with which a person acts as a person. The token of an instrument PC (depositor alone) carries no membership."""

_NONE, _SEE, _READ, _WRITE, _ALL = Level
_TYPES: tuple[Type, ...] = (
    "proposal", "experiment", "measurement", "dataasset", "sample", "person",
    "facility", "instrument", "archive", "policy", "schema",
)  # fmt: skip


def _row(*levels: Level) -> Mapping[Type, Level]:
    """Return levels by type in the order of ``_TYPES``; the last one goes on to the end."""
    return MappingProxyType(dict(zip(_TYPES, (*levels, *levels[-1:] * len(_TYPES)), strict=False)))


RIGHTS: Mapping[str, Mapping[Type, Level]] = MappingProxyType({
    #                             proposal  experiment measurement dataasset sample  person  registry
    "admin":                 _row(_ALL,     _ALL,      _ALL,       _ALL,     _ALL,   _ALL,   _ALL),
    "dataManager":           _row(_READ,    _READ,     _READ,      _READ,    _WRITE, _READ,  _WRITE),
    "principalInvestigator": _row(_ALL,     _ALL,      _ALL,       _ALL,     _NONE),
    "coProposer":            _row(_WRITE,   _WRITE,    _WRITE,     _WRITE,   _NONE),
    "teamMember":            _row(_WRITE,   _WRITE,    _WRITE,     _WRITE,   _NONE),
    "dataCurator":           _row(_WRITE,   _WRITE,    _WRITE,     _WRITE,   _NONE),
    "dataAnalyst":           _row(_READ,    _READ,     _READ,      _READ,    _NONE),
    "scientist":             _row(_NONE,    _WRITE,    _WRITE,     _WRITE,   _NONE),
    "depositor":             _row(_SEE,     _SEE,      _WRITE,     _WRITE,   _WRITE, _NONE),
    "grantedREAD":           _row(_READ,    _READ,     _READ,      _READ,    _READ,  _NONE),
    "grantedWRITE":          _row(_WRITE,   _WRITE,    _WRITE,     _WRITE,   _WRITE, _NONE),
    "grantedADMINISTRATE":   _row(_ALL,     _ALL,      _ALL,       _ALL,     _ALL,   _NONE),
    "above":                 _row(_SEE,     _SEE,      _SEE,       _NONE),
    "released":              _row(_NONE,    _NONE,     _READ,      _READ,    _NONE),
    "described":             _row(_NONE,    _NONE,     _SEE,       _NONE),
    "self":                  _row(_NONE,    _NONE,     _NONE,      _NONE,    _NONE,  _READ,  _NONE),
    "colleague":             _row(_NONE,    _NONE,     _NONE,      _NONE,    _NONE,  _SEE,   _NONE),
    "anyone":                _row(_NONE,    _NONE,     _NONE,      _NONE,    _NONE,  _NONE,  _READ),
})  # fmt: skip
"""Relation → type → level.

scientist
    has the role instrumentScientist and is listed by the instrument of the measurement, or by one that the experiment names.
depositor
    has the role depositor and delivered the measurement (of a proposal or experiment: made it, or delivered into it).
above
    the thing holds something that the caller sees.
released, described
    the content of the measurement is open to all; its policy shows the metadata of what is not.
colleague
    both are members of one proposal.
"""

ACTIONS: Mapping[str, tuple[Level | None, frozenset[str]]] = MappingProxyType({
    "see": (_SEE, frozenset()),
    "read": (_READ, frozenset()),
    "write": (_WRITE, frozenset()),
    "delete": (_ALL, frozenset()),
    "acl": (_ALL, frozenset({"dataManager"})),
    "shorten": (_ALL, frozenset({"dataManager"})),
    "extend": (None, frozenset({"dataManager", "admin"})),
    "history": (_WRITE, frozenset({"dataManager"})),
})  # fmt: skip
"""Action → the least level for it (None: no level will do), and the roles that may do it to whatever they see."""

CREATORS: Mapping[Type, frozenset[str]] = MappingProxyType({
    "proposal": frozenset({"dataManager", "admin"}),  # a depositor's are made by its ingests, which tell nothing of others
    "sample": frozenset({"depositor", "instrumentScientist", "dataManager", "admin"}),
    "policy": frozenset({"dataManager", "admin"}),
    "schema": frozenset({"dataManager", "admin"}),
    "facility": frozenset({"dataManager", "admin"}),
    "instrument": frozenset({"dataManager", "admin"}),
    "archive": frozenset({"dataManager", "admin"}),
    "person": frozenset({"admin"}),  # a person has roles
})  # fmt: skip
"""Who makes what hangs under nothing; an experiment, measurement or asset takes WRITE on what it is to hang under."""

DEPOSITORS = frozenset({"depositor", "admin"})
"""Who may open ingests into every proposal, also into one that is not there yet; others where they may write."""


def allowed(action: str, level: Level, roles: frozenset[str]) -> bool:
    """Tell whether somebody with this level and these roles may do it."""
    least, special = ACTIONS[action]
    return (least is not None and level >= least) or (level >= Level.SEE and bool(roles & special))
