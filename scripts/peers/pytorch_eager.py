"""The default preset in PyTorch, eager, over tensors that were loaded and normalised beforehand.

    python3 scripts/peers/pytorch_eager.py --batch-size 64 --epochs 10 --threads 1

Prints a line for each epoch, and the last line that mlp-cuda prints. This is the fastest way to
train MNIST with plain PyTorch on a CPU: no DataLoader, one index operation for each batch.
"""

import argparse
import gzip
import pathlib
import time

import numpy as np
import torch
from torch.nn import Linear, ReLU, Sequential
from torch.nn.functional import cross_entropy

MNIST = pathlib.Path(__file__).parents[2] / "src/main/resources/mlpcuda/data/mnist"


def read(folder, split):
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    x = (torch.from_numpy(pixels.astype(np.float32)) / 255 - 0.1307) / 0.3081
    return x, torch.from_numpy(labels.astype(np.int64))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--epochs", type=int, default=10)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", type=pathlib.Path, default=MNIST)
    options = options.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    x, y = read(options.data, "train")
    network = Sequential(Linear(784, 128), ReLU(), Linear(128, 64), ReLU(), Linear(64, 10))
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(options.batch_size):
            loss = cross_entropy(network(x[rows]), y[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
        print(f"epoch,{epoch},{loss.item():.4f},{time.perf_counter() - start:.4f}", flush=True)

    x, y = read(options.data, "t10k")
    with torch.no_grad():
        logits = network(x)
    right = (logits.argmax(1) == y).sum().item()
    print(
        f"Test set: Average loss: {cross_entropy(logits, y).item():.4f}, "
        f"Accuracy: {right}/{len(y)} ({100 * right / len(y):.2f}%)"
    )


if __name__ == "__main__":
    main()
