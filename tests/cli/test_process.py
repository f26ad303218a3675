"""The command as a process of its own: exit codes, streams, signals, missing packages."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import centroids

COMMAND = [sys.executable, "-m", "centroids"]


@pytest.fixture(autouse=True)
def _same_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let child processes import the package these tests import, wherever they stand."""
    monkeypatch.setenv("PYTHONPATH", str(Path(centroids.__file__).resolve().parents[1]))


def centroids_process(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )


def without(package: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command line as if a package were not installed."""
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from centroids.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )


def test_version_and_help_go_to_stdout() -> None:
    done = centroids_process("--version")
    assert (done.returncode, done.stdout) == (0, f"centroids {centroids.__version__}\n")
    done = centroids_process("fit", "--help")
    assert done.returncode == 0
    assert "--holdout" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "nowhere.csv", "-k", 2), "nowhere.csv does not exist"),
        (("fit", "t.csv", "-k", "five"), "-k five"),
        (("fit", "t.csv", "-k", 2), 'row 2, column "a" holds "x"'),
        (("fit", "t.csv", "--k=2"), "--help"),
        (("nonsense",), "--help"),
    ],
)
def test_wrong_use_ends_with_2_and_one_line(
    tmp_path: Path, words: tuple[object, ...], message: str
) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,1\nx,2\n3,3\n")
    done = centroids_process(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_pipe_gets_plain_text_and_no_progress(tmp_path: Path) -> None:
    done = centroids_process("blobs", "t.csv", "--samples", 500, cwd=tmp_path)
    assert done.returncode == 0
    done = centroids_process("fit", "t.csv", "-k", 5, "--truth", "y", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def run_on_a_terminal(*words: object, cwd: Path) -> tuple[int, str]:
    """Run a command whose stderr is a terminal; give its exit code and what it wrote there."""
    mine, its = pty.openpty()
    done = subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=its,
        cwd=cwd,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "160"},
    )
    os.close(its)
    written = []
    with suppress(OSError):  # what reading raises at the end of a terminal
        while chunk := os.read(mine, 4096):
            written.append(chunk)
    os.close(mine)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(written).decode())
    return done.wait(timeout=120), text


def test_a_terminal_sees_what_goes_on_and_for_how_long_still(tmp_path: Path) -> None:
    centroids_process("blobs", "t.csv", "--samples", 9_000, "--centers", 30, cwd=tmp_path)
    words = ("fit", "t.csv", "-k", 30, "--n-init", 12)
    code, seen = run_on_a_terminal(*words, cwd=tmp_path)
    assert code == 0
    assert "reading t.csv" in seen
    starts = [int(number) for number in re.findall(r"start (\d+) of 12, iteration", seen)]
    assert starts == sorted(starts)
    assert len(set(starts)) > 1
    times = re.findall(r"(\d:\d\d:\d\d) (-:--:--|\d:\d\d:\d\d)", seen)
    assert any(left != "-:--:--" for _, left in times)  # an estimate, once it can be told
    code, seen = run_on_a_terminal(*words, "--json", cwd=tmp_path)
    assert (code, seen) == (0, "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("centroids do", "doctor"),
        ("centroids fit --miss", "--missing"),
        ("centroids co", "compare"),
    ],
)
def test_shells_complete_commands_and_options(line: str, expected: str) -> None:
    done = centroids_process(
        env={
            **os.environ,
            "_CENTROIDS_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - 1),
        }
    )
    assert expected in done.stdout.split()


def test_the_script_for_a_shell_is_printed() -> None:
    # Told and not found out: the tests need not run below a shell.
    told = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = centroids_process("--show-completion", "bash", env=told)
    assert done.returncode == 0
    assert "_CENTROIDS_COMPLETE=complete_bash" in done.stdout


def test_json_is_the_only_thing_on_stdout(tmp_path: Path) -> None:
    centroids_process("blobs", "t.csv", "--samples", 500, cwd=tmp_path)
    done = centroids_process("fit", "t.csv", "-k", 5, "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["command"] == "fit"
    assert done.stderr == ""


def test_a_closed_pipe_is_no_error_to_talk_about(tmp_path: Path) -> None:
    centroids_process("blobs", "t.csv", "--samples", 500, cwd=tmp_path)
    for words in (
        "fit t.csv -k 5 --truth y",
        "fit t.csv -k 5 --truth y --json",
        "fit t.csv -k 5 --truth y --labels -",
        "blobs -",
    ):
        process = subprocess.Popen(
            [*COMMAND, *words.split()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        process.stderr.close()
        assert process.wait(timeout=60) in (0, 1)


def wait_until_used(process: subprocess.Popen[str], seconds: float) -> None:
    """Wait until a process has used processor time, however busy the machine is."""
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        time.sleep(seconds)
        return
    used = 0.0
    while used < seconds and process.poll() is None:
        time.sleep(0.1)
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        used = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_fit_and_leaves_no_file(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    centroids_process("blobs", "t.csv", "--samples", 50_000, cwd=tmp_path)
    words = "fit t.csv -k 200 --leave-out y --n-init 100000 -o m.safetensors --labels out.csv"
    process = subprocess.Popen(
        [*COMMAND, *words.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    wait_until_used(process, 5)  # enough to start; the fit would take hours
    assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == ""
    assert err == ("centroids: stopped; no half-written file is left\n" if code == 130 else "")
    assert os.listdir(tmp_path) == ["t.csv"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npy"])
def test_a_full_disk_is_exit_code_1_and_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"t{suffix}"
    out.write_text("old")

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = centroids_process("blobs", out, preexec_fn=limit_file_size)
    assert done.returncode == 1
    assert done.stderr.startswith("centroids: ")
    assert done.stderr.count("\n") == 1
    assert out.read_text() == "old"
    assert os.listdir(tmp_path) == [out.name]


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_a_missing_package_is_one_line_with_the_remedy(package: str) -> None:
    done = without(package, "--help")
    assert done.returncode == 1
    needs = f'centroids: the command line needs {package}: pip install "centroids[cli]"\n'
    assert done.stderr == needs


def test_missing_duckdb_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n2\n")
    done = without("duckdb", "fit", str(tmp_path / "t.csv"), "-k", "2")
    assert done.returncode == 1
    assert done.stderr.endswith('needs duckdb: pip install "centroids[cli]"\n')
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("jinja2", "fit t.csv -k 2 --report r.html -o m.safetensors"),
        ("matplotlib", "choose-k t.csv --plot k.png"),
    ],
)
def test_a_missing_package_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a\n1\n2\n9\n")
    done = without(package, *words.split())
    assert done.returncode == 1
    assert f'needs {package}: pip install "centroids[all]"' in done.stderr
    assert done.stdout == ""
    assert os.listdir() == ["t.csv"]


@pytest.mark.parametrize("package", ["duckdb", "matplotlib", "jinja2"])
def test_the_demo_misses_packages_before_it_works(tmp_path: Path, package: str) -> None:
    done = without(package, "demo", "--output", str(tmp_path / "demo"))
    assert done.returncode == 1
    assert done.stderr == f'centroids: the demo needs {package}: pip install "centroids[all]"\n'
    assert os.listdir(tmp_path) == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, centroids\n"
        "heavy = ('matplotlib', 'duckdb', 'pandas', 'polars', 'rich', 'typer', 'sklearn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_reading_and_writing_tables_loads_no_data_frames(tmp_path: Path) -> None:
    code = (
        "import sys, centroids, numpy\n"
        "centroids.write_table('t.csv', {'a': numpy.arange(9)})\n"
        "table = centroids.read_table('t.csv')\n"
        "centroids.write_beside('l.parquet', table, {'cluster': table.X[:, 0]})\n"
        "heavy = ('matplotlib', 'pandas', 'polars', 'pyarrow', 'sklearn', 'rich')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "[]\n"
