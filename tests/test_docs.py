"""What the README, the pages and the docstrings show is what the code prints."""

import contextlib
import doctest
import importlib
import inspect
import io
import re
from pathlib import Path

import numpy as np
import pytest
import sklearn.cluster

import centroids

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(page for page in ROOT.glob("docs/**/*.md") if "_build" not in page.parts),
    *sorted(ROOT.glob("core/**/*.md")),
]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def ids(path):
    return str(path.relative_to(ROOT))


def test_readme_example_prints_what_it_says():
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"```python\n(.*?)```\n+prints\n+```text\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    code, expected = found.groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue().rstrip() == expected.rstrip()


def test_readme_begins_with_what_the_commands_print(tmp_path, monkeypatch, capsys):
    """The commands before the first picture, run on the table that the README makes behind it."""
    for package in ("typer", "rich", "duckdb", "jinja2"):
        pytest.importorskip(package)
    from centroids.cli import main

    readme = (ROOT / "README.md").read_text()
    begin = readme.partition("![")[0]
    commands = re.findall(r"^\$ centroids (.*)$", begin, re.MULTILINE)
    (expected,) = re.findall(r"```text\n(.*?)```", begin, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (makes_the_table,) = re.findall(r'^\$ python -c "(.*)"$', readme, re.MULTILINE)
    exec(makes_the_table, {})
    assert [main(command.split()) for command in commands] == [0, 0]
    printed = capsys.readouterr().out.splitlines()
    assert set(expected.splitlines()) <= set(printed)
    assert Path("wine.html").exists()


@pytest.mark.parametrize("page", [page for page in PAGES if ">>>" in page.read_text()], ids=ids)
def test_examples_of_page_print_what_they_say(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some examples write files
    text = re.sub(r"^```.*$", "", page.read_text(), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert run(test) == ""


@pytest.mark.parametrize("name", [*centroids.__all__, "distributed.KMeans"])
def test_examples_of_docstring_print_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    home, _, own = f"centroids.{name}".rpartition(".")
    value = getattr(importlib.import_module(home), own)
    for test in doctest.DocTestFinder().find(value, name, module=inspect.getmodule(value)):
        assert run(test) == ""


def run(test):
    """Run examples and return what differs."""
    report = io.StringIO()
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=report.write)
    return report.getvalue()


def test_numpy_lines_of_kernel_readme_give_the_labels_of_the_core():
    readme = (ROOT / "core" / "kernels" / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    X = np.random.default_rng(0).normal(size=(5000, 6)).astype(np.float32)
    kmeans = centroids.KMeans(9, random_state=0).fit(X)
    names = {"np": np, "x": X, "centers": kmeans.cluster_centers_.astype(np.float64)}
    exec(compile(code, "README.md", "exec"), names)
    # NumPy sums in another order: a row between two centers may fall to the other side.
    assert np.count_nonzero(names["labels"] != kmeans.labels_) <= 2


@pytest.mark.parametrize("name", ["KMeans", "MiniBatchKMeans", "BisectingKMeans"])
@pytest.mark.parametrize("library", [sklearn.cluster, centroids], ids=["scikit-learn's", "ours"])
def test_every_public_name_of_an_estimator_stands_in_its_table_of_compatibility(name, library):
    page = (ROOT / "docs" / "compatibility.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## )", page, re.DOTALL | re.MULTILINE))
    named = set(re.findall(r"`(\w+)`", sections[name]))
    if "those of every estimator" in sections[name]:
        named |= set(re.findall(r"`(\w+)`", sections["KMeans"]))
    model = getattr(library, name)(2).fit(np.arange(40.0).reshape(20, 2))
    public = {n for n in {*dir(model), *vars(model)} if not n.startswith("_")}
    assert public - named == set()


@pytest.mark.parametrize("name", ["KMeans", "MiniBatchKMeans", "BisectingKMeans"])
def test_parameters_are_new_or_not_as_the_table_of_compatibility_says(name):
    page = (ROOT / "docs" / "compatibility.md").read_text()
    table = re.search(rf"^## {name}\n\n(\| parameter .*?)\n\n", page, re.DOTALL | re.MULTILINE)[1]
    is_new = {}
    for row in table.splitlines()[2:]:
        _, names, verdict, *_ = row.split("|")
        is_new |= dict.fromkeys(re.findall(r"`(\w+)`", names), verdict.strip() == "new")
    theirs = getattr(sklearn.cluster, name)().get_params()
    ours = getattr(centroids, name)().get_params()
    assert is_new == {parameter: parameter not in theirs for parameter in ours}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_to_files_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    files = [target for target in targets if "://" not in target and "mailto:" not in target]
    missing = [target for target in files if not (page.parent / target).exists()]
    assert missing == []


def test_code_in_folder_readmes_is_named_as_it_is():
    """Files that a README of the core names in backticks exist."""
    for page in ROOT.glob("core/**/README.md"):
        named = re.findall(r"`([\w./]+\.(?:cpp|hpp|inl|py|md))`", page.read_text())
        missing = [
            name
            for name in named
            if not any((base / name).exists() for base in (page.parent, ROOT / "core", ROOT))
        ]
        assert missing == [], page
