// What every page runs: keys, the palette, copying, times in the reader's zone, live parts.
// Pages work without it; nothing here makes content.
import "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";
import "./passkey.js";

const $ = (selector, root = document) => root.querySelector(selector);
const words = document.body.dataset;
const say = (text) => {
  const heard = $("#heard");
  if (heard && text) heard.textContent = text;
};

// Empty fields stay out of URLs.
document.addEventListener("formdata", (event) => {
  const empty = [...event.formData].filter(([, value]) => value === "").map(([name]) => name);
  for (const name of empty) if (event.formData.getAll(name).every((v) => v === "")) event.formData.delete(name);
});

// The palette.
const palette = $("#palette");
const field = $("#palette-q");
const places = $("#palette-hits")?.innerHTML;
function openPalette() {
  if (!palette || palette.open) return;
  palette.showModal();
  field.select();
}
palette?.addEventListener("close", () => {
  field.value = "";
  $("#palette-hits").innerHTML = places;
});
palette?.addEventListener("click", (event) => {
  if (event.target === palette) palette.close();
});
field?.addEventListener("input", () => {
  if (!field.value.trim()) $("#palette-hits").innerHTML = places;
});
field?.form.addEventListener("submit", (event) => {
  // Enter opens what stands first once there is an answer; before, the form asks for all.
  const first = $("#palette-hits .hits a");
  if (first && field.value.trim() && field.dataset.answered === field.value) {
    event.preventDefault();
    location.href = first.href;
  }
});
document.addEventListener("htmx:after:swap", () => {
  if (palette?.open) field.dataset.answered = field.value;
});

// On a narrow screen the rail scrolls: the place one is at is in view.
const here = $(".rail nav [aria-current]");
const strip = here?.closest("nav");
if (strip && here.offsetLeft + here.offsetWidth > strip.clientWidth && !strip.scrollLeft) {
  strip.scrollLeft = here.offsetLeft - strip.clientWidth / 2 + here.offsetWidth / 2;
}

// Keys.
const typing = (node) => node.closest?.("input, textarea, select, [contenteditable]");
const items = () => {
  const root = palette?.open ? palette : $("#main");
  const rows = [...root.querySelectorAll("tbody tr, .hits > li, .figures > li, .cards > li, .known li, .links li, .bars > li")];
  return rows.map((row) => row.querySelector("a[href], button")).filter((link) => link && link.checkVisibility());
};
function step(by) {
  const all = items();
  if (!all.length) return;
  const row = document.activeElement.closest?.("tr, li");
  const at = all.findIndex((link) => link === document.activeElement || (row && row.contains(link)));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
let leader = 0;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openPalette();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (palette?.open) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const all = items();
      if (event.key === "ArrowUp" && document.activeElement === all[0]) return field.focus();
      step(event.key === "ArrowDown" ? 1 : -1);
    }
    return;
  }
  if (event.key === "Escape" && typing(event.target)) return event.target.blur();
  if (typing(event.target)) return;
  if (Date.now() - leader < 1200) {
    leader = 0;
    const place = $(`.rail [data-key="${CSS.escape(event.key)}"]`);
    if (place) {
      event.preventDefault();
      location.href = place.href;
    }
    return;
  }
  switch (event.key) {
    case "/": event.preventDefault(); openPalette(); break;
    case "?": location.href = "/keys"; break;
    case "g": leader = Date.now(); break;
    case "j": step(1); break;
    case "k": step(-1); break;
    default: {
      // An act on the row in focus: its form opens, and its reason is asked for.
      const act = document.activeElement.closest?.("tr")?.querySelector(`details.act[data-key="${CSS.escape(event.key)}"]`);
      if (!act) break;
      event.preventDefault();
      act.open = true;
      act.querySelector("input:not([type=hidden]), select, button")?.focus();
    }
  }
});
// Esc closes the form of an act, and the row has the focus again.
document.addEventListener("keydown", (event) => {
  const act = event.key === "Escape" && event.target.closest?.("details.act[open]");
  if (!act) return;
  act.open = false;
  (act.closest("tr")?.querySelector("a[href]") ?? act.querySelector("summary")).focus();
});

// Clicks: the palette, and copying.
document.addEventListener("click", async (event) => {
  const opener = event.target.closest("[data-palette]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    return openPalette();
  }
  const copier = event.target.closest("[data-copy]");
  if (copier) {
    try {
      await navigator.clipboard.writeText(copier.dataset.copy);
      copier.dataset.done = "";
      say(words.copied);
      setTimeout(() => delete copier.dataset.done, 1500);
    } catch {
      say(words.notCopied);
    }
  }
});

// Times in the reader's own zone, on hover and focus.
document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time");
  if (!time || time.title) return;
  const at = new Date(time.dateTime || time.textContent);
  if (!Number.isNaN(at.valueOf())) {
    time.title = at.toLocaleString(document.documentElement.lang, { dateStyle: "full", timeStyle: "long" });
  }
});

// What is written on the live board is not swapped away: it waits until the form is closed. The row in focus
// keeps the focus.
const board = $("#board");
if (board) {
  let held = false, focused = "";
  document.addEventListener("htmx:before:swap", (event) => {
    if (event.target.id !== "live") return;
    if (board.querySelector("details.act[open]")) {
      held = true;
      event.preventDefault();
    }
    focused = board.contains(document.activeElement) ? document.activeElement.id : "";
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.target.id === "live" && focused) document.getElementById(focused)?.focus({ preventScroll: true });
  });
  board.addEventListener("toggle", (event) => {
    if (held && !event.target.open && !board.querySelector("details.act[open]")) location.reload();
  }, true);
}

// A live part that hears nothing any more says so.
const live = $("#live");
if (live) {
  let lost;
  // From the first failure on: each try again that fails must not put it off.
  const gone = () => {
    lost ??= setTimeout(() => { lost = undefined; if (!document.hidden) live.dataset.lost = ""; }, 3000);
  };
  const back = () => {
    clearTimeout(lost);
    lost = undefined;
    delete live.dataset.lost;
  };
  document.addEventListener("htmx:sse:error", gone);
  document.addEventListener("htmx:sse:close", gone);
  document.addEventListener("htmx:error", gone);
  document.addEventListener("htmx:sse:after:connection", back);
  document.addEventListener("htmx:sse:after:message", back);
}

// A part that could not be had: the page stays, and says that it is of before.
document.addEventListener("htmx:error", () => say(words.failed));

// Filtered: say how many.
document.addEventListener("htmx:after:swap", (event) => {
  if (event.target !== field && !live) say($("#answer")?.textContent);
});

// The span that was asked for is in view, in each of its boxes; the page itself stays where it is.
for (const mark of [document.querySelector("#span"), document.querySelector("pre.text mark")]) {
  const box = mark?.closest(".scroll");
  if (box) box.scrollTop = mark.offsetTop - box.clientHeight / 3;
}
