#!/usr/bin/env python3
"""Compares mlp-cuda with scikit-learn's MLPClassifier on tables, with the same rows and settings.

usage: own_data.py TABLES MLP_CUDA_JAR

TABLES is the folder that scripts/own_data.py wrote. Each table is split once, 3 to 1 and stratified,
and both learn from the same file: hidden layers 128 and 64, ReLU, Adam with a rate of 0.001, batches
of 32, 60 epochs, columns scaled by mean and deviation. Three seeds each; accuracies are means.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import warnings

import pandas
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

EPOCHS = 60
BATCH = 32
SEEDS = [1, 2, 3]
TABLES = ["iris", "wine", "breast_cancer", "digits", "loans"]


def theirs(train, test, seed):
    """Returns the accuracy of scikit-learn's network."""
    words = [c for c in train.columns if train[c].dtype == object and c != "class"]
    numbers = [c for c in train.columns if c not in words and c != "class"]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (make_pipeline(OneHotEncoder(), StandardScaler(with_mean=False)), words),
    )
    network = MLPClassifier(
        (128, 64), batch_size=BATCH, max_iter=EPOCHS, alpha=0, random_state=seed, n_iter_no_change=EPOCHS
    )
    model = make_pipeline(columns, network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train.drop(columns="class"), train["class"])
    return model.score(test.drop(columns="class"), test["class"])


def ours(jar, folder, seed):
    """Returns the accuracy of mlp-cuda's network."""
    command = ["java", "-jar", jar, "--cpu", "--quiet", "--data", folder, "--missing", "mean"]
    command += ["--hidden", "128,64", "--dropout", "0", "--batch-size", str(BATCH), "--lr", "0.001"]
    command += ["--epochs", str(EPOCHS), "--test-at-end", "--seed", str(seed)]
    command += ["--out", folder / "run", "--overwrite"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    right, size = map(int, re.search(r"Accuracy: (\d+)/(\d+)", out.splitlines()[-1]).groups())
    return right / size


def main():
    tables, jar = pathlib.Path(sys.argv[1]), sys.argv[2]
    print(f"{'table':<15} {'test rows':>9} {'scikit-learn':>12} {'mlp-cuda':>9}")
    for name in TABLES:
        frame = pandas.read_csv(tables / f"{name}.csv")
        frame["class"] = frame["class"].astype(str)
        train, test = train_test_split(frame, stratify=frame["class"], random_state=0)
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            train.to_csv(folder / "train.csv", index=False)
            test.to_csv(folder / "test.csv", index=False)
            them = statistics.mean(theirs(train, test, seed) for seed in SEEDS)
            us = statistics.mean(ours(jar, folder, seed) for seed in SEEDS)
        print(f"{name:<15} {len(test):>9} {them:>12.4f} {us:>9.4f}", flush=True)


if __name__ == "__main__":
    main()
