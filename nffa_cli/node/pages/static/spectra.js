// Spectrum images under the pointer: the map shows where, the spectrum there follows, a range of channels makes another map.
// The page is whole without it: a form asks the server for the same. The file that it reads is described in docs/node-pages.md.
"use strict";

/** Bytes of a gzip file. */
async function unpacked(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** The cube of one signal: {axes, values}, values by row, column, channel. */
function cubeOf(buffer, wanted) {
  const bytes = new Uint8Array(buffer), end = bytes.indexOf(10);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  let at = end + 1;
  for (const [number, signal] of head.signals.entries()) {
    at += signal.axis.size * 8;
    if (!signal.cube) continue;
    const whole = signal.cube.type === "uint16", count = signal.cube.axes.reduce((total, axis) => total * axis.size, 1);
    const size = count * (whole ? 2 : 4), part = buffer.slice(at, at + size);
    if (number === wanted) return { axes: signal.cube.axes, values: whole ? new Uint16Array(part) : new Float32Array(part) };
    at += size;
  }
  throw new Error("no such cube");
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function niceTicks(low, high, about) {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw * (1 - 1e-9));
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) found.push(n * step);
  return found;
}

/** The scale of intensities, as the server's drawing has it. */
function upright(values, log) {
  let low = Infinity, high = -Infinity, least = Infinity;
  for (const each of values) {
    low = Math.min(low, each);
    high = Math.max(high, each);
    if (each > 0) least = Math.min(least, each);
  }
  if (!log) {
    low = Math.min(0, low);
    if (high <= low) high = low + 1;
    high += 0.04 * (high - low);
    return { ticks: niceTicks(low, high, 4), place: (value) => (clamp(value, low, high) - low) / (high - low) };
  }
  if (high <= 0) [high, least] = [1, 0.125];
  high *= 1.3;
  low = Math.max(least * 0.8, high / 1e6);
  let ticks = [];
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  for (let power = first; power <= last; power += 1) ticks.push(10 ** power);
  if (ticks.length < 3) {
    ticks = [];
    for (let power = first - 1; power <= last; power += 1) ticks.push(10 ** power, 2 * 10 ** power, 5 * 10 ** power);
  }
  return {
    ticks: ticks.filter((tick) => tick >= low && tick <= high),
    place: (value) => Math.log(clamp(value, low, high) / low) / Math.log(high / low),
  };
}

function short(value) {
  const plain = (number) => String(Number(number.toPrecision(4)));
  for (const [factor, letter] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (Math.abs(value) >= factor && Math.abs(value) < factor * 1e4) return plain(value / (letter === "k" ? 1e3 : factor)) + letter;
  }
  return plain(value);
}

function made(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** Draw other values into a drawing of the server's. */
function redraw(svg, values) {
  const [left, top, wide, tall] = svg.dataset.box.split(" ").map(Number), up = upright(values, "log" in svg.dataset);
  const y = (value) => (top + (1 - up.place(value)) * tall).toFixed(1), step = wide / Math.max(1, values.length - 1);
  const shown = values.length > 1 ? Array.from(values) : [values[0], values[0]];
  const points = shown.map((value, n) => `${(left + n * (values.length > 1 ? step : wide)).toFixed(1)},${y(value)}`);
  svg.querySelector(".line").setAttribute("d", `M${points.join("L")}`);
  svg.querySelector(".up").replaceChildren(...up.ticks.flatMap((tick) => [
    made("path", { class: "grid", d: `M${left},${y(tick)}h${wide}` }),
    made("text", { x: left - 6, y: Number(y(tick)) + 4, "text-anchor": "end" }, short(tick)),
  ]));
}

function browse(section, cube) {
  const [rows, columns, channels] = cube.axes.map((axis) => axis.size), axis = cube.axes[2];
  const shownAs = (name) => { const [factor, ...unit] = section.dataset[name].split(" "); return [Number(factor), unit.join(" ")]; };
  const form = section.querySelector("form"), field = (name) => form.elements.namedItem(name);
  const image = section.querySelector("input[type=image]"), whole = section.querySelector(".whole svg"), there = section.querySelector(".at svg");
  const told = section.querySelector("output"), [factor] = shownAs("c");
  const middle = { row: Number(field("row").value) - 1, column: Number(field("column").value) - 1 };
  let range = [0, channels - 1], later = 0;

  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "group");
  canvas.setAttribute("aria-label", "Map: the arrow keys move to the spectrum beside");
  image.replaceWith(canvas);
  const small = document.createElement("canvas");
  [small.width, small.height] = [columns, rows];

  const channel = (text, other) => {
    const number = Math.round((Number(text) / factor - axis.offset) / axis.scale);
    return text !== "" && Number.isFinite(number) ? clamp(number, 0, channels - 1) : other;
  };
  const written = (number) => String(Number(((axis.offset + axis.scale * number) * factor).toPrecision(6)));

  function map() {
    const sums = new Float64Array(rows * columns);
    for (let n = 0; n < sums.length; n += 1) {
      let total = 0;
      for (let c = n * channels + range[0]; c <= n * channels + range[1]; c += 1) total += cube.values[c];
      sums[n] = total;
    }
    const low = sums.reduce((a, b) => Math.min(a, b)), high = sums.reduce((a, b) => Math.max(a, b));
    const pixels = new ImageData(columns, rows);
    sums.forEach((sum, n) => {
      const grey = high > low ? Math.round((sum - low) * 255 / (high - low)) : 128;
      pixels.data.set([grey, grey, grey, 255], n * 4);
    });
    small.getContext("2d").putImageData(pixels, 0, 0);
    mark();
    let chosen = whole.querySelector(".range");
    if (range[0] === 0 && range[1] === channels - 1) return chosen?.remove();
    const [left, top, wide, tall] = whole.dataset.box.split(" ").map(Number);
    if (!chosen) whole.querySelector(".line").before(chosen = made("rect", { class: "range", y: top, height: tall }));
    const share = (n) => clamp(axis.scale > 0 ? n / channels : 1 - n / channels, 0, 1) * wide;
    const ends = [share(range[0]), share(range[1] + 1)].sort((a, b) => a - b);
    chosen.setAttribute("x", left + ends[0]);
    return chosen.setAttribute("width", Math.max(1, ends[1] - ends[0]));
  }
  function mark() {
    const brush = canvas.getContext("2d"), wide = canvas.width / columns, tall = canvas.height / rows;
    brush.imageSmoothingEnabled = false;
    brush.drawImage(small, 0, 0, canvas.width, canvas.height);
    for (const [ring, shade] of [[1.5, "#000"], [0.5, "#fff"]]) {
      brush.strokeStyle = shade;
      brush.strokeRect(middle.column * wide - ring, middle.row * tall - ring, wide + 2 * ring, tall + 2 * ring);
    }
  }
  function position() {
    const start = (middle.row * columns + middle.column) * channels, drawn = Number(section.dataset.drawn);
    const values = cube.values.subarray(start, start + drawn);
    redraw(there, axis.scale < 0 ? Array.from(values).reverse() : values);
    const places = ["x", "y"].flatMap((name) => {
      const along = cube.axes[name === "x" ? 1 : 0], [by, unit] = shownAs(name);
      const value = (along.offset + along.scale * (name === "x" ? middle.column : middle.row)) * by;
      return along.unit === null ? [] : [`${along.name} ${Number(value.toPrecision(4))} ${unit}`];
    });
    const where = `column ${middle.column + 1}, row ${middle.row + 1}`;
    told.textContent = places.length ? `${where} (${places.join(", ")})` : where;
    there.querySelector("title").textContent = `Spectrum at ${told.textContent}`;
    there.querySelector("desc").textContent = `The highest of ${drawn} values is ${short(values.reduce((a, b) => Math.max(a, b)))}.`;
    [field("row").value, field("column").value] = [middle.row + 1, middle.column + 1];
    mark();
    clearTimeout(later);
    later = setTimeout(address, 300);
  }
  /** Let addresses say what is shown: the page's own, and those of the links. */
  function address() {
    const said = new URLSearchParams(location.search), all = range[0] === 0 && range[1] === channels - 1;
    said.set("row", middle.row + 1);
    said.set("column", middle.column + 1);
    for (const [name, end] of [["from", 0], ["to", 1]]) all ? said.delete(name) : said.set(name, written(range[end]));
    for (const name of ["at.x", "at.y"]) said.delete(name);
    history.replaceState(null, "", `?${said}${location.hash}`);
    for (const link of section.querySelectorAll("[data-keep]")) {
      const target = new URL(link.href), own = target.searchParams;
      for (const name of ["row", "column", "from", "to"]) said.has(name) ? own.set(name, said.get(name)) : own.delete(name);
      link.href = target;
    }
  }
  function move(row, column) {
    const next = { row: clamp(row, 0, rows - 1), column: clamp(column, 0, columns - 1) };
    if (next.row === middle.row && next.column === middle.column) return;
    Object.assign(middle, next);
    position();
  }
  function choose(first, last) {
    range = [Math.min(first, last), Math.max(first, last)];
    map();
    clearTimeout(later);
    later = setTimeout(address, 300);
  }

  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    move(Math.floor((event.clientY - box.top) / box.height * rows), Math.floor((event.clientX - box.left) / box.width * columns));
  };
  canvas.addEventListener("pointermove", under);
  canvas.addEventListener("pointerdown", under);
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  canvas.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(middle.row + step[0], middle.column + step[1]);
  });
  form.addEventListener("input", () => {
    move(Number(field("row").value) - 1, Number(field("column").value) - 1);
    choose(channel(field("from").value, 0), channel(field("to").value, channels - 1));
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  let from = null;
  const along = (event) => {
    const box = whole.getBoundingClientRect(), [left, , wide] = whole.dataset.box.split(" ").map(Number);
    const share = ((event.clientX - box.left) / box.width * whole.viewBox.baseVal.width - left) / wide;
    return clamp(Math.floor((axis.scale > 0 ? share : 1 - share) * channels), 0, channels - 1);
  };
  const dragged = (event) => {
    const to = along(event);
    choose(from, to);
    [field("from").value, field("to").value] = range.map(written);
  };
  whole.classList.add("live");
  whole.addEventListener("pointerdown", (event) => { from = along(event); whole.setPointerCapture(event.pointerId); dragged(event); });
  whole.addEventListener("pointermove", (event) => { if (from !== null) dragged(event); });
  for (const name of ["pointerup", "pointercancel"]) whole.addEventListener(name, () => { from = null; });
  whole.addEventListener("dblclick", () => {
    choose(0, channels - 1);
    [field("from").value, field("to").value] = range.map(written);
  });
  range = [channel(field("from").value, 0), channel(field("to").value, channels - 1)].sort((a, b) => a - b);
  map();
  section.dataset.live = "";
}

document.querySelectorAll("[data-spectra]").forEach(async (section) => {
  try {
    browse(section, cubeOf(await unpacked(section.dataset.spectra), Number(section.dataset.signal)));
  } catch {
    section.dataset.still = "";  // the form goes on working
  }
});
