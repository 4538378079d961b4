// The peer: graphology's ForceAtlas2 on the same network, drawn by the same sigma.
import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";
import Sigma from "sigma";

window.peer = async (url, rounds, drawn) => {
  const data = await (await fetch(url)).json();
  const begun = performance.now();
  const graph = new Graph({ multi: true, type: "directed" });
  data.nodes.forEach(([id, , caption, , , degree], i) => {
    // It needs places to begin with: a circle, as its documentation has it.
    const turn = (i / data.nodes.length) * Math.PI * 2;
    graph.addNode(id, { label: caption, x: Math.cos(turn), y: Math.sin(turn), size: Math.min(18, 2.5 + Math.sqrt(degree)) });
  });
  for (const [from, to] of data.edges) graph.addEdge(data.nodes[from][0], data.nodes[to][0]);
  forceAtlas2.assign(graph, { iterations: rounds, settings: { ...forceAtlas2.inferSettings(graph), barnesHutOptimize: true } });
  const box = document.createElement("div");
  Object.assign(box.style, { position: "fixed", inset: 0 });
  document.body.append(box);
  const picture = new Sigma(graph, box, { allowInvalidContainer: true });
  return (await drawn(picture)) - begun;
};
