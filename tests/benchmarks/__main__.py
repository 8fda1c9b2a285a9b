"""``python -m tests.benchmarks`` prints the tables of docs/performance.md."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.command import main

main(sys.argv[1:])
