"""Writes the weights of a PyTorch network as users do, and the logits that it gives, for ImportCommandTest.

    pip install torch safetensors numpy
    python3 scripts/pytorch_weights.py src/test/resources/mlpcuda/cli

The network has two layers of one shape, and names of one and two digits, which save_file sorts as text. With
--load it reads a model of mlp-cuda, which shows that load_state_dict accepts the names in it:

    python3 scripts/pytorch_weights.py --load runs/…/model.safetensors src/main/resources/mlpcuda/data/mnist
"""

import gzip
import sys

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn


def write(folder):
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(35, 9),
        nn.Tanh(),
        nn.Dropout(0.2),
        nn.Linear(9, 9),
        nn.Tanh(),
        nn.Dropout(0.2),
        nn.Linear(9, 9, bias=False),
        nn.Tanh(),
        nn.Dropout(0.2),
        nn.Linear(9, 3),
    ).eval()
    save_file(model.state_dict(), f"{folder}/pytorch-weights.safetensors")
    pixels = (torch.arange(20 * 35) * 37 % 256).to(torch.uint8)
    x = (pixels.to(torch.float32).div(255) - 0.1307) / 0.3081  # ToTensor and Normalize
    with torch.no_grad():
        logits = model(x.reshape(20, 5, 7))
    np.savetxt(f"{folder}/pytorch-logits.txt", logits.numpy(), fmt="%.9g")


def load(path, mnist):
    """Prints the accuracy and mean loss of a network of mlp-cuda, with ReLU between its layers, on the test set."""
    state = load_file(path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()

    class Mlp(nn.Module):
        def __init__(self, sizes):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = torch.relu(layer(x))
            return self.layers[-1](x)

    model = Mlp([int(size) for size in metadata["layers"].split("-")])
    print(model.load_state_dict(state))
    images = gzip.open(f"{mnist}/t10k-images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(f"{mnist}/t10k-labels-idx1-ubyte.gz").read()[8:]
    x = torch.from_numpy(np.frombuffer(images, np.uint8).copy()).reshape(10000, 784)
    y = torch.from_numpy(np.frombuffer(labels, np.uint8).astype(np.int64))
    x = (x.to(torch.float32) / 255 - float(metadata["mean"])) / float(metadata["std"])
    with torch.no_grad():
        logits = model(x)
    correct = int((logits.argmax(1) == y).sum())
    print(f"Average loss: {nn.functional.cross_entropy(logits, y):.4f}, Accuracy: {correct}/10000")
    return logits


if __name__ == "__main__":
    if sys.argv[1] == "--load":
        load(*sys.argv[2:])
    else:
        write(sys.argv[1])
