// Times the picture of a case's whole network in Chromium (SwiftShader), and the same network laid
// out by ForceAtlas2 in the browser. Prints a table, and last one line to be read by machines.
//
//   VIGIE_BIN=… VIGIE_CASE=… node graph.mjs
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { serve } from "../../tests/browser/serve.mjs";

const RUNS = 5, SECONDS = 5;
// Rounds that the peer's layout makes: its documentation's example makes 50, too few to part anything.
const ROUNDS = 100;
const here = new URL(".", import.meta.url).pathname;
const bundle = (await build({ entryPoints: [`${here}peer.js`], bundle: true, minify: true, format: "iife", write: false })).outputFiles[0].text;

const start = () => serve(process.env.VIGIE_BIN, process.env.VIGIE_CASE);
let server, origin;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--enable-unsafe-swiftshader"],
});
const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// Waits until what was drawn is in pixels: two frames, and a read of one pixel, which no driver
// answers before it has drawn.
const drawn = `async (picture) => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  await frame();
  for (const gl of Object.values(picture.webGLContexts)) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  return performance.now();
}`;

try {
  const view = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await view.newPage();

  // Ours: from the click to the picture. The server reads the views and lays the network out; each
  // run has a server of its own, since one keeps what it has laid out.
  const ours = [], server_ms = [];
  let size;
  for (let run = 0; run < RUNS; run++) {
    server?.stop();
    server = await start();
    origin = new URL(server.link).origin;
    await page.goto(server.link);
    await page.waitForURL(`${origin}/`);
    await page.goto(`${origin}/network`, { waitUntil: "commit" });
    await page.waitForFunction(() => document.querySelector("#graph")?.dataset.ready, null, { timeout: 60_000 });
    ours.push(await page.evaluate(`(${drawn})(window.vigieNetwork.picture())`));
    server_ms.push(await page.evaluate(() => {
      const [page] = performance.getEntriesByType("navigation");
      const answer = performance.getEntriesByType("resource").find((e) => e.name.includes("format=json"));
      return page.responseEnd - page.requestStart + answer.responseEnd - answer.requestStart;
    }));
    size = await page.evaluate(() => ({ nodes: window.vigieNetwork.graph.order, edges: window.vigieNetwork.graph.size }));
  }

  // Pan: the picture is dragged about; what counts is the frames that Chromium showed.
  const box = await page.locator("#graph").boundingBox();
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.evaluate(() => {
    window.frames_seen = [];
    const picture = window.vigieNetwork.picture();
    picture.on("afterRender", () => window.frames_seen.push(performance.now()));
  });
  const begun = Date.now();
  for (let i = 0; Date.now() - begun < SECONDS * 1000; i++) {
    await page.mouse.move(at.x + 150 * Math.sin(i / 15), at.y + 100 * Math.sin(i / 11));
  }
  const last = await page.evaluate(`(${drawn})(window.vigieNetwork.picture())`);
  const seen = await page.evaluate(() => window.frames_seen);
  await page.mouse.up();
  const fps = (seen.length / (last - seen[0])) * 1000;
  const gap = Math.max(...seen.slice(1).map((t, i) => t - seen[i]));

  // The peer: the same network without places, laid out in the browser. Its time begins when the
  // data is there: neither the page nor the transfer counts.
  const peer = [];
  for (let run = 0; run < 2; run++) {
    await page.goto(`${origin}/network?view=table`);
    await page.evaluate(bundle);
    peer.push(await page.evaluate(`window.peer("${origin}/network?format=json", ${ROUNDS}, ${drawn})`));
  }

  const first = middle(ours), other = middle(peer), ratio = (other / first).toFixed(1);
  const line = (what, value) => console.log(what.padEnd(58) + String(value).padStart(10));
  line("what", "figure");
  line("nodes", size.nodes);
  line("edges", size.edges);
  line(`first picture, click to pixels, ms (middle of ${RUNS})`, Math.round(first));
  line("  of these the server, ms", Math.round(middle(server_ms)));
  line(`the peer, data to pixels, ms (ForceAtlas2, ${ROUNDS} rounds)`, Math.round(other));
  line("pan, frames a second", fps.toFixed(1));
  line("  longest wait between two frames, ms", Math.round(gap));
  console.log(`graph ratio=${ratio} first_picture_ms=${Math.round(first)} fps=${fps.toFixed(1)} nodes=${size.nodes} edges=${size.edges}`);
} finally {
  await browser.close();
  server?.stop();
}
