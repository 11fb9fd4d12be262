"use strict";

// The form of a network of rows: a field for each column, and the answer to what is filled in.

const byId = (id) => document.getElementById(id);

const percent = (probability) => `${(100 * probability).toFixed(1)} %`;

function showError(message) {
  byId("error").textContent = message ?? "";
  byId("error").hidden = message === null;
}

async function asked(path, options) {
  const response = await fetch(path, options);
  const json = await response.json();
  if (!response.ok) {
    throw new Error(json.error);
  }
  return json;
}

/** A list of the column's words, or a field for a number. */
function input(column) {
  if (column.words) {
    const list = document.createElement("select");
    list.append(...column.words.map((word) => new Option(word === "" ? "(empty)" : word, word)));
    return list;
  }
  const field = document.createElement("input");
  field.type = "number";
  field.step = "any";
  field.required = !column.optional;
  field.placeholder = column.optional ? "missing" : "";
  return field;
}

function makeFields(columns) {
  const fields = columns.map((column) => {
    const label = document.createElement("label");
    label.append(document.createElement("span"), input(column));
    label.firstChild.textContent = column.name;
    return label;
  });
  byId("fields").replaceChildren(...fields);
}

/** The value of each column; a field that is left empty is a missing value. */
function features() {
  return [...byId("fields").children].map((label) => {
    const field = label.lastChild;
    if (field.tagName === "SELECT") {
      return field.value;
    }
    return field.value === "" ? null : field.valueAsNumber;
  });
}

function showAnswer(answer, labels) {
  const name = (c) => labels[c] ?? String(c);
  byId("class").textContent = name(answer.class);
  byId("class").className = labels.length > 0 ? "class named" : "class";
  byId("probability").textContent = percent(answer.probability);
  const bars = answer.probabilities.map((probability, c) => {
    const bar = document.createElement("li");
    bar.classList.toggle("best", c === answer.class);
    for (const [tag, className, text] of [
      ["span", "label", name(c)],
      ["div", "track", ""],
      ["span", "percent", percent(probability)],
    ]) {
      const part = document.createElement(tag);
      part.className = className;
      part.textContent = text;
      part.title = className === "label" ? text : "";
      bar.append(part);
    }
    const fill = document.createElement("div");
    fill.className = "fill";
    fill.style.transform = `scaleX(${probability})`;
    bar.children[1].append(fill);
    return bar;
  });
  byId("bars").replaceChildren(...bars);
  byId("bars").classList.toggle("named", labels.length > 0);
  byId("bars").classList.toggle("many", bars.length > 12);
}

async function start() {
  const model = await asked("model");
  byId("model").textContent = `${model.model}: ${model.layers}, ${model.columns.length} columns`;
  makeFields(model.columns);
  byId("row").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const body = JSON.stringify({ features: features() });
      showAnswer(await asked("predict", { method: "POST", body }), model.labels ?? []);
      showError(null);
    } catch (error) {
      showError(error.message);
    }
  });
}

start().catch((error) => showError(error.message));
