#!/usr/bin/env python3
"""Writes a data set of some GB as NumPy's arrays, most of it zeros that take no space on the disk.

usage: large_set.py FOLDER [GB]

One row in a hundred has numbers, which tell its class; the others are zeros of class 0. The files
are sparse: 5 GB take some 60 MB.
"""

import pathlib
import random
import struct
import sys

COLUMNS = 1000


def header(dtype, shape):
    """Returns the head of a file in NumPy's format, version 1.0."""
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (dtype, shape)
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def main():
    folder = pathlib.Path(sys.argv[1])
    size = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    rows = int(size * 1e9) // (4 * COLUMNS)
    folder.mkdir(parents=True)
    draws = random.Random(1)
    labels = bytearray(rows)
    with open(folder / "x_train.npy", "wb") as file:
        head = header("<f4", "(%d, %d)" % (rows, COLUMNS))
        file.truncate(len(head) + 4 * rows * COLUMNS)
        file.write(head)
        for row in range(0, rows, 100):
            labels[row] = draws.randrange(1, 4)
            values = [labels[row] + draws.random() for _ in range(COLUMNS)]
            file.seek(len(head) + 4 * row * COLUMNS)
            file.write(struct.pack("<%df" % COLUMNS, *values))
    with open(folder / "y_train.npy", "wb") as file:
        file.write(header("|u1", "(%d,)" % rows))
        file.write(labels)


if __name__ == "__main__":
    main()
