// The network as a picture: nodes and edges with places come from the server; here they are drawn,
// searched, expanded. The table beside holds the same.
import Graph from "graphology";
import Sigma from "sigma";
import { EdgeLineProgram, NodePointProgram } from "sigma/rendering";

const box = document.querySelector("#graph");
const panel = document.querySelector("#node");
const status = document.querySelector("#graph-status");
const words = box.dataset;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

let colours = {};
function readColours() {
  // light-dark() is resolved by asking an element for its colour.
  const probe = document.createElement("span");
  box.append(probe);
  for (const name of ["infra", "people", "client", "content", "money", "edge", "label", "faint", "ground", "accent"]) {
    probe.className = `f-${name}`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

const graph = new Graph({ multi: true, type: "directed" });
let kinds = {};
let links = {};
const size = (degree) => Math.min(18, 2.5 + Math.sqrt(degree) * 0.9);

function add(data, around) {
  kinds = { ...kinds, ...data.kinds };
  links = { ...links, ...data.links };
  let placed = 0;
  for (const [id, kind, caption, country, asn, degree, x, y] of data.nodes) {
    let at = { x, y };
    if (around) {
      if (graph.hasNode(id)) continue;
      // New neighbours stand on a spiral around the node that was expanded.
      const turn = placed * 2.399963, far = around.step * (1 + Math.sqrt(placed));
      at = { x: around.x + Math.cos(turn) * far, y: around.y + Math.sin(turn) * far };
      placed += 1;
    }
    graph.addNode(id, { x: at.x, y: at.y, label: caption, kind, country, asn, degree, size: size(degree), family: kinds[kind]?.family ?? "people" });
  }
  for (const [from, to, kind, count] of data.edges) {
    const a = data.nodes[from][0], b = data.nodes[to][0];
    // Only what is expanded can bring a link that is there already.
    if (around && graph.edges(a, b).some((edge) => graph.source(edge) === a && graph.getEdgeAttribute(edge, "kind") === kind)) continue;
    graph.addEdge(a, b, { kind, count, size: Math.min(4, 0.6 + Math.log10(count)) });
  }
}

let picture, chosen = null, hovered = null, near = new Set();
const trail = new Set((words.trail || "").split(" ").filter(Boolean));

function drawLabel(context, data, settings) {
  if (!data.label) return;
  const font = settings.labelSize;
  context.font = `${data.highlighted ? 600 : 400} ${font}px ${settings.labelFont}`;
  const text = data.label.length > 32 ? data.label.slice(0, 31) + "…" : data.label;
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = colours.ground;
  context.fillStyle = colours.label;
  // Beside its node; at the right edge before it, and never beyond the left one.
  const width = box.clientWidth, long = context.measureText(text).width;
  const right = data.x + data.size + 4, y = data.y + font / 3;
  const x = right + long <= width - 4 ? right : Math.max(4, data.x - data.size - 4 - long);
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

function drawHover(context, data, settings) {
  context.beginPath();
  context.arc(data.x, data.y, data.size + 3, 0, Math.PI * 2);
  context.lineWidth = 2;
  context.strokeStyle = colours.accent;
  context.stroke();
  drawLabel(context, { ...data, highlighted: true }, settings);
}

function start() {
  const large = graph.size > 4000;
  picture = new Sigma(graph, box, {
    labelFont: getComputedStyle(document.body).fontFamily,
    labelSize: 12,
    labelDensity: 0.6,
    labelGridCellSize: 90,
    labelRenderedSizeThreshold: large ? 9 : 5,
    defaultDrawNodeLabel: drawLabel,
    defaultDrawNodeHover: drawHover,
    // Thin lines and points where there are many: a machine without a graphics card draws them too.
    ...(large && { edgeProgramClasses: { line: EdgeLineProgram }, nodeProgramClasses: { circle: NodePointProgram } }),
    defaultEdgeType: graph.size > 1500 ? "line" : "arrow",
    hideEdgesOnMove: large,
    hideLabelsOnMove: large,
    minCameraRatio: 0.005,
    maxCameraRatio: 3,
    stagePadding: 32,
    zIndex: true,
    allowInvalidContainer: true,
    nodeReducer(id, data) {
      const focus = hovered ?? chosen;
      const out = { ...data, color: colours[data.family] };
      if (focus && id !== focus && !near.has(id)) return { ...out, color: colours.faint, label: "", zIndex: 0 };
      if (id === chosen || trail.has(id)) return { ...out, highlighted: true, zIndex: 2, forceLabel: true };
      if (focus) return { ...out, zIndex: 1, forceLabel: near.size < 40 };
      return out;
    },
    edgeReducer(key, data) {
      const focus = hovered ?? chosen;
      if (focus) {
        const on = graph.hasExtremity(key, focus);
        return { ...data, color: on ? colours.accent : colours.faint, hidden: !on && large, zIndex: on ? 1 : 0 };
      }
      const [a, b] = graph.extremities(key);
      if (trail.size && trail.has(a) && trail.has(b)) return { ...data, color: colours.accent, size: 3, zIndex: 1 };
      return { ...data, color: colours.edge };
    },
  });
  picture.on("clickNode", ({ node }) => choose(node));
  picture.on("doubleClickNode", ({ node, preventSigmaDefault }) => { preventSigmaDefault(); expand(node); });
  picture.on("clickStage", () => choose(null));
  picture.on("enterNode", ({ node }) => look(node));
  picture.on("leaveNode", () => look(null));
}

function neighbours(id) {
  near = new Set(id ? graph.neighbors(id) : []);
}
function look(id) {
  if (graph.order > 8000 && id) return;
  hovered = id;
  neighbours(hovered ?? chosen);
  picture.refresh({ skipIndexation: true });
}

const put = (selector, text) => { panel.querySelector(selector).textContent = text ?? ""; };
function choose(id) {
  chosen = id;
  neighbours(id);
  panel.hidden = !id;
  if (id) {
    const node = graph.getNodeAttributes(id);
    put("[data-caption]", node.label);
    put("[data-kind]", kinds[node.kind]?.name ?? node.kind);
    put("[data-place]", [node.country, node.asn && `AS${node.asn}`].filter(Boolean).join(" · "));
    const one = new Intl.PluralRules(document.documentElement.lang).select(node.degree) === "one";
    put("[data-degree-words]", one ? words.degreeOne : words.degreeOther);
    put("[data-degree]", node.degree.toLocaleString("fr-FR").replace(/\s/g, "\u202f"));
    panel.querySelector("[data-open]").href = `/entity/${id}`;
    const from = panel.querySelector("[data-from]"), to = panel.querySelector("[data-to]");
    from.onclick = () => { sessionStorage.setItem("path-from", id); choose(id); };
    const begun = sessionStorage.getItem("path-from");
    to.hidden = !begun || begun === id;
    to.href = `/network/path?from=${begun}&to=${id}`;
    panel.querySelector("[data-expand]").onclick = () => expand(id);
    const list = panel.querySelector("[data-links]");
    list.replaceChildren(...graph.edges(id).slice(0, 12).map((key) => {
      const [a, b] = graph.extremities(key), other = a === id ? b : a, item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      const name = document.createElement("bdi");
      name.textContent = graph.getNodeAttribute(other, "label");
      button.append(`${links[graph.getEdgeAttribute(key, "kind")] ?? ""} ${a === id ? "→" : "←"} `, name);
      button.onclick = () => { choose(other); centre(other); };
      item.append(button);
      return item;
    }));
  }
  picture?.refresh({ skipIndexation: true });
}

function centre(id) {
  const at = picture.getNodeDisplayData(id);
  const to = { x: at.x, y: at.y, ratio: Math.min(picture.getCamera().ratio, 0.35) };
  if (still.matches) picture.getCamera().setState(to);
  else picture.getCamera().animate(to, { duration: 250 });
}

async function ask(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function expand(id) {
  status.textContent = words.loading;
  try {
    const url = new URL(location.href);
    url.pathname = "/network";
    url.searchParams.delete("around");
    url.searchParams.delete("view");
    url.searchParams.set("around", id);
    url.searchParams.set("hops", "1");
    url.searchParams.set("format", "json");
    const data = await ask(url);
    const before = graph.order;
    const { x, y } = graph.getNodeAttributes(id);
    const all = picture.getBBox();
    add(data, { x, y, step: Math.max(all.x[1] - all.x[0], all.y[1] - all.y[0], 1) / 80 });
    choose(id);
    picture.refresh();
    status.textContent = `+${graph.order - before}`;
  } catch {
    status.textContent = words.failed;
  }
}

// The keyboard moves the picture too.
box.addEventListener("keydown", (event) => {
  const camera = picture?.getCamera();
  if (!camera) return;
  const by = 0.1 * camera.ratio, now = camera.getState();
  const moves = {
    ArrowLeft: { x: now.x - by }, ArrowRight: { x: now.x + by }, ArrowUp: { y: now.y + by }, ArrowDown: { y: now.y - by },
    "+": { ratio: now.ratio / 1.4 }, "=": { ratio: now.ratio / 1.4 }, "-": { ratio: now.ratio * 1.4 }, 0: { x: 0.5, y: 0.5, ratio: 1, angle: 0 },
  };
  if (moves[event.key]) {
    event.preventDefault();
    camera.setState({ ...now, ...moves[event.key] });
  } else if (event.key === "Escape") choose(null);
});
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    const camera = picture?.getCamera();
    if (!camera) return;
    const how = button.dataset.zoom;
    if (how === "fit") camera.setState({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
    else camera.setState({ ...camera.getState(), ratio: camera.ratio * (how === "in" ? 0.7 : 1.4) });
  });
}
const finder = document.querySelector("#graph-find");
finder?.addEventListener("change", () => {
  const text = finder.value.trim().toLowerCase();
  if (!text) return;
  const found = graph.findNode((_, node) => node.label.toLowerCase().includes(text));
  if (found) { choose(found); centre(found); status.textContent = graph.getNodeAttribute(found, "label"); }
  else status.textContent = words.none;
});
finder?.form?.addEventListener("submit", (event) => event.preventDefault());

(async () => {
  readColours();
  if (!document.createElement("canvas").getContext("webgl2")) {
    status.textContent = words.nogl;
    return;
  }
  try {
    const begun = performance.now();
    add(await ask(words.url));
    if (graph.order === 0) { status.textContent = words.none; return; }
    start();
    if (words.choose && graph.hasNode(words.choose)) choose(words.choose);
    picture.once("afterRender", () => {
      status.textContent = "";
      box.dataset.ready = Math.round(performance.now() - begun);
    });
    picture.scheduleRender();
  } catch {
    status.textContent = words.failed;
  }
})();
dark.addEventListener("change", () => { readColours(); picture?.refresh(); });
// For measurements.
window.vigieNetwork = { graph, picture: () => picture };
