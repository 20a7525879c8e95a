// The review desk with keys, as in the terminal, and the next picture without a new page. Nothing here is needed: every
// answer is a button of a form, which is what a key presses.
"use strict";

const desk = document.getElementById("desk"), told = document.getElementById("told");
const trouble = document.getElementById("trouble"), keys = document.getElementById("keys");
const KEPT = "nffa-desk-keys";
let busy = false, awaits = false, listens = localStorage.getItem(KEPT) !== "off";

function complain(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
}

/** Wait for a second category's key, or no more. */
function wait(really) {
  awaits = really;
  desk.classList.toggle("awaits", really);
  if (really) told.textContent = "Second category: press its key";
}

/** Look at what came: the heading has the focus, so that keys are the desk's, and the picture after it is fetched. */
function look(isNew) {
  const asked = document.getElementById("asked"), last = desk.querySelector(".last"), next = desk.querySelector("[data-next]");
  wait(false);
  if (isNew) {
    asked?.focus({ preventScroll: true });
    told.textContent = [last?.dataset.said, asked?.textContent].filter(Boolean).join(". Next: ");
  }
  if (next) new Image().src = next.dataset.next;
}

async function go(address, options = {}) {
  if (busy) return;
  busy = true;
  desk.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { ...options, headers: { Accept: "text/html", "X-Nffa-Part": "desk" } });
    const path = new URL(answer.url).pathname;
    if (answer.redirected && path !== "/review") return void location.assign(answer.url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) {
      const words = [...page.querySelectorAll("main h1, main p")].map((each) => each.textContent);
      return complain(words.join(": ") || `The node answers ${answer.status}; nothing was kept.`);
    }
    complain("");
    desk.replaceChildren(...document.importNode(page.body, true).childNodes);
    history.replaceState(null, "", answer.url);
    look(true);
  } catch {
    complain("The node does not answer; this was not kept. Try again.");
  } finally {
    busy = false;
    desk.removeAttribute("aria-busy");
  }
}

desk.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target, said = new FormData(form, event.submitter);
  if (form.id === "naming") {
    for (const [name, value] of new FormData(document.getElementById("answers"))) {
      if (name === "second" || name === "alone") said.set(name, value);
    }
  }
  go(form.action, { method: "POST", body: new URLSearchParams(said) });
});

desk.addEventListener("click", (event) => {
  const later = event.target.closest("a[data-key]");
  if (!later || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(later.href);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || !listens) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") document.getElementById("asked")?.focus();
    return;
  }
  const key = event.key === "Enter" ? "a" : event.key;
  if (event.key === "Enter" && event.target.closest("a, button, summary, input")) return;
  const pressed = /^[a-z0-9]$/.test(key) ? desk.querySelector(`[data-key="${key}"]`) : null;
  const acts = {
    c: () => document.getElementById("new")?.focus(),
    "+": () => wait(true),
    "?": () => { keys.open = !keys.open; },
    Escape: () => wait(false),
  };
  if (!pressed && !acts[key]) return;
  event.preventDefault();
  if (acts[key]) return acts[key]();
  if (awaits && pressed.name === "label") {
    document.getElementById("second").value = pressed.value;
    wait(false);
    told.textContent = `Second category: ${pressed.value}`;
    return;
  }
  pressed.click();
});

const toggle = document.createElement("button");
toggle.type = "button";
toggle.addEventListener("click", () => {
  listens = !listens;
  localStorage.setItem(KEPT, listens ? "on" : "off");
  show();
});
function show() {
  toggle.textContent = listens ? "Switch keys off" : "Switch keys on";
}
show();
keys.append(toggle);
look(false);
