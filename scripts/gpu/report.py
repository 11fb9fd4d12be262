#!/usr/bin/env python3
"""Reads the files of a step of measure.sh and prints the verdict, which is one line, and below it tables in Markdown.

    report.py tests LOG…              JUnit's console, --details=testfeed; whole or cut off
    report.py trainings FOLDER        NAME.way (options), NAME.log, NAME/metrics.csv for each way
    report.py auto FOLDER             the same: what --step auto and --feed auto should choose by these times
    report.py start FOLDER CUBINS     NAME.way (options|jar or PTX|cache), NAME-RUN.log; CUBINS: how many the jar has
    report.py sanitizer LOG…          compute-sanitizer's output
    report.py ncu FILE [OPERATIONS]   ncu --csv --page raw; OPERATIONS of a product: a rate for each kernel
    report.py peaks LOG…              `benchmark`'s "At most … GFLOP/s"

The exit code is 1 if the step failed.
"""
import collections
import csv
import pathlib
import re
import statistics
import sys


def gist(text, *patterns):
    """Returns the first line that matches the first pattern with a match, or else the first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "measure.sh: line" not in line]
    for pattern in patterns:
        for line in lines:
            if re.search(pattern, line):
                return line[:300]
    return lines[0][:300] if lines else "no output"


def tests(logs):
    ends = re.compile(r"^JUnit Jupiter > (.*) :: (SUCCESSFUL|FAILED|ABORTED|SKIPPED)$")
    count = collections.Counter()
    failures, reasons, unfinished = [], collections.Counter(), []
    for log in map(pathlib.Path, logs):
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        started = {line[:-11] for line in lines if line.endswith(" :: STARTED")}
        for at, line in enumerate(lines):
            match = ends.match(line)
            if not match:
                continue
            why = lines[at + 1].strip().split(": ", 1)[-1] if at + 1 < len(lines) else ""
            name, how = match.groups()
            leaf = f"JUnit Jupiter > {name}" in started  # a test, and not a class or a method with cases
            if how == "FAILED":
                failures.append(f"{name}: {why[:300]}")
            if how in ("ABORTED", "SKIPPED"):
                reasons[why[:200]] += 1
            if leaf or how == "FAILED":
                count[how] += 1
        if not any(line.startswith("Test run finished") for line in lines):
            unfinished.append(log.stem)
    skipped = count["ABORTED"] + count["SKIPPED"]
    print(
        f"{count['SUCCESSFUL']} passed, {count['FAILED']} failed, {skipped} skipped"
        + (f"; NOT FINISHED: {', '.join(unfinished)}" if unfinished else "")
        + (f"; skipped: {reasons.most_common(1)[0][0]}" if reasons else "")
    )
    for why, n in reasons.most_common(10):
        print(f"- skipped, {n}: {why}")
    for failure in failures[:60]:
        print(f"- FAILED {failure}")
    if len(failures) > 60:
        print(f"- and {len(failures) - 60} more, in the log")
    return bool(count["SUCCESSFUL"]) and not count["FAILED"] and not unfinished


LEAST_ACCURACY = 96.5  # percent; seeds of the default preset end at 97.3 to 97.8
NO_TIME = "no time was left"


class Training:
    """A training with one way of using the device, or the reason why it failed."""

    def __init__(self, way):
        self.options = way.read_text().strip()
        log = way.with_suffix(".log")
        self.log = log.read_text(errors="replace") if log.exists() else NO_TIME
        self.steps = 0
        try:
            with open(way.with_suffix("") / "metrics.csv") as file:
                lines = [row for row in csv.DictReader(file) if row["kind"] == "epoch"]
            self.seconds = [float(row["seconds"]) for row in lines]
            self.accuracy = float(re.search(r"Accuracy: .*\((.*)%\)", self.log).group(1))
            self.process = float(re.search(r"^took (.*)$", self.log, re.M).group(1))
            self.steps = int(lines[0]["step"])  # the steps of the first epoch
        except (OSError, ValueError, AttributeError, IndexError):
            ended = re.search(r"^ended: (.*)$", self.log, re.M)
            self.why = gist(self.log) + (f" ({ended.group(1)})" if ended else "")

    @property
    def epoch(self):
        return statistics.median(self.seconds)

    @property
    def step_micros(self):
        return 1e6 * self.epoch / self.steps

    @property
    def batch(self):
        found = re.search(r"--batch-size (\d+)", self.options)
        return int(found.group(1)) if found else 64

    @property
    def way(self):
        """The options without that of the batch size."""
        return re.sub(r" *--batch-size \d+ *", "", self.options) or "auto"


def trained(folder):
    return [Training(way) for way in sorted(pathlib.Path(folder).glob("*.way"))]


def trainings(folder):
    rows, bad, good, late = [], [], 0, 0
    for one in trained(folder):
        options = one.options or "auto"
        if not one.steps:
            late += one.why == NO_TIME
            if one.why != NO_TIME:
                bad.append(f"{options}: {one.why}")
            rows.append(f"| `{options}` | not trained: {one.why} |")
            continue
        low = one.accuracy < LEAST_ACCURACY
        good += not low
        if low:
            bad.append(f"{options}: {one.accuracy} %")
        rows.append(
            f"| `{options}` | {one.accuracy:.2f} %{' LOW' if low else ''} | {min(one.seconds):.4f} | {one.epoch:.4f} | "
            f"{one.step_micros:.1f} | {60000 / one.epoch:,.0f} | {one.process:.2f} | {len(one.seconds)} |"
        )
    told = f"{good} of {len(rows)} ways trained to {LEAST_ACCURACY} % or more"
    if late:
        told += f"; no time was left for {late}"
    if bad:
        told += f"; not: {'; '.join(bad[:3])}" + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
    print(told)
    print("| options | accuracy | best epoch, s | median epoch, s | µs/step | images/s | process, s | epochs |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|", *rows, sep="\n")
    print("\nµs/step and images/s are of the median epoch.")
    return bool(good) and not bad


LEAST_GAIN = 0.05  # the share of a step's time for which a rule is changed, unless equal runs differ by more


def auto(folder):
    """For each batch size the fastest way, and the fastest without cuBLAS, beside the way that `auto` took."""
    sizes, noise = {}, 0
    for one in trained(folder):
        if not one.steps or re.search("--(precision|no-graph|steps-per|kernels)", one.options):
            continue
        if re.search("^Steps are layered|not (fused|persistent)", one.log, re.M):
            continue  # the kind of step that was asked for cannot run this, and another did
        ways = sizes.setdefault(one.batch, {})
        if one.way in ways:
            noise = abs(ways[one.way].step_micros / one.step_micros - 1)
        ways.setdefault(one.way, one)
    told, lines = [], []
    for batch, ways in sorted(sizes.items()):
        by_time = sorted((one for way, one in ways.items() if way != "auto"), key=lambda one: one.step_micros)
        now = ways.get("auto")
        if not by_time:
            continue
        lines += [f"- batches of {batch}: " + ", ".join(f"`{one.way}` {one.step_micros:.1f}" for one in by_time)]
        if not now:
            continue
        lines[-1] += f"; `auto` {now.step_micros:.1f}: {now.log.splitlines()[0][:200]}"
        best = by_time[0]
        own = next((one for one in by_time if "cublas" not in one.way), None)
        if best.step_micros > (1 - max(LEAST_GAIN, noise)) * now.step_micros:
            told.append(f"batch {batch}: as it is, {now.step_micros:.1f} µs/step (fastest: {best.way}, {best.step_micros:.1f})")
        else:
            told.append(f"batch {batch}: {best.way}, {best.step_micros:.1f} µs/step in place of {now.step_micros:.1f}")
        if own and own is not best:
            told[-1] += f", without cuBLAS {own.way}, {own.step_micros:.1f}"
    print(f"should choose: {'; '.join(told)}" if told else "no rule: too few ways were trained")
    print(f"What `auto` should choose, µs/step in fp32 with a graph; two runs of the same differ by {100 * noise:.1f} %, and a rule")
    print(f"is changed for {100 * max(LEAST_GAIN, noise):.1f} % or more:\n")
    print(*lines, sep="\n")
    print()
    return bool(told)


def start(folder, cubins):
    rows, bad, notes, told = [], [], {}, []
    for way in sorted(pathlib.Path(folder).glob("*.way")):
        options, code, cache = way.read_text().strip().split("|")
        code = "PTX" if code == "PTX" or cubins == "0" else "cubins"
        name = f"{options}, {code}, cache {cache}"
        logs = [log.read_text(errors="replace") for log in sorted(way.parent.glob(f"{way.stem}-*.log"))]
        good = [log for log in logs if "Test set:" in log and not re.search("^ended: ", log, re.M)]
        bad += [f"{name}: {gist(log)}" for log in logs if log not in good]
        if not good:
            rows.append(f"| `{options}` | {code} | {cache} | {gist(logs[0]) if logs else NO_TIME} |")
            continue
        good.sort(key=lambda log: float(re.search(r"^took (.*)$", log, re.M).group(1)))
        log = good[(len(good) - 1) // 2]  # the log of the median, or of the faster of two in the middle
        took = float(re.search(r"^took (.*)$", log, re.M).group(1))
        begins = re.search(r"^Training begins after ([\d.]+) s: (.*)$", log, re.M)
        rows.append(
            f"| `{options}` | {code} | {cache} | {took:.2f} | {begins.group(1) if begins else '-'} | {len(good)} | "
            f"{begins.group(2) if begins else '-'} |"
        )
        told.append(f"{name} {took:.2f} s")
        notes |= {line: None for line in log.splitlines() if re.search("cubin|PTX", line)}
    print(f"{cubins} cubins in the jar; {'; '.join(told) or 'nothing was started'}" + (f"; FAILED: {'; '.join(bad[:2])}" if bad else ""))
    print("| options | code | cache | process, s | training begins after, s | runs | of it, s |")
    print("|---|---|---|--:|--:|--:|---|", *rows, sep="\n")
    print("\n`PTX`: from a copy of the jar without machine code, if the jar has any. Cache off: `CUDA_CACHE_DISABLE=1`; warm: a run")
    print("before, which is not counted, filled it. Of several runs the median.\n")
    print(*(f"- {note}" for note in notes), sep="\n")
    return bool(told) and not bad


def sanitizer(logs):
    told, good = [], bool(logs)
    for log in map(pathlib.Path, logs):
        text = log.read_text(errors="replace") if log.exists() else ""
        summary = re.findall(r"^=+ ((?:ERROR|RACECHECK) SUMMARY: .*)$", text, re.M)
        trained = "Test set:" in text
        if summary:
            # RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)
            clean = re.search(r"SUMMARY: 0 (errors|hazards)", summary[-1]) is not None
            good &= clean and trained
            told.append(f"{log.stem}: {summary[-1].split(': ', 1)[1]}" + ("" if trained else ", but the program did not end well"))
        else:
            good = False
            told.append(f"{log.stem}: no result: {gist(text, '^=+ (Error|Internal|Device)', 'rror', 'took')}")
    print("; ".join(told) or "nothing was run")
    return good


COLUMNS = {
    "gpu__time_duration.sum": "time, µs",
    "launch__registers_per_thread": "registers",
    "launch__occupancy_limit_registers": "blocks/SM by registers",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "occupancy achieved, %",
    "sm__maximum_warps_per_active_cycle_pct": "occupancy possible, %",
    "dram__bytes_read.sum": "DRAM read, KB",
    "dram__bytes_write.sum": "DRAM written, KB",
    "lts__t_bytes.sum": "L2, KB",
    "sm__throughput.avg.pct_of_peak_sustained_elapsed": "SM, % of peak",
}
SCALE = {"nsecond": 1e-3, "ns": 1e-3, "usecond": 1, "us": 1, "msecond": 1e3, "ms": 1e3, "second": 1e6, "s": 1e6}
SCALE |= {"byte": 1e-3, "Kbyte": 1, "Mbyte": 1e3, "Gbyte": 1e6}


def ncu(file, operations=None):
    text = pathlib.Path(file).read_text(errors="replace") if pathlib.Path(file).exists() else ""
    table = list(csv.reader(line for line in text.splitlines() if line.startswith('"')))
    if len(table) < 3:
        print(f"no kernel was profiled: {gist(text, '==ERROR==', '==WARNING==', 'rror', '^ended')}")
        return False
    head, units = table[0], table[1]
    kernels = [dict(zip(head, row)) for row in table[2:] if len(row) == len(head)]
    shown = [name for name in COLUMNS if name in head]

    def value(kernel, name):
        try:
            return float(kernel[name].replace(",", "")) * SCALE.get(units[head.index(name)], 1)
        except ValueError:
            return float("nan")

    groups = collections.defaultdict(list)  # launches of the same kernel and shape, in order of the first
    for kernel in kernels:
        groups[kernel.get("Kernel Name", "?")[:60], kernel.get("Grid Size", ""), kernel.get("Block Size", "")].append(kernel)
    rows = []
    for (name, grid, block), launches in groups.items():
        cells = [statistics.median(value(kernel, column) for kernel in launches) for column in shown]
        rate = ""
        if operations:
            time = statistics.median(value(kernel, "gpu__time_duration.sum") for kernel in launches)
            rate = f" {float(operations) / time / 1e6:,.2f} |"
        rows.append(f"| `{name}` | {grid} × {block} | {len(launches)} |" + "".join(f" {cell:,.2f} |" for cell in cells) + rate)
    total = sum(value(kernel, "gpu__time_duration.sum") for kernel in kernels)
    print(f"{len(kernels)} launches of {len(groups)} kernels, {total:,.1f} µs in all")
    head = "| kernel | grid × block | launches |" + "".join(f" {COLUMNS[name]} |" for name in shown)
    print(head + (f" TFLOP/s, were it {float(operations) / 1e9:.2f} GFLOP |" if operations else ""))
    print("|---|---|--:|" + "--:|" * (len(shown) + bool(operations)), *rows, sep="\n")
    return True


def peaks(logs):
    told = []
    for log in map(pathlib.Path, logs):
        found = re.search(r"At most ([\d,]+) GFLOP/s", log.read_text(errors="replace")) if log.exists() else None
        told.append(f"{log.stem} {found.group(1) if found else 'none'}")
    print("GFLOP/s at most, square products: " + ", ".join(told) if told else "nothing was run")
    return bool(told) and not any(one.endswith("none") for one in told)


def main():
    what, *rest = sys.argv[1:]
    try:
        good = {
            "tests": lambda: tests(rest),
            "trainings": lambda: trainings(*rest),
            "auto": lambda: auto(*rest),
            "start": lambda: start(*rest),
            "sanitizer": lambda: sanitizer(rest),
            "ncu": lambda: ncu(*rest),
            "peaks": lambda: peaks(rest),
        }[what]()
    except Exception as e:  # a table is not worth the rest
        print(f"no table: {e!r}")
        good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
