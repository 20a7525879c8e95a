"""The closed list of transforms for repositories' records: HTML to text, licences, persons, digests, addresses, dates.

Each takes what a record holds and gives what our model takes, or raises Unfit with the reason; none guesses. Records
are strangers' text: nothing here follows an address, and a name never leads out of its folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from nffa_cli import orcid
from nffa_cli.crosswalk import dates
from nffa_cli.crosswalk.numbers import Unfit

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_EDTF = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?(/\d{4}(-\d{2}(-\d{2})?)?)?", re.ASCII)
_DIGESTS = {"md5": 32, "sha-1": 40, "sha-256": 64, "sha-512": 128}
_ALGORITHMS = {"sha1": "sha-1", "sha256": "sha-256", "sha512": "sha-512"}
_SPDX = {
    name.lower(): name
    for name in (
        "CC-BY-4.0", "CC-BY-3.0", "CC-BY-2.0", "CC-BY-SA-4.0", "CC-BY-SA-3.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0",
        "CC-BY-NC-ND-4.0", "CC-BY-ND-4.0", "CC0-1.0", "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause",
        "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "LGPL-3.0-or-later", "AGPL-3.0-or-later",
        "MPL-2.0", "ODbL-1.0", "ODC-By-1.0", "PDDL-1.0", "EUPL-1.2",
    )
}  # fmt: skip
"""Licences by their SPDX ids, as records write them in small letters; any other is kept as it is written."""
_CREATIVE = re.compile(
    r"creative commons attribution(?P<nc>[- ]non-?commercial)?(?P<sa>[- ]share-?alike)?(?P<nd>[- ]no-?derivatives)?"
    r"(?P<version> [1-4]\.0)(?: international| unported)?(?: \(cc[^)]*\))?",
    re.IGNORECASE,
)
_SHORT = re.compile(r"cc[- ](by(?:[- ](?:nc|sa|nd))*)[- ]v?([1-4]\.0)", re.IGNORECASE)
_BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul".split()
)
_SILENT = frozenset({"script", "style", "template", "head", "title", "noscript", "iframe", "object", "svg", "math"})
_INLINE = frozenset(
    "a abbr b big bdi bdo caption center cite code col colgroup del dfn em figcaption figure font footer header i img ins kbd "
    "label main mark nav q s samp small source span strike strong sub summary sup tbody td tfoot th thead time tt u var video "
    "wbr body html link meta base".split()
)
_KNOWN = _BLOCKS | _SILENT | _INLINE
_MARK = re.compile(r"""<!--|<(/?)([A-Za-z][A-Za-z0-9]{0,15})(?:[\s/](?:[^<>"']|"[^"<]*"|'[^'<]*')*)?>|<[!?][^<>]*>""")
MAX_MARKUP = 200_000
"""Characters of HTML that are looked through; a description has some thousands."""
MAX_TEXT = 100_000
"""Characters of a description; the model takes no more."""


class Transform(NamedTuple):
    """A transform: which inputs it takes (empty: one, called ``value``), and which options."""

    run: Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
    inputs: tuple[str, ...] = ("value",)
    options: frozenset[str] = frozenset()


def complaint(using: str, inputs: Iterable[str], options: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the inputs or options that a rule gives to a transform."""
    wanted = TABLE[using]
    if set(inputs) != set(wanted.inputs):
        return f"transform '{using}' takes {', '.join(wanted.inputs)}"
    if unknown := set(options) - wanted.options:
        return f"transform '{using}' knows no option '{unknown.pop()}'"
    if using == "digest" and options.get("algorithm", "md5") not in _DIGESTS:
        return f"algorithm is one of {', '.join(_DIGESTS)}"
    return None


def plain(markup: str) -> str:
    """Return what a reader of HTML would see as text: no tags, no scripts, a line for each block; plain text stays.

    Linear in the length of the text, whatever it holds (``html.parser`` is not: unclosed marks make it quadratic).
    """
    parts: list[str] = []
    done = 0
    markup = markup[:MAX_MARKUP]
    lower = markup.lower()
    for mark in _MARK.finditer(markup):
        if mark.start() < done:
            continue
        ending, tag = mark[1], (mark[2] or "").lower()
        if tag and tag not in _KNOWN:
            continue  # x<y and z>w
        parts.append(unescape(markup[done : mark.start()]))
        done = mark.end()
        if tag in _BLOCKS:
            parts.append("\n")
        elif mark[0] == "<!--" or (tag in _SILENT and not ending):
            over = markup.find("-->", done) if not tag else lower.find(f"</{tag}", done)
            done = len(markup) if over < 0 else over + (3 if not tag else 0)
    parts.append(unescape(markup[done:]))
    lines = [" ".join(line.split()) for line in "".join(parts).split("\n")]
    return _CONTROL.sub("", re.sub(r"\n{3,}", "\n\n", "\n".join(lines))).strip()[:MAX_TEXT]


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unfit("no-text", "is no text")
    text = _CONTROL.sub("", " ".join(str(value).split())).strip()
    if not text:
        raise Unfit(None, "is empty")
    return text


def _as_written(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unfit(None, "is no text")
    return value


def _plain(value: Any) -> str:
    text = plain(_as_written(value))
    if not text:
        raise Unfit(None, "holds no text")
    return text


def _whole(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise Unfit("no-number", "is no whole number of 0 or more")
    return value


def _date(value: Any) -> str:
    """Return a date as ISO 8601; one that names a year or a month alone stays so, and a range stays a range."""
    text = _text(value)
    if _EDTF.fullmatch(text):
        for part in text.split("/"):
            try:
                date.fromisoformat((part + "-01-01")[:10])
            except ValueError:
                raise Unfit("unreadable-date", "is no date") from None
        return text
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return dates.local(text, None).isoformat()


def _moment(value: Any) -> str:
    """Return a day or a moment; a month or a range of days is neither."""
    text = _date(value)
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise Unfit("no-day", "names no single day") from None
    return text


def _digest(value: Any, algorithm: str | None) -> dict[str, str]:
    """Return algorithm and hex digits; ``md5:…`` names its own."""
    name, colon, digits = _text(value).rpartition(":")
    name = name.lower() if colon else (algorithm or "")
    name = _ALGORITHMS.get(name, name)
    if name not in _DIGESTS:
        raise Unfit("unknown-digest", f"has the unknown algorithm '{name[:20]}'" if name else "names no algorithm")
    if not re.fullmatch(rf"[0-9a-fA-F]{{{_DIGESTS[name]}}}", digits):
        raise Unfit("no-digest", f"is no {name} digest")
    return {"algorithm": name, "value": digits.lower()}


def _address(value: Any) -> str:
    text = _text(value)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise Unfit("no-address", "is no address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or " " in text or "@" in parts.netloc:
        raise Unfit("no-address", "is no web address")
    return text


def _content_address(folder: Any, name: Any) -> str:
    """Return where InvenioRDM has a file's bytes: ``…/files/NAME/content``."""
    return f"{_address(folder).rstrip('/')}/{quote(_text(name), safe='')}/content"


def _safe_path(value: Any) -> str:
    """Return a relative path with forward slashes that stays in its folder, on any system."""
    parts = [part for part in _text(value).replace("\\", "/").split("/") if part not in ("", ".")]
    clean = [re.sub(r'[<>:"|?*]', "_", part).rstrip(" .") or "_" for part in parts]
    if not clean:
        raise Unfit("no-name", "names no file")
    return "/".join(clean)


def _persons(value: Any) -> list[dict[str, Any]]:
    """Return name, ORCID (if its check digit is right) and affiliations of each person; nothing else about them."""
    listed = value if isinstance(value, list) else re.split(r"\s*;\s*", value) if isinstance(value, str) else [value]
    return [person for each in listed if (person := _person(each))] or _none("names nobody")


def _person(entry: Any) -> dict[str, Any] | None:
    if isinstance(entry, str):
        return {"name": _text(entry)} if entry.strip() else None
    if not isinstance(entry, Mapping):
        return None
    who = entry.get("person_or_org")
    who = who if isinstance(who, Mapping) else entry
    name = who.get("name") or ", ".join(
        str(who[key])
        for key in ("family_name", "familyName", "given_name", "givenName")
        if isinstance(who.get(key), str)
    )
    if not isinstance(name, str) or not name.strip():
        return None
    person: dict[str, Any] = {"name": _text(name)}
    identifiers = [each for each in _listed(who.get("identifiers")) if isinstance(each, Mapping)]
    iris = [each.get("identifier") for each in identifiers if str(each.get("scheme", "")).lower() == "orcid"]
    if found := next((iri for each in (*iris, who.get("orcid")) if (iri := orcid.normal(each))), None):
        person["orcid"] = found
    places = _listed(entry.get("affiliations") or entry.get("affiliation"))
    names = [place.get("name") if isinstance(place, Mapping) else place for place in places]
    if affiliations := [_text(name) for name in names if isinstance(name, str) and name.strip()]:
        person["affiliations"] = affiliations
    return person


def _licences(value: Any) -> list[dict[str, str]]:
    """Return id (SPDX where known), title and link of each licence, as far as they are said."""
    found = [licence for each in _listed(value) if (licence := _licence(each))]
    return found or _none("names no licence")


def _licence(entry: Any) -> dict[str, str] | None:
    if isinstance(entry, str):
        text = entry.strip()
        return {"id": known} if (known := spdx(text)) else {"title": _text(text)} if text else None
    if not isinstance(entry, Mapping):
        return None
    title = entry.get("title")
    title = title.get("en") or next(iter(title.values()), None) if isinstance(title, Mapping) else title
    links = entry.get("props")
    link = entry.get("link") or (links.get("url") if isinstance(links, Mapping) else None)
    named = {"id": entry.get("id"), "title": title, "link": link}
    found = {key: _text(text) for key, text in named.items() if isinstance(text, str) and text.strip()}
    if "id" in found:
        found["id"] = spdx(found["id"]) or found["id"]
    elif known := spdx(found.get("title", "")):
        found = {"id": known, **found}
    return found or None


def _licence_names(value: Any) -> str:
    """Return the licences as one text: the id of each, else its title, else its link; several with ``; `` between."""
    named = [each.get("id") or each.get("title") or each["link"] for each in _licences(value)]
    return "; ".join(dict.fromkeys(named))


def spdx(text: str) -> str | None:
    """Return the SPDX id of a licence as records write it (``cc-by-4.0``, "CC BY 4.0", its English title), if known."""
    if known := _SPDX.get(text.strip().lower()):
        return known
    if short := _SHORT.fullmatch(text.strip()):
        return _SPDX.get(f"cc-{short[1].replace(' ', '-').lower()}-{short[2]}")
    if long := _CREATIVE.fullmatch(text.strip()):
        parts = "".join(f"-{part}" for part in ("nc", "sa", "nd") if long[part])
        return _SPDX.get(f"cc-by{parts}-{long['version'].strip()}")
    return None


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _none(why: str) -> Any:
    raise Unfit(None, why)


TABLE: Mapping[str, Transform] = {
    "text": Transform(lambda given, options: _text(given["value"])),
    "as_written": Transform(lambda given, options: _as_written(given["value"])),
    "plain": Transform(lambda given, options: _plain(given["value"])),
    "whole": Transform(lambda given, options: _whole(given["value"])),
    "date": Transform(lambda given, options: _date(given["value"])),
    "moment": Transform(lambda given, options: _moment(given["value"])),
    "digest": Transform(
        lambda given, options: _digest(given["value"], options.get("algorithm")), options=frozenset({"algorithm"})
    ),
    "address": Transform(lambda given, options: _address(given["value"])),
    "content_address": Transform(
        lambda given, options: _content_address(given["folder"], given["name"]), inputs=("folder", "name")
    ),
    "safe_path": Transform(lambda given, options: _safe_path(given["value"])),
    "persons": Transform(lambda given, options: _persons(given["value"])),
    "licences": Transform(lambda given, options: _licences(given["value"])),
    "licence_names": Transform(lambda given, options: _licence_names(given["value"])),
}
"""Name → transform, as ``crosswalks/README.md`` describes them."""
