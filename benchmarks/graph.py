"""The speed of the library, measured beside plain PyTorch in one run: `make bench`.

python -m benchmarks.graph              about half an hour; writes benchmarks/results.md
python -m benchmarks.graph --quick      tiny sizes, to see that everything runs; writes nothing unless --output says so
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import building, experiments, networks, patching, rejoining, scrubs
from benchmarks.measure import Row, hardware, write
from benchmarks.scale import FULL, QUICK

RESULTS = Path(__file__).parent / "results.md"
BENCHMARKS = (
    building.nodes,
    building.finding,
    building.rewriting,
    networks.variants,
    networks.forward,
    networks.memory,
    patching.of_gpt2,
    patching.of_smollm2,
    experiments.ablating,
    scrubs.induction,
    scrubs.balance,
    scrubs.few,
    scrubs.memory,
    rejoining.slowest,
)


def main(arguments: Sequence[str]) -> list[Row]:
    """Measure every row, say each as soon as it is known, and write the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.graph", description="The speed of the graph library.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs")
    parser.add_argument("--output", type=Path, help="where the table goes (benchmarks/results.md for full sizes)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(hardware(), flush=True)
    rows: list[Row] = []
    with torch.no_grad():
        for benchmark in BENCHMARKS:
            for row in benchmark(QUICK if options.quick else FULL):
                rows.append(replace(row, floor=None) if options.quick else row)  # floors are for full sizes
                print(rows[-1], flush=True)
    output = options.output or (None if options.quick else RESULTS)
    if output:
        write(rows, output, options.quick)
    floors = [row.met for row in rows if row.met is not None]
    print(f"{sum(floors)} of {len(floors)} floors are met." if floors else "Floors are for full sizes.")
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
