"""Numbers, dates and the other named transforms."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.crosswalk import dates
from nffa_cli.crosswalk.numbers import Unfit, parse
from nffa_cli.crosswalk.transforms import TABLE, Situation, complaint

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


def run(name, inputs, width=None, order_of_profile=None, **options):
    inputs = inputs if isinstance(inputs, dict) else {"value": inputs}
    return TABLE[name].function(inputs, Situation(options, None, width, order_of_profile))


@pytest.mark.parametrize(
    ("raw", "number", "unit"),
    [
        ("EHT = 10.00 kV", 10.0, "kV"),
        ("Mag = 10.00 K X", 10.0, "K X"),
        ("Mag =   188 X", 188.0, "X"),
        ("15000 Volt", 15000.0, "Volt"),
        ("7920.5 um", 7920.5, "um"),
        ("5.73e-006 mbar", 5.73e-6, "mbar"),
        ("Stage at T =  0.0 °", 0.0, "°"),
        ("-12", -12.0, None),
        ("−12", -12.0, None),
        ('"3.5"', 3.5, None),
        (".5", 0.5, None),
        ("10,5 kV", 10.5, "kV"),
        ("0,125", 0.125, None),
        ("1,234.5", 1234.5, None),
        ("1,234,567", 1234567.0, None),
        ("x5000", 5000.0, "x"),
        (" 30\x00\x00", 30.0, None),
        ([7], 7.0, None),
        (3, 3.0, None),
    ],
)
def test_numbers_as_vendors_write_them(raw, number, unit):
    assert parse(raw) == (number, unit)


@pytest.mark.parametrize("raw", ["", "abc", "1.2.3", "1 2", True, None, [1, 2], {}, "10:30", "1" * 500, "e5", "5e"])
def test_what_is_no_number_is_not_read_as_one(raw):
    try:
        number, unit = parse(raw)
    except Unfit:
        return
    assert (raw, number, unit) == ("5e", 5.0, "e")  # the unit table then refuses it


def test_a_comma_with_two_meanings_is_not_guessed():
    with pytest.raises(Unfit) as found:
        parse("10,500")
    assert found.value.code == "ambiguous-number"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2022-01-17 11:21:31", datetime(2022, 1, 17, 11, 21, 31)),
        ("17/01/2022 11:21:31", datetime(2022, 1, 17, 11, 21, 31)),
        ("1/23/2015 17:23:13 PM", datetime(2015, 1, 23, 17, 23, 13)),
        ("1/23/2015 12:03:13 AM", datetime(2015, 1, 23, 0, 3, 13)),
        ("4/4/2020 1:02:03 p.m.", datetime(2020, 4, 4, 13, 2, 3)),
        ("Date :30 Jan 2023 Time :11:12:13", datetime(2023, 1, 30, 11, 12, 13)),
        ("Thu May 06 16:01:55 2010", datetime(2010, 5, 6, 16, 1, 55)),
        ("6 ott 2019 9:00:00", datetime(2019, 10, 6, 9, 0, 0)),
        ("23-Okt-14 9:00", datetime(2014, 10, 23, 9, 0)),
        ("3 juillet 2018 09:00", datetime(2018, 7, 3, 9, 0)),
        ("May 6, 2010 16:01:55.25", datetime(2010, 5, 6, 16, 1, 55, 250000)),
        ("04.11.2020 10:00:00", datetime(2020, 11, 4, 10, 0, 0)),
        ("20220117", date(2022, 1, 17)),
        ("20220117102030", datetime(2022, 1, 17, 10, 20, 30)),
        ("2022/01/17", date(2022, 1, 17)),
        ("2022-01-17T10:20:30Z", datetime(2022, 1, 17, 10, 20, 30, tzinfo=UTC)),
        ("2022-01-17T10:20:30+02:00", datetime(2022, 1, 17, 10, 20, 30, tzinfo=timezone(timedelta(hours=2)))),
        ("2022-01-17 10:20:30.1234567", datetime(2022, 1, 17, 10, 20, 30, 123456)),
    ],
)
def test_dates_that_can_mean_one_thing(text, wanted):
    assert dates.local(text, None) == wanted


@pytest.mark.parametrize("text", ["04/11/2020 10:00:00", "25/12/20", "1-2-2003"])
def test_dates_that_can_mean_two_are_not_guessed(text):
    with pytest.raises(Unfit) as found:
        dates.local(text, None)
    assert found.value.code == "ambiguous-date"


def test_the_order_settles_only_what_is_open():
    assert dates.local("04/11/2020", "DMY") == date(2020, 11, 4)
    assert dates.local("04/11/2020", "MDY") == date(2020, 4, 11)
    assert dates.local("17/01/2022", "MDY") == date(2022, 1, 17)
    assert dates.local("04/11/20", "DMY") == date(2020, 11, 4)
    assert dates.local("20/11/04", "YMD") == date(2020, 11, 4)


def test_the_profile_decides_where_the_vendor_has_no_fixed_order():
    def read(**known):
        return run("local_datetime", "05/06/2016 05:06:40 PM", **known).value.month

    with pytest.raises(Unfit, match="day first or month first"):
        read()
    assert read(order_of_profile="MDY") == 5
    assert read(order_of_profile="DMY") == 6
    assert read(order="MDY", order_of_profile="DMY") == 5


def test_text_in_hexadecimal_digits():
    assert run("utf16_hex", "fe006900b500").value == "þiµ"
    for text, code in (("", None), ("48", None), ("weld", None), ("00D8", "unreadable-value")):
        with pytest.raises(Unfit) as found:
            run("utf16_hex", text)
        assert found.value.code == code


def test_a_vendor_that_writes_utc_is_believed_unless_another_clock_shows_the_same():
    def read(other):
        return run("local_datetime", {"value": "2024-11-05 14:31:50", **other}, zone="UTC").value

    moment = datetime(2024, 11, 5, 14, 31, 50)
    for other in ({}, {"other": "2024:11:05 09:33:20"}, {"other": "2024:11:05 16:00:00"}, {"other": "nonsense"}):
        assert read(other) == moment.replace(tzinfo=UTC)
    assert read({"other": "2024:11:05 14:32:20"}) == moment


def test_dots_mean_day_first_even_where_the_vendor_mostly_begins_with_the_year():
    assert dates.local("6.5.2010", "YMD") == date(2010, 5, 6)
    assert dates.local("10.05.06", "YMD") == date(2010, 5, 6)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-02-01.03-04-05PM", datetime(2023, 2, 1, 15, 4, 5)),
        ("2023-02-01-15-04-05", datetime(2023, 2, 1, 15, 4, 5)),
    ],
)
def test_a_clock_with_hyphens_is_read_behind_a_date_with_hyphens(text, moment):
    assert dates.local(text, None) == moment


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)), st.sampled_from(["DMY", "MDY"]))
def test_written_dates_come_back(moment, order):
    moment = moment.replace(microsecond=0)
    text = moment.strftime("%d/%m/%Y %H:%M:%S" if order == "DMY" else "%m/%d/%Y %I:%M:%S %p")
    assert dates.local(text, order) == moment


@given(st.text(max_size=60), st.sampled_from([None, "DMY", "MDY", "YMD"]))
def test_any_text_is_a_date_or_unfit(text, order):
    with suppress(Unfit):
        dates.local(text, order)


def test_stamps_are_utc():
    assert run("filetime", 132_223_104_000_000_000).value == datetime(2020, 1, 1, tzinfo=UTC)
    assert run("filetime", "132223104000000000").utc
    for name, value in (("unix_time", 1577836800), ("unix_ms", "1577836800000"), ("unix_us", 1577836800000000)):
        assert run(name, value).value == datetime(2020, 1, 1, tzinfo=UTC)
    for name in ("filetime", "unix_time", "unix_ms", "unix_us"):
        with pytest.raises(Unfit) as found:
            run(name, 0)
        assert found.value.code is None


def test_numbers_from_several_tags():
    assert run("ratio", {"numerator": 0.3, "denominator": 3e-5}).value == pytest.approx(1e4)
    assert run("ratio", {"numerator": "3 mm", "denominator": "3 um"}).value == pytest.approx(1000)
    assert run("ratio", {"numerator": "10 ms", "denominator": 1000}).unit == "ms"
    with pytest.raises(Unfit):
        run("ratio", {"numerator": 1, "denominator": 0})
    with pytest.raises(Unfit, match="divides"):
        run("ratio", {"numerator": "1 V", "denominator": "1 m"})
    assert run("product", {"a": "2 um", "b": 3}).value == 6.0
    assert run("product", {"a": "2 um", "b": 3}).unit == "um"
    assert run("negate", "5 mm").value == -5.0
    assert run("magnitude", -5).value == 5.0
    assert run("scaled", 4, factor=1e-3).value == 0.004
    assert run("screen_pixel", "5.825 nm", width=512).value == pytest.approx(11.65)
    with pytest.raises(Unfit):
        run("screen_pixel", 1.0)


def test_texts():
    assert run("text", ' "Helios" \x00').value == "Helios"
    assert run("text", [2, 2.0]).value == "2, 2"
    assert run("join", {"a": "Titan", "b": "", "c": "80"}, sep="-").value == "Titan-80"
    assert run("match", "[1] 30 um [HC] (5.0 kV)", pattern=r"\(([^)]+)\)").value == "5.0 kV"
    assert run("element", "(1.5, 2.5)", index=-1).value == "2.5"
    assert run("element", [1, 2], index=1).value == 2
    for name, options in (("match", {"pattern": "(z)"}), ("element", {"index": 5})):
        with pytest.raises(Unfit) as found:
            run(name, "abc", **options)
        assert found.value.code is None


@given(st.sampled_from(sorted(TABLE)), JSON, JSON, st.integers(-3, 3))
def test_no_transform_raises_anything_else(name, one, other, index):
    row = TABLE[name]
    names = ("value", "date") if row.inputs is None else (*row.inputs, *row.optional)
    inputs = {key: (one, other)[place % 2] for place, key in enumerate(names)}
    options = {"pattern": "(a.)", "factor": 2, "index": index, "sep": "-"}
    with suppress(Unfit):
        row.function(inputs or {"date": one, "time": other}, Situation(options, None, 100, "DMY"))


@pytest.mark.parametrize(
    ("using", "inputs", "options"),
    [
        ("ratio", ["numerator"], {}),
        ("ratio", ["numerator", "denominator", "x"], {}),
        ("match", ["value"], {}),
        ("match", ["value"], {"pattern": "("}),
        ("match", ["value"], {"pattern": "a"}),
        ("element", ["value"], {"index": "1"}),
        ("scaled", ["value"], {"factor": True}),
        ("quantity", ["value"], {"factor": 2}),
        ("local_datetime", ["time"], {}),
        ("local_datetime", ["value"], {"order": "YDM"}),
        ("local_datetime", ["value"], {"usual": "MDY"}),
        ("local_datetime", ["value"], {"zone": "CET"}),
        (None, ["a", "b"], {}),
        (None, ["value"], []),
    ],
)
def test_wrong_use_is_found_when_the_file_is_read(using, inputs, options):
    assert complaint(using, inputs, options)


@pytest.mark.parametrize(
    "text",
    ["2016/8/30 下午 8:30:15", "30/08/2016 8:30:15 p. m.", "2016. 08. 30. 오후 8:30:15", "30/8/2016 8:30:15 μμ",
     "2016年8月30日 20:30:15", "2016/8/30 PM 8:30:15", "pm 08:30:15 8/30/2016"],
)  # fmt: skip
def test_halves_of_the_day_in_other_languages(text):
    assert dates.local(text, None) == datetime(2016, 8, 30, 20, 30, 15)


def test_midnight_after_its_half_of_the_day():
    assert dates.local("2/25/2021 AM 12:05", None) == datetime(2021, 2, 25, 0, 5)


def test_a_foreign_word_beside_a_time_is_not_overlooked():
    with pytest.raises(Unfit):
        dates.local("2016-08-30 08:30:15 ص", None)
    assert dates.local("2016-08-30 20:30:15 ص", None) == datetime(2016, 8, 30, 20, 30, 15)


@pytest.mark.parametrize(("half", "code"), [("下午", "gbk"), ("下午", "big5"), ("午後", "cp932"), ("오후", "cp949")])
def test_nor_is_one_whose_bytes_were_taken_for_western_letters(half, code):
    with pytest.raises(Unfit):
        dates.local(f"2016/8/30 {half.encode(code).decode('cp1252')} 08:30:15", None)
    assert dates.local("30 août 2016 à 08:30:15", None) == datetime(2016, 8, 30, 8, 30, 15)


def test_a_clock_with_dots():
    found = run("local_datetime", {"date": "30.8.2016", "time": "20.30.15"})
    assert found.value == datetime(2016, 8, 30, 20, 30, 15)


def test_a_filetime_must_agree_with_the_clock_beside_it():
    ticks = 130699449300000000.0
    assert run("filetime", {"value": ticks, "clock": "1:15:31 PM"}).value == datetime(
        2015, 3, 4, 12, 15, 30, tzinfo=UTC
    )
    for clock in ("1:14:31 PM", "13:15", "noon"):
        with pytest.raises(Unfit):
            run("filetime", {"value": ticks, "clock": clock})
