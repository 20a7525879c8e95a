// What scripts add to pages that work without: zoom with a calibrated scale bar, the vendor's tree searched while typing,
// facets folded away on narrow screens. Nothing here is needed, and nothing leaves this site.
"use strict";

const PREFIXES = [[1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];

/** The largest of 1, 2, 5 × 10^n that is not longer. */
function nice(longest) {
  const power = 10 ** Math.floor(Math.log10(longest));
  return [5, 2, 1].map((step) => step * power).find((each) => each <= longest * (1 + 1e-9)) ?? power;
}

/** A length in words: of metres, or of 1/m as 1/nm. */
function words(length, reciprocal) {
  const number = (value) => String(Number(value.toPrecision(3)));
  if (reciprocal) return `${number(length * 1e-9)} 1/nm`;
  const [size, prefix] = PREFIXES.find(([least]) => length >= least * 0.999) ?? PREFIXES.at(-1);
  return `${number(length / size)} ${prefix}m`;
}

function viewer(figure) {
  const frame = figure.querySelector(".frame"), image = frame.querySelector("img");
  const width = Number(figure.dataset.width), reciprocal = "reciprocal" in figure.dataset;
  let zoom = 1, x = 0, y = 0, held = null;

  const button = (text, name, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", name);
    made.addEventListener("click", act);
    return made;
  };
  const tools = document.createElement("div");
  tools.className = "tools";
  const told = document.createElement("output");
  const scale = document.createElement("div"), bar = document.createElement("i"), length = document.createElement("span");
  scale.className = "scale";
  scale.append(bar, length);
  tools.append(
    button("+", "Zoom in", () => about(1.5)), button("−", "Zoom out", () => about(1 / 1.5)),
    button("Whole", "Whole picture", () => { zoom = 1; draw(); }), told,
  );
  if (width) tools.append(scale);
  frame.after(tools);
  frame.replaceChildren(image);
  frame.classList.add("live");
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", "Picture: plus and minus zoom, arrows move, 0 shows the whole");

  function about(factor, atX = frame.clientWidth / 2, atY = frame.clientHeight / 2) {
    const next = Math.min(20, Math.max(1, zoom * factor));
    x = atX - (atX - x) * next / zoom;
    y = atY - (atY - y) * next / zoom;
    zoom = next;
    draw();
  }
  // Where pixels of the preview would grow, the original is drawn instead, if it shows the same and a browser can.
  let wanted = figure.dataset.original;
  function sharpen() {
    if (!wanted || frame.clientWidth * zoom * devicePixelRatio <= image.naturalWidth) return;
    const whole = new Image();
    whole.addEventListener("load", () => {
      const ratio = whole.naturalWidth * image.naturalHeight / (whole.naturalHeight * image.naturalWidth);
      if (Math.abs(ratio - 1) > 0.01 || whole.naturalWidth <= image.naturalWidth) return;
      image.src = whole.src;
      figure.dataset.drawn = "original";
    });
    whole.src = wanted;
    wanted = "";
  }
  function draw() {
    if (zoom > 1) sharpen();
    x = Math.min(0, Math.max(frame.clientWidth * (1 - zoom), x));
    y = Math.min(0, Math.max(frame.clientHeight * (1 - zoom), y));
    image.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
    image.style.imageRendering = zoom > 3 ? "pixelated" : "";
    told.textContent = `${Math.round(zoom * 100)} %`;
    if (!width || !frame.clientWidth) return;
    const perPixel = width / (frame.clientWidth * zoom), long = nice(perPixel * frame.clientWidth * 0.3);
    bar.style.width = `${long / perPixel}px`;
    length.textContent = words(long, reciprocal);
    figure.dataset.bar = String(long);
  }
  const keys = {
    "+": () => about(1.5), "=": () => about(1.5), "-": () => about(1 / 1.5), 0: () => { zoom = 1; draw(); },
    ArrowLeft: () => { x += 60; draw(); }, ArrowRight: () => { x -= 60; draw(); },
    ArrowUp: () => { y += 60; draw(); }, ArrowDown: () => { y -= 60; draw(); },
  };
  frame.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || (zoom === 1 && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    act();
  });
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== frame) return;
    event.preventDefault();
    const box = frame.getBoundingClientRect();
    about(event.deltaY < 0 ? 1.2 : 1 / 1.2, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  frame.addEventListener("dblclick", (event) => {
    const box = frame.getBoundingClientRect();
    about(2, event.clientX - box.left, event.clientY - box.top);
  });
  frame.addEventListener("pointerdown", (event) => {
    held = [event.clientX - x, event.clientY - y];
    frame.setPointerCapture(event.pointerId);
    frame.classList.add("held");
  });
  frame.addEventListener("pointermove", (event) => {
    if (held) [x, y] = [event.clientX - held[0], event.clientY - held[1]], draw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    frame.addEventListener(name, () => { held = null; frame.classList.remove("held"); });
  }
  image.draggable = false;
  draw();
  new ResizeObserver(draw).observe(frame);
}

function tree(form) {
  const field = form.querySelector("input"), place = document.getElementById("tree");
  let running = null, timer = 0;
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.tree}?tag=${encodeURIComponent(field.value)}`, { signal: running.signal });
      if (!answer.ok) return;
      const text = await answer.text();
      const found = new DOMParser().parseFromString(text, "text/html");
      place.replaceChildren(...document.importNode(found.body, true).childNodes);
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 150); });
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
}

document.querySelectorAll("[data-viewer]").forEach((each) => {
  const image = each.querySelector("img");
  if (image.complete) viewer(each);
  else image.addEventListener("load", () => viewer(each), { once: true });
});
document.querySelectorAll("[data-tree]").forEach(tree);
if (matchMedia("(max-width: 52rem)").matches) document.querySelectorAll(".facets").forEach((each) => { each.open = false; });
