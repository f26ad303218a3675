"""Create or refresh benchmarks/.venv: the pinned peers, and centroids built from this checkout.

Run it with the Python that shall be measured: ``python benchmarks/setup_env.py``. The peers never
enter the package's own environment, so that a benchmark cannot turn into a dependency.
"""

import argparse
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"


def environment_python() -> Path:
    """Python of the benchmark environment, wherever the platform puts it."""
    folder, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return ENVIRONMENT / folder / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--peers-only", action="store_true", help="do not build and install centroids itself"
    )
    options = parser.parse_args()
    if not environment_python().exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(environment_python()), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True)
    if not options.peers_only:
        # The version number stays while the code changes: always build again.
        subprocess.run([*pip, "--force-reinstall", "--no-deps", str(HERE.parent)], check=True)


if __name__ == "__main__":
    main()
