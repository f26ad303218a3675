"""``python -m centroids`` is the command ``centroids``."""

import sys

from centroids.cli import main

if __name__ == "__main__":
    sys.exit(main())
