"use strict";

// The drawing: strokes of points, in units of the paper's side. It is drawn twice, sharp for the
// screen and small for the network: white on black, as training images nearly always are, for a
// network that takes pictures as they are.
const PEN = 0.075;
const SENT = 196;
const PATIENCE = 10000; // ms

// The server refuses longer bodies and pictures of more pixels: a file beyond these limits is made
// smaller before it is sent.
const MOST_BYTES = 1 << 20;
const MOST_PIXELS = 4000000;
const REDUCED = 1600; // pixels of the longer side

const FEW = 12; // classes whose probabilities have room without scrolling

const byId = (id) => document.getElementById(id);
const drawing = byId("drawing");
const strokes = [];
let pen = null; // the pointer that draws
let photo = null; // a picture in place of the strokes: its name, what is sent, what is shown

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
    // The curve goes through the middles of the pieces, so that the corners of quick strokes are round.
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
  drawing.width = side; // setting the size clears the canvas
  drawing.height = side;
  if (photo === null) {
    paint(drawing, side, getComputedStyle(drawing).color);
  } else if (photo.bitmap !== null) {
    fit(drawing, photo.bitmap);
  }
  const empty = strokes.length === 0 && photo === null;
  byId("hint").hidden = !empty && photo?.bitmap !== null;
  byId("hint").textContent = empty
    ? "Draw with mouse, pen or finger, or drop a picture here"
    : `${photo?.name}: this browser cannot show it`;
  drawing.setAttribute(
    "aria-label",
    photo === null ? "Drawing area, for mouse, pen or finger" : `The picture ${photo.name}`,
  );
  for (const id of ["clear", "undo"]) { // not disabled: that would take the keyboard's focus away
    byId(id).setAttribute("aria-disabled", empty);
  }
}

function picture() {
  const canvas = document.createElement("canvas");
  canvas.width = SENT;
  canvas.height = SENT;
  const context = canvas.getContext("2d");
  context.fillStyle = "black";
  context.fillRect(0, 0, SENT, SENT);
  paint(canvas, SENT, "white");
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

// One request is sent at a time, and after its answer the newest state of the drawing.
let asking = false;
let changed = false;
let drawings = 0; // drawings that were cleared or undone, whose answers come too late

async function ask() {
  changed = true;
  if (asking) {
    return;
  }
  asking = true;
  while (changed) {
    changed = false;
    if (strokes.length === 0 && photo === null) {
      showNothing();
      continue;
    }
    const asked = drawings;
    let answer = null;
    let error = null;
    try {
      answer = await json("predict", { method: "POST", body: photo?.body ?? (await picture()) });
      if (answer.probabilities.length !== byId("bars").children.length) {
        await showModel(); // the network was unknown before, or is another one now
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

/** Words for a refusal by its status. */
const PROBLEMS = {
  400: "The server cannot read this picture",
  413: "The picture is too large for the server",
  422: "The server finds no character in this picture",
  503: "The server is busy; try again in a moment",
};

async function json(path, options) {
  let response;
  let answer;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
    answer = await response.json();
  } catch (error) {
    throw new Error("The server does not answer. Once it runs again, draw on or choose the picture again.");
  }
  if (!response.ok) {
    throw new Error(`${PROBLEMS[response.status] ?? "The server refuses"} (${answer.error}).`);
  }
  return answer;
}

function showError(error) {
  byId("error").hidden = error === null;
  byId("error").textContent = error === null ? "" : error.message;
}

const percent = (probability) => (100 * probability).toFixed(1) + "%";

function showAnswer(answer) {
  byId("class").textContent = named(answer.class);
  byId("class").classList.remove("none");
  byId("probability").textContent = percent(answer.probability);
  showBars(answer.probabilities, answer.class);
  showSeen(answer.rows, answer.cols, atob(answer.pixels));
  showWarning(answer.warning ?? "");
  if (pen === null && !changed) { // not after every movement of the hand
    const warning = answer.warning ? `. ${answer.warning}` : "";
    byId("spoken").textContent = `${named(answer.class)}, ${percent(answer.probability)}${warning}`;
  }
}

function showWarning(warning) {
  byId("warning").hidden = warning === "";
  byId("warning").textContent = warning;
}

function showNothing() {
  showWarning("");
  byId("class").textContent = "–";
  byId("class").classList.add("none");
  byId("probability").textContent = "\u00a0";
  byId("spoken").textContent = "";
  showBars([], -1);
  byId("seen").getContext("2d").clearRect(0, 0, byId("seen").width, byId("seen").height);
}

let labels = []; // the names of the classes; empty where they have none but their numbers
const named = (number) => labels[number] ?? number;

let bars = []; // in order of the classes; with many classes the page shows the likeliest first

function makeBars(classes) {
  bars = [];
  for (let c = 0; c < classes; c++) {
    const bar = document.createElement("li");
    for (const part of ["label", "track", "percent"]) {
      const element = document.createElement(part === "track" ? "div" : "span");
      element.className = part;
      bar.append(element);
    }
    bar.children[0].textContent = named(c);
    if (labels.length > 0) {
      bar.children[0].title = named(c); // a long name is cut off
    }
    bar.children[1].append(document.createElement("div"));
    bar.children[1].firstChild.className = "fill";
    bars.push(bar);
  }
  byId("bars").replaceChildren(...bars);
  byId("bars").style.setProperty("--half", Math.ceil(classes / 2));
  byId("bars").classList.toggle("many", classes > FEW);
  byId("bars").tabIndex = classes > FEW ? 0 : -1; // the arrow keys can scroll it
}

function showBars(probabilities, best) {
  bars.forEach((bar, c) => {
    const probability = probabilities[c];
    bar.classList.toggle("best", c === best);
    bar.children[1].firstChild.style.transform = `scaleX(${probability ?? 0})`;
    bar.children[2].textContent = probability === undefined ? "" : percent(probability);
  });
  if (bars.length > FEW) {
    const order = bars.map((_, c) => c).sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
    byId("bars").replaceChildren(...order.map((c) => bars[c]));
    byId("bars").scrollTop = 0;
  }
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

// A picture from a file.

/** Draws a picture into the middle of a canvas, as large as it fits. */
function fit(canvas, bitmap) {
  const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const width = bitmap.width * scale;
  const height = bitmap.height * scale;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = scale < 1; // a small one keeps its pixels
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

/** Reduces a picture to the size that may be sent: PNG if it may be transparent, otherwise JPEG. */
async function reduced(bitmap, type) {
  const format = type === "image/jpeg" ? type : "image/png";
  let scale = Math.min(1, REDUCED / Math.max(bitmap.width, bitmap.height));
  for (;;) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    fit(canvas, bitmap);
    const blob = await new Promise((done) => canvas.toBlob(done, format, 0.9));
    if (blob.size <= MOST_BYTES) {
      return blob;
    }
    scale *= 0.7;
  }
}

/** What is sent for a file, and what is shown of it; null if the browser cannot decode the file. */
async function read(file) {
  let bytes;
  try {
    bytes = await file.arrayBuffer();
  } catch (error) {
    throw new Error(`${file.name} cannot be read; is it a folder?`);
  }
  const whole = new Blob([bytes]); // the file may change or be deleted later
  const bitmap = await createImageBitmap(whole).catch(() => null); // turned as its EXIF says
  if (bitmap === null) { // a PGM, say, which the server decodes
    if (whole.size > MOST_BYTES) {
      throw new Error(
        `${file.name} has ${(whole.size / MOST_BYTES).toFixed(1)} MiB. The server takes at most 1 MiB,` +
          " and this browser cannot decode the file to make the picture smaller.",
      );
    }
    return { name: file.name, body: whole, bitmap };
  }
  const fits = whole.size <= MOST_BYTES && bitmap.width * bitmap.height <= MOST_PIXELS;
  return { name: file.name, body: fits ? whole : await reduced(bitmap, file.type), bitmap };
}

/** Replaces the strokes by a file; undo brings the strokes back. */
async function choose(file) {
  const choice = ++drawings;
  pen = null;
  let chosen = null;
  let error = null;
  try {
    chosen = await read(file);
  } catch (caught) {
    error = caught;
  }
  if (choice !== drawings) { // something else was chosen or drawn meanwhile
    return;
  }
  photo = chosen;
  show();
  showNothing();
  showError(error);
  if (error === null) {
    ask();
  }
}

byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) {
    choose(file);
  }
  event.target.value = ""; // allows to choose the same file again
});

/** Whether something that is dragged over the page could be dropped on it. */
const dragged = (over) => document.body.classList.toggle("dragged", over);
document.addEventListener("dragover", (event) => {
  event.preventDefault(); // otherwise the browser would open the file in place of this page
  dragged(true);
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) { // the pointer has left the window
    dragged(false);
  }
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  dragged(false);
  const [file] = event.dataTransfer.files;
  if (file) {
    choose(file);
  } else {
    showError(new Error("Only files can be dropped here: save the picture first."));
  }
});

// Drawing by mouse, pen or finger.
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
  if (photo !== null) { // drawing on a picture begins a new drawing
    drawings++;
    photo = null;
    strokes.length = 0;
  }
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
  photo = null;
  strokes.length = 0;
  pen = null;
  show();
  showNothing();
  showError(null);
}

function undo() {
  drawings++;
  if (photo === null) {
    strokes.pop();
  }
  photo = null;
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
  if (model.classes !== 10) {
    document.querySelector("h1").textContent = "Draw a character";
    document.title = "Draw a character – mlp-cuda";
  }
  labels = model.labels ?? [];
  byId("class").classList.toggle("named", labels.length > 0);
  byId("bars").classList.toggle("named", labels.length > 0);
  makeBars(model.classes);
}

showModel().catch(showError);
