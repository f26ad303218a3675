"""Tables to files: nothing lost, nothing half-written, nothing overwritten by mistake."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import numpy as np
import pytest

from centroids.rows.errors import InputError
from centroids.rows.files import read_table
from centroids.rows.output import check_output, whole_file
from centroids.rows.writing import check_table_output, write_beside, write_table

CLUSTERS = {"cluster": np.array([1, 0, 1], dtype=np.int32)}
CSV = 'id,amount,name,day\n007,1.50,"a, ""b""",2024-01-01\n008,2.00,,2024-01-02\n9,3,é,x\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def rows_of(path: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM read_parquet('{path}')").fetchall()


def test_cells_of_a_csv_file_stay_digit_for_digit(source: Path, tmp_path: Path) -> None:
    write_beside(tmp_path / "out.csv", read_table(source), CLUSTERS)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == (
        'id,amount,name,day,cluster\n007,1.50,"a, ""b""",2024-01-01,1\n'
        "008,2.00,,2024-01-02,0\n9,3,é,x,1\n"
    )


def test_parquet_from_csv_has_numbers_where_every_cell_is_one(source: Path, tmp_path: Path) -> None:
    write_beside(tmp_path / "out.parquet", read_table(source), CLUSTERS)
    assert rows_of(tmp_path / "out.parquet") == [
        ("007", 1.5, 'a, "b"', "2024-01-01", 1),
        ("008", 2.0, None, "2024-01-02", 0),
        ("9", 3.0, "é", "x", 1),
    ]


def test_columns_of_a_parquet_file_keep_their_types(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT range AS a, DATE '2024-01-01' AS day, [range] AS list FROM range(3)) "
            f"TO '{tmp_path / 'in.parquet'}' (FORMAT parquet)"
        )
    write_beside(tmp_path / "out.parquet", read_table(tmp_path / "in.parquet"), CLUSTERS)
    before, after = rows_of(tmp_path / "in.parquet"), rows_of(tmp_path / "out.parquet")
    assert after == [(*row, k) for row, k in zip(before, [1, 0, 1], strict=True)]


def test_npy_rows_get_counted_names_in_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([[1.5, 2], [3, 4], [5, 6]]))
    write_beside(tmp_path / "out.csv", read_table(tmp_path / "in.npy"), CLUSTERS)
    assert (tmp_path / "out.csv").read_text() == (
        "x1,x2,cluster\n1.5,2.0,1\n3.0,4.0,0\n5.0,6.0,1\n"
    )


def test_order_holds_over_many_rows_and_threads(tmp_path: Path) -> None:
    numbers = np.arange(250_000)
    write_table(tmp_path / "in.csv", {"a": numbers})
    table = read_table(tmp_path / "in.csv")
    write_beside(tmp_path / "out.csv", table, {"cluster": numbers}, n_jobs=4)
    X = read_table(tmp_path / "out.csv").X
    np.testing.assert_array_equal(X[:, 0], X[:, 1])
    np.testing.assert_array_equal(X[:, 0], numbers)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".pq"])
def test_written_columns_are_read_back(tmp_path: Path, suffix: str) -> None:
    columns = {"a": np.array([0.1, -1e300, 5e-324]), "b": np.array([1, 2, 3])}
    write_table(tmp_path / f"t{suffix}", columns)
    table = read_table(tmp_path / f"t{suffix}")
    assert table.columns == ("a", "b")
    np.testing.assert_array_equal(table.X, np.column_stack(list(columns.values())))


def test_npy_holds_one_column_as_it_is_and_several_side_by_side(tmp_path: Path) -> None:
    write_table(tmp_path / "one.npy", CLUSTERS)
    one = np.load(tmp_path / "one.npy")
    assert one.dtype == np.int32
    assert one.tolist() == [1, 0, 1]
    write_table(tmp_path / "two.npy", {"a": np.array([0.5]), "b": np.array([2])})
    assert np.load(tmp_path / "two.npy").tolist() == [[0.5, 2.0]]


def test_an_existing_file_is_replaced(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    write_beside(out, read_table(source), CLUSTERS)
    assert out.read_text(encoding="utf-8").startswith("id,")


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    write_table(tmp_path / "link.csv", CLUSTERS)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_text() == "cluster\n1\n0\n1\n"


@pytest.mark.parametrize("exception", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_when_writing_fails(tmp_path: Path, exception: type) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")

    def fail() -> None:
        with whole_file(out) as temporary:
            temporary.write_text("half")
            raise exception

    with pytest.raises(exception):
        fail()
    assert out.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_file_that_changed_in_between_is_refused(source: Path, tmp_path: Path) -> None:
    table = read_table(source)
    source.write_text(CSV + "10,4,z,x\n", encoding="utf-8")
    with pytest.raises(InputError, match="had 3 rows when it was read and has 4 now"):
        write_beside(tmp_path / "out.csv", table, CLUSTERS)
    assert os.listdir(tmp_path) == ["in.csv"]


def test_the_file_that_is_read_is_never_overwritten(source: Path) -> None:
    with pytest.raises(InputError, match="is the file that is read"):
        write_beside(source, read_table(source), CLUSTERS)
    assert source.read_text(encoding="utf-8") == CSV


@pytest.mark.parametrize("name", ["amount", "NAME", "day"])
def test_a_new_column_never_hides_an_old_one(source: Path, tmp_path: Path, name: str) -> None:
    table = read_table(source, truth="day")
    with pytest.raises(InputError, match="has a column"):
        check_table_output(tmp_path / "out.csv", (name,), table)


def test_npy_has_no_place_beside_other_columns(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no place for other columns"):
        check_table_output(tmp_path / "out.npy", ("cluster",), read_table(source))


def test_outputs_that_cannot_be_written_are_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for path, words in [
        (tmp_path / "nowhere" / "t.csv", "does not exist"),
        (tmp_path / "folder.csv", "is a folder"),
        (tmp_path / "t.xlsx", "end it in .csv"),
        (tmp_path / "t", "end it in .csv"),
    ]:
        with pytest.raises(InputError, match=words):
            check_table_output(path)


def test_a_device_is_never_replaced() -> None:
    with pytest.raises(InputError, match="not an ordinary file"):
        check_output("/dev/null")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_closed_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="no permission"):
        check_output(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-20", "300"], [1, -20, 300]),
        (["1", "", "3"], [1, None, 3]),
        (["1", "2.5", "1e3"], [1.0, 2.5, 1000.0]),
        (["1", "nan", "3"], [1.0, float("nan"), 3.0]),
        (["0", "10", "00"], ["0", "10", "00"]),
        (["0.5", "0", "-0.5"], [0.5, 0.0, -0.5]),
        (["12345678901234567890", "1", "2"], [1.2345678901234567e19, 1.0, 2.0]),
        (["1", "2", "x"], ["1", "2", "x"]),
        (["", "", ""], [None, None, None]),
    ],
    ids=lambda values: str(values[1]) if isinstance(values[0], str) else "",
)
def test_parquet_types_follow_the_cells(
    tmp_path: Path, cells: list[str], values: list[object]
) -> None:
    rows = [f"{i},{cell}\n" for i, cell in enumerate(cells)]
    (tmp_path / "in.csv").write_text("id,v\n" + "".join(rows))
    table = read_table(tmp_path / "in.csv", columns=["id"])
    write_beside(tmp_path / "out.parquet", table, CLUSTERS)
    found = [row[1] for row in rows_of(tmp_path / "out.parquet")]
    assert [type(value) for value in found] == [type(value) for value in values]
    assert str(found) == str(values)


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_table("-", {"a": np.array([1, 2]), "b": np.array(["x", None], dtype=object)})
    assert capsys.readouterr().out == "a,b\n1,x\n2,\n"
