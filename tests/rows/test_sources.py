"""Several files, patterns, standard input, JSON, encodings, decimal commas, conditions, gaps."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest

from centroids.rows.csv_layout import CsvFormat
from centroids.rows.errors import InputError, UnknownColumnError
from centroids.rows.files import read_columns, read_table
from centroids.rows.numbers import is_number, number_sql
from centroids.rows.writing import write_beside

GERMAN = "Größe;Preis;Ort\n1,5;1.234,50;Köln\n2,25;99,00;Nürnberg\n3,125;1.000.000;Bonn\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


# ---------------------------------------------------------------------------- several files


def test_files_stand_below_one_another_in_the_order_named(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "a,b\n1,2\n")
    two = write(tmp_path / "two.csv", "b;a\n4;3\n6;5\n")
    three = write(tmp_path / "three.csv", "a,b\n7,8\n")
    table = read_table([one, two, three])
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4], [5, 6], [7, 8]])
    assert str(table.source) == f"{one} and 2 more"


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".ndjson"])
def test_a_pattern_takes_files_in_the_order_of_their_names(tmp_path: Path, suffix: str) -> None:
    with duckdb.connect() as connection:
        for i in (2, 0, 1):
            query = f"SELECT range + {i * 40_000} AS a FROM range(40000)"
            kind = {".csv": "csv", ".parquet": "parquet", ".ndjson": "json"}[suffix]
            connection.execute(f"COPY ({query}) TO '{tmp_path}/t{i}{suffix}' (FORMAT {kind})")
    table = read_table(str(tmp_path / f"t*{suffix}"), n_jobs=4)
    np.testing.assert_array_equal(table.X[:, 0], np.arange(120_000))


def test_numbers_of_another_type_in_a_second_parquet_file_are_not_rounded(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS a) TO '{tmp_path}/1.parquet' (FORMAT parquet)")
        connection.execute(f"COPY (SELECT 2.75 AS a) TO '{tmp_path}/2.parquet' (FORMAT parquet)")
    assert read_table(str(tmp_path / "*.parquet")).X.tolist() == [[1.0], [2.75]]


def test_a_bad_cell_is_named_by_its_own_file_and_row(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "a,b\n1,2\n3,4\n")
    two = write(tmp_path / "two.csv", "a,b\n1,2\n3,x\n5,6\n")
    with pytest.raises(InputError, match=r'two\.csv: row 2, column "b" holds "x"'):
        read_table([one, two])


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "a,b\n1,2\n")
    for name, text, words in [
        ("two.csv", "a,c\n1,2\n", 'lacks the column "b"'),
        ("three.csv", "a,b,d\n1,2,3\n", 'also has the column "d"'),
        ("four.json", '[{"a": 1, "b": 2}]', "two formats"),
    ]:
        with pytest.raises(InputError, match=words):
            read_table([one, write(tmp_path / name, text)])
    with pytest.raises(InputError, match="no file fits this pattern"):
        read_table(str(tmp_path / "part-*.csv"))
    with pytest.raises(InputError, match="name at least one"):
        read_table([])
    np.save(tmp_path / "t.npy", np.eye(2))
    with pytest.raises(InputError, match="join the arrays first"):
        read_table([tmp_path / "t.npy", tmp_path / "t.npy"])


def test_the_rows_of_several_files_are_written_beside_their_labels(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "a,b\n1.0,p\n")
    two = write(tmp_path / "two.csv", "b,a\nq,2.50\n")
    table = read_table([one, two])
    with pytest.raises(InputError, match="is the file that is read"):
        write_beside(two, table, {"cluster": np.array([0, 1])})
    write_beside(tmp_path / "out.csv", table, {"cluster": np.array([0, 1])})
    assert (tmp_path / "out.csv").read_text() == "a,b,cluster\n1.0,p,0\n2.50,q,1\n"


# ------------------------------------------------------------------- JSON and standard input


@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".jsonl", ".json.gz"])
def test_json_is_read(tmp_path: Path, suffix: str) -> None:
    rows = [{"a": 1, "b": "x", "c": {"d": 1}}, {"a": 2.5, "b": "y", "c": {"d": 2}}]
    text = json.dumps(rows) if "json." in f"{suffix}." else "\n".join(map(json.dumps, rows))
    content = text.encode()
    path = tmp_path / f"t{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    table = read_table(path)
    assert table.X.tolist() == [[1.0], [2.5]]
    assert dict(table.left_out)["b"] == 'text, such as "x"'


def test_a_late_fraction_in_json_is_not_rounded(tmp_path: Path) -> None:
    rows = [*({"a": i} for i in range(30_000)), {"a": 0.5}]
    path = write(tmp_path / "t.ndjson", "\n".join(map(json.dumps, rows)))
    assert read_table(path).X[-1, 0] == 0.5


def test_damaged_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="damaged or no JSON file"):
        read_table(write(tmp_path / "t.json", '[{"a": 1}, {"a": '))


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "json", "parquet", "npy"])
def test_standard_input_is_read_whatever_its_format(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"t.{kind}"
    if kind == "npy":
        np.save(path, np.array([[1.0, 2.0], [3.0, 4.0]]))
    elif kind == "parquet":
        with duckdb.connect() as connection:
            connection.execute(f"COPY (FROM (VALUES (1, 2), (3, 4)) t(a, b)) TO '{path}'")
    else:
        text = '[{"a": 1, "b": 2}, {"a": 3, "b": 4}]' if kind == "json" else "a,b\n1,2\n3,4\n"
        path.write_bytes(gzip.compress(text.encode()) if kind == "csv.gz" else text.encode())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(path.read_bytes())))
    table = read_table("-")
    assert table.X.tolist() == [[1, 2], [3, 4]]
    write_beside(tmp_path / "out.csv", table, {"cluster": np.array([1, 0])})
    assert read_table(tmp_path / "out.csv", columns=["cluster"]).X.tolist() == [[1], [0]]
    folder = table.source.folder.path  # type: ignore[union-attr]
    assert folder.exists()
    del table
    assert not folder.exists()


# ---------------------------------------------------------------- encodings and decimal commas


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("pack", [False, True])
def test_decimal_commas_and_encodings_are_found(tmp_path: Path, encoding: str, pack: bool) -> None:
    content = GERMAN.encode(encoding)
    path = tmp_path / ("t.csv.gz" if pack else "t.csv")
    path.write_bytes(gzip.compress(content) if pack else content)
    table = read_table(path, truth="Ort")
    assert table.columns == ("Größe", "Preis")
    np.testing.assert_array_equal(table.X, [[1.5, 1234.5], [2.25, 99], [3.125, 1e6]])
    assert table.truth.tolist() == ["Köln", "Nürnberg", "Bonn"]  # type: ignore[union-attr]


def test_the_euro_sign_of_windows_is_no_control_character(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a;unit\n1;€\n2;€\n", "cp1252")
    assert read_table(path, truth="unit").truth.tolist() == ["€", "€"]  # type: ignore[union-attr]


def test_a_named_encoding_is_taken_at_its_word(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a;имя\n1;да\n2;нет\n", "koi8-r")
    table = read_table(path, truth="имя", csv_format=CsvFormat(encoding="koi8-r"))
    assert table.truth.tolist() == ["да", "нет"]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="is not utf-16 text"):
        read_table(write(tmp_path / "u.csv", "a\n1\n"), csv_format=CsvFormat(encoding="utf-16"))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a;b\n1,234;1\n2,345;2\n", [[1.234, 1], [2.345, 2]]),  # no thousands in such a file
        ("a,b\n1.234,1\n2.345,2\n", [[1.234, 1], [2.345, 2]]),
        ("a;b\n1.5;1\n2.25;2\n", [[1.5, 1], [2.25, 2]]),
        ("a;b\n1,5;1.234\n2,5;12\n", [[1.5, 1234], [2.5, 12]]),
        ('a,b\n"1,5",1\n"2,25",2\n', [[1.5, 1], [2.25, 2]]),
        ("1,5;2,5\n3,5;4,5\n", [[1.5, 2.5], [3.5, 4.5]]),  # as many commas in every line
        ("a;b\n-0,5;1e3\n+,25;2,5E-1\n", [[-0.5, 1000], [0.25, 0.25]]),
        ("a\tb\n1,5\t2\n2,5\t3\n", [[1.5, 2], [2.5, 3]]),
    ],
)
def test_the_decimal_sign_is_found(tmp_path: Path, text: str, values: list[list[float]]) -> None:
    np.testing.assert_array_equal(read_table(write(tmp_path / "t.csv", text)).X, values)


def test_each_column_may_have_its_own_decimal_sign(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a;b\n1,5;0.5\n2,5;1.75\n")
    assert read_table(path).X.tolist() == [[1.5, 0.5], [2.5, 1.75]]


def test_a_late_comma_is_no_number_until_the_user_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a;b\n" + "1;2\n" * 2000 + "1,5;2\n")
    with pytest.raises(InputError, match=r'row 2001, column "a" holds "1,5".*--decimal comma'):
        read_table(path)
    assert read_table(path, csv_format=CsvFormat(decimal=",")).X[-1].tolist() == [1.5, 2.0]


def test_any_separator_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a~b\n1~2\n3~4\n")
    assert read_table(path, csv_format=CsvFormat(delimiter="~")).X.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "wrong", [{"delimiter": "ab"}, {"delimiter": '"'}, {"decimal": ";"}, {"encoding": "utf-99"}]
)
def test_a_format_that_no_file_has_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        CsvFormat(**wrong)


CELLS = [
    *("1", "-1", "+2", "1,5", "1.5", "1.234", "1.234,5", "12.34", "1.2345", "1.234.567", "1,2,3"),
    *("1e3", "1,5e-3", "abc", "", " 2,5 ", "1.234.56", ",5", "5,", ".5", "1..5", "--1", "nan"),
]


@pytest.mark.parametrize("decimal", [".", ","])
def test_python_and_sql_agree_on_what_a_number_is(decimal: str) -> None:
    with duckdb.connect() as connection:
        for cell in CELLS:
            value = connection.execute(
                f"SELECT {number_sql('cell', decimal)} FROM (SELECT ? AS cell)", [cell]
            ).fetchone()
            assert value is not None
            assert (value[0] is not None) == is_number(cell, decimal), cell


def test_labels_stand_in_a_file_of_the_same_kind(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", GERMAN))
    new = {"cluster": np.array([0, 1, 0]), "distance": np.array([0.5, 1.25, 2.0])}
    write_beside(tmp_path / "out.csv", table, new)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == (
        "Größe;Preis;Ort;cluster;distance\n1,5;1.234,50;Köln;0;0,5\n2,25;99,00;Nürnberg;1;1,25\n"
        "3,125;1.000.000;Bonn;0;2,0\n"
    )
    again = read_table(tmp_path / "out.csv", columns=["Größe", "Preis", "distance"])
    np.testing.assert_array_equal(again.X, np.column_stack([table.X, new["distance"]]))
    write_beside(tmp_path / "out.parquet", table, new)
    with duckdb.connect() as connection:
        rows = connection.execute(f"FROM read_parquet('{tmp_path}/out.parquet')").fetchall()
    assert rows[0] == (1.5, 1234.5, "Köln", 0, 0.5)


# -------------------------------------------------------------------------------- conditions


def test_where_chooses_rows_by_numbers_texts_and_columns_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "age,town,b\n10,Rome,1\n9,Oslo,2\n30,Rome,3\n,Rome,4\n")
    table = read_table(path, columns=["b"], where="age > 9 AND town = 'Rome' -- a comment")
    assert table.X.tolist() == [[1], [3]]
    assert (table.n_rows, table.n_rows_in_files) == (2, 4)
    write_beside(tmp_path / "out.csv", table, {"cluster": np.array([7, 8])})
    assert (tmp_path / "out.csv").read_text() == ("age,town,b,cluster\n10,Rome,1,7\n30,Rome,3,8\n")


def test_where_keeps_the_order_of_rows_over_many_threads(tmp_path: Path) -> None:
    lines = "".join(f"{i},{i % 3}\n" for i in range(300_000))
    table = read_table(write(tmp_path / "t.csv", "a,b\n" + lines), where="b = 1", n_jobs=4)
    np.testing.assert_array_equal(table.X[:, 0], np.arange(1, 300_000, 3))


def test_where_works_with_parquet_and_decimal_commas(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM range(5) t(a)) TO '{tmp_path}/t.parquet'")
    assert read_table(tmp_path / "t.parquet", where="a % 2 = 1").X.tolist() == [[1], [3]]
    path = write(tmp_path / "t.csv", GERMAN)
    assert read_table(path, columns=["Größe"], where="Preis > 1000").X.tolist() == [[1.5], [3.125]]


def test_a_bad_cell_among_chosen_rows_is_named_by_its_row_in_the_file(tmp_path: Path) -> None:
    lines = [f"{i},{i}" for i in range(20)]
    lines[17] = "17,x"
    path = write(tmp_path / "t.csv", "\n".join(["a,b", *lines]))
    with pytest.raises(InputError, match='row 18, column "b" holds "x"'):
        read_table(path, where="a > 10")


def test_hidden_names_never_meet_those_of_the_user(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "cell0,c1,Cell_0,C1\n1,2,3,4\n5,6,7,8\n")
    table = read_table(path, where="cell0 = 5 AND c1 = 6 AND Cell_0 = 7")
    assert table.X.tolist() == [[5, 6, 7, 8]]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("agee > 3", 'has no column "agee"; did you mean "age"'),
        ("age >", "is not a condition"),
        ("town > 3", "is not a condition"),
        ("age; DROP", "is not a condition"),
        ("CAST(town AS INTEGER) = 1", "is not a condition"),
        ("nofunction(age)", "is not a condition"),
        ("age > 99", "no row fulfils"),
    ],
)
def test_a_bad_condition_is_one_clear_line(tmp_path: Path, where: str, words: str) -> None:
    path = write(tmp_path / "t.csv", "age,town\n10,Rome\n9,Oslo\n")
    with pytest.raises(InputError, match=words) as caught:
        read_table(path, where=where)
    assert "\n" not in str(caught.value)
    assert "--where" in str(caught.value)


def test_rows_of_npy_cannot_be_chosen(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.eye(2))
    with pytest.raises(InputError, match="save it as Parquet"):
        read_table(tmp_path / "t.npy", where="x1 > 0")


# ---------------------------------------------------------------------------- gaps and weights

GAPS = "a,b,kind\n1,2,p\n,3,q\n4,?,r\n5,6,s\n"


def test_missing_values_are_counted_and_kept_as_nan(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", GAPS), missing="keep")
    np.testing.assert_array_equal(table.X, [[1, 2], [np.nan, 3], [4, np.nan], [5, 6]])
    assert table.n_missing == (1, 1)
    assert table.rows is None


def test_dropped_rows_stay_in_their_place_in_the_output(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", GAPS), missing="drop", truth="kind")
    np.testing.assert_array_equal(table.X, [[1, 2], [5, 6]])
    assert table.truth.tolist() == ["p", "s"]  # type: ignore[union-attr]
    assert (table.n_samples, table.n_rows, table.n_dropped) == (2, 4, 2)
    assert table.rows.tolist() == [0, 3]  # type: ignore[union-attr]
    assert read_columns(table, ["kind"])["kind"].tolist() == ["p", "s"]
    new = {"cluster": np.array([1, 0], dtype=np.int32), "distance": np.array([0.5, 1.5])}
    write_beside(tmp_path / "out.csv", table, new)
    assert (tmp_path / "out.csv").read_text() == (
        "a,b,kind,cluster,distance\n1,2,p,1,0.5\n,3,q,,\n4,?,r,,\n5,6,s,0,1.5\n"
    )
    write_beside(tmp_path / "alone.npy", table, {"cluster": new["cluster"]}, alone=True)
    assert np.load(tmp_path / "alone.npy").tolist() == [1, -1, -1, 0]
    write_beside(tmp_path / "alone.csv", table, {"cluster": new["cluster"]}, alone=True)
    assert (tmp_path / "alone.csv").read_text() == "cluster\n1\nNA\nNA\n0\n"


@pytest.mark.parametrize("rule", ["drop", "keep"])
@pytest.mark.parametrize("cell", ["x", "inf", "-1e999"])
def test_what_is_wrong_is_never_taken_for_missing(tmp_path: Path, rule: str, cell: str) -> None:
    path = write(tmp_path / "t.csv", f"a,b\n1,2\n,3\n4,{cell}\n5,6\n")
    with pytest.raises(InputError, match=f'row 3, column "b" holds "{cell}"'):
        read_table(path, missing=rule)  # type: ignore[arg-type]


def test_no_row_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="every row has a missing value"):
        read_table(write(tmp_path / "t.csv", "a,b\n1,\n,2\n"), missing="drop")
    with pytest.raises(InputError, match="use 'error', 'drop' or 'keep'"):
        read_table(tmp_path / "t.csv", missing="mean")  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["drop", "keep"])
def test_gaps_in_npy(tmp_path: Path, rule: str) -> None:
    np.save(tmp_path / "t.npy", np.array([[1.0, 2], [np.nan, 3], [4, 5]]))
    table = read_table(tmp_path / "t.npy", missing=rule)  # type: ignore[arg-type]
    assert table.n_missing == (1, 0)
    assert table.n_samples == (2 if rule == "drop" else 3)


@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_weights_are_no_feature(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    if suffix == ".csv":
        write(path, "x1,x2\n1,2\n3,0\n")
    else:
        np.save(path, np.array([[1, 2], [3, 0]]))
    table = read_table(path, weight="x2")
    assert table.columns == ("x1",)
    assert table.sample_weight.tolist() == [2.0, 0.0]  # type: ignore[union-attr]


@pytest.mark.parametrize("cell", ["-1", "", "x", "nan", "inf"])
def test_a_bad_weight_is_named(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path / "t.csv", f"a,w\n1,1\n2,{cell}\n3,1\n")
    with pytest.raises(InputError, match=r'row 2, column "w".* a weight is a number from 0 up'):
        read_table(path, weight="w")


def test_contradictory_roles_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,w\n1,1\n2,0\n")
    with pytest.raises(InputError, match="both as truth and as weight"):
        read_table(path, weight="w", truth="w")
    with pytest.raises(InputError, match="both as weight and as a feature"):
        read_table(path, weight="w", columns=["w"])
    with pytest.raises(UnknownColumnError, match='did you mean "w"'):
        read_table(path, weight="W")


def test_weights_that_are_all_zero_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one row has to count"):
        read_table(write(tmp_path / "t.csv", "a,w\n1,0\n2,0\n"), weight="w")


def test_other_columns_are_read_for_the_rows_of_a_table(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b,kind\n1,2,p\n3,4,\n5,6,r\n")
    table = read_table(path, columns=["a"], where="b > 2")
    found = read_columns(table, ["kind", "b"])
    assert found["kind"].tolist() == [None, "r"]
    assert found["b"].tolist() == [4, 6]
    write(path, "a,b,kind\n5,6,r\n")
    with pytest.raises(InputError, match="had 2 rows when it was read and has 1 now"):
        read_columns(table, ["kind"])
