"""Trains MNIST with PyTorch from the weights in a file and prints the loss of every step.

    java -jar target/mlp-cuda.jar --epochs 0 --out initial
    python3 scripts/pytorch_losses.py initial/model.safetensors src/main/resources/mlpcuda/data/mnist 200

mlp-cuda takes the same steps, and writes its losses to steps/metrics.csv, with:

    java -jar target/mlp-cuda.jar --init initial/model.safetensors --no-shuffle --max-steps 200 \
        --log-interval 1 --out steps
"""

import gzip
import json
import struct
import sys

import numpy as np
import torch

BATCH = 64
MEAN, STD = np.float32(0.1307), np.float32(0.3081)


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {
        name: torch.from_numpy(
            np.frombuffer(data[slice(*tensor["data_offsets"])], np.float32)
            .reshape(tensor["shape"])
            .copy()
        )
        for name, tensor in header.items()
        if name != "__metadata__"
    }


def read_idx(path, header_bytes):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header_bytes)


def main(weights, folder, steps):
    pixels = read_idx(folder + "/train-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    x = torch.from_numpy((pixels.astype(np.float32) / 255 - MEAN) / STD)
    y = torch.from_numpy(read_idx(folder + "/train-labels-idx1-ubyte.gz", 8).astype(np.int64))
    state = read_safetensors(weights)
    widths = [state["layers.0.weight"].shape[1]]
    widths += [state[f"layers.{i}.weight"].shape[0] for i in range(len(state) // 2)]
    layers = torch.nn.ModuleList(map(torch.nn.Linear, widths, widths[1:]))
    layers.load_state_dict({name.removeprefix("layers."): t for name, t in state.items()})
    adam = torch.optim.Adam(layers.parameters(), lr=1e-3)
    for step in range(steps):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        a = x[rows]
        for layer in layers[:-1]:
            a = torch.relu(layer(a))
        loss = torch.nn.functional.cross_entropy(layers[-1](a), y[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
        print(f"{loss.item():.9g}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
