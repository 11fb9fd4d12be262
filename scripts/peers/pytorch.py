"""Trains the default preset with PyTorch, 1.13 or newer, in the way that --form names.

    python3 scripts/peers/pytorch.py --form eager --batch-size 64 --epochs 10 --threads 1

eager    over tensors that are on the device and normalised beforehand: one index operation a batch
loader   over a TensorDataset with a shuffling DataLoader, as tutorials do; with its default of no
         workers, unless --workers says otherwise
compile  as eager, but forward and backward are compiled (torch.compile, PyTorch 2)
graph    as eager, but the whole step, Adam too, is one CUDA graph

Adam is the fused one if this PyTorch has it for the device. scripts/peers.sh explains the lines of the output.
"""

import argparse
import gzip
import math
import pathlib
import statistics
import sys
import time

try:
    import numpy as np
    import torch
    from torch.nn import Linear, ReLU, Sequential
    from torch.nn.functional import affine_grid, conv2d, cross_entropy, grid_sample
    from torch.utils.data import DataLoader, TensorDataset
except ImportError as e:
    sys.exit(str(e))

MNIST = pathlib.Path(__file__).parents[2] / "src/main/resources/mlpcuda/data/mnist"


def read(folder, split, device):
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    x, y = torch.from_numpy(pixels.copy()), torch.from_numpy(labels.astype(np.int64))
    return x.to(device), y.to(device)


def normalised(pixels):
    return pixels.float().mul_(1 / (255 * 0.3081)).sub_(0.1307 / 0.3081)


class Distortions:
    """The random distortions of `mlp-cuda train --augment TEXT`, but for erasing, a batch at once.

    The displacements are smoothed by two convolutions, the usual way, or by products with two
    square matrices, which is faster at this size; affine_grid and grid_sample do the rest.
    """

    def __init__(self, text, smooth, device):
        self.device, self.size, self.convolves = device, 28, smooth == "conv"
        single = ["rotate", "shear", "scale", "translate"]
        self.amounts = {"elastic": (0, 0), **{name: (0,) for name in single}}
        for word in text.split(","):
            name, *numbers = word.split(":")
            if name not in self.amounts or len(numbers) != len(self.amounts[name]):
                sys.exit(f"PyTorch's distortions are {', '.join(self.amounts)}, found {word}")
            self.amounts[name] = tuple(map(float, numbers))
        alpha, sigma = self.amounts["elastic"]
        if alpha:
            radius = math.ceil(3 * sigma)
            window = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
            away = torch.arange(self.size)[:, None] - torch.arange(self.size)
            weights = torch.exp(-0.5 * (away / sigma) ** 2) * (away.abs() <= radius) / window.sum()
            self.smooth = weights.to(device)
            self.window = (window / window.sum()).to(device)

    def __call__(self, pixels):
        """Distorts images (B, 784) of floats."""
        B, size = len(pixels), self.size

        def within(amount):
            return (2 * torch.rand(B, device=self.device) - 1) * amount

        angle = within(math.radians(self.amounts["rotate"][0]))
        slope = torch.tan(within(math.radians(self.amounts["shear"][0])))
        width = 1 + within(self.amounts["scale"][0] / 100)
        height = 1 + within(self.amounts["scale"][0] / 100)
        cos, sin = torch.cos(angle), torch.sin(angle)
        across, down = (within(2 * self.amounts["translate"][0] / size) for _ in range(2))
        xx, xy = (cos + slope * sin) / width, (sin - slope * cos) / width
        yx, yy = -sin / height, cos / height
        rows = [xx, xy, -xx * across - xy * down, yx, yy, -yx * across - yy * down]
        grid = affine_grid(torch.stack(rows, 1).view(B, 2, 3), (B, 1, size, size), align_corners=False)
        alpha = self.amounts["elastic"][0]
        if alpha:
            noise = 2 * torch.rand(B, 2, size, size, device=self.device) - 1
            moved = self.smoothed(noise) * (2 * alpha / size)
            grid = grid + moved.permute(0, 2, 3, 1)
        images = pixels.view(B, 1, size, size)
        return grid_sample(images, grid, align_corners=False).view(B, -1)

    def smoothed(self, noise):
        """Smooths fields (B, 2, size, size) in both directions, with zeros outside of them."""
        if not self.convolves:
            return self.smooth @ noise @ self.smooth
        length = len(self.window)
        for shape, padding in [((1, length), (0, length // 2)), ((length, 1), (length // 2, 0))]:
            kernel = self.window.view(1, 1, *shape).expand(2, 1, *shape)
            noise = conv2d(noise, kernel, padding=padding, groups=2)
        return noise


def adam_of(network, capturable):
    """Returns the fused Adam, which PyTorch 1.13 has for CUDA alone, or else the default one."""
    settings = {"lr": 1e-3, "capturable": True} if capturable else {"lr": 1e-3}
    try:
        return torch.optim.Adam(network.parameters(), fused=True, **settings), "fused Adam"
    except (RuntimeError, TypeError):
        return torch.optim.Adam(network.parameters(), **settings), "Adam"


def captured(work):
    """Captures `work` as a CUDA graph; returns a function that replays it and returns what `work` returned.

    As https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs asks: some runs on another stream
    come first, so that nothing is set up, and nothing allocated elsewhere, while it is captured.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = work()

    def replay():
        graph.replay()
        return result

    return replay


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--form", choices=["eager", "loader", "compile", "graph"], default="eager")
    options.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--epochs", type=int, default=10)
    options.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch likes")
    options.add_argument("--hidden", default="128,64", help="widths of the hidden layers")
    options.add_argument("--augment", default="", help="distortions, as mlp-cuda's; form eager alone")
    options.add_argument("--smooth", choices=["product", "conv"], default="product", help="the displacements")
    options.add_argument("--workers", type=int, default=0, help="of the DataLoader")
    options.add_argument("--inference", default="", help="batch sizes to time, such as 100,1000")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", type=pathlib.Path, default=MNIST)
    options = options.parse_args()
    form, device, B = options.form, torch.device(options.device), options.batch_size
    cuda = device.type == "cuda"
    if form == "graph" and not cuda:
        sys.exit("a CUDA graph needs a GPU")
    if form == "compile" and not hasattr(torch, "compile"):
        sys.exit(f"torch.compile needs PyTorch 2, this is {torch.__version__}")
    if options.augment and form != "eager":
        sys.exit("images are distorted in the form eager alone")
    if cuda:
        if not torch.cuda.is_available():
            sys.exit(f"PyTorch {torch.__version__} finds no GPU")
        torch.cuda.set_device(device)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    widths = [784, *map(int, options.hidden.split(",")), 10]
    layers = [Linear(inputs, outputs) for inputs, outputs in zip(widths, widths[1:])]
    network = Sequential(layers[0], *(part for layer in layers[1:] for part in (ReLU(), layer)))
    network.to(device)
    adam, adams_name = adam_of(network, form == "graph")
    where = torch.cuda.get_device_name() if cuda else f"threads {torch.get_num_threads()}"
    if options.augment:
        where += ", displacements smoothed by " + {"conv": "convolutions", "product": "products"}[options.smooth]
    print(f"peer,PyTorch {torch.__version__} {form}, {adams_name}, {where}", flush=True)

    def loss_of(images, labels):
        return cross_entropy(network(images), labels)

    if form == "compile":
        # Static shapes: the epoch's last batch gets a program of its own, and the others' stays.
        # On a GPU this mode replays CUDA graphs. What indexes the training set stays outside of
        # what is compiled: a graph's inputs are copied, and here that would be the whole set.
        loss_of = torch.compile(loss_of, mode="reduce-overhead", dynamic=False)
    # From 2.1 on: what the last step's graphs returned may be overwritten.
    begin_step = getattr(getattr(torch, "compiler", None), "cudagraph_mark_step_begin", None)

    def step(images, labels):
        if form == "compile" and begin_step:
            begin_step()
        adam.zero_grad(set_to_none=True)
        loss = loss_of(images, labels)
        loss.backward()
        adam.step()
        return loss

    x, y = read(options.data, "train", "cpu" if form == "loader" else device)
    distort = Distortions(options.augment, options.smooth, device) if options.augment else None
    x = x.float() if distort else normalised(x)  # distorted images are normalised afterwards
    if form == "loader":
        batches = DataLoader(
            TensorDataset(x, y),
            batch_size=B,
            shuffle=True,
            num_workers=options.workers,
            persistent_workers=options.workers > 0,
            pin_memory=cuda,
        )
    elif form == "graph" and options.epochs:
        weights = [parameter.detach().clone() for parameter in network.parameters()]
        graphs = {}  # by size of the batch: the epoch's last one may be smaller
        for size in {min(B, len(x)), len(x) % B} - {0}:
            rows = torch.arange(size, device=device)
            graphs[size] = rows, captured(lambda rows=rows: step(x[rows], y[rows]).detach())
        with torch.no_grad():  # undo what the warm-up learnt, in place: graphs know addresses
            for parameter, before in zip(network.parameters(), weights):
                parameter.copy_(before)
                for value in adam.state[parameter].values():
                    value.zero_()

    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        if form == "loader":
            for images, labels in batches:
                loss = step(
                    images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
                )
        else:
            for rows in torch.randperm(len(x), device=device).split(B):
                if form == "graph":
                    static_rows, replay = graphs[len(rows)]
                    static_rows.copy_(rows)
                    loss = replay()
                elif distort:
                    loss = step(normalised(distort(x[rows])), y[rows])
                else:
                    loss = step(x[rows], y[rows])
        last = loss.item()  # waits for the GPU
        print(f"epoch,{epoch},{last:.4f},{time.perf_counter() - start:.4f}", flush=True)

    x, y = read(options.data, "t10k", "cpu" if form == "loader" else device)
    count = len(y)

    def answers(images, labels):
        logits = network(normalised(images))
        loss = cross_entropy(logits, labels, reduction="sum")
        return torch.stack([loss, (logits.argmax(1) == labels).sum().to(loss.dtype)])

    def sums(batches):
        total = torch.zeros(2, device=device)
        for images, labels in batches:
            total += answers(
                images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            )
        return total

    def split(size):
        if form == "loader":
            return DataLoader(
                TensorDataset(x, y), size, num_workers=options.workers, pin_memory=cuda
            )
        return list(zip(x.split(size), y.split(size)))

    with torch.no_grad():
        loss, right = sums(split(min(1000, count))).tolist()
    print(
        f"Test set: Average loss: {loss / count:.4f}, "
        f"Accuracy: {right:.0f}/{count} ({100 * right / count:.2f}%)",
        flush=True,
    )

    begin = time.perf_counter()
    if form == "compile":
        answers = torch.compile(answers, mode="reduce-overhead", dynamic=False)
    best = None
    for size in map(int, filter(None, options.inference.split(","))):
        with torch.no_grad():
            batches = split(size)
            evaluate = captured(lambda: sums(batches)) if form == "graph" else lambda: sums(batches)
            passes = []
            start = time.perf_counter()
            while len(passes) < 5 or time.perf_counter() - start < 1:
                before = time.perf_counter()
                evaluate().tolist()  # waits for the GPU
                passes.append(time.perf_counter() - before)
        median = statistics.median(passes[len(passes) // 2 :])  # the first half warms up
        best = min(best or (median, size), (median, size))
    if best:
        print(f"inference,{best[0]:.6f},{best[1]},{time.perf_counter() - begin:.3f}")


if __name__ == "__main__":
    main()
