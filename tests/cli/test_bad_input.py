"""Wrong use and bad input: exit code 2, one line that says what to do, and no file left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from centroids import KMeans
from centroids.model_file import read_model, write_model

Run = Callable[..., Any]

GOOD = "a,b,y\n1,1,0\n2,1,0\n1,2,0\n9,8,1\n8,9,1\n9,9,1\n8,8,1\n2,2,0\n"
FILES: dict[str, str | bytes] = {
    "good.csv": GOOD,
    "text.csv": "name,city\nBob,Rome\nEve,Oslo\n",
    "word.csv": "a,b\n1,2\n3,4\n5,abc\n7,8\n",
    "gap.csv": "a,b\n1,2\n,4\n5,6\n7,8\n",
    "nan.csv": "a,b\n1,2\n3,nan\n5,6\n7,8\n",
    "ragged.csv": "a,b\n1,2\n3,4,5\n6,7\n",
    "empty.csv": "",
    "header.csv": "a,b\n",
    "same.csv": "a,b\n1,1\n2,2\n1,1\n2,2\n",
    "single.csv": "a,y\n1,p\n2,p\n3,p\n9,q\n",
    "dots.csv": "a,b,cluster\n1,2,3\n4,5,6\n",
    "noclass.csv": "a,y\n1,\n2,\n3,\n",
    "damaged.parquet": b"PAR1 and no more",
    "empty.parquet": b"",
    "damaged.npy": b"\x93NUMPY\x01\x00v\x00{'descr'",
    "damaged.safetensors": b"\xff" * 40,
    "table.xlsx": b"PK",
}


@pytest.fixture
def data(folder: Path) -> Path:
    """A folder with data to trip over and a sound model, ``model.safetensors``, of a and b."""
    for name, content in FILES.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    np.save(folder / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(folder / "infinite.npy", np.array([[1.0, 2.0], [3.0, np.inf]]))
    np.save(folder / "three.npy", np.eye(3))
    model = KMeans(2, random_state=0).fit(np.array([[1.0, 1.0], [2.0, 1.0], [9.0, 8.0]]))
    model.feature_names_in_ = np.array(["a", "b"], dtype=object)
    model.save(folder / "model.safetensors")
    arrays, header = read_model(folder / "model.safetensors")
    header["steps"][0]["class"] = "Unknown"
    write_model(folder / "strange.safetensors", arrays, header)
    (folder / "locked").mkdir()
    return folder


WRONG = {
    # how many clusters
    "fit good.csv": "say how many clusters to make, for example -k 5 or -k auto",
    "fit good.csv -k 0": "-k 0: the number of clusters is a whole number from 1 up",
    "fit good.csv -k -3": "-k -3: the number of clusters",
    "fit good.csv -k five": "-k five: the number of clusters",
    "fit good.csv -k 2.5": "-k 2.5: the number of clusters",
    "fit good.csv -k 9": "-k 9 is more than there are different rows: good.csv has 8",
    "fit same.csv -k 3": "same.csv has 2 different rows; choose -k 2 or fewer",
    "fit same.csv -k 3 --holdout 0.25": "2 different rows among those it is fitted on",
    # the data
    "fit nowhere.csv -k 2": "nowhere.csv does not exist",
    "fit god.csv -k 2": 'did you mean "good.csv"',
    "fit locked -k 2": "locked is a folder",
    "fit table.xlsx -k 2": "save the data as .csv, .parquet, .json or .npy",
    "fit empty.csv -k 2": "empty.csv is empty",
    "fit header.csv -k 2": "header.csv has no rows",
    "fit text.csv -k 2": "no numeric column to cluster: name (text",
    "fit word.csv -k 2": 'row 3, column "b" holds "abc", which is not a number',
    "fit gap.csv -k 2": 'row 2, column "a" is empty',
    "fit nan.csv -k 2": 'row 2, column "b" holds "nan", a missing value',
    "fit ragged.csv -k 2": "row 2 (line 3 of the file) has 3 value(s) where there are 2 columns",
    "fit damaged.parquet -k 2": "damaged.parquet is damaged or no Parquet file",
    "fit empty.parquet -k 2": "empty.parquet is damaged or no Parquet file",
    "fit damaged.npy -k 2": "damaged.npy is damaged or no .npy file",
    "fit objects.npy -k 2": "pickled Python objects",
    "fit infinite.npy -k 1": 'row 2, column "x2" holds "inf"',
    # columns
    "fit good.csv -k 2 --columns a,bb": 'good.csv has no column "bb"; did you mean "b"',
    "fit good.csv -k 2 --columns a,a": 'column "a" is named twice',
    "fit good.csv -k 2 --columns a,,b": "has an empty name",
    "fit text.csv -k 2 --columns name": 'row 1, column "name" holds "Bob"',
    "fit good.csv -k 2 --truth z": 'good.csv has no column "z"',
    "fit good.csv -k 2 --truth a --columns a,b": 'column "a" is named both as truth and as a',
    "fit noclass.csv -k 2 --truth y": 'column "y" holds no class in any row',
    # the split
    "fit good.csv -k 2 --holdout 1": "--holdout 1: the share of rows to hold out lies between",
    "fit good.csv -k 2 --holdout -0.1": "--holdout -0.1: the share of rows",
    "fit good.csv -k 2 --holdout much": "--holdout much: the share of rows",
    "fit good.csv -k 2 --holdout nan": "--holdout nan: the share of rows",
    "fit single.csv -k 2 --holdout 0.5 --truth y": 'class "q" of column "y" has one row only',
    "fit good.csv -k 2 --holdout 0.1 --truth y": '"y" has 2 classes, but one part of the split',
    "fit header.csv -k 1 --holdout 0.5": "has no rows",
    # other options
    "fit good.csv -k 2 --random-state 4294967296": "Invalid value for '--random-state'",
    "fit good.csv -k 2 --scale some": "for '--scale': 'some' is not one of 'none', 'standard'",
    "fit good.csv -k 2 --jobs 0": "--jobs",
    "fit good.csv -k 2 --random-state -1": "--random-state",
    "fit good.csv -k 2 --max-iter 0": "--max-iter",
    "fit good.csv -k 2 --holdot 0.5": "see centroids fit --help",
    "fit -k 2": "Missing argument 'DATA'; see centroids fit --help",
    "fit good.csv more.csv -k 2": "more.csv does not exist",
    "fitt good.csv": "ee centroids --help",
    # outputs
    "fit good.csv -k 2 -o nowhere/m.safetensors": "the folder nowhere does not exist; make",
    "fit good.csv -k 2 -o locked": "end it in .safetensors",
    "fit good.csv -k 2 -o m.csv": "end it in .safetensors",
    "fit good.csv -k 2 --labels nowhere/out.csv": "the folder nowhere does not exist",
    "fit good.csv -k 2 --labels out.xlsx": "end it in .csv, .tsv, .parquet, .pq or .npy",
    "fit good.csv -k 2 --labels good.csv": "good.csv is the file that is read",
    "fit good.csv -k 2 --labels good.csv --labels-only": "good.csv is the file that is read",
    "fit three.npy -k 2 --labels three.npy": "three.npy is the file that is read",
    "fit dots.csv -k 2 --labels out.csv": 'dots.csv has a column "cluster" already',
    "fit good.csv -k 2 --labels-only": "add --labels OUT",
    # predict
    "predict model.safetensors good.csv": "Missing option '-o'",
    "predict nowhere.safetensors good.csv -o out.csv": "nowhere.safetensors does not exist",
    "predict good.csv good.csv -o out.csv": "good.csv is damaged or no model file",
    "predict damaged.safetensors good.csv -o out.csv": "damaged or no model file",
    "predict strange.safetensors good.csv -o out.csv": "strange.safetensors is damaged",
    "predict model.safetensors single.csv -o out.csv": (
        'data and model differ: the model needs the columns a, b, and single.csv has no column "b"'
    ),
    "predict model.safetensors three.npy -o out.csv": (
        "data and model differ: the model needs 2 columns (a, b), and three.npy gives 3"
    ),
    "predict model.safetensors good.csv --columns a -o out.csv": "and good.csv gives 1 (a)",
    "predict model.safetensors good.csv -o nowhere/out.csv": "the folder nowhere does not exist",
    "predict model.safetensors good.csv -o good.csv": "good.csv is the file that is read",
    "predict model.safetensors three.npy -o three.npy": "three.npy is the file that is read",
    "predict model.safetensors dots.csv -o out.csv": 'has a column "cluster" already',
    "predict model.safetensors gap.csv -o out.csv": 'row 2, column "a" is empty',
    # evaluate
    "evaluate model.safetensors good.csv": "Missing option '--truth'",
    "evaluate model.safetensors good.csv --truth z": 'good.csv has no column "z"',
    "evaluate model.safetensors good.csv --truth a": 'column "a" is named both as truth and',
    # blobs and demo
    "blobs": "Missing argument 'OUT'",
    "blobs out.txt": "end it in .csv",
    "blobs out.csv --samples 0": "--samples",
    "blobs out.csv --centers many": "--centers",
    "blobs nowhere/out.csv": "the folder nowhere does not exist",
    "demo --output nowhere/demo": "the folder nowhere does not exist",
    "demo --output good.csv": "good.csv is a file; name a folder",
    "demo five": "see centroids demo --help",
}


@pytest.mark.parametrize("command", WRONG)
def test_wrong_use_is_one_line_and_exit_code_2(run: Run, data: Path, command: str) -> None:
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    for extra in ([], ["--json"]):
        code, out, err = run(*command.split(), *extra)
        assert code == 2
        assert out == ""
        assert err.startswith("centroids: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert WRONG[command] in err
        assert "Traceback" not in err
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before


def test_no_command_shows_the_help_and_is_wrong_use(run: Run) -> None:
    code, out, err = run()
    assert code == 2
    assert "fit" in out
    assert err == ""
