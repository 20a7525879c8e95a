"""What copies that leave the instrument's computer say of persons: ``keep``, ``pseudonym`` or ``drop``; pure.

An inward crosswalk's ``personal:`` names the tags. Their values are taken out of the vendor's tree there and wherever else a
whole text repeats one, and out of the record. What somebody wrote into the session file or a profile is theirs to publish
and stays. The catalogue, and the vendor's own file, keep everything.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from nffa_cli import rawtree
from nffa_cli.crosswalk import merge, paths
from nffa_cli.crosswalk.load import Crosswalk
from nffa_cli.errors import ConfigError
from nffa_cli.records import Quantity, RawMetadata, Record, Remark

Policy = Literal["keep", "pseudonym", "drop"]
POLICIES: tuple[Policy, ...] = ("keep", "pseudonym", "drop")
DEFAULT: Policy = "pseudonym"

NOBODY = frozenset(
    "admin administrator default eds eels engineer guest jeol labuser microscope nobody none normal off on operator "
    "owner public sem sem_user semuser service standard stem supervisor system tem temuser test unknown user".split()
)
"""Accounts that name no person: taken out of the personal tags, but not looked for anywhere else."""

_FREE = ("operator.", "acquisition.title", "acquisition.note", "sample.", "experiment.", "proposal.")
"""Terms in which a person's name may stand as free text."""


def apply(
    raw: RawMetadata, record: Record, *, crosswalk: Crosswalk, policy: str = DEFAULT, secret: bytes
) -> tuple[RawMetadata, Record]:
    """Return what was read and the record as they may leave this computer.

    Parameters
    ----------
    crosswalk
        The inward one of the format: its ``personal`` says where persons are named.
    policy
        ``keep``: both as they are. ``pseudonym``: ``operator-`` and eight hex digits, the same for the same name (case
        and blanks aside) as long as the secret is. ``drop``: null in the tree, no term in the record.
    secret
        1 to 64 bytes that only this facility has; without it nobody can try names against a pseudonym.

    Raises
    ------
    ConfigError
        There is no such policy.
    """
    if policy not in POLICIES:
        raise ConfigError(f"no such operator policy: {policy!r}", hint=f"one of {', '.join(POLICIES)}")
    if policy == "keep":
        return raw, record
    found = _leaves(raw.tree)
    marked = found.keys() - paths.Tree(crosswalk, raw).covered(crosswalk.personal).outside(found.keys())
    operators = [text for quantity in _operators(record) for text in (*_texts(quantity.value), *_texts(quantity.raw))]
    instrument = {
        _bare(str(quantity.value)) for name, quantity in record.terms.items() if name.startswith("instrument.")
    }
    persons = set(map(_bare, operators))
    samples = {
        _bare(str(quantity.value))
        for name, quantity in record.terms.items()
        if name.startswith("sample.") and not _place(quantity.source) & marked
    }  # DigitalMicrograph lists specimen and operator in one place
    named = {_bare(text) for path in marked for text in _texts(found[path])} - samples | persons
    names = frozenset(name for name in named if _tells(name)) - instrument
    veil = _Veil(names, secret if policy == "pseudonym" else None)
    return replace(raw, tree=_tree(raw.tree, "", marked, veil)), _record(record, marked, operators, veil)


def person(name: str, *, policy: str, secret: bytes) -> str | None:
    """Return what copies that leave this computer call a person; None: nothing."""
    return name if policy == "keep" else _Veil(frozenset(), secret if policy == "pseudonym" else None).over(name)


class _Veil:
    """Knows the names that are looked for, and what stands in the place of one."""

    def __init__(self, names: frozenset[str], secret: bytes | None) -> None:
        self.names = names
        self._secret = secret

    def over(self, value: Any) -> Any:
        """Return what is written instead of a value, None where nothing is."""
        if value is None or isinstance(value, bool) or value == "":
            return value
        if isinstance(value, list):
            return [self.over(item) for item in value]
        if self._secret is None:
            return None
        text = _bare(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=4)
        return f"operator-{digest.hexdigest()}"

    def where_named(self, value: Any) -> Any:
        """Return a value with the texts in it replaced that are one of the names."""
        if isinstance(value, list):
            return [self.where_named(item) for item in value]
        return self.over(value) if isinstance(value, str) and _bare(value) in self.names else value


# --- the tree ---


def _leaves(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return path → value of every value, those in lists too."""
    found: dict[str, Any] = {}
    branches: list[tuple[str, Any]] = [("", tree)]
    for prefix, node in branches:  # grows while it is walked
        for key, value in node.items() if isinstance(node, Mapping) else enumerate(node):
            path = f"{prefix}{key}"
            if is_leaf := rawtree.is_leaf(value):
                found[path] = value
            if isinstance(value, list) or not is_leaf:
                branches.append((f"{path}.", value))
    return found


def _tree(node: Any, path: str, marked: set[str], veil: _Veil) -> Any:
    if path in marked and rawtree.is_leaf(node):
        return veil.over(node)
    if isinstance(node, Mapping) and (not path or not rawtree.is_leaf(node)):
        return {key: _tree(value, f"{path}.{key}" if path else str(key), marked, veil) for key, value in node.items()}
    if isinstance(node, list):
        return [_tree(value, f"{path}.{number}", marked, veil) for number, value in enumerate(node)]
    return veil.where_named(node)


# --- the record ---


def _operators(record: Record) -> list[Quantity]:
    return [
        quantity
        for name, quantity in record.terms.items()
        if name.startswith("operator.") and not merge.is_outside(quantity)
    ]


def _record(record: Record, marked: set[str], operators: Iterable[str], veil: _Veil) -> Record:
    terms: dict[str, Quantity] = {}
    for name, quantity in record.terms.items():
        if merge.is_outside(quantity):
            terms[name] = quantity
            continue
        if name.startswith(_FREE) and not name.startswith("operator.") and _place(quantity.source) & marked:
            continue  # a pseudonym is a person's, no note and no name of a sample
        change = veil.over if name.startswith("operator.") else veil.where_named
        value = change(quantity.value) if name.startswith(_FREE) and isinstance(quantity.value, str) else quantity.value
        raw = change(quantity.raw)
        if value is not None:
            same = value is quantity.value and raw is quantity.raw
            terms[name] = quantity if same else replace(quantity, value=value, raw=raw)
    return replace(record, terms=terms, warnings=_warnings(record.warnings, operators, veil))


def _place(source: str) -> set[str]:
    """Return the path that a record's source cites, whose root stands before a slash."""
    return {source, source.replace("/", ".", 1)}


def _warnings(warnings: Iterable[Remark], operators: Iterable[str], veil: _Veil) -> tuple[Remark, ...]:
    """Return the warnings without the operators' names, which a conflict quotes."""
    longest = sorted(filter(_tells, set(operators)), key=len, reverse=True)
    if not longest:
        return tuple(warnings)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)")
    return tuple(
        replace(remark, detail=pattern.sub(lambda found: veil.over(found[0]) or "(removed)", remark.detail))
        for remark in warnings
    )


# --- texts ---


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _bare(text: str) -> str:
    return " ".join(text.split()).casefold()


def _tells(text: str) -> bool:
    """Tell whether a text may be a person's name, rather than a number, a flag or an account of nobody."""
    bare = _bare(text)
    return len(bare) > 1 and any(letter.isalpha() for letter in bare) and bare not in NOBODY
