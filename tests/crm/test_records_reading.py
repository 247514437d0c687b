"""From bytes to rows: encodings, separators, quotes, and what is refused."""

import codecs
import json
import resource
import time
from pathlib import Path

import pytest

from crm.rules.records.errors import Unreadable
from crm.rules.records.reading import LONGEST_LINE, Table, read_table

TEXT = "Название;Сумма\nООО «Ромашка»;1 054,00\n"
HOSTILE = Path(__file__).parents[3] / "shared" / "data" / "hostile_csv"
EXPORTS = HOSTILE.with_name("crm_exports")
needs_crm_exports = pytest.mark.skipif(not EXPORTS.is_dir(), reason="the shared data folder is not here")
needs_hostile_csv = pytest.mark.skipif(not HOSTILE.is_dir(), reason="the shared data folder is not here")


@pytest.fixture
def table(tmp_path):
    def write(content: bytes | str, **options) -> Table:
        path = tmp_path / "file.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **options)

    return write


def cells(table: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows()]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1251"),
        TEXT.replace("\n", "\r\n").encode("cp1251"),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(";", "\t").encode("utf-16"),
        TEXT.replace(" 054", "\u00a0054").encode("cp1251"),
        b"sep=;\r\n" + TEXT.encode(),
    ],
)
def test_what_spreadsheets_write_is_read(table, content):
    read = table(content)
    assert read.header == ("Название", "Сумма")
    (row,) = cells(read)
    assert row[0] == "ООО «Ромашка»"
    assert row[1].replace("\u00a0", " ") == "1 054,00"


def test_western_letters_are_read(table):
    assert cells(table("name;city\nMüller;Köln\nÉcole;Orléans\n".encode("cp1252"))) == [
        ("Müller", "Köln"),
        ("École", "Orléans"),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_is_found_though_cells_hold_the_others(table, separator):
    content = separator.join(['"a"', '"b;,c"', "d"]) + "\n" + separator.join(["1", '"2,3;4"', '"x\ty"']) + "\n"
    read = table(content)
    assert read.header == ("a", "b;,c", "d")
    assert cells(read) == [("1", "2,3;4", "x\ty")]


def test_one_column_is_a_table_too(table):
    assert cells(table("name\nAcme, Inc\n", known_columns=["name"]))[0][0] == "Acme"
    assert cells(table("name\nAcme\n")) == [("Acme",)]


def test_line_numbers_are_those_of_the_file(table):
    read = table('a,b\n\n1,"two\nlines"\n  ,\n3,4\n')
    assert [(row.line, row.cells) for row in read.rows()] == [(3, ("1", "two\nlines")), (6, ("3", "4"))]


def test_lines_above_the_header_are_passed_over(table):
    read = table("Notes:\nexported on Monday\n\nName,Amount\nx,1\n", known_columns=("name", "amount"))
    assert (read.header, read.header_line) == (("Name", "Amount"), 4)
    assert cells(read) == [("x", "1")]


def test_a_columns_name_among_the_words_of_a_table_makes_no_header(table):
    known = ("email", "industry", "name", "amount")
    read = table("mql_id,origin,kind\na1,social,x\nb2,email,industry\n", known_columns=known)
    assert (read.header, read.header_line) == (("mql_id", "origin", "kind"), 1)
    assert len(cells(read)) == 2
    below = table("Deals,Monday,all,x\nName,Amount,Email,Note\nx,1,,\n", known_columns=known)
    assert below.header == ("Name", "Amount", "Email", "Note")


def test_short_rows_are_filled_and_long_rows_reported(table):
    short, blank_end, long = table("a,b,c\n1\n1,2,3,,\n1,2,3,4\n").rows()
    assert (short.cells, short.damage) == (("1", "", ""), None)
    assert blank_end.damage is None
    assert "4 cells" in long.damage


def test_broken_quotes_cost_one_row(table):
    rows = list(table('a,b\n"x" y,1\n2,"never closed\n3,4\n5,6\n').rows())
    assert [(row.line, bool(row.damage)) for row in rows] == [(2, True), (3, True), (4, False), (5, False)]
    assert rows[3].cells == ("5", "6")


def test_quotes_broken_everywhere_are_refused(table):
    read = table("a,b\n" + '"x" y,1\n' * 2000)
    with pytest.raises(Unreadable, match="quotes"):
        list(read.rows())


def test_stray_bytes_and_nul_cost_their_row_only(table):
    good = "Ромашка,1\n".encode() * 50
    rows = list(table(b"name,amount\n" + good + b"Caf\xe9,2\nNU\x00L,3\n" + good).rows())
    assert [row.line for row in rows if row.damage] == [52, 53]
    assert "NUL" in rows[51].damage


def test_an_apostrophe_before_a_formula_is_taken_off_again(table):
    assert cells(table("a,b\n'+7 900,'=1+1\n'quoted',x\n")) == [("+7 900", "=1+1"), ("'quoted'", "x")]


def test_a_report_is_read_as_the_file_it_came_from(table):
    read = table("name,line,column,value,reason\nAcme,7,name,,is missing\n")
    assert read.header == ("name",)
    assert [(row.cells, row.damage) for row in read.rows()] == [(("Acme",), None)]


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"PK\x03\x04" + bytes(100), "workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n", "picture"),
        (b"  <!DOCTYPE html><table>", "web page"),
        (b'[{"name": "x"}]', "JSON"),
        (bytes(range(256)) * 20, "binary"),
    ],
)
def test_what_is_no_table_is_refused_with_what_it_looks_like(table, content, looks_like):
    with pytest.raises(Unreadable, match=looks_like):
        table(content)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="cannot be opened"):
        read_table(tmp_path / "nothing.csv")


def test_a_line_without_an_end_is_refused_in_flat_memory(table):
    with pytest.raises(Unreadable, match=str(LONGEST_LINE)):
        table(b"x" * 50_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = table(b"a,b\n1,2\n" * 200_000)
    started = time.process_time()
    assert sum(1 for _row in read.rows()) == 399_999
    assert time.process_time() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


@needs_hostile_csv
@pytest.mark.parametrize("name", [path.stem for path in sorted(HOSTILE.glob("csv-spectrum/csvs/*.csv"))])
def test_csv_spectrum_is_read_as_its_authors_say(name):
    expected = json.loads((HOSTILE / "csv-spectrum/json" / f"{name}.json").read_text())
    expected = expected if isinstance(expected, list) else [expected]
    read = read_table(HOSTILE / "csv-spectrum/csvs" / f"{name}.csv")
    # Theirs keeps the white space around a cell; a person who typed it never meant it.
    stripped = [{key.strip(): value.strip() for key, value in row.items()} for row in expected]
    found = [dict(zip(read.header, row.cells, strict=True)) for row in read.rows()]
    if name == "location_coordinates":  # its two files give different telephone numbers
        found[0].pop("Contact Phone Number"), stripped[0].pop("Contact Phone Number")
    assert found == stripped


def test_a_cell_that_never_ends_costs_its_row_only(table):
    rows = list(table("a,b\n1,2\n" + "x" * 200_000 + ",2\n3,4\n").rows())
    assert [(row.line, bool(row.damage)) for row in rows] == [(2, False), (3, True), (4, False)]
    with pytest.raises(Unreadable, match="no header"):
        table("x" * 200_000)


def test_bytes_that_an_old_encoding_does_not_have_cost_their_row_only(table):
    rows = list(table("имя,город\nАнна,Москва\n".encode("cp1251") + b"\x98,1\n", encoding="cp1251").rows())
    assert [(row.cells[0], bool(row.damage)) for row in rows] == [("Анна", False), ("\ufffd", True)]


def test_an_encoding_can_be_named(table):
    content = "name\nЖук\n".encode("mac_cyrillic")
    assert cells(table(content, encoding="mac_cyrillic")) == [("Жук",)]
    for name in ("nonsense", "base64", "utf-8\x00"):
        with pytest.raises(Unreadable, match="encoding"):
            table(content, encoding=name)


@needs_crm_exports
@pytest.mark.parametrize("path", sorted(EXPORTS.rglob("*.csv")), ids=lambda path: path.name)
def test_what_other_programs_export_is_read(path):
    read = read_table(path, known_columns=["First Name", "Last Name"])
    assert len(read.header) > 2
    assert not [row for row in read.rows() if row.damage]


@needs_hostile_csv
def test_formula_payloads_stay_text():
    payloads = HOSTILE / "formula_injection" / "csv-payload.txt"
    rows = list(read_table(payloads).rows())
    assert rows
    assert all(row.cells[0][:1] in {"=", "+", "-", "@", "%", "D", ";", ",", '"'} or row.damage for row in rows)
