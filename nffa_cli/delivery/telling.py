"""How deliveries are told: a run of sync with its end, plans, the outbox, how things stand, what may be deleted."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nffa_cli import portal, settings
from nffa_cli.catalogue.outbox import Row, State
from nffa_cli.catalogue.store import Store
from nffa_cli.delivery.returning import Returned
from nffa_cli.delivery.standing import Safe, Standing
from nffa_cli.delivery.syncing import TROUBLES, Sync, Wish, configured
from nffa_cli.errors import LockedError, NffaError, Unreachable, UsageError
from nffa_cli.story import Teller
from nffa_cli.terminal import Column, Terminal

logger = logging.getLogger(__name__)

REFUSED = 5
PASSING: tuple[type[NffaError], ...] = (*TROUBLES, LockedError)
"""What a watch lives through."""
FIELDS = 12
"""Fields of one update that are told without ``-v``."""

OUTBOX = (Column("state"), Column("reason", least=20), Column("destination", least=12, drop=1),
          Column("since", drop=2), Column("file", least=20, tail=True))  # fmt: skip


def tell(sync: Sync, terminal: Terminal, *, check: bool = False, changes_only: bool = False) -> int:
    """Tell a run, then raise what stopped one of its destinations; return the exit status."""
    teller = Teller(terminal, changes_only=changes_only, hint=_after)
    refused = False
    if not check:
        _refresh_proposals(terminal)

    def outcomes() -> Iterable[Any]:
        nonlocal refused
        for outcome in sync.check() if check else sync.deliver():
            refused = refused or (outcome.reason or "").startswith("refused: ")
            yield outcome
        for each in sync.returned:
            _tell_returned(each, terminal)

    status = teller.tell(outcomes())
    if sync.trouble is not None:
        raise sync.trouble
    return REFUSED if refused else status


def _refresh_proposals(terminal: Terminal) -> None:
    """Ask the portal where that is due; what is wrong with it is told and stops nothing."""
    done = portal.refresh_if_due(settings.load())
    if done is None:
        return
    terminal.data({"type": "portal", **done.as_json()})
    if done.problem:
        terminal.say(f"the portal does not answer ({done.problem}); its proposals are {portal.age_told(done.age)}")


def _tell_returned(found: Returned, terminal: Terminal) -> None:
    """Tell how many labels came back, or why they did not; what was delivered is delivered all the same."""
    if not found.labels and found.problem is None:
        return
    terminal.data({"type": "labels", **asdict(found)})
    if found.labels:
        terminal.line(f"{found.labels} label{'s' * (found.labels != 1)} came back from {found.destination}")
    if found.problem is not None:
        terminal.say(f"the labels of {found.destination} did not come ({found.problem}); the next sync asks again")


def _after(counts: Mapping[str, int]) -> str | None:
    if counts.get("failed") or counts.get("waiting"):
        return "Next: nffa outbox list   says what could not be delivered, and why"
    return None


def watch(wish: Wish, every: float, terminal: Terminal) -> int:
    """Deliver again and again until the caller stops; what stops a destination is told, and tried again at the next look.

    At the first look somebody is there to read: what he must mend ends it, unless other destinations were served meanwhile.
    """
    looks = 0
    while True:
        sync = None
        try:
            sync = Sync(wish)
            tell(sync, terminal, changes_only=looks > 0)
        except PASSING as error:
            if not (looks or _serves_others(sync, error)):
                raise
            logger.warning("%s; looking again in %g s", error, every)
        looks += 1
        terminal.flush()
        time.sleep(every)


def _serves_others(sync: Sync | None, error: NffaError) -> bool:
    """Tell whether a first look may go on after an error: it passes by itself, or is that of one destination among several."""
    return isinstance(error, Unreachable) or (sync is not None and sync.trouble is error and len(sync.places) > 1)


def tell_plan(sync: Sync, terminal: Terminal) -> int:
    """Tell what a run would send, and of updates which fields would follow; return the exit status."""
    counts: Counter[str] = Counter()
    told: list[str] = []
    for outcome in sync.plan():
        detail = dict(outcome.detail)
        due = detail.pop("due", []) if outcome.status == "done" else []
        counts["due" if due else "nothing due"] += 1
        why = detail.pop("why", None)
        reason = outcome.reason or (why if due else outcome.status)
        line = {"type": "plan", "path": outcome.path, "stage": outcome.stage, "due": due, "reason": reason}
        terminal.data(line | detail)
        if due:
            lost = f"; would be lost: {', '.join(detail['lost'])}" if detail.get("lost") else ""
            sent = "" if detail.get("bytes") is None else f", {detail['bytes']} bytes"
            terminal.line(f"{due[0]:<12} {outcome.path}  ({reason}{sent}{lost})")
            if detail.get("changes") is not None:
                before, told = told, [_changed(each) for each in detail["changes"]]
                _tell_changes(told, before, terminal)
        elif terminal.verbose or outcome.status in ("waiting", "failed"):
            terminal.line(f"{outcome.status:<12} {outcome.path}  ({reason})")
    terminal.data({"type": "summary", "plan": dict(counts)})
    terminal.line(f"{counts['due']} due, {counts['nothing due']} with nothing to do; nothing was changed")
    if sync.trouble is not None:
        raise sync.trouble
    return 0


def _changed(change: Mapping[str, str | None]) -> str:
    old, new = (change[side] if change[side] is not None else "nothing" for side in ("old", "new"))
    return f"{change['field']}: {old} → {new}"


def _tell_changes(told: Sequence[str], before: Sequence[str], terminal: Terminal) -> None:
    """Tell the fields that would follow; ``before``: those of the line above, as a session changes a whole folder alike."""
    if told and told == before and not terminal.verbose:
        terminal.line("    the same as above")
        return
    shown = told if terminal.verbose else told[:FIELDS]
    for each in shown or ["nothing that can be read there"]:
        terminal.line(f"    {each}")
    if len(told) > len(shown):
        terminal.line(f"    and {len(told) - len(shown)} more (-v tells all)")


def outbox(rows: Iterable[Row], terminal: Terminal) -> int:
    """Show what was begun and has not arrived; return the exit status."""
    shown = []
    for row in rows:
        path = row.path.replace(os.sep, "/")
        terminal.data({
            "type": "delivery", "path": path, "acquisition": row.acquisition, "import": row.imported,
            "destination": row.destination, "state": row.state, "reason": row.reason,
            "attempts": row.attempts, "since": row.changed_at,
        })  # fmt: skip
        shown.append((row.state, row.reason, row.destination, row.changed_at, path))
    terminal.data({"type": "summary", "deliveries": len(shown)})
    if shown:
        terminal.table(OUTBOX, shown)
    terminal.line(f"{len(shown)} deliver{'y' if len(shown) == 1 else 'ies'} not done" if shown else "nothing waits")
    if shown:
        terminal.hint("Next: nffa sync   tries again; nffa outbox drop ID   gives one up")
    return 0


RETRY: tuple[State, ...] = ("waiting", "failed", "refused", "conflict", "dropped")
DROP: tuple[State, ...] = ("waiting", "failed", "refused", "conflict", "sending", "again")


def change(store: Store, target: str | None, to: str | None, terminal: Terminal, *, drop: bool) -> int:
    """Give a delivery up, or have it tried again at the next sync (None: all of them); return the exit status."""
    imported = None if target is None else store.imports.named(target)
    acquisition = None if target is None or imported is not None else store.show(target).entry.id
    among = DROP if drop else RETRY
    state: State = "dropped" if drop else "again"
    count = 0
    if imported is None:
        count += store.outbox.set_state(state, acquisition=acquisition, destination=to, among=among)
    if acquisition is None:
        count += store.imports.set_state(state, key=imported, destination=to, among=among)
    if target is not None and not count:
        raise UsageError(f"nothing of {target} is in the outbox", hint="nffa outbox list")
    terminal.data({"type": "summary", "dropped" if drop else "retried": count})
    terminal.line(f"{count} {'given up' if drop else 'to be tried again by the next nffa sync'}")
    return 0


def used(store: Store) -> list[str]:
    """Return the names of all destinations that are configured or were used, in that order."""
    return list(dict.fromkeys([*(place.name for place in configured()), *store.outbox.names()]))


def stand(found: Iterable[Standing], terminal: Terminal) -> None:
    """Tell how deliveries stand, one line a destination, and what waits for a person."""
    for each in found:
        for kind, held in (("waiting", each.waiting), ("failed", each.failed)):
            for path, reason in held:
                shown = path.replace(os.sep, "/")
                terminal.data({"type": "held", "path": shown, "status": kind, "reason": reason,
                               "destination": each.destination})  # fmt: skip
        terminal.data({
            "type": "deliveries", "destination": each.destination, "delivered": each.delivered, "due": each.due,
            "waiting": len(each.waiting), "failed": len(each.failed),
        })  # fmt: skip
        reasons = Counter(reason for _, reason in (*each.waiting, *each.failed))
        why = "".join(f", {count} not delivered: {reason}" for reason, count in reasons.most_common(3))
        terminal.line(f"{each.destination}: {each.delivered} delivered, {each.due} due{why}")


def safe(found: Iterable[Safe], terminal: Terminal) -> int:
    """List what may be deleted; nothing is deleted here. Returns the exit status."""
    count = total = 0
    for each in found:
        count, total = count + 1, total + each.bytes
        paths = [path.replace(os.sep, "/") for path in each.files]
        terminal.data({
            "type": "safe-to-delete", "path": paths[0], "files": [{"path": path} for path in paths],
            "bytes": each.bytes, "acquisition": each.acquisition, "destination": each.destination, "url": each.url,
        })  # fmt: skip
        for path in each.files:
            terminal.line(path)
    terminal.data({"type": "summary", "safe_to_delete": count, "bytes": total})
    if not count:
        terminal.hint("nothing yet: nffa sync, then nffa sync --check, which proves what arrived")
    return 0
