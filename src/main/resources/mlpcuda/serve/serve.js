"use strict";

// The drawing: strokes of points, in units of the paper's side. It is drawn twice, sharp for the
// screen and small, black on white, for the network.
const PEN = 0.075;
const SENT = 196;
const PATIENCE = 10000; // ms

const byId = (id) => document.getElementById(id);
const drawing = byId("drawing");
const strokes = [];
let pen = null; // the pointer that draws

function paint(canvas, side, ink) {
  const context = canvas.getContext("2d");
  context.lineWidth = PEN * side;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.strokeStyle = ink;
  context.fillStyle = ink;
  for (const points of strokes) {
    context.beginPath();
    if (points.every((point) => point.x === points[0].x && point.y === points[0].y)) {
      context.arc(points[0].x * side, points[0].y * side, (PEN * side) / 2, 0, 2 * Math.PI);
      context.fill(); // a line without length has no ink
      continue;
    }
    context.moveTo(points[0].x * side, points[0].y * side);
    // Through the middles of the pieces, so that corners of quick hands are round.
    for (let i = 1; i + 1 < points.length; i++) {
      const x = (points[i].x + points[i + 1].x) / 2;
      const y = (points[i].y + points[i + 1].y) / 2;
      context.quadraticCurveTo(points[i].x * side, points[i].y * side, x * side, y * side);
    }
    const last = points[points.length - 1];
    context.lineTo(last.x * side, last.y * side);
    context.stroke();
  }
}

function show() {
  const side = Math.round(drawing.clientWidth * window.devicePixelRatio);
  drawing.width = side; // which clears it
  drawing.height = side;
  paint(drawing, side, getComputedStyle(drawing).color);
  const empty = strokes.length === 0;
  byId("hint").hidden = !empty;
  for (const id of ["clear", "undo"]) { // not disabled: that would take the keyboard's focus away
    byId(id).setAttribute("aria-disabled", empty);
  }
}

function picture() {
  const canvas = document.createElement("canvas");
  canvas.width = SENT;
  canvas.height = SENT;
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, SENT, SENT);
  paint(canvas, SENT, "black");
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

// Asking: one request at a time, and after it the newest state of the drawing.
let asking = false;
let changed = false;
let drawings = 0; // that were cleared or undone: an answer to one of them comes too late

async function ask() {
  changed = true;
  if (asking) {
    return;
  }
  asking = true;
  while (changed) {
    changed = false;
    if (strokes.length === 0) {
      showNothing();
      continue;
    }
    const asked = drawings;
    let answer = null;
    let error = null;
    try {
      answer = await json("predict", { method: "POST", body: await picture() });
      if (answer.probabilities.length !== byId("bars").children.length) {
        await showModel(); // there was none to be had before, or it is another one
      }
    } catch (caught) {
      error = caught;
    }
    if (asked === drawings) {
      if (answer === null) {
        showNothing();
      } else {
        showAnswer(answer);
      }
      showError(error);
    }
  }
  asking = false;
}

async function json(path, options) {
  let response;
  let answer;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
    answer = await response.json();
  } catch (error) {
    throw new Error("The server does not answer. Once it runs again, draw on.");
  }
  if (!response.ok) {
    throw new Error(answer.error);
  }
  return answer;
}

function showError(error) {
  byId("error").hidden = error === null;
  byId("error").textContent = error === null ? "" : error.message;
}

const percent = (probability) => (100 * probability).toFixed(1) + "%";

function showAnswer(answer) {
  byId("class").textContent = answer.class;
  byId("class").classList.remove("none");
  byId("probability").textContent = percent(answer.probability);
  showBars(answer.probabilities, answer.class);
  showSeen(answer.rows, answer.cols, atob(answer.pixels));
  if (pen === null && !changed) { // not at every turn of the hand
    byId("spoken").textContent = `${answer.class}, ${percent(answer.probability)}`;
  }
}

function showNothing() {
  byId("class").textContent = "–";
  byId("class").classList.add("none");
  byId("probability").textContent = "\u00a0";
  byId("spoken").textContent = "";
  showBars([], -1);
  byId("seen").getContext("2d").clearRect(0, 0, byId("seen").width, byId("seen").height);
}

function makeBars(classes) {
  byId("bars").replaceChildren();
  for (let c = 0; c < classes; c++) {
    const bar = document.createElement("li");
    for (const part of ["label", "track", "percent"]) {
      const element = document.createElement(part === "track" ? "div" : "span");
      element.className = part;
      bar.append(element);
    }
    bar.children[0].textContent = c;
    bar.children[1].append(document.createElement("div"));
    bar.children[1].firstChild.className = "fill";
    byId("bars").append(bar);
  }
  byId("bars").classList.toggle("many", classes > 12);
  byId("bars").tabIndex = classes > 12 ? 0 : -1; // keys scroll it
}

function showBars(probabilities, best) {
  [...byId("bars").children].forEach((bar, c) => {
    const probability = probabilities[c];
    bar.classList.toggle("best", c === best);
    bar.children[1].firstChild.style.transform = `scaleX(${probability ?? 0})`;
    bar.children[2].textContent = probability === undefined ? "" : percent(probability);
  });
}

function showSeen(rows, cols, light) {
  const seen = byId("seen");
  const image = new ImageData(cols, rows);
  for (let i = 0; i < rows * cols; i++) {
    image.data.fill(light.charCodeAt(i), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  seen.width = cols;
  seen.height = rows;
  seen.getContext("2d").putImageData(image, 0, 0);
}

// The hand.
function extend(event) {
  const box = drawing.getBoundingClientRect();
  const moves = event.getCoalescedEvents?.() ?? [];
  for (const move of moves.length > 0 ? moves : [event]) {
    strokes[strokes.length - 1].push({
      x: (move.clientX - box.left) / box.width,
      y: (move.clientY - box.top) / box.height,
    });
  }
  show();
  ask();
}

drawing.addEventListener("pointerdown", (event) => {
  if (pen !== null || event.button !== 0) {
    return;
  }
  pen = event.pointerId;
  drawing.setPointerCapture(pen);
  strokes.push([]);
  extend(event);
});
drawing.addEventListener("pointermove", (event) => {
  if (event.pointerId === pen) {
    extend(event);
  }
});
for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
  drawing.addEventListener(end, (event) => {
    if (event.pointerId === pen) {
      pen = null;
      ask();
    }
  });
}

function clear() {
  drawings++;
  strokes.length = 0;
  pen = null;
  show();
  showNothing();
  showError(null);
}

function undo() {
  drawings++;
  strokes.pop();
  pen = null;
  show();
  ask();
}

byId("clear").addEventListener("click", clear);
byId("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" || event.key === "Delete") {
    clear();
  } else if (event.key.toLowerCase() === "z" && !event.shiftKey && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    undo();
  }
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
new ResizeObserver(show).observe(drawing);

async function showModel() {
  const model = await json("model");
  const size = `${model.rows}×${model.cols}`;
  byId("model").textContent = `${model.model} · ${model.layers} · ${size} · ${model.device}`;
  byId("seen").width = model.cols;
  byId("seen").height = model.rows;
  makeBars(model.classes);
}

showModel().catch(showError);
