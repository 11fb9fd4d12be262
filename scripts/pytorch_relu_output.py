"""Measures PyTorch's test accuracy with a ReLU on the output, as in the preset 128x64x32-relu-out, for several seeds.

    python3 scripts/pytorch_relu_output.py FIRST LAST

It prints a line for each seed: the accuracy in %, and how many classes the network never answers. The last
line has the mean, the least and the greatest accuracy. It needs PyTorch 1.13 or newer, and uses one thread.
"""

import statistics
import sys

import torch
from torch.nn import Linear, ReLU, Sequential
from torch.nn.functional import cross_entropy

from peers.pytorch import MNIST, read

EPOCHS, BATCH, SIZES = 10, 64, [784, 128, 64, 32, 10]

torch.set_num_threads(1)
train, labels = read(MNIST, "train", "cpu")
test, truth = read(MNIST, "t10k", "cpu")
train, test = train.float() / 255, test.float() / 255
accuracies, never = [], []
for seed in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    torch.manual_seed(seed)
    layers = [layer for i, o in zip(SIZES, SIZES[1:]) for layer in (Linear(i, o), ReLU())]
    network = Sequential(*layers)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(EPOCHS):
        order = torch.randperm(len(train))
        for batch in order.split(BATCH):
            adam.zero_grad(set_to_none=True)
            cross_entropy(network(train[batch]), labels[batch]).backward()
            adam.step()
    with torch.no_grad():
        answers = network(test).argmax(1)
    accuracies.append(100 * (answers == truth).float().mean().item())
    never.append(SIZES[-1] - len(answers.unique()))
    print(f"seed {seed}: {accuracies[-1]:.2f} %, {never[-1]} classes never answered", flush=True)
print(
    f"mean {statistics.mean(accuracies):.2f} %, {min(accuracies):.2f} to {max(accuracies):.2f} %;"
    f" {statistics.mean(never):.2f} classes never answered"
)
