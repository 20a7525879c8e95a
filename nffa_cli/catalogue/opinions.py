"""What models and persons say a picture shows: two tables that only grow, and what was looked at, file by file.

A classification belongs to content (SHA-256 of the main file) and model, a person's label to content alone, so that both
outlive renamed folders. ``looked`` remembers stamps: an unchanged file needs no hashing to be known.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

from nffa_cli.catalogue.connection import Connection, utc_now
from nffa_cli.catalogue.queries import below
from nffa_cli.records import Status


@dataclass(frozen=True, slots=True)
class Classification:
    """What one model says of one content.

    logits
        One for each label of the model, in its order, and one for none.
    label, score, in_distribution, decision
        What the model's own temperature and thresholds made of them.
    pixel_size
        Metres per pixel that the model was told; None: it was not.
    embedding
        float16 vector of unit length.
    """

    sha256: str
    logits: tuple[float, ...]
    label: str
    score: float
    in_distribution: float
    decision: str
    pixel_size: float | None
    remarks: tuple[str, ...]
    embedding: bytes
    seq: int | None = None
    made_at: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One file as a model's run left it; ``stamp`` as ``plan.stamp``, with the version of the preparation.

    holds
        Whether this model's word is what searches go by, and not another one's that looked since.
    """

    path: str
    stamp: str
    status: Status
    reason: str | None
    format: str | None
    classification: Classification | None
    holds: bool = True


Answer = Literal["label", "none", "unclear", "undo"]
"""What a person may say: it shows ``label``; none of the categories; not clear; take back what I said before."""


How = Literal["looked", "duplicate", "check", "bulk"]
"""How a person came to say it: looked at the picture; at a near-duplicate of it; looked, in a random spot check; accepted a
whole class, which nobody looked at one by one."""
SEEN: frozenset[How] = frozenset({"looked", "check"})
"""What a person has seen with these eyes: only that counts where agreement is measured."""

CATEGORY: Mapping[str, str] = {"none": "none", "unclear": "unclear"}
"""What a search finds a content by whose answer names no category."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says of one content; rows are never changed, a later one of the same person counts.

    second
        A second category, where the picture lies between two.
    model, predicted
        SHA-256 of the model whose prediction was seen, and that prediction; None: nothing was shown.
    origin, origin_id, person
        The node at whose review desk it was said, its id and the person's there; None: it was said here.
    """

    sha256: str
    answer: Answer
    label: str | None
    second: str | None
    labeller: str
    note: str | None = None
    model: str | None = None
    predicted: str | None = None
    made_at: str | None = None
    seq: int | None = None
    how: How = "looked"
    origin: str | None = None
    origin_id: str | None = None
    person: str | None = None

    @property
    def who(self) -> tuple[str | None, str]:
        """Whose answer it is: of a node's person by the id there, whatever name is known of them."""
        return self.origin, self.person or self.labeller

    @property
    def category(self) -> str:
        """The category, or the word for why there is none: ``none``, ``unclear``."""
        return CATEGORY.get(self.answer) or str(self.label)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "answer": self.answer, "label": self.label, "second": self.second, "labeller": self.labeller,
            "note": self.note, "at": self.made_at, "model_sha256": self.model, "predicted": self.predicted,
            "how": self.how, "origin": self.origin,
        }  # fmt: skip


_CLASSIFICATION = (
    "c.seq, c.sha256, c.logits, c.label, c.score, c.in_distribution, c.decision, c.pixel_size, c.remarks, c.embedding, "
    "c.made_at"
)


class Opinions:
    """The door to these tables; ``Store.opinions`` gives it."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def model(self, sha256: str, name: str, version: str, labels: Sequence[str]) -> int:
        """Return the number of a model, giving it one when it is new."""
        values = (sha256, name, version, json.dumps(list(labels)), utc_now())
        self._db.do(
            "INSERT INTO model (sha256, name, version, labels, first_used) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            values,
        )
        return int(self._db.rows("SELECT seq FROM model WHERE sha256 = ?", (sha256,))[0][0])

    def look(self, path: str, model: int) -> Look | None:
        """Return what was made of the file at ``path`` when this model looked last."""
        row = self._db.row(
            f"""SELECT l.stamp, l.status, l.reason, l.format, h.model IS l.model, {_CLASSIFICATION} FROM looked l
            LEFT JOIN classification c ON c.seq = l.classification LEFT JOIN category g ON g.sha256 = c.sha256
            LEFT JOIN classification h ON h.seq = g.current WHERE l.path = ? AND l.model = ?""",  # noqa: S608
            (os.fsencode(path), model),
        )
        if row is None:
            return None
        found = None if row[5] is None else _classification(row[5:])
        return Look(path, row[0], row[1], row[2], row[3], found, bool(row[4]))

    def save(self, model: int, looks: Iterable[Look], *, holds: bool = True) -> list[bool]:
        """Remember looks in one transaction; return of each whether its classification was new.

        ``holds``: searches go by them from now on.
        """
        new = []
        with self._db.transaction():
            for look in looks:
                seq, is_new = None, False
                if look.classification is not None:
                    seq, is_new = self._keep(model, look.classification)
                    if holds:
                        self._hold(seq, look.classification)
                new.append(is_new)
                self._db.do(
                    "INSERT OR REPLACE INTO looked (path, model, stamp, status, reason, format, classification) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (os.fsencode(look.path), model, look.stamp, look.status, look.reason, look.format, seq),
                )
        return new

    def _keep(self, model: int, made: Classification) -> tuple[int, bool]:
        """Add a classification unless the newest one of this content and model says the same; return its number."""
        same = (json.dumps(made.logits), made.pixel_size, json.dumps(made.remarks))
        row = self._db.row(
            "SELECT seq, logits, pixel_size, remarks FROM classification WHERE sha256 = ? AND model = ? "
            "ORDER BY seq DESC LIMIT 1",
            (made.sha256, model),
        )
        if row is not None and row[1:] == same:
            return int(row[0]), False
        seq = self._db.insert(
            "INSERT INTO classification (sha256, model, logits, label, score, in_distribution, decision, pixel_size, "
            "remarks, embedding, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (made.sha256, model, same[0], made.label, made.score, made.in_distribution, made.decision, made.pixel_size,
             same[2], made.embedding, utc_now()),
        )  # fmt: skip
        return seq, True

    def hold_again(self, known: Iterable[Classification]) -> None:
        """Let searches go by these classifications, which are kept, from now on."""
        with self._db.transaction():
            for each in known:
                self._hold(each.seq, each)

    def _hold(self, seq: int | None, made: Classification) -> None:
        self._db.do(
            "INSERT INTO category (sha256, predicted, decision, current) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "predicted = excluded.predicted, decision = excluded.decision, current = excluded.current",
            (made.sha256, made.label, made.decision, seq),
        )

    def classifications(self, model: int) -> Iterator[tuple[str, Classification]]:
        """Yield (a path at which it was seen, newest classification) of every content that this model has looked at."""
        last = 0
        while rows := self._db.rows(
            f"""SELECT {_CLASSIFICATION}, (SELECT path FROM looked WHERE classification = c.seq LIMIT 1)
            FROM classification c WHERE c.model = ? AND c.seq > ? AND NOT EXISTS (
                SELECT 1 FROM classification d WHERE d.sha256 = c.sha256 AND d.model = c.model AND d.seq > c.seq)
            ORDER BY c.seq LIMIT 500""",  # noqa: S608
            (model, last),
        ):
            last = rows[-1][0]
            yield from ((os.fsdecode(row[-1] or b""), _classification(row[:-1])) for row in rows)

    def newest(self, sha256: str) -> tuple[Mapping[str, Any], Classification] | None:
        """Return the classification of a content that holds, with its model (``name``, ``version``, ``sha256``, ``labels``).

        That is the one of the model with which ``nffa classify`` looked last.
        """
        return self.newest_of([sha256]).get(sha256)

    def newest_of(self, sha256s: Sequence[str]) -> dict[str, tuple[Mapping[str, Any], Classification]]:
        """Return what ``newest`` says of those contents that were classified."""
        rows = self._db.rows(
            f"""SELECT m.name, m.version, m.sha256, m.labels, {_CLASSIFICATION} FROM classification c
            JOIN model m ON m.seq = c.model JOIN category g ON g.current = c.seq
            WHERE g.sha256 IN (SELECT value FROM json_each(?))""",  # noqa: S608
            (json.dumps(sha256s),),
        )
        found: dict[str, tuple[Mapping[str, Any], Classification]] = {}
        for row in rows:
            said = _classification(row[4:])
            about = {"name": row[0], "version": row[1], "sha256": row[2], "labels": json.loads(row[3])}
            found[said.sha256] = about, said
        return found

    def of(self, sha256: str, model_sha256: str) -> Classification | None:
        """Return the newest classification of a content by one model."""
        row = self._db.row(
            f"""SELECT {_CLASSIFICATION} FROM classification c JOIN model m ON m.seq = c.model
            WHERE c.sha256 = ? AND m.sha256 = ? ORDER BY c.seq DESC LIMIT 1""",  # noqa: S608
            (sha256, model_sha256),
        )
        return None if row is None else _classification(row)

    # Persons

    def say(self, label: Label) -> None:
        """Add what a person says; nothing that was said before is changed."""
        self.take([label])

    def take(self, said: Iterable[Label]) -> int:
        """Add what persons say, in one transaction; return how many are new: what came from a node is known by its id."""
        new = 0
        with self._db.transaction():
            for label in said:
                if label.origin is None or not self._is_known(label.origin, label.origin_id):
                    self._add(label)
                    new += 1
        return new

    def _is_known(self, origin: str, id: str | None) -> bool:
        known = "SELECT 1 FROM label WHERE origin = ? AND origin_id = ?"
        return self._db.row(known, (origin, id)) is not None

    def _add(self, label: Label) -> None:
        self._db.do(
            "INSERT INTO label (sha256, answer, label, second, labeller, note, model, predicted, made_at, how, origin, "
            "origin_id, person) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (label.sha256, label.answer, label.label, label.second, label.labeller, label.note, label.model,
             label.predicted, label.made_at or utc_now(), label.how, label.origin, label.origin_id, label.person),
        )  # fmt: skip
        last = (self.labels(label.sha256) or (None,))[-1]
        words = (None, None) if last is None else (CATEGORY.get(last.answer, last.label), last.second)
        self._db.do(
            "INSERT INTO category (sha256, label, second) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET label = excluded.label, second = excluded.second",
            (label.sha256, *words),
        )

    def said(self, sha256: str) -> tuple[Label, ...]:
        """Return all that persons have said of a content, oldest first, with what was taken back."""
        rows = self._db.rows(f"SELECT {_LABEL} FROM label WHERE sha256 = ? ORDER BY seq", (sha256,))  # noqa: S608
        return tuple(Label(*row) for row in rows)

    def labels(self, sha256: str) -> tuple[Label, ...]:
        """Return what holds: the last answer of each person who has not taken it back, oldest first."""
        return holding(self.said(sha256))

    def labels_of(self, sha256s: Sequence[str]) -> dict[str, tuple[Label, ...]]:
        """Return what ``labels`` says of those contents that persons have labelled."""
        rows = self._db.rows(
            f"SELECT {_LABEL} FROM label WHERE sha256 IN (SELECT value FROM json_each(?)) ORDER BY sha256, seq",  # noqa: S608
            (json.dumps(sha256s),),
        )
        return {sha256: holding(Label(*row) for row in mine) for sha256, mine in groupby(rows, itemgetter(0))}

    def labelled(self) -> Iterator[Label]:
        """Yield all that persons have said, oldest first, with what was taken back."""
        last = 0
        while rows := self._db.rows(f"SELECT {_LABEL} FROM label WHERE seq > ? ORDER BY seq LIMIT 500", (last,)):  # noqa: S608
            last = rows[-1][_SEQ]
            yield from (Label(*row) for row in rows)

    def hold(self) -> dict[str, tuple[Label, ...]]:
        """Return what holds of every content that persons have labelled; see ``labels``."""
        said: dict[str, list[Label]] = {}
        for each in self.labelled():
            said.setdefault(each.sha256, []).append(each)
        found = {sha256: holding(each) for sha256, each in said.items()}
        return {sha256: labels for sha256, labels in found.items() if labels}

    def categories(self) -> list[str]:
        """Return every category that a person has named, first named first."""
        return [label for (label,) in self._db.rows(
            "SELECT label FROM label WHERE label IS NOT NULL GROUP BY label ORDER BY min(seq)"
        )]  # fmt: skip

    # Where it lies

    def paths(self, sha256: str) -> tuple[str, ...]:
        """Return where a content was when models looked at it."""
        rows = self._db.rows(
            """SELECT DISTINCT l.path FROM classification c JOIN looked l ON l.classification = c.seq
            WHERE c.sha256 = ? ORDER BY 1""",
            (sha256,),
        )
        return tuple(os.fsdecode(path) for (path,) in rows)

    def contents_below(self, folder: str) -> set[str]:
        """Return the contents that models have looked at below a folder."""
        rows = self._db.rows(
            """SELECT DISTINCT c.sha256 FROM looked l JOIN classification c ON c.seq = l.classification
            WHERE l.path >= ? AND l.path < ?""",
            below(folder),
        )
        return {sha256 for (sha256,) in rows}

    def acquisition(self, sha256: str) -> str | None:
        """Return the id of an acquisition whose main file has this content, if one was ingested."""
        row = self._db.row(
            """SELECT a.id FROM file f JOIN acquisition a ON a.version = f.version
            WHERE f.sha256 = ? AND f.role = 'main' AND a.superseded_by IS NULL ORDER BY a.seq""",
            (sha256,),
        )
        return None if row is None else str(row[0])


_LABEL = "sha256, answer, label, second, labeller, note, model, predicted, made_at, seq, how, origin, origin_id, person"
_SEQ = 9
"""Which of these columns counts the rows."""


def holding(said: Iterable[Label]) -> tuple[Label, ...]:
    """Return what holds of all that was said of one content: the last answer of each person, less what was undone.

    The one that was given last comes last, wherever and however late it came here.
    """
    by_person: dict[tuple[str | None, str], list[Label]] = {}
    for each in said:
        mine = by_person.setdefault(each.who, [])
        if each.answer != "undo":
            mine.append(each)
        elif mine:
            mine.pop()
    last = [mine[-1] for mine in by_person.values() if mine]
    return tuple(sorted(last, key=lambda each: (each.made_at or "", each.seq or 0)))


def _classification(row: Sequence[Any]) -> Classification:
    seq, sha256, logits, label, score, likeness, decision, pixel_size, remarks, embedding, made_at = row
    return Classification(
        sha256, tuple(json.loads(logits)), label, score, likeness, decision, pixel_size, tuple(json.loads(remarks)),
        embedding, seq, made_at,
    )  # fmt: skip
