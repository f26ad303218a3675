"""Tables from files: what is read, and what is refused with which words."""

from __future__ import annotations

import csv
import gzip
import os
import pickle
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centroids.rows.errors import InputError, UnknownColumnError
from centroids.rows.files import read_table
from centroids.rows.numbers import is_missing, is_number
from centroids.rows.relation import connect


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def write_parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


# ---------------------------------------------------------------------------- what is read


def test_csv_numbers_become_features_and_other_columns_are_listed(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        "name,a,when,b,nothing\nBob,1,2024-01-01,2.5,\nEve,3,2024-01-02,-1e-3,\n",
    )
    table = read_table(path)
    assert table.columns == ("a", "b")
    np.testing.assert_array_equal(table.X, [[1, 2.5], [3, -1e-3]])
    assert table.X.dtype == np.float64
    assert table.X.flags.c_contiguous
    assert dict(table.left_out) == {
        "name": 'text, such as "Bob"',
        "when": 'text, such as "2024-01-01"',
        "nothing": "empty",
    }
    assert table.has_names
    assert table.truth is None


def test_columns_are_used_in_the_order_they_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b,c\n1,2,3\n4,5,6\n")
    table = read_table(path, columns=["c", "a"])
    assert table.columns == ("c", "a")
    np.testing.assert_array_equal(table.X, [[3, 1], [6, 4]])
    assert table.left_out == (("b", "not chosen"),)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_truth_is_no_feature(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    if suffix == ".csv":
        write(path, "a,y\n1,2\n4,0\n7,1\n")
    else:
        write_parquet(path, "SELECT * FROM (VALUES (1.0, 2), (4.0, 0), (7.0, 1)) AS t(a, y)")
    table = read_table(path, truth="y")
    assert table.columns == ("a",)
    assert table.truth_name == "y"
    assert table.truth is not None
    assert table.truth.tolist() == [2, 0, 1]


def test_truth_may_be_text_with_gaps(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,y\n1,cat\n4,\n7,dog\n")
    truth = read_table(path, truth="y").truth
    assert truth is not None
    assert truth.tolist() == ["cat", None, "dog"]


def test_whole_number_truth_may_have_gaps(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,y\n1,10\n4,\n7,9\n")
    truth = read_table(path, truth="y").truth
    assert truth is not None
    assert truth.tolist() == [10, None, 9]


@pytest.mark.parametrize("separator", [";", "\t", "|", " "])
def test_separator_is_found(tmp_path: Path, separator: str) -> None:
    lines = [["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]]
    path = write(tmp_path / "t.csv", "".join(separator.join(cells) + "\n" for cells in lines))
    np.testing.assert_array_equal(read_table(path).X, [[1, 2, 3], [4, 5, 6]])


def test_file_without_header_gets_counted_names(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "1,2\n3,4\n"))
    assert table.columns == ("x1", "x2")
    assert not table.has_names
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])


def test_names_are_trimmed_filled_in_and_made_different(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", ",a, b ,a\n1,2,3,4\n5,6,7,8\n"))
    assert table.columns == ("column1", "a", "b", "a_2")
    assert table.renamed == (("a_2", "a"),)


def test_names_that_come_twice_in_a_parquet_file_are_told(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    x, pair = pyarrow.array([1.0, 2.0]), pyarrow.array([{"a": 1, "b": {"a": 2}}] * 2)
    parquet.write_table(
        pyarrow.table([x, pair, x, x], names=["a", "pair", "a", "b"]), tmp_path / "t.parquet"
    )
    table = read_table(tmp_path / "t.parquet")
    assert table.columns == ("a", "a_1", "b")
    assert table.renamed == (("a_1", "a"),)


def test_names_that_differ_in_case_only_are_two_columns(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "X,x\n1,2\n3,4\n"), columns=["x"])
    np.testing.assert_array_equal(table.X, [[2], [4]])


@pytest.mark.parametrize(
    "name", ["t[1].csv", "t*.csv", "it's.csv", "a b.csv", "Größe.csv", 'q"q.csv', "t?.csv"]
)
def test_no_sign_in_a_file_name_means_anything(tmp_path: Path, name: str) -> None:
    write(tmp_path / "t1.csv", "a\n9\n")
    path = write(tmp_path / name, "a,b\n1,2\n3,4\n")
    np.testing.assert_array_equal(read_table(path).X, [[1, 2], [3, 4]])


def test_whole_numbers_in_the_beginning_do_not_round_later_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n" + "1,2\n" * 30_000 + "2.5,4\n")
    assert read_table(path).X[-1].tolist() == [2.5, 4.0]


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal(500) * 10.0 ** np.arange(-250, 250)
    path = write(tmp_path / "t.csv", "a\n" + "".join(f"{value!r}\n" for value in values.tolist()))
    np.testing.assert_array_equal(read_table(path).X[:, 0], values)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(tmp_path: Path, line_end: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(line_end.join(["a,b", "1,2", "3,4", ""]).encode())
    np.testing.assert_array_equal(read_table(path).X, [[1, 2], [3, 4]])


def test_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,2\n".encode("utf-8-sig"))
    assert read_table(path).columns == ("a", "b")


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    np.testing.assert_array_equal(read_table(path).X, [[1, 2], [3, 4]])


def test_order_of_rows_is_kept_over_many_threads(tmp_path: Path) -> None:
    n_samples = 300_000
    numbers = "\n".join(map(str, range(n_samples)))
    path = write(tmp_path / "t.csv", f"a\n{numbers}\n")
    X = read_table(path, n_jobs=4).X
    np.testing.assert_array_equal(X[:, 0], np.arange(n_samples))


def test_parquet_types(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "t.parquet",
        "SELECT 1::TINYINT AS small, 2::BIGINT AS big, 1.25::DECIMAL(5, 2) AS price, "
        "true AS flag, DATE '2024-01-01' AS day, 'a' AS word, [1, 2] AS list, 0.5::FLOAT AS half",
    )
    table = read_table(path)
    assert table.columns == ("small", "big", "price", "half")
    assert table.X.tolist() == [[1, 2, 1.25, 0.5]]
    reasons = dict(table.left_out)
    assert reasons["flag"] == "true or false"
    assert reasons["day"] == "dates"
    assert reasons["word"] == 'text, such as "a"'
    assert "list" in reasons


def test_parquet_of_float32_stays_float32(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", "SELECT 0.5::FLOAT AS a, 2::FLOAT AS b, 'x' AS c")
    assert read_table(path).X.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_npy_of_floats_stays_on_disk(tmp_path: Path, dtype: type) -> None:
    X = np.arange(12, dtype=dtype).reshape(4, 3)
    np.save(tmp_path / "t.npy", X)
    table = read_table(tmp_path / "t.npy")
    np.testing.assert_array_equal(table.X, X)
    assert table.X.dtype == dtype
    assert not table.X.flags.writeable
    assert isinstance(table.X, np.memmap) or isinstance(table.X.base, np.memmap)
    assert table.columns == ("x1", "x2", "x3")
    assert not table.has_names


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12).reshape(4, 3),
        np.asfortranarray(np.arange(12.0).reshape(4, 3)),
        np.arange(12.0).reshape(4, 3).astype(">f8"),
        np.arange(12, dtype=np.float16).reshape(4, 3),
    ],
    ids=["integers", "Fortran order", "other byte order", "float16"],
)
def test_npy_of_other_numbers_becomes_float64(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "t.npy", array)
    X = read_table(tmp_path / "t.npy").X
    np.testing.assert_array_equal(X, np.arange(12.0).reshape(4, 3))
    assert X.dtype == np.float64
    assert X.flags.c_contiguous


def test_npy_with_one_dimension_is_one_column(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.array([1.0, 2.0]))
    assert read_table(tmp_path / "t.npy").X.tolist() == [[1.0], [2.0]]


def test_npy_columns_are_chosen_by_position(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.arange(8.0).reshape(2, 4))
    table = read_table(tmp_path / "t.npy", columns=["x3", "x1"], truth="x4")
    assert table.X.tolist() == [[2, 0], [6, 4]]
    assert table.truth is not None
    assert table.truth.tolist() == [3, 7]
    assert table.left_out == (("x2", "not chosen"),)


# ------------------------------------------------------------------------ what is refused


def test_text_among_numbers_is_named_by_row_and_column(tmp_path: Path) -> None:
    rows = [f"{i},{i}" for i in range(1, 41)]
    rows[16] = "17,abc"
    path = write(tmp_path / "t.csv", "\n".join(["a,b", *rows]))
    assert 'row 17, column "b" holds "abc", which is not a number' in refusal(path)


def test_text_far_behind_the_beginning_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n" + "1,2\n" * 30_000 + "1,oops\n" + "1,2\n" * 10)
    assert 'row 30001, column "b" holds "oops"' in refusal(path)


def test_text_in_a_named_column_is_an_error_however_much_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "name,b\n,1\nBob,2\n")
    assert 'row 1, column "name" is empty' in refusal(path, columns=["name", "b"])
    path = write(tmp_path / "t.csv", "name,b\nEve,1\nBob,2\n")
    assert 'row 1, column "name" holds "Eve"' in refusal(path, columns=["name", "b"])


def test_column_with_more_texts_than_numbers_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n1,1\n2,x\n3,y\n")
    assert read_table(path).left_out == (("b", 'text, such as "x"'),)


def test_column_that_turns_into_text_behind_the_head_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n" + "1,2\n" * 1500 + "1,word\n" * 4000)
    assert read_table(path).left_out == (("b", 'text, such as "word"'),)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("", 'row 2, column "b" is empty'),
        ("NA", 'row 2, column "b" holds "NA", a missing value'),
        ("nan", 'row 2, column "b" holds "nan", a missing value'),
        ("?", 'row 2, column "b" holds "?", a missing value'),
        ("inf", 'row 2, column "b" holds "inf", which is not a finite number'),
        ("-Infinity", 'row 2, column "b" holds "-Infinity", which is not a finite number'),
        ("1e999", 'row 2, column "b" holds "1e999", which is not a finite number'),
    ],
)
def test_missing_and_infinite_cells_are_named(tmp_path: Path, cell: str, words: str) -> None:
    path = write(tmp_path / "t.csv", f"a,b\n1,2\n3,{cell}\n5,6\n7,8\n")
    assert words in refusal(path)


def test_number_of_further_bad_cells_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n1,2\n3,\n,6\n7,8\n7,8\n")
    message = refusal(path)
    assert 'row 2, column "b"' in message
    assert "1 more" in message


@pytest.mark.parametrize("value", ["NULL", "'NaN'::DOUBLE", "'-inf'::DOUBLE"])
def test_bad_values_in_parquet_are_named(tmp_path: Path, value: str) -> None:
    path = write_parquet(
        tmp_path / "t.parquet", f"SELECT 1.0 AS a, 2.0 AS b UNION ALL SELECT 3.0, {value}"
    )
    assert 'row 2, column "b"' in refusal(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_values_in_npy_are_named(tmp_path: Path, value: float) -> None:
    X = np.ones((300_000, 8))
    X[299_998, 6] = value
    np.save(tmp_path / "t.npy", X)
    assert 'row 299999, column "x7"' in refusal(tmp_path / "t.npy")


def test_missing_file_is_named_and_the_near_one_suggested(tmp_path: Path) -> None:
    write(tmp_path / "customers.csv", "a\n1\n")
    message = refusal(tmp_path / "customer.csv")
    assert "does not exist" in message
    assert 'did you mean "customers.csv"' in message
    assert "does not exist" in refusal(tmp_path / "nowhere" / "t.csv")


def test_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_unknown_suffix_is_refused(tmp_path: Path) -> None:
    assert "save the data as .csv" in refusal(write(tmp_path / "t.xlsx", "PK"))


def test_unknown_column_is_named_and_the_near_one_suggested(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "income,age\n1,2\n")
    with pytest.raises(UnknownColumnError, match='no column "incme"; did you mean "income"'):
        read_table(path, columns=["incme"])
    with pytest.raises(UnknownColumnError, match="it has income, age"):
        read_table(path, truth="zzz")


@pytest.mark.parametrize(
    ("columns", "truth", "words"),
    [(["a", "a"], None, "named twice"), (["a"], "a", "both as truth"), ([], None, "at least one")],
)
def test_contradictory_columns_are_refused(
    tmp_path: Path, columns: list[str], truth: str | None, words: str
) -> None:
    path = write(tmp_path / "t.csv", "a,b\n1,2\n")
    with pytest.raises(InputError, match=words):
        read_table(path, columns=columns, truth=truth)


def test_table_without_numbers_is_refused_with_the_reasons(tmp_path: Path) -> None:
    message = refusal(write(tmp_path / "t.csv", "name,city\nBob,Rome\nEve,Oslo\n"))
    assert "no numeric column" in message
    assert 'name (text, such as "Bob")' in message


def test_truth_alone_is_nothing_to_cluster(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "y\n1\n2\n")
    assert "nothing to cluster" in refusal(path, truth="y")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "blank lines"),
        (b"a,b\n", "has no rows"),
        (b"a,b\n1,2\n3\n5,6\n", "row 2 (line 3 of the file) has 1 value(s) where there are 2"),
        (b'a,b\n"1\n",2\n3,4,5\n6,7\n', "row 2 (line 4 of the file) has 3 value(s)"),
        (b"notes\na,b\n1,2\n3,4\n", "the first line has 1 value(s) but the rows below have 2"),
        ("a,n".encode("latin-1") + b"\x81me\n1,2\n", "line 1 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "is not a text file"),
        (b"PK\x03\x04\0\0\0", "is not a text file"),
        (b'a,b\n1,"2\n3,4\n', "correct"),
    ],
    ids=["empty", "blank", "header only", "short row", "long row", "title line", "no text",
         "utf-16 without a mark", "zip", "open quote"],
)  # fmt: skip
def test_damaged_csv_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert words in refusal(path)


def test_encoding_error_behind_the_head_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 300_000 + "3,ä\n".encode("latin-1"))
    assert "UTF-8" in refusal(path)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(b"a,b\n1,2\n")
    assert "does not unpack" in refusal(path)
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-20])
    refusal(path)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", "SELECT range AS a FROM range(10000)")
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:-100], b"a,b\n1,2\n", whole[:50] + whole[200:]):
        path.write_bytes(content)
        assert "damaged" in refusal(path)


def test_empty_parquet_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", "SELECT 1.0 AS a WHERE false")
    assert "has no rows" in refusal(path)


def test_parquet_column_of_another_kind_is_refused_when_named(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", "SELECT 1.0 AS a, DATE '2024-01-01' AS day")
    assert 'column "day" holds dates, not numbers' in refusal(path, columns=["a", "day"])


def test_pickled_objects_are_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "pickled Python objects" in refusal(tmp_path / "t.npy")
    (tmp_path / "p.npy").write_bytes(pickle.dumps([1, 2]))
    assert "no .npy file" in refusal(tmp_path / "p.npy")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 2, 2)), "has the shape (2, 2, 2)"),
        (np.zeros((0, 3)), "no rows"),
        (np.array([["a"]]), "save a plain array of numbers"),
        (np.zeros((2, 2), dtype=complex), "save a plain array of numbers"),
        (np.zeros(3, dtype=[("a", float)]), "save a plain array of numbers"),
    ],
    ids=["three dimensions", "no rows", "text", "complex", "structured"],
)
def test_npy_of_another_kind_is_refused(tmp_path: Path, array: np.ndarray, words: str) -> None:
    np.save(tmp_path / "t.npy", array)
    assert words in refusal(tmp_path / "t.npy")


def test_damaged_npy_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    np.save(path, np.ones((100, 3)))
    whole = path.read_bytes()
    for content in (b"", whole[:5], whole[:60], whole[:500], b"\x93NUMPY\x09\x00" + whole[8:]):
        path.write_bytes(content)
        refusal(path)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=8)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            TEXT.filter(lambda text: not is_number(text) and not is_missing(text)),
            st.integers(-(2**53), 2**53),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path: Path, rows: list[tuple[float, str, int]]
) -> None:
    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("a", "text", "b"), *rows])
    table = read_table(path, columns=["a", "b"], truth="text")
    np.testing.assert_array_equal(table.X, [(a, b) for a, _, b in rows])
    assert table.truth is not None
    assert table.truth.tolist() == [text for _, text, _ in rows]


def test_an_infinite_value_is_no_question_of_the_decimal_sign(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n1,2\n3,1e999\n")
    with pytest.raises(InputError, match="correct the cell, remove the row") as caught:
        read_table(path)
    assert "--decimal" not in str(caught.value)


def test_no_more_threads_are_started_than_there_are_processors(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a\n1\n2\n")
    assert read_table(path, n_jobs=100_000).n_samples == 2
    with connect(100_000) as connection:
        threads = connection.execute("SELECT current_setting('threads')").fetchone()
    assert threads is not None
    assert threads[0] == os.cpu_count()
