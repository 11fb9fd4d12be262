#!/usr/bin/env python3
"""Times how mlp-cuda, pandas, Polars and DuckDB read one table of numbers into memory, in turn (A B C … A B C …).

  mvn -q -DskipTests package && python3 benchmarks/read_csv.py [--megabytes 1024] [--rounds 3] [--file FILE]

A Python without one of the peers leaves it out. Each reading is a process of its own, whose start does not count, and
the file lies in the system's cache. mlp-cuda, whose JIT compiler's time counts, reads into 32-bit floats, as pandas and
Polars are told to do; DuckDB returns 32-bit floats too, as NumPy arrays. The table is printed as Markdown.
"""
import argparse
import importlib.util
import os
import random
import statistics
import subprocess
import sys
import tempfile

COLUMNS = 40

PEERS = {
    "pandas": """
import numpy as np, pandas as pd
start = time.perf_counter()
table = pd.read_csv(file, dtype={f"c{i}": np.float32 for i in range(%d)})
shape = table.shape
""" % COLUMNS,
    "pandas-pyarrow": """
import pandas as pd, pyarrow
start = time.perf_counter()
table = pd.read_csv(file, engine="pyarrow")
shape = table.shape
""",
    "polars": """
import polars as pl
start = time.perf_counter()
table = pl.read_csv(file, schema_overrides={f"c{i}": pl.Float32 for i in range(%d)})
shape = table.shape
""" % COLUMNS,
    "duckdb": """
import duckdb
duckdb.sql("SET enable_progress_bar = false")
start = time.perf_counter()
columns = {"label": "INTEGER", **{f"c{i}": "FLOAT" for i in range(%d)}}
table = duckdb.sql(f"SELECT * FROM read_csv('{file}', header=true, columns={columns})").fetchnumpy()
shape = (len(table["label"]), len(table))
""" % COLUMNS,
}


def write(file, megabytes):
    """Writes rows with a label and normally distributed numbers of six decimals; a block of 16 MB repeats."""
    rng = random.Random(1)
    block = []
    size = 0
    while size < 16 << 20:
        cells = [str(rng.randrange(10))] + ["%.6f" % rng.gauss(0, 1) for _ in range(COLUMNS)]
        block.append(",".join(cells) + "\n")
        size += len(block[-1])
    text = "".join(block)
    with open(file, "w") as out:
        out.write("label," + ",".join(f"c{i}" for i in range(COLUMNS)) + "\n")
        written = 0
        while written < megabytes << 20:
            out.write(text)
            written += len(text)


def read(peer, file, classes):
    """Reads the file once in a new process; returns the seconds and what was read."""
    if peer == "mlp-cuda":
        command = ["java", "-cp", classes, "mlpcuda.benchmarks.CsvBenchmark", file]
    else:
        program = f"import time\nfile = {file!r}\n{PEERS[peer]}\nprint('%.3f' % (time.perf_counter() - start), shape)"
        command = [sys.executable, "-c", program]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, _, what = output.strip().partition(" ")
    return float(seconds), what


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file", help="a file that is there, or is written and kept")
    options = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    target = os.path.join(root, "target")
    classes = os.pathsep.join(
        [os.path.join(target, "test-classes"), os.path.join(target, "mlp-cuda.jar")]
        + [path for path in os.environ.get("CLASSPATH", "").split(os.pathsep) if path]
    )
    peers = ["mlp-cuda"] + [name for name in PEERS if importlib.util.find_spec(name.split("-")[-1])]
    file = options.file or os.path.join(tempfile.mkdtemp(), "numbers.csv")
    try:
        if not os.path.exists(file):
            write(file, options.megabytes)
        with open(file, "rb") as warm:
            while warm.read(1 << 24):
                pass
        size = os.path.getsize(file) / 1e6
        seconds = {peer: [] for peer in peers}
        for _ in range(options.rounds):
            for peer in peers:
                took, what = read(peer, file, classes)
                seconds[peer].append(took)
                print(peer, took, what, file=sys.stderr)
    finally:
        if not options.file:
            os.remove(file)
    print("| reader | s, median (least-greatest) | MB/s |\n|---|--:|--:|")
    for peer in peers:
        all_of = sorted(seconds[peer])
        middle = statistics.median(all_of)
        print(f"| {peer} | {middle:.2f} ({all_of[0]:.2f}-{all_of[-1]:.2f}) | {size / middle:.0f} |")


if __name__ == "__main__":
    main()
