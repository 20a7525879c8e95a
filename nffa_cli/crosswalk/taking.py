"""A repository's record laid out as our model says, by an import crosswalk: each value with the path it came from; pure.

What the record does not say is left out. A value that cannot be used is a warning and no value. Nothing is verified here:
sizes and digests are what the repository says of its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from nffa_cli import rawtree
from nffa_cli.crosswalk import entries
from nffa_cli.crosswalk.incoming import Field, Incoming, Rule
from nffa_cli.crosswalk.numbers import Unfit
from nffa_cli.records import Remark

MAX_FILES = 10_000
"""A record that lists more is no record that a person made."""
LOOKED_AT = 100_000
LEVELS = 100
"""So many parts of a path are looked at."""


class Said(NamedTuple):
    """A value of our model and the path of the record that it came from (``rule``: of the crosswalk's constant)."""

    value: Any
    source: str


class Taken(NamedTuple):
    """A record in our model.

    key
        Which record it is: the same at every import.
    fields
        Place (``measurement/measurementName``) → what is said.
    files
        The same of each file (``dataAssetName`` …), in the record's order.
    used
        Paths of the record that values were taken from; below one of them all was looked at.
    """

    crosswalk: Incoming
    key: str
    fields: Mapping[str, Said]
    files: tuple[Mapping[str, Said], ...]
    warnings: tuple[Remark, ...]
    used: frozenset[str] = frozenset()


def recognised(crosswalk: Incoming, entry: Mapping[str, Any]) -> bool:
    """Tell whether a record is of the crosswalk's dialect."""
    return all(rawtree.get(entry, path) is not rawtree.ABSENT for path in crosswalk.recognised_by)


def take(crosswalk: Incoming, entry: Mapping[str, Any]) -> Taken | None:
    """Return a record in our model; None where nothing says which record it is."""
    warnings: list[Remark] = []
    known = next(((name, path) for path in crosswalk.key if (name := _named(rawtree.get(entry, path)))), None)
    if known is None:
        return None
    key, used = known[0], {known[1]}
    fields = _filled(crosswalk.fields, _Scope(entry, entry, None, "", used), warnings)
    files: list[Mapping[str, Said]] = []
    seen: set[str] = set()
    shared = _filled(
        [field for field in crosswalk.assets if _is_shared(field)], _Scope(entry, entry, None, "", used), warnings
    )
    own = [field for field in crosswalk.assets if not _is_shared(field)]
    for scope in _items(crosswalk, entry, used):
        said = _filled(own, scope, warnings) | shared
        if "dataAssetName" not in said or "relativePath" not in said:
            warnings.append(Remark("file-without-name", f"{scope.where or 'a file'} has no name and is left out"))
            continue
        path = str(said["relativePath"].value)
        if path.casefold() in seen:
            warnings.append(Remark("file-named-twice", f"{path} is listed twice; the second is left out"))
            continue
        seen.add(path.casefold())
        files.append(said)
        if len(files) > MAX_FILES:
            warnings.append(Remark("too-many-files", f"only the first {MAX_FILES} files are taken"))
            files.pop()
            break
    return Taken(crosswalk, key, fields, tuple(files), tuple(dict.fromkeys(warnings)), frozenset(used))


def untaken(taken: Taken, entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of what nothing was taken from, of the first ``LOOKED_AT`` values of a record."""
    for path, value in islice(rawtree.leaves(entry), LOOKED_AT):
        above = path
        for _ in range(LEVELS):
            if above in taken.used:
                break
            above = above.rpartition(".")[0]
            if not above:
                yield path, value
                break


class _Scope(NamedTuple):
    """Where paths start: a file of the record, or the record itself; ``/`` is always the record."""

    top: Mapping[str, Any]
    here: Any
    key: str | None
    where: str
    used: set[str]

    def find(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield (path from the top, value) of what there is, branches too."""
        if path == "@key":
            if self.key is not None:
                yield f"{self.where}@key", self.key
            return
        start, step, before = (self.top, path[1:], "") if path[0] == "/" else (self.here, path, self.where)
        yield from _found(start, f"{before}.{step}" if before else step, step)


def _is_shared(field: Field) -> bool:
    """Tell whether a field says the same of every file: all it reads is the record's."""
    return all((rule.each or path)[0] == "/" for rule in field.rules for _, paths in rule.inputs for path in paths)


def _named(value: Any) -> str | None:
    try:
        return entries.TABLE["text"].run({"value": value}, {})  # type: ignore[no-any-return]
    except Unfit:
        return None


def _found(node: Any, shown: str, path: str) -> Iterator[tuple[str, Any]]:
    head, star, rest = path.partition("*")
    if not star:
        value = rawtree.get(node, path)
        if value is not rawtree.ABSENT and value is not None:
            yield shown, value
        return
    branch = rawtree.get(node, head.rstrip("."))
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(branch, Mapping):
        items = branch.items()
    elif isinstance(branch, list):
        items = enumerate(branch)
    for key, item in items:
        below = shown.replace("*", str(key), 1)
        if rest.lstrip("."):
            yield from _found(item, below, rest.lstrip("."))
        elif item is not None:
            yield below, item


def _items(crosswalk: Incoming, entry: Mapping[str, Any], used: set[str]) -> Iterator[_Scope]:
    """Yield each file of a record: of a list, of an object by name, or the one file that an object is itself."""
    for path in crosswalk.each:
        found = rawtree.get(entry, path)
        if isinstance(found, list):
            yield from (
                _Scope(entry, item, None, f"{path}.{n}", used)
                for n, item in enumerate(found)
                if isinstance(item, Mapping)
            )
            return
        if isinstance(found, Mapping):
            if any(not isinstance(item, Mapping) for item in found.values()):
                yield _Scope(entry, found, None, path, used)
            else:
                yield from (_Scope(entry, item, str(key), f"{path}.{key}", used) for key, item in found.items())
            return


def _filled(fields: Iterable[Field], scope: _Scope, warnings: list[Remark]) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for field in fields:
        for rule in field.rules:
            said = _by_rule(field.to, rule, scope, warnings)
            if said is None:
                continue
            found.setdefault(field.to, said)
            for place, text in rule.sets.items():
                found.setdefault(place, Said(text, said.source))
            break
    return found


def _by_rule(to: str, rule: Rule, scope: _Scope, warnings: list[Remark]) -> Said | None:
    if rule.constant:
        return Said(rule.constant[0], "rule")
    values: list[Said] = []
    for sources, given in _givens(rule, scope):
        source = sources[0]
        try:
            values.append(Said(entries.TABLE[rule.using].run(given, rule.options), source))
        except Unfit as unfit:
            if unfit.code:
                warnings.append(Remark(unfit.code, f"{to}: {source} {unfit.why}"))
            continue
        scope.used.update(sources)
        if not rule.all:
            return values[0]
    return Said(list(dict.fromkeys(said.value for said in values)), values[0].source) if values else None


def _givens(rule: Rule, scope: _Scope) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield what a transform may be given, in order of preference, each with the paths of its inputs."""
    for place in _scopes(rule, scope):
        inputs = [(name, [pair for path in paths for pair in place.find(path)]) for name, paths in rule.inputs]
        if len(inputs) > 1:
            if all(pairs for _, pairs in inputs):
                yield tuple(pairs[0][0] for _, pairs in inputs), {name: pairs[0][1] for name, pairs in inputs}
            continue
        name, pairs = inputs[0]
        for source, value in pairs:
            for item in value if rule.all and isinstance(value, list) else [value]:
                yield (source,), {name: item}


def _scopes(rule: Rule, scope: _Scope) -> Iterator[_Scope]:
    """Yield where a rule looks: here, or in each item of a list that fits its ``where``."""
    if rule.each is None:
        yield scope
        return
    for where, found in scope.find(rule.each):
        for number, item in enumerate(found if isinstance(found, list) else [found]):
            if isinstance(item, Mapping):
                place = _Scope(scope.top, item, None, f"{where}.{number}".lstrip("/"), scope.used)
                if all(any(value in texts for _, value in place.find(path)) for path, texts in rule.where):
                    yield place
