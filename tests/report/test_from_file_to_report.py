"""From a file to a page in one command, as a new user would: three real shapes of tables."""

from __future__ import annotations

import csv
import re

import pytest
from mixed_table import GROUPS, write_mixed_table
from sklearn.datasets import load_iris, load_wine

import centroids

pytest.importorskip("typer")
pytest.importorskip("duckdb")

from centroids.cli import main

N_ROWS = 100_000
COMMANDS = {
    "iris": "fit iris.csv -k auto --truth class --report page.html",
    "wine": "fit wine.csv -k auto --truth class --holdout 0.25 --scale standard --report page.html",
    "customers": "fit customers.csv -k auto --scale standard --missing impute "
    "--leave-out customer_id --report page.html --labels labels.parquet --distances",
}


def write_toy_table(path, data):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*data.feature_names, "class"])
        for row, target in zip(data.data.tolist(), data.target, strict=True):
            writer.writerow([*row, data.target_names[target]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the tables, and a folder for the results of each."""
    folder = tmp_path_factory.mktemp("tables")
    for name, data in (("iris", load_iris()), ("wine", load_wine())):
        (folder / name).mkdir()
        write_toy_table(folder / name / f"{name}.csv", data)
    (folder / "customers").mkdir()
    write_mixed_table(folder / "customers" / "customers.csv", N_ROWS)
    for name, command in COMMANDS.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder / name)
            assert main(command.split()) == 0
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_opens_without_a_word_or_a_request(open_page, folder, name):
    page = open_page(folder / name / "page.html")
    assert page.locator("#map .point").count() > 100
    assert page.locator(".card").count() >= 2
    page.locator(".chip").first.click()
    assert page.locator(".card.is-chosen").count() == 1
    assert page.troubles == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_is_small(folder, name):
    assert (folder / name / "page.html").stat().st_size < 3_000_000


def test_groups_of_a_large_mixed_table_are_found_and_described(folder):
    """The column "plan", which is not clustered, names the groups that made the rows."""
    page = (folder / "customers" / "page.html").read_text()
    sentences = re.findall(r'<p class="sentence">(.*?)</p>', page)
    assert len(sentences) == len(GROUPS)
    assert {found for found in GROUPS for s in sentences if f"plan {found}" in s} == set(GROUPS)


def test_notes_tell_what_a_large_mixed_table_is_like(folder):
    page = (folder / "customers" / "page.html").read_text()
    notes = page[page.index("Notes on the data") : page.index('<section id="clusters"')]
    for words in (
        "The median of the column stands in for it",
        "&#34;country_code&#34; has the same value in every row",
        "&#34;spent_eur&#34; is skewed",
        "&#34;signup&#34; holds dates and is not used",
    ):
        assert words in notes
    assert "customer_id" not in notes


def test_rows_of_the_page_have_their_number_in_the_file(folder):
    """The values of the first typical row are those of that line of the file."""
    page = (folder / "customers" / "page.html").read_text()
    table = page[page.index('<table class="rows">') :]
    names = re.findall(r'<th scope="col">(.*?)</th>', table[: table.index("</thead>")])
    names = [re.sub("<wbr>", "", name) for name in names]
    number, values = re.search(
        r'<tr><th scope="row">([\d,]+)</th>(.*?)</tr>', table, re.DOTALL
    ).groups()
    values = [float(v.replace(",", "")) for v in re.findall(r"<td>(.*?)</td>", values)]
    with (folder / "customers" / "customers.csv").open() as file:
        rows = list(csv.DictReader(file))
    row = rows[int(number.replace(",", "")) - 1]
    assert values == pytest.approx([float(row[name]) for name in names[1:]], rel=1e-3)


def test_labels_of_a_large_mixed_table_have_all_columns(folder):
    path = folder / "customers" / "labels.parquet"
    table = centroids.read_table(path, columns=["cluster", "distance", "margin"])
    assert table.n_samples == N_ROWS
    assert (table.X[:, 1:] >= 0).all()
    assert {"name", "signup", "city", "plan", "customer_id"} <= {c.name for c in table.left_out}
