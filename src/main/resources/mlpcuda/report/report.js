"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const metrics = data.metrics ?? {};
  const epochs = metrics.epochs ?? [];
  const steps = metrics.steps ?? [];

  const BARS = 30; // columns whose importance is drawn
  const FEW = 12; // classes whose matrix has room in half of a page
  const HEAD = 10; // characters of a class's name in the matrix, whose tooltips have it whole

  /** The name of a class: its number where it has no other. */
  const named = (number) => metrics.settings?.labels?.[number] ?? number;

  function short(name) {
    const text = String(name);
    return text.length <= HEAD ? text : `${text.slice(0, HEAD - 1)}…`;
  }

  // ---- Text and numbers

  const whole = new Intl.NumberFormat("en");
  const percent = (share) => `${(100 * share).toFixed(2)}%`;
  const sureness = (share) => (share < 0.9995 ? `${(100 * share).toFixed(1)}%` : "100%");
  const sixDigits = (value) => (typeof value === "number" ? String(Number(value.toPrecision(6))) : value);
  const rounded = (number) => (Number.isFinite(number) ? Number(number.toPrecision(4)) : number);

  /** A time in words: two units of it at most. */
  function duration(seconds) {
    if (seconds < 59.95) {
      return `${seconds.toFixed(seconds < 9.95 ? 2 : 1)} s`;
    }
    const minutes = Math.floor(Math.round(seconds) / 60);
    return minutes < 60
      ? `${minutes} min ${Math.round(seconds) % 60} s`
      : `${whole.format(Math.floor(minutes / 60))} h ${minutes % 60} min`;
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) {
      made.textContent = text;
    }
    if (className) {
      made.className = className;
    }
    return made;
  }

  /** Shows the section with the given id, and returns it. */
  function section(id) {
    const found = document.getElementById(id);
    found.hidden = false;
    return found;
  }

  function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }

  function tile(name, value, note) {
    const box = element("div");
    box.append(element("dt", name));
    const shown = element("dd", value);
    if (note) {
      shown.append(element("small", note));
    }
    box.append(shown);
    section("tiles").append(box);
  }

  /**
   * Fills a table; columns whose header begins with "<" hold text. A header that comes from a file
   * may begin so by chance, and is an object: its name, and whether the column holds text.
   */
  function table(parent, headers, rows) {
    const filled = parent.querySelector("table");
    const columns = headers.map((header) =>
      typeof header === "string" ? { name: header.replace("<", ""), text: header.startsWith("<") } : header,
    );
    const line = (cells, name) => {
      const row = element("tr");
      cells.forEach((cell, i) => row.append(element(name, cell, columns[i].text ? "text" : "")));
      return row;
    };
    const head = element("thead");
    head.append(
      line(
        columns.map((column) => column.name),
        "th",
      ),
    );
    const body = element("tbody");
    rows.forEach((row) => body.append(line(row, "td")));
    filled.append(head, body);
  }

  // ---- Images, drawn from their bytes

  const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

  /** An image whose pixel i has the colour that `color(i)` gives: red, green, blue, alpha. */
  function picture(rows, cols, label, color) {
    const canvas = element("canvas", undefined, "pixels");
    canvas.height = rows;
    canvas.width = cols;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    const context = canvas.getContext("2d");
    const image = context.createImageData(cols, rows);
    for (let i = 0; i < rows * cols; i++) {
      image.data.set(color(i), 4 * i);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /** An image of a set: grey, or red, green and blue where its pixels have three values. */
  function stored(set, slot, label) {
    set.decoded ??= bytes(set.pixels);
    const channels = set.channels ?? 1;
    const start = slot * set.rows * set.cols * channels;
    return picture(set.rows, set.cols, label, (i) => {
      const at = start + i * channels;
      const [red, green, blue] = channels === 3 ? [0, 1, 2] : [0, 0, 0];
      return [set.decoded[at + red], set.decoded[at + green], set.decoded[at + blue], 255];
    });
  }

  function figure(canvas, lines) {
    const box = element("figure");
    box.append(canvas);
    const caption = element("figcaption");
    lines.forEach(([text, className]) => caption.append(element("div", text, className)));
    box.append(caption);
    return box;
  }

  /** A test image with its class and the network's answer. */
  function answered(slot) {
    const set = data.test;
    const truth = named(set.labels[slot]);
    const answer = named(set.answers[slot]);
    const sure = sureness(set.probabilities[slot]);
    const label = `Test image ${set.indices[slot]}: true class ${truth}, answer ${answer}`;
    return figure(stored(set, slot, label), [
      [`true ${truth}`, ""],
      [`${answer === truth ? "✓" : "✗"} ${answer}, ${sure}`, answer === truth ? "muted" : "wrong"],
    ]);
  }

  // ---- Charts

  const charts = new Map();

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** Draws the chart of a section again, in the current colours; `describe` returns type, sets and axes. */
  function chart(id, label, describe) {
    const canvas = section(id).querySelector("canvas");
    canvas.setAttribute("aria-label", label);
    charts.set(id, () => {
      Chart.getChart(canvas)?.destroy();
      Chart.defaults.color = token("--muted");
      Chart.defaults.borderColor = token("--line");
      Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
      const { type, sets, x, y, labels, tooltip, more } = describe({
        muted: token("--muted"),
        first: token("--accent"),
        second: token("--second"),
        third: token("--third"),
        error: token("--error"),
      });
      new Chart(canvas, {
        type,
        data: { datasets: sets, labels },
        options: {
          animation: false,
          maintainAspectRatio: false,
          interaction: { mode: "nearest", axis: "x", intersect: false },
          plugins: {
            legend: { display: sets.length > 1, labels: { boxHeight: type === "bar" ? 12 : 1, boxWidth: 24 } },
            tooltip: tooltip ? { callbacks: { label: tooltip } } : {},
          },
          scales: { x, y },
          ...more,
        },
      });
    });
    charts.get(id)();
  }

  /** A line of a chart; its points are marked while they are few. */
  function line(label, color, points, more = {}) {
    return {
      label,
      data: points,
      borderColor: color,
      backgroundColor: color,
      borderWidth: 2,
      clip: 8, // points on the frame must not be cut
      pointRadius: points.length <= 40 ? 3 : 0,
      ...more,
    };
  }

  const axis = (text, more = {}) => ({ type: "linear", title: { display: true, text }, ...more });
  const epochAxis = () =>
    axis("epoch", { ticks: { precision: 0 }, min: 0, max: Math.max(1, epochs.at(-1).epoch) });
  const overEpochs = (name, factor = 1) =>
    epochs
      .filter((epoch) => Number.isFinite(epoch[name]))
      .map((epoch) => ({ x: epoch.epoch, y: factor * epoch[name] }));
  const overSteps = (rows, name) =>
    rows
      .filter((row) => Number.isFinite(row[name]))
      .map((row) => ({ x: row.step, y: row[name] }));

  function lossChart() {
    const logarithmic = document.getElementById("logarithmic");
    chart("loss", "Loss over the steps", ({ muted, first, second, third }) => {
      const batches = overSteps(steps, "loss");
      const validation = overSteps(epochs, "validation_loss");
      const tested = overSteps(epochs, "test_loss");
      const sets = [
        line("training, mean of the epoch", first, overSteps(epochs, "loss")),
        line("training, single batches", muted, batches, {
          borderWidth: 1,
          pointRadius: batches.length > 1 ? 0 : 3,
        }),
      ];
      if (tested.length > 0) {
        sets.splice(1, 0, line("test", third, tested));
      }
      if (validation.length > 0) {
        sets.splice(1, 0, line("validation", second, validation));
      }
      const y = logarithmic.checked
        ? axis("cross-entropy", { type: "logarithmic" })
        : axis("cross-entropy", { min: 0 });
      return { type: "line", sets, x: axis("step", { min: 0, ticks: { precision: 0 } }), y };
    });
    logarithmic.addEventListener("change", () => charts.get("loss")());
  }

  function accuracyChart() {
    chart("accuracy", "Accuracy over the epochs", ({ muted, first, second, third }) => {
      const validation = overEpochs("validation_accuracy", 100);
      const tested = overEpochs("test_accuracy", 100);
      const sets = [line("training", first, overEpochs("accuracy", 100))];
      if (validation.length > 0) {
        sets.push(line("validation", second, validation));
      }
      if (tested.length > 0) {
        sets.push(line("test", third, tested));
      } else if (metrics.test) {
        const y = 100 * metrics.test.accuracy;
        const ends = [0, Math.max(1, epochs.at(-1).epoch)];
        sets.push(
          line(
            "test, at the end",
            muted,
            ends.map((x) => ({ x, y })),
            { borderDash: [6, 4], pointRadius: 0 },
          ),
        );
      }
      return { type: "line", sets, x: epochAxis(), y: axis("right, %") };
    });
  }

  /** A curve of the learning rate, or a line of text where the curve would be flat. */
  function learningRate() {
    const { learning_rate: set, schedule, warmup } = metrics.settings;
    const rates = new Set(epochs.map((epoch) => epoch.learning_rate));
    const constant = schedule === "constant" && !warmup;
    if (!constant && rates.size > 1) {
      rateChart();
    } else if (constant || rates.size === 1) {
      const text = document.getElementById("constant");
      text.hidden = false;
      text.textContent = constant
        ? `Learning rate ${set}, constant.`
        : `Learning rate ${rounded([...rates][0])} after ${epochs.length > 1 ? "each epoch" : "the epoch"}, schedule ${schedule}.`;
    }
  }

  function rateChart() {
    chart("rate", "Learning rate over the epochs", ({ first }) => ({
      type: "line",
      sets: [line("learning rate", first, overEpochs("learning_rate"))],
      x: epochAxis(),
      y: axis("learning rate", { min: 0, ticks: { callback: (rate) => (rate === 0 ? "0" : rate.toExponential(1)) } }),
    }));
  }

  function timeChart() {
    chart("time", "Time of each epoch", ({ first }) => ({
      type: "bar",
      sets: [
        {
          label: "seconds",
          data: overEpochs("seconds").map(({ x, y }) => ({ x: String(x), y })),
          backgroundColor: first,
        },
      ],
      x: { title: { display: true, text: "epoch" }, grid: { display: false } },
      y: axis("seconds", { min: 0 }),
    }));
  }

  function rangeChart({ curve, suggestion }) {
    const over = (name) => curve.map((point) => ({ x: point.rate, y: point[name] }));
    chart("range", "Loss over the learning rate", ({ muted, first, second }) => {
      const sets = [
        line("smoothed", first, over("smoothed"), { pointRadius: 0 }),
        line("single batches", muted, over("loss"), { borderWidth: 1, pointRadius: 0 }),
      ];
      if (suggestion) {
        const most = curve.reduce((largest, point) => Math.max(largest, point.smoothed), 0);
        sets.unshift(
          line(
            `suggestion, ${suggestion.toExponential(1)}`,
            second,
            [0, most].map((y) => ({ x: suggestion, y })),
            { borderDash: [6, 4], pointRadius: 0 },
          ),
        );
      }
      const x = axis("learning rate", {
        type: "logarithmic",
        ticks: { callback: (rate) => (Number.isInteger(Math.log10(rate)) ? rate.toExponential(0) : null) },
      });
      return { type: "line", sets, x, y: axis("cross-entropy", { min: 0 }) };
    });
  }

  /** How the right and the wrong answers of the test set are distributed over their probability. */
  function confidenceChart({ bins }) {
    const labels = bins.map((bin) => `${Math.round(100 * bin.from)}–${Math.round(100 * bin.to)}`);
    const bars = (label, backgroundColor, count) => ({
      label,
      backgroundColor,
      data: bins.map((bin, i) => ({ x: labels[i], y: count(bin) })),
      categoryPercentage: 1,
      barPercentage: 0.92,
    });
    chart("confidence", "Test answers by their probability, right and wrong", ({ first, error }) => ({
      type: "bar",
      labels,
      sets: [
        bars("right", first, (bin) => bin.right),
        bars("wrong", error, (bin) => bin.count - bin.right),
      ],
      x: { title: { display: true, text: "probability of the answer, %" }, stacked: true, grid: { display: false } },
      y: axis("answers", { stacked: true, min: 0, ticks: { precision: 0 } }),
    }));
  }

  /** The reliability diagram: how often answers are right, against how sure the network is of them. */
  function calibrationChart({ bins, ece }) {
    const some = bins.filter((bin) => bin.count > 0);
    chart("calibration", "Accuracy over the confidence, by bins", ({ muted, first }) => ({
      type: "line",
      sets: [
        line(
          "test answers",
          first,
          some.map((bin) => ({ x: 100 * bin.confidence, y: 100 * bin.accuracy })),
          { pointRadius: 4 },
        ),
        line(
          "perfect",
          muted,
          [0, 100].map((x) => ({ x, y: x })),
          { borderDash: [6, 4], borderWidth: 1, pointRadius: 0, pointHitRadius: 0 },
        ),
      ],
      x: axis("mean confidence of the bin, %", { min: 0, max: 100 }),
      y: axis("right, %", { min: 0, max: 100 }),
      tooltip: ({ dataset, dataIndex, parsed }) =>
        dataset.label === "perfect"
          ? `perfect: ${sixDigits(parsed.y)}%`
          : `${sixDigits(parsed.y)}% of ${whole.format(some[dataIndex].count)} answers are right`,
    }));
    document.querySelector("#calibration .note").textContent =
      `Expected calibration error ${percent(ece)}, by ${bins.length} bins of equal width. ` +
      "Below the diagonal the network is surer than it should be.";
  }

  /** The columns whose permutation costs the most right answers. */
  function importanceChart({ repetitions, columns }) {
    const shown = columns.slice(0, BARS);
    const box = section("importance");
    box.style.setProperty("--bars", shown.length);
    const amount = shown.length < columns.length ? ` The first ${shown.length} of ${whole.format(columns.length)} columns.` : "";
    box.querySelector("p").textContent =
      "By how many points the test accuracy falls when a column's values are permuted over the rows: " +
      `the mean of ${repetitions} permutations.${amount} Columns that say the same stand in for each other.`;
    const names = shown.map(({ column }) => (column.length > 24 ? `${column.slice(0, 23)}…` : column));
    chart("importance", "Fall of the accuracy by permuted column", ({ first }) => ({
      type: "bar",
      labels: names,
      sets: [{ label: "fall", data: shown.map((of) => 100 * of.accuracy_drop), backgroundColor: first }],
      x: axis("fall of the accuracy, percentage points"),
      y: { ticks: { autoSkip: false }, grid: { display: false } },
      tooltip: ({ dataIndex }) => {
        const of = shown[dataIndex];
        const spread = (mean, deviation, factor) => `${rounded(factor * mean)} ± ${rounded(factor * deviation)}`;
        return [
          `accuracy −${spread(of.accuracy_drop, of.accuracy_drop_deviation, 100)} points`,
          `loss +${spread(of.loss_rise, of.loss_rise_deviation, 1)}`,
        ];
      },
      more: { indexAxis: "y", interaction: { mode: "nearest", axis: "y", intersect: false } },
    }));
  }

  // ---- Tables and galleries

  function tiles() {
    const last = epochs.at(-1);
    if (metrics.test) {
      const { accuracy, loss, right, size } = metrics.test;
      tile("Test accuracy", percent(accuracy));
      tile("Test loss", loss < 1e5 ? rounded(loss) : loss.toExponential(2));
      tile("Mistakes", whole.format(size - right), `of ${whole.format(size)}`);
    } else if (last) {
      tile("Training accuracy", percent(last.accuracy));
      tile("Training loss", rounded(last.loss));
    }
    if (last) {
      tile("Epochs", whole.format(last.epoch), `of ${whole.format(metrics.settings.epochs)}`);
      const speed = Math.round(median(epochs.map((epoch) => epoch.images_per_second)));
      tile(
        "Median epoch",
        `${rounded(median(epochs.map((epoch) => epoch.seconds)))} s`,
        `${whole.format(speed)} images/s`,
      );
    }
    if (metrics.total_seconds) {
      const before = metrics.seconds_before_resuming;
      tile("Total time", duration(metrics.total_seconds), before ? `${duration(before)} before it was resumed` : "");
    }
    if (metrics.settings) {
      tile("Parameters", whole.format(metrics.settings.parameters), metrics.settings.layers.join("-"));
    }
    if (data.range) {
      const { suggestion } = data.range;
      tile("Suggestion", suggestion ? `--lr ${suggestion.toExponential(1)}` : "none");
    }
  }

  function confusion() {
    const matrix = metrics.test.confusion;
    const box = section("confusion");
    document.getElementById("choose").hidden = !data.test;
    const heat = box.querySelector("table");
    const counts = matrix.flatMap((row) => row);
    const digits = String(counts.reduce((most, count) => Math.max(most, count), 0)).length;
    heat.style.setProperty("--classes", matrix.length);
    heat.style.setProperty("--digits", digits);
    const longest = matrix.reduce((most, _, c) => Math.max(most, short(named(c)).length), 0);
    heat.style.setProperty("--label-digits", longest);
    if (matrix.length > FEW) {
      document.querySelector("main").classList.add("many");
      document.querySelectorAll("[role=region]").forEach((scrolls) => (scrolls.tabIndex = 0)); // moves by the arrow keys
    }
    const images = new Map(
      (data.test?.cells ?? []).map((cell) => [`${cell.truth},${cell.answer}`, cell.images]),
    );
    const head = element("tr");
    const header = (number, scope) => {
      const name = named(number);
      const made = element("th", short(name));
      if (made.textContent !== String(name)) {
        made.title = name;
      }
      made.scope = scope;
      return made;
    };
    head.append(element("td"));
    matrix.forEach((_, answer) => head.append(header(answer, "col")));
    heat.append(head);
    const sizes = matrix.map((row) => Math.max(1, row.reduce((sum, count) => sum + count)));
    const share = (truth, answer) => matrix[truth][answer] / sizes[truth];
    // Errors are few, and so their shade is relative to the largest share of errors.
    const wrong = matrix.flatMap((row, truth) =>
      row.map((_, answer) => (truth === answer ? 0 : share(truth, answer))),
    );
    const mostWrong = wrong.reduce((most, of) => Math.max(most, of), 0);
    let worst = null;
    matrix.forEach((row, truth) => {
      const shown = element("tr");
      shown.append(header(truth, "row"));
      row.forEach((count, answer) => {
        const cell = element("td");
        if (count > 0) {
          const button = element("button", count);
          const right = truth === answer;
          // The darkest shade on which the text can be read, in light and dark colours.
          const depth = Math.round((55 * share(truth, answer)) / (right ? 1 : mostWrong));
          const color = right ? "--accent" : "--error";
          button.style.background = `color-mix(in srgb, var(${color}) ${depth}%, var(--surface))`;
          button.setAttribute("aria-label", `true ${named(truth)}, answered ${named(answer)}: ${count}`);
          button.setAttribute("aria-pressed", "false");
          button.disabled = !data.test;
          button.addEventListener("click", () => {
            show(heat, button, truth, answer, images.get(`${truth},${answer}`) ?? []);
          });
          if (!right && (worst === null || count > worst.count)) {
            worst = { button, count };
          }
          cell.append(button);
        }
        shown.append(cell);
      });
      heat.append(shown);
    });
    (worst?.button ?? heat.querySelector("button"))?.click();
  }

  /** Shows the images behind a cell of the matrix. */
  function show(heat, button, truth, answer, slots) {
    heat.querySelector("[aria-pressed=true]")?.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", "true");
    const count = metrics.test.confusion[truth][answer];
    const order = truth === answer ? "the least certain" : "the most certain";
    const some = slots.length < count ? ` (here ${slots.length}, ${order})` : "";
    const cell = section("cell");
    cell.querySelector("h2").textContent =
      `True ${named(truth)}, answered ${named(answer)}: ${whole.format(count)}${some}`;
    cell.querySelector("p").hidden = slots.length > 0;
    cell.querySelector(".gallery").replaceChildren(...slots.map(answered));
  }

  function classes() {
    table(
      section("classes"),
      ["<class", "precision", "recall", "F1", "examples"],
      metrics.test.classes.map((of) => [
        of.label ?? of.class,
        of.precision.toFixed(4),
        of.recall.toFixed(4),
        of.f1.toFixed(4),
        whole.format(of.examples),
      ]),
    );
  }

  /** The rows of a table of data, and what each of its columns holds. */
  function rowsAndRanges({ count, size, columns, rows, labels }) {
    const some = columns.length < count ? `, the first ${columns.length} of ${whole.format(count)} columns` : "";
    const first = section("table");
    first.querySelector("p").textContent = `The first ${rows.length} of ${whole.format(size)} rows${some}.`;
    table(
      first,
      ["<class", ...columns.map(({ name, words }) => ({ name, text: Boolean(words) }))],
      rows.map((row, i) => [named(labels[i]), ...row.map(sixDigits)]),
    );
    const ranges = section("ranges");
    ranges.querySelector("p").textContent = `Ranges over all ${whole.format(size)} rows${some}.`;
    table(
      ranges,
      ["<column", "<values", "mean"],
      columns.map(({ name, least, most, mean, words, count: all }) =>
        words
          ? [name, `${words.join(", ")}${words.length < all ? `, … (${whole.format(all)} words)` : ""}`, ""]
          : [name, `${sixDigits(least)} to ${sixDigits(most)}`, sixDigits(mean)],
      ),
    );
  }

  function gallery(id, figures) {
    if (figures.length > 0) {
      section(id).querySelector(".gallery").replaceChildren(...figures);
    }
  }

  /** Rows of images: each image, and then its distortions. */
  function distorted(set) {
    const across = set.epochs + 1;
    section("distorted").querySelector("p").textContent =
      `The first of each row is an image as it is, the others are its distortions in the first ${set.epochs} epochs.`;
    section("distorted").querySelector(".gallery").style.gridTemplateColumns = `repeat(${across}, minmax(0, 4rem))`;
    gallery(
      "distorted",
      set.labels.flatMap((label, row) =>
        Array.from({ length: across }, (_, i) => {
          const what = i === 0 ? "Training image" : `Distorted in epoch ${i}`;
          return figure(stored(set, row * across + i, `${what}, class ${named(label)}`), []);
        }),
      ),
    );
  }

  function weights({ units, rows, cols, full, bytes: base64, inputs }) {
    const values = new Int8Array(bytes(base64).buffer);
    const shown = values.length / inputs;
    const amount = shown < units ? `The first ${shown} of ${whole.format(units)} units` : `All ${units} units`;
    section("weights").querySelector("p").textContent =
      `${amount}, a weight for each pixel: orange where light speaks for the unit, blue where against; ` +
      `full colour is ±${rounded(full)} and beyond.`;
    gallery(
      "weights",
      Array.from({ length: shown }, (_, unit) =>
        figure(
          picture(rows, cols, `Weights of unit ${unit}`, (i) => {
            const value = values[unit * inputs + i];
            const strength = Math.min(255, 2 * Math.abs(value));
            return value > 0 ? [235, 110, 20, strength] : [30, 110, 235, strength];
          }),
          [],
        ),
      ),
    );
  }

  function layers() {
    table(
      section("layers"),
      ["<layer", "inputs", "outputs", "<activation", "parameters"],
      data.layers.map((layer) => [
        layer.name,
        whole.format(layer.inputs),
        whole.format(layer.outputs),
        layer.activation,
        whole.format(layer.parameters),
      ]),
    );
  }

  function settings(all) {
    const list = section("settings").querySelector("dl");
    Object.entries(all).forEach(([name, value]) => {
      const shown = Array.isArray(value) ? value.join(", ") : String(value ?? "none");
      const described = element("dd", name === "command" ? undefined : shown || "none");
      if (name === "command") {
        described.append(element("code", shown));
      }
      list.append(element("dt", name.replaceAll("_", " ")), described);
    });
  }

  document.getElementById("status").textContent = data.status;
  (metrics.warnings ?? []).forEach((warning) => section("warnings").append(element("li", warning)));
  tiles();
  if (epochs.length > 0 || steps.length > 0) {
    lossChart();
  }
  if (epochs.length > 0) {
    accuracyChart();
    timeChart();
  }
  if (metrics.settings) {
    learningRate();
  }
  if (data.range) {
    rangeChart(data.range);
  }
  if (metrics.test) {
    confusion();
    classes();
    confidenceChart(metrics.test.calibration);
    calibrationChart(metrics.test.calibration);
  }
  if (metrics.importance) {
    importanceChart(metrics.importance);
  }
  if (data.table) {
    rowsAndRanges(data.table);
  }
  if (data.test) {
    gallery("mistakes", data.test.mistakes.map(answered));
    gallery("examples", data.test.first.map(answered));
  }
  if (data.training) {
    const set = data.training;
    gallery(
      "training",
      set.labels.map((label, slot) =>
        figure(stored(set, slot, `Training image, class ${named(label)}`), [[named(label), ""]]),
      ),
    );
  }
  if (data.distorted) {
    distorted(data.distorted);
  }
  if (data.weights) {
    weights(data.weights);
  }
  if (data.layers) {
    layers();
  }
  if (metrics.settings) {
    settings(metrics.settings);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    charts.forEach((draw) => draw());
  });
})();
