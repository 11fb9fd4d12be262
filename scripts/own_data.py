#!/usr/bin/env python3
"""Writes MNIST in the other formats that mlp-cuda reads, and tables: scikit-learn's and a made-up one.

usage: own_data.py MNIST OUT

MNIST is a folder with the four IDX files, gzipped. Needs numpy, pandas, Pillow and scikit-learn.
The program that these files are for must make the same model of each form of MNIST.
"""

import gzip
import pathlib
import sys

import numpy
import pandas
from PIL import Image
from sklearn import datasets


def idx(path):
    """Reads an IDX file of unsigned bytes."""
    content = gzip.open(path).read()
    dimensions = content[3]
    shape = numpy.frombuffer(content, ">i4", dimensions, 4)
    return numpy.frombuffer(content, "u1", offset=4 + 4 * dimensions).reshape(shape)


def table(images, labels, path):
    """Writes images as Kaggle's competition on MNIST has them."""
    frame = pandas.DataFrame(
        images.reshape(len(images), -1), columns=[f"pixel{i}" for i in range(784)]
    )
    frame.insert(0, "label", labels)
    frame.to_csv(path, index=False)


def pictures(images, labels, folder):
    """Writes each image into the folder of its class."""
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
    for i, (image, label) in enumerate(zip(images, labels)):
        Image.fromarray(image).save(folder / str(label) / f"{i}.png")


def loans(rows=4000):
    """Makes up a table with columns of text and missing numbers; the answer is a rule and noise."""
    draws = numpy.random.default_rng(1)
    frame = pandas.DataFrame(
        {
            "age": draws.integers(18, 80, rows).astype(float),
            "income": numpy.round(draws.lognormal(10, 0.5, rows), 2),
            "purpose": draws.choice(["car", "house", "study; abroad", 'the "rest"'], rows),
            "town": draws.choice(["Köln", "Łódź", "Paris", "Reykjavík", "Roma"], rows),
        }
    )
    risk = 50000 / frame["income"] + (frame["purpose"] == "car") - 0.02 * frame["age"]
    risk += 0.7 * ((frame["town"] == "Roma") & (frame["age"] > 40)) + draws.normal(0, 0.2, rows)
    frame["class"] = numpy.where(risk > risk.median(), "refused", "granted")
    frame.loc[draws.random(rows) < 0.05, "income"] = numpy.nan
    return frame


def main():
    source, out = map(pathlib.Path, sys.argv[1:])
    train = idx(source / "train-images-idx3-ubyte.gz"), idx(source / "train-labels-idx1-ubyte.gz")
    test = idx(source / "t10k-images-idx3-ubyte.gz"), idx(source / "t10k-labels-idx1-ubyte.gz")
    (out / "csv").mkdir(parents=True)
    table(*train, out / "csv" / "train.csv")
    table(*test, out / "csv" / "test.csv")
    numpy.savez_compressed(
        out / "mnist.npz", x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1]
    )
    pictures(*train, out / "png" / "train")
    pictures(*test, out / "png" / "test")
    for name in ["iris", "wine", "breast_cancer", "digits"]:
        data = getattr(datasets, "load_" + name)()
        frame = pandas.DataFrame(data.data, columns=data.feature_names)
        frame["class"] = [str(data.target_names[t]) for t in data.target]
        frame.to_csv(out / f"{name}.csv", index=False)
        path = str(out / f"{name}.libsvm")
        datasets.dump_svmlight_file(data.data, data.target, path, zero_based=False)
        numpy.savez(out / f"{name}.npz", x=data.data, y=data.target)
    loans().to_csv(out / "loans.csv", index=False)


if __name__ == "__main__":
    main()
