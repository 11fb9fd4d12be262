"""Trains the default preset with JAX; an epoch, shuffling included, is one jitted lax.scan.

    python3 scripts/peers/jax_scan.py --batch-size 64 --epochs 10

Adam is written out, so that no other library is needed. The first epoch includes compilation.
scripts/peers.sh explains the lines of the output.
"""

import argparse
import functools
import gzip
import pathlib
import statistics
import sys
import time

try:
    import jax
    import jax.numpy as jnp
    import numpy as np
except ImportError as e:
    sys.exit(str(e))

MNIST = pathlib.Path(__file__).parents[2] / "src/main/resources/mlpcuda/data/mnist"
RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


def read(folder, split, device):
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return jax.device_put(pixels, device), jax.device_put(labels.astype(np.int32), device)


@jax.jit
def normalised(pixels):
    return pixels.astype(jnp.float32) * (1 / (255 * 0.3081)) - 0.1307 / 0.3081


def initial(key, widths):
    """Returns weights and biases with the initial distribution of PyTorch's Linear."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        key, of_weight, of_bias = jax.random.split(key, 3)
        bound = inputs**-0.5
        weight = jax.random.uniform(of_weight, (inputs, outputs), minval=-bound, maxval=bound)
        bias = jax.random.uniform(of_bias, (outputs,), minval=-bound, maxval=bound)
        layers.append((weight, bias))
    return layers


def losses_of(layers, x, y):
    """Returns the loss of each example, and whether it is classified correctly."""
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    logits = x @ weight + bias
    log = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(log, y[:, None], 1)[:, 0], logits.argmax(1) == y


@functools.partial(jax.jit, static_argnames="B", donate_argnames="state")
def epoch_of(state, key, x, y, B):
    def step(state, rows):
        layers, m, v, t = state
        loss, gradient = jax.value_and_grad(lambda w: losses_of(w, x[rows], y[rows])[0].mean())(
            layers
        )
        t = t + 1
        m = jax.tree_util.tree_map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradient)
        v = jax.tree_util.tree_map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradient)
        rate, root = RATE / (1 - BETA1**t), jnp.sqrt(1 - BETA2**t)
        layers = jax.tree_util.tree_map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + EPS), layers, m, v
        )
        return (layers, m, v, t), loss

    order = jax.random.permutation(key, len(x))
    full = len(x) // B * B
    state, losses = jax.lax.scan(step, state, order[:full].reshape(-1, B))
    loss = losses[-1]
    if full < len(x):  # the epoch's last batch is smaller
        state, loss = step(state, order[full:])
    return state, loss


@functools.partial(jax.jit, static_argnames="B")
def sums(layers, x, y, B):
    def batch(total, of):
        pixels, classes = of
        loss, right = losses_of(layers, normalised(pixels), classes)
        return total + jnp.stack([loss.sum(), right.sum().astype(loss.dtype)]), None

    return jax.lax.scan(batch, jnp.zeros(2), (x.reshape(-1, B, 784), y.reshape(-1, B)))[0]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    options.add_argument("--hidden", default="128,64", help="widths of the hidden layers")
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--epochs", type=int, default=10)
    options.add_argument("--inference", default="", help="batch sizes to time, such as 100,1000")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", type=pathlib.Path, default=MNIST)
    options = options.parse_args()
    kind, _, number = options.device.partition(":")
    try:
        device = jax.devices("gpu" if kind == "cuda" else kind)[int(number or 0)]
    except (RuntimeError, IndexError) as e:
        sys.exit(f"JAX {jax.__version__} finds no {options.device}: {e}")
    jax.config.update("jax_default_device", device)
    # As PyTorch and mlp-cuda do by default: JAX's own default is TF32 where a GPU has it.
    jax.config.update("jax_default_matmul_precision", "highest")
    print(f"peer,JAX {jax.__version__} jit of lax.scan, {device.device_kind}", flush=True)

    key = jax.random.PRNGKey(options.seed)
    layers = initial(key, [784, *map(int, options.hidden.split(",")), 10])
    m = jax.tree_util.tree_map(jnp.zeros_like, layers)
    v = jax.tree_util.tree_map(jnp.zeros_like, layers)
    # Put there, as the data is, and not only made there: else the second epoch compiles again.
    state = jax.device_put((layers, m, v, jnp.zeros(())), device)
    x, y = read(options.data, "train", device)
    x = normalised(x)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        state, loss = epoch_of(state, jax.random.fold_in(key, epoch), x, y, options.batch_size)
        last = float(loss)  # waits
        jax.block_until_ready(state)
        print(f"epoch,{epoch},{last:.4f},{time.perf_counter() - start:.4f}", flush=True)

    x, y = read(options.data, "t10k", device)
    count = len(y)
    loss, right = sums(state[0], x, y, 1000).tolist()
    print(
        f"Test set: Average loss: {loss / count:.4f}, "
        f"Accuracy: {right:.0f}/{count} ({100 * right / count:.2f}%)",
        flush=True,
    )

    begin = time.perf_counter()
    best = None
    for size in map(int, filter(None, options.inference.split(","))):
        passes = []
        start = time.perf_counter()
        while len(passes) < 5 or time.perf_counter() - start < 1:
            before = time.perf_counter()
            sums(state[0], x, y, size).tolist()  # waits
            passes.append(time.perf_counter() - before)
        median = statistics.median(passes[len(passes) // 2 :])  # the first half warms up
        best = min(best or (median, size), (median, size))
    if best:
        print(f"inference,{best[0]:.6f},{best[1]},{time.perf_counter() - begin:.3f}")


if __name__ == "__main__":
    main()
