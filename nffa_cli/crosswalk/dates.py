"""Dates and times as vendors write them, never guessed: a date that can be read two ways needs an order from outside.

Returns naive datetimes for local clocks, aware ones where the text or the format says so. Adds no time zone itself.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal

from nffa_cli.crosswalk.numbers import Unfit

Order = Literal["DMY", "MDY", "YMD"]
ORDERS = ("DMY", "MDY", "YMD")

_CLOCK = re.compile(
    r"(?<!\d)(?<!\d:)(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?(?![\d:])\s*([AaPp]\.?[Mm]\b\.?)?\s*(Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}(?!\d))?"
)
_HALF_DAYS = (
    ("AM", re.compile(r"上午|午前|오전|π\.?\s?μ\.?|\ba\.\s?m\.|\bAM(?=\s*\d{1,2}:\d)", re.IGNORECASE)),
    ("PM", re.compile(r"下午|午後|오후|μ\.?\s?μ\.?|\bp\.\s?m\.|\bPM(?=\s*\d{1,2}:\d)", re.IGNORECASE)),
)
"""How Windows writes the halves of the day in Chinese, Japanese, Korean, Greek and Spanish (Unicode CLDR); or before
the clock, as an East Asian one does in English too."""
_FOREIGN_WORD = re.compile(r"[^\W\d_]+")
_DOTTED_CLOCK = re.compile(r"\s*(\d{1,2})\.(\d{2})\.(\d{2})\s*")
_EAST_ASIAN = re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})([-/.])\s?(\d{1,2})\2\s?(\d{1,4})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2}))?(?!\d)")
_NAMED_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[-/. ]+([^\W\d_]{3,10})[-/., ]+(\d{4}|\d{2})(?!\d)")
_NAMED_MONTH_FIRST = re.compile(r"\b([^\W\d_]{3,10})[-. ]+(\d{1,2})(?:st|nd|rd|th)?[-, ]+(\d{4})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_DAY_OF_CTIME = re.compile(r"\b([^\W\d_]{3,10})\s+(\d{1,2})(?!\d)")
_ISO_T = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2})")
_HYPHENS = re.compile(r"(\d{4}-\d{2}-\d{2})[.-](\d{2})-(\d{2})-(\d{2})(?!\d)")  # 2023-02-01.03-04-05PM (OpenFIBSEM)
_TIFF_DATE = re.compile(r"^(\d{4}):(\d{2}):(\d{2})(?= \d{2}:)")  # 2017:06:05 04:03:02, as TIFF and EXIF write

# English, German, Italian, French, Spanish, as Windows abbreviates them; juin and juillet need four letters.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan gen ene", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai mag", "jun giu juin",
            "jul lug juil", "aug ago aoû aou", "sep set", "oct okt ott", "nov", "dec dez dic déc",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


def local(text: str, order: Order | None) -> datetime | date:
    """Return the moment that ``text`` names: a datetime, or a date where it holds no clock time.

    ``order`` is used only where the text can be read in two ways; then, without it, Unfit("ambiguous-date").
    """
    text = _ISO_T.sub(r"\1 \2", " ".join(text.replace("\x00", " ").split()))
    text = _HYPHENS.sub(r"\1 \2:\3:\4", text)
    text = _TIFF_DATE.sub(r"\1-\2-\3", text)
    if len(text) > 120:
        raise Unfit("unreadable-date", "is no date")
    text, half = _half_day(_EAST_ASIAN.sub(r"\1-\2-\3 ", text))
    clock = _CLOCK.search(text)
    rest = text if clock is None else f"{text[: clock.start()]} {text[clock.end() :]}"
    try:
        if clock is None and (compact := _COMPACT.search(text)) and compact[4]:
            return datetime(*(int(part) for part in compact.groups()))  # type: ignore[arg-type,misc]  # noqa: DTZ001
        day = _date(rest, order)
        return day if clock is None else _combine(day, clock, half or (clock[5] or ""))
    except (ValueError, OverflowError):
        raise Unfit("unreadable-date", "is no date") from None


def iso(text: str) -> datetime | date:
    """Return the moment of an ISO 8601 text, with its offset if it has one."""
    text = text.strip()
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        return datetime.fromisoformat(text)
    except ValueError:
        raise Unfit("unreadable-date", "is no ISO 8601 date") from None


def filetime(ticks: int) -> datetime:
    """Return the UTC moment of a Windows FILETIME: 100 ns ticks since 1601-01-01 (Microsoft, [MS-DTYP] 2.3.3)."""
    if ticks <= 0:
        raise Unfit(None, "is zero")
    try:
        return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
    except OverflowError:
        raise Unfit("unreadable-date", "is no FILETIME") from None


def unix(value: float, per_second: int) -> datetime:
    """Return the UTC moment of a POSIX time in units of 1/``per_second`` s."""
    if value <= 0:
        raise Unfit(None, "is zero")
    try:
        if isinstance(value, int):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value * 1_000_000 // per_second)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value / per_second)
    except (OverflowError, ValueError):
        raise Unfit("unreadable-date", "is no POSIX time") from None


def serial(days: float) -> datetime:
    """Return the local moment of an OLE automation date: days since 1899-12-30 (Microsoft, [MS-OAUT] 2.2.25)."""
    if days <= 0:
        raise Unfit(None, "is zero")
    try:
        return datetime(1899, 12, 30) + timedelta(milliseconds=round(days * 86_400_000))  # noqa: DTZ001
    except (OverflowError, ValueError):
        raise Unfit("unreadable-date", "is no date") from None


def colons(clock: str) -> str:
    """Return a clock time that a Finnish or old Italian Windows writes with dots (``20.30.15``) with colons."""
    return _DOTTED_CLOCK.sub(r"\1:\2:\3", clock) if _DOTTED_CLOCK.fullmatch(clock) else clock


def agree(moment: datetime, clock: str) -> bool:
    """Tell whether a local clock's text shows ``moment``, give or take 2 s and whole quarters of an hour (zones)."""
    found = _CLOCK.search(colons(clock))
    if found is None or found[3] is None:
        return False
    off = (moment.minute * 60 + moment.second - int(found[2]) * 60 - int(found[3])) % 900
    return min(off, 900 - off) <= 2


def _half_day(text: str) -> tuple[str, str]:
    """Return the text without a foreign word for the half of the day, and AM or PM ("" if it has none).

    Raises Unfit where a word in another script stands beside a time that such a word could move by half a day.
    """
    for half, pattern in _HALF_DAYS:
        if pattern.search(text):
            return pattern.sub(" ", text, count=1), half
    clock = _CLOCK.search(text)
    if clock is not None and int(clock[1]) <= 12 and not clock[5]:
        beside = text[clock.end() :].lstrip() + " " + text[: clock.start()]
        if any(_foreign(word) and _month(word) is None for word in _FOREIGN_WORD.findall(beside)):
            raise Unfit("ambiguous-date", "has a word that may tell the half of the day")
    return text, ""


def _foreign(word: str) -> bool:
    """Tell whether a word is of another script, or East Asian bytes that were taken for Western letters (``ÏÂÎç``)."""
    return ord(word[0]) > 0x24F or (not any(letter.isascii() for letter in word) and word.lower() != "à")


def _combine(day: date, clock: re.Match[str], half: str) -> datetime:
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    half = half[:1].lower()
    if half == "p" and hour < 12:
        hour += 12  # "17:23:13 PM" is written by some software: 17 is then already right
    elif half == "a" and hour == 12:
        hour = 0
    micro = int((clock[4] or "0")[:6].ljust(6, "0"))
    return datetime.combine(day, time(hour, minute, second, micro, tzinfo=_offset(clock[6])))


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _date(text: str, order: Order | None) -> date:
    for pattern, reader in ((_NAMED_DAY_FIRST, _day_first), (_NAMED_MONTH_FIRST, _month_first)):
        for named in pattern.finditer(text):
            if day := reader(named):
                return day
    if found := _NUMERIC.search(text):
        return _numeric(found[1], found[3], found[4], found[2], order)
    if found := _COMPACT.search(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    year = _YEAR_LAST.search(text)  # "Thu May 06 2010", the clock cut out
    for day_of in _DAY_OF_CTIME.finditer(text):
        month = _month(day_of[1])
        if month and year:
            return date(int(year[1]), month, int(day_of[2]))
    raise Unfit("unreadable-date", "is no date")


def _month(name: str) -> int | None:
    name = name.casefold()
    return _MONTHS.get(name[:4]) or _MONTHS.get(name[:3])


def _day_first(found: re.Match[str]) -> date | None:
    month = _month(found[2])
    return date(_year(found[3]), month, int(found[1])) if month else None


def _month_first(found: re.Match[str]) -> date | None:
    month = _month(found[1])
    return date(int(found[3]), month, int(found[2])) if month else None


def _year(text: str) -> int:
    """Read two digits as Windows and POSIX do: 69 to 99 are the last century's."""
    number = int(text)
    if len(text) > 2:
        return number
    return number + (1900 if number >= 69 else 2000)


def _numeric(first: str, second: str, third: str, mark: str, order: Order | None) -> date:
    if len(first) == 4:
        return date(int(first), int(second), int(third))
    if len(third) == 3 or len(first) == 3:
        raise Unfit("unreadable-date", "is no date")
    if len(third) < 4 and order is None:
        raise Unfit("ambiguous-date", "has two digits for the year: it can be read in several ways")
    if len(third) < 4 and order == "YMD":
        return date(_year(first), int(second), int(third))
    year, a, b = _year(third), int(first), int(second)
    if a > 12 or a == b:
        return date(year, b, a)
    if b > 12:
        return date(year, a, b)
    if mark == "." and order != "MDY":  # no locale writes the month first with dots (Unicode CLDR)
        order = "DMY"
    if order not in ("DMY", "MDY"):
        raise Unfit("ambiguous-date", "can be read day first or month first")
    return date(year, b, a) if order == "DMY" else date(year, a, b)
