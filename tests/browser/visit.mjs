// One page in one look: opened, held against the rules, kept as a picture.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
// Pages that do not answer with 200.
const EXPECTED = { missing: 404, "sign-in-spent": 403, "table-refused": 400 };
// A table of a dump has as many columns as its source: a sheet can be too small for them.
const WIDE = ["table", "table-ordered", "table-unsorted"];
const axeText = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export async function visit({ view, name, path, look, axe, origin, out, fail }) {
  const where = `${name} ${look.name}`;
  const page = await view.newPage();
  page.on("console", (message) => {
    // A page that is missing or refused says so; the driver of the software GL tells how it reads a picture.
    const expected = (EXPECTED[name] && message.text().includes(String(EXPECTED[name]))) || /GL Driver Message \(OpenGL, Performance/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !expected) fail(where, message.text());
  });
  page.on("pageerror", (error) => fail(where, error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin && !request.url().startsWith("data:")) fail(where, `asks ${request.url()}`);
  });
  const answer = await page.goto(origin + path, { waitUntil: "load" });
  const size = (await answer.body()).length;
  if (size > 100_000) fail(where, `${size} bytes`);
  if (answer.status() !== (EXPECTED[name] ?? 200)) fail(where, `status ${answer.status()}`);
  if (name.startsWith("network") && name !== "network-table") {
    await page.waitForFunction(() => document.querySelector("#graph")?.dataset.ready, null, { timeout: 20_000 }).catch(() => fail(where, "no picture"));
  }
  await page.waitForTimeout(150);
  const found = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    shift: window.shift,
    lang: document.documentElement.lang,
    bare: [...document.querySelectorAll("h1, h2, th, dt, button, label, p.quiet")].map((e) => e.textContent.trim()).filter((t) => /^[a-z_]+\.[a-z_A-Z]+$/.test(t)),
    locked: [...document.querySelectorAll("form[action='/sign-out'] button, .rail a[href='/sessions']")].some((e) => !e.checkVisibility()),
    inline: document.querySelectorAll("[style], script:not([src]), style").length,
  }));
  if (found.wide > 0) fail(where, `${found.wide} px wider than the screen`);
  if (found.shift > 0.01) fail(where, `layout shifted by ${found.shift.toFixed(3)}`);
  if (found.lang !== look.lang) fail(where, `in ${found.lang}`);
  if (found.bare.length) fail(where, `words missing: ${found.bare}`);
  if (found.locked) fail(where, "no way out is in view: one's sessions, and to sign out");
  await page.screenshot({ path: `${out}/${name}-${look.name}.png`, fullPage: true });
  if (axe) await findings(page, where, fail);
  if (look.width === 1280) await paper(page, name, where, out, fail);
  await page.close();
}

// On a sheet of A4, black on white, nothing beyond its edge.
async function paper(page, name, where, out, fail) {
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 794, height: 1123 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0 && !WIDE.includes(name)) fail(where, `${wide} px wider than the sheet`);
  await page.screenshot({ path: `${out}/${name}-print.png`, fullPage: true });
}

// What axe finds.
export async function findings(page, where, fail) {
  await page.evaluate(axeText);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  for (const v of violations) fail(where, `axe ${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? n.all[0]?.message ?? "")).join(" | ")}`);
}
