"""Rules of the project that a reader relies on, as tests. The layers are in `make lint`."""

import ast
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.validate import validate

import centroids

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "centroids"
# Loaded by `import centroids`, they would cost every user time and memory.
HEAVY = ("matplotlib", "jinja2", "duckdb", "pandas", "polars", "dask", "rich", "typer", "sklearn")

# Checks of numpydoc: a docstring is there, is well-formed, and names what the signature names.
DOCSTRING_CHECKS = {
    *("GL01", "GL02", "GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10"),
    *("SS01", "SS02", "SS03", "SS04", "SS05", "SS06"),
    *("PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR08", "PR10"),
    *("RT01", "RT02", "RT04", "RT05", "YD01", "SA02", "SA04"),
}


def public_docstrings():
    """Names of the public objects and of the public methods written for them."""
    public = {name: getattr(centroids, name) for name in centroids.__all__}
    public["distributed.KMeans"] = importlib.import_module("centroids.distributed").KMeans
    criteria = importlib.import_module("centroids.criteria")
    for name in criteria.__all__:  # criteria themselves are values, which know their source
        value = getattr(criteria, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            public[f"criteria.{name}"] = value
    names = list(public)
    for name, value in public.items():
        if inspect.isclass(value):
            names += [
                f"{name}.{member}"
                for member, what in inspect.getmembers(value)
                if not member.startswith("_") and (isinstance(what, property) or is_ours(what))
            ]
    return names


def is_ours(member):
    return inspect.isfunction(member) and member.__module__.startswith("centroids")


def source_files(*folders, suffixes=(".cpp", ".hpp", ".inl")):
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return [path for path in files if path.suffix in suffixes]


def lines_with(pattern, files):
    """``file:line`` wherever the pattern occurs."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_import_loads_nothing_heavy():
    code = f"import sys, centroids; print(*(m for m in {HEAVY} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_dask_is_loaded_by_its_users_only():
    code = "import sys, centroids, centroids.distributed; print('dask' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


def test_public_names_are_sorted_and_importable():
    assert centroids.__all__ == sorted(centroids.__all__)
    for name in centroids.__all__:
        assert getattr(centroids, name) is not None
    assert set(centroids.__all__) <= set(dir(centroids))


def test_type_checkers_see_the_same_public_names():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("centroids")
        for alias in node.names
    }
    assert seen == set(centroids.__all__)


@pytest.mark.parametrize("name", public_docstrings())
def test_public_docstring_is_complete(name):
    report = validate(f"centroids.{name}")
    checks = set(DOCSTRING_CHECKS)
    if "Attributes\n----------" in inspect.cleandoc(report["docstring"]):
        checks.remove("PR01")  # the fields of a data class are documented as attributes
    assert [error for error in report["errors"] if error[0] in checks] == []


def test_reference_lists_every_public_name():
    page = (ROOT / "docs" / "reference" / "index.md").read_text()
    listed = re.findall(r"^ {3}(\w+)$", page, re.MULTILINE)
    assert sorted(listed) == centroids.__all__


def test_version_is_the_same_everywhere():
    version = centroids.__version__
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == version
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == version
    try:
        installed = importlib.metadata.version("centroids")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("centroids runs from its sources and is not installed")
    assert installed == version


def test_core_has_no_openmp_no_blas_and_no_loose_arithmetic():
    files = [ROOT / "CMakeLists.txt", *source_files("core", "bindings")]
    loose = (
        r"-ffast-math|-Ofast|-funsafe-math|-fassociative-math|-ffp-contract=(fast|on)|march=native"
    )
    foreign = r"-fopenmp|OpenMP|omp\.h|#\s*pragma omp|cblas|blas\.h|find_package\((BLAS|MKL|OpenMP)"
    assert lines_with(f"{loose}|{foreign}", files) == []


def test_core_knows_nothing_of_python_files_and_printing():
    includes = r"#include <(Python\.h|nanobind|iostream|fstream|cstdio|stdio\.h|filesystem)"
    assert lines_with(includes, source_files("core")) == []
    assert lines_with(r"\bprintf\(|std::c(out|err)", source_files("core")) == []


def test_vector_types_stay_in_the_kernels():
    files = [path for path in source_files("core", "bindings") if path.parent.name != "kernels"]
    assert lines_with(r"vector_size|\b_mm\d+_|\b__m\d+|arm_neon", files) == []


def test_only_the_library_itself_calls_the_core():
    outer = [PACKAGE / folder for folder in ("cli", "compare", "plots", "report")]
    files = [path for folder in outer for path in folder.rglob("*.py")]
    assert lines_with(r"\b_core\b", [*files, PACKAGE / "model_file.py"]) == []


def python_folders():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    return sorted(folders - {PACKAGE})


@pytest.mark.parametrize("folder", python_folders(), ids=lambda folder: folder.name)
def test_python_folder_opens_with_what_lives_there(folder):
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert docstring is not None
    assert 5 <= len(docstring.splitlines()) <= 20


def test_core_folders_open_with_what_lives_there():
    folders = {path.parent for path in source_files("core")}
    without = [str(folder) for folder in folders if not (folder / "README.md").is_file()]
    assert without == []
