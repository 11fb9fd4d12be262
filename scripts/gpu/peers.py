#!/usr/bin/env python3
"""Runs mlp-cuda and its peers in turn on one device until a deadline, and writes its table anew after every run.

    peers.py --device cuda:0 --ours="--gpu 0" --jar JAR --seconds 100 --rows FILE.csv --table FILE.md

It starts the same programs as scripts/peers.sh and also takes ratios round by round, but it obeys a deadline, and has
neither inference nor a round for warming up. `mlp-cuda` stands for mlp-cuda with its defaults. The last line of standard
output is the verdict.
"""
import argparse
import csv
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PYTORCH, JAX = "scripts/peers/pytorch.py", "scripts/peers/jax_scan.py"


def commands(o):
    """Each peer's command, by name; B stands for the batch size. mlp-cuda is first: ratios are to it."""
    ours = ["java", "-jar", o.jar, *o.ours.split(), "--batch-size", "B", "--epochs", str(o.epochs)]
    ours += ["--overwrite", "--out", o.out]
    theirs = ["--device", o.device, "--batch-size", "B", "--epochs", str(o.epochs)]
    peers = {"mlp-cuda": ours}
    if o.device == "cpu":
        for n in sorted({1, os.cpu_count()}):
            peers[f"pytorch-{n}"] = [o.python, PYTORCH, "--form", "eager", "--threads", str(n), *theirs]
    else:
        peers["mlp-cuda-fused"] = ours + ["--step", "fused", "--feed", "pinned"]
        peers["mlp-cuda-fused-resident"] = ours + ["--step", "fused", "--feed", "resident"]
        if o.persistent:
            peers["mlp-cuda-persistent"] = ours + ["--step", "persistent", "--feed", "resident"]
        peers["pytorch-graph"] = [o.python, PYTORCH, "--form", "graph", "--threads", "1", *theirs]
        peers["pytorch-eager"] = [o.python, PYTORCH, "--form", "eager", *theirs]
    peers["jax"] = [o.python, JAX, *theirs]
    peers["pytorch-compile"] = [o.python, PYTORCH, "--form", "compile", "--threads", "1", *theirs]
    return peers


def run(command, seconds):
    """Runs a command; returns its standard output and the seconds that it took, or None and why there is no output."""
    start = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, f"no time was left after {seconds:.0f} s of it"
    finally:  # kills the processes that it started, too, also when this script is told to end
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    print(out, err, sep="\n", flush=True)
    if process.returncode:
        lines = [line.strip() for line in (err or out).splitlines() if line.strip()]
        told = lines[-1 if any("Traceback" in line for line in lines) else 0] if lines else "it did not say why"
        return None, f"failed, exit code {process.returncode}: {told[:160]}"
    return out, time.monotonic() - start


def figures(name, out, folder):
    """Returns the seconds of each epoch, the accuracy in percent, and the description of the peer."""
    if name.startswith("mlp-cuda"):
        with open(os.path.join(folder, "metrics.csv")) as file:
            epochs = [float(row["seconds"]) for row in csv.DictReader(file) if row["kind"] == "epoch"]
        what = out.splitlines()[0]
    else:
        epochs = [float(line.split(",")[3]) for line in out.splitlines() if line.startswith("epoch,")]
        what = next((line[5:] for line in out.splitlines() if line.startswith("peer,")), "")
    test = [line for line in out.splitlines() if line.startswith("Test set:")]
    return epochs, float(test[-1].rsplit("(", 1)[1].split("%")[0]), what


def steps(batch):
    return -(-60000 // batch)


def spread(values):
    middle = statistics.median(values)
    return f"{middle:.2f} ({min(values):.2f}-{max(values):.2f})" if len(values) > 1 else f"{middle:.2f}"


def table(o, names, rows, lost, what):
    """Returns a Markdown table of rows (batch, round, name, epochs, accuracy, process)."""
    lines = []
    for batch in o.batches:
        of = [row for row in rows if row[0] == batch]
        lines += [f"Batches of {batch}, {o.epochs} epochs, {o.device}; medians of the rounds, above 1 mlp-cuda is faster", ""]
        lines += ["| peer | µs/step | epoch, s | / mlp-cuda | fastest epoch, s | images/s | process, s | accuracy | rounds |"]
        lines += ["|---|--:|--:|:--|--:|--:|--:|--:|--:|"]
        ours = {row[1]: statistics.median(row[3]) for row in of if row[2] == "mlp-cuda"}
        for name in names:
            mine = [row for row in of if row[2] == name]
            if not mine:
                lines += [f"| {name} | not run: {lost.get((name, batch), 'no time was left')} |"]
                continue
            epoch = statistics.median(statistics.median(row[3]) for row in mine)
            ratios = [statistics.median(row[3]) / ours[row[1]] for row in mine if row[1] in ours]
            lines += [
                f"| {name} | {1e6 * epoch / steps(batch):.1f} | {epoch:.4f} | {'1' if name == 'mlp-cuda' else spread(ratios) if ratios else '-'} | "
                f"{min(min(row[3]) for row in mine):.4f} | {60000 / epoch:,.0f} | "
                f"{statistics.median(row[5] for row in mine):.2f} | {statistics.median(row[4] for row in mine):.2f}% | {len(mine)} |"
            ]
        lines += [""]
    lines += [f"- `{name}`: {what[name]}" for name in names if name in what]
    return "\n".join(lines) + "\n"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--device", default="cpu", help="of PyTorch and JAX")
    options.add_argument("--ours", default="--cpu", help="mlp-cuda's options of the device")
    options.add_argument("--jar", default="target/mlp-cuda.jar")
    options.add_argument("--python", default=os.environ.get("PYTHON", "python3"))
    options.add_argument("--seconds", type=float, default=100)
    options.add_argument("--epochs", type=int, default=6)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--batches", type=lambda s: [int(b) for b in s.split(",")], default=[64, 128, 1024])
    options.add_argument("--persistent", action="store_true", help="mlp-cuda has persistent steps")
    options.add_argument("--rows", required=True)
    options.add_argument("--table", required=True)
    o = options.parse_args()
    end = time.monotonic() + o.seconds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    o.out = tempfile.mkdtemp()
    peers = commands(o)
    rows, lost, what, took = [], {}, {}, {}
    # A round is all peers with the first batch size, then with the next; the slow ones, and torch.compile, which may take
    # long to begin, after all.
    slow = [name for name in peers if name in ("pytorch-eager", "pytorch-compile")]
    plan = [(batch, name) for batch in o.batches for name in peers if name not in slow]
    plan += [(batch, name) for batch in o.batches for name in slow]
    for turn, (batch, name) in ((turn, one) for turn in range(1, o.rounds + 1) for one in plan):
        left = end - time.monotonic()
        if (name, batch) in lost or left < 1.2 * took.get((name, batch), 5):
            continue
        print(f"== round {turn}, batches of {batch}: {name}", flush=True)
        try:
            out, result = run([str(batch) if word == "B" else word for word in peers[name]], left)
            if out is not None:
                epochs, accuracy, what[name] = figures(name, out, o.out)
        except Exception as e:  # no such program, or other output than expected: the next peer's turn
            out, result = None, f"failed: {e!r}"
        if out is None:
            lost[name, batch] = result
            print(result, flush=True)
        else:
            took[name, batch] = result
            rows.append((batch, turn, name, epochs, accuracy, result))
            with open(o.rows, "a") as file:
                file.write(",".join(map(str, (batch, turn, name, f"{result:.3f}", accuracy, *epochs))) + "\n")
        with open(o.table, "w") as file:
            file.write(table(o, peers, rows, lost, what))
    verdict = []
    for batch in o.batches:
        ours = {row[1]: statistics.median(row[3]) for row in rows if row[0] == batch and row[2] == "mlp-cuda"}
        ratios = []
        for name in peers:
            of = [statistics.median(r[3]) / ours[r[1]] for r in rows if r[0] == batch and r[2] == name and r[1] in ours]
            if of and name != "mlp-cuda":
                ratios.append(f"{name} {statistics.median(of):.2f}")
        if ours:
            micros = 1e6 * statistics.median(ours.values()) / steps(batch)
            verdict.append(f"batch {batch}: {micros:.1f} µs/step; / mlp-cuda: {', '.join(ratios) or 'none'}")
    failed = [f"{name} {batch}" for (name, batch), why in lost.items() if why.startswith("failed")]
    if failed:
        verdict.append(f"failed: {', '.join(failed)}, the first: {next(why for why in lost.values() if why.startswith('failed'))[8:]}")
    print("; ".join(verdict) or "nothing was run")
    return 0 if rows and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
