// One page in one look: opened, held against the rules, kept as a picture.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const axeText = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export async function visit({ view, name, path, look, axe, origin, out, fail }) {
  const where = `${name} ${look.name}`;
  const page = await view.newPage();
  page.on("console", (message) => {
    // The page that is missing says so; the driver of the software GL tells how it reads a picture.
    const expected = (name === "missing" && /404/.test(message.text())) || /GL Driver Message \(OpenGL, Performance/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !expected) fail(where, message.text());
  });
  page.on("pageerror", (error) => fail(where, error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin && !request.url().startsWith("data:")) fail(where, `asks ${request.url()}`);
  });
  const answer = await page.goto(origin + path, { waitUntil: "load" });
  const size = (await answer.body()).length;
  if (size > 100_000) fail(where, `${size} bytes`);
  if (name === "missing" ? answer.status() !== 404 : !answer.ok()) fail(where, `status ${answer.status()}`);
  if (name.startsWith("network") && name !== "network-table") {
    await page.waitForFunction(() => document.querySelector("#graph")?.dataset.ready, null, { timeout: 20_000 }).catch(() => fail(where, "no picture"));
  }
  await page.waitForTimeout(150);
  const found = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    shift: window.shift,
    lang: document.documentElement.lang,
    bare: [...document.querySelectorAll("h1, h2, th, dt, button, label, p.quiet")].map((e) => e.textContent.trim()).filter((t) => /^[a-z_]+\.[a-z_A-Z]+$/.test(t)),
    inline: document.querySelectorAll("[style], script:not([src]), style").length,
  }));
  if (found.wide > 0) fail(where, `${found.wide} px wider than the screen`);
  if (found.shift > 0.01) fail(where, `layout shifted by ${found.shift.toFixed(3)}`);
  if (found.lang !== look.lang) fail(where, `in ${found.lang}`);
  if (found.bare.length) fail(where, `words missing: ${found.bare}`);
  await page.screenshot({ path: `${out}/${name}-${look.name}.png`, fullPage: true });
  if (axe) await findings(page, where, fail);
  await page.close();
}

// What axe finds.
async function findings(page, where, fail) {
  await page.evaluate(axeText);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  for (const v of violations) fail(where, `axe ${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? n.all[0]?.message ?? "")).join(" | ")}`);
}
