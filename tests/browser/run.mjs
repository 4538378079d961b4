// Visits every page of a running console and fails on: an error or a policy violation in the
// browser's console, a finding of axe, text wider than the screen, layout that shifts, a page over
// 100 kB, or a flow that the keyboard alone cannot do. Screenshots go to OUT; look at them.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";
import { pages } from "./pages.mjs";
import { keyboard } from "./keyboard.mjs";
import { refusals } from "./refusals.mjs";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const bin = process.env.VIGIE_BIN ?? "target/debug/vigie";
const caseDir = process.env.VIGIE_CASE ?? "case";
const out = process.env.OUT ?? "target/browser";
const only = process.argv[2];
mkdirSync(out, { recursive: true });

const failures = [];
const fail = (where, what) => {
  failures.push(`${where}: ${what}`);
  console.error(`FAIL ${where}: ${what}`);
};

const server = await serve(bin, caseDir);
const origin = new URL(server.link).origin;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
});

async function context(options) {
  const made = await browser.newContext({ ...options, storageState: state });
  await made.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  return made;
}

let state;
try {
  // Sign in once; the session is carried to every context.
  const door = await browser.newContext();
  const page = await door.newPage();
  await page.goto(server.link);
  await page.waitForURL(`${origin}/`);
  state = await door.storageState();
  await refusals({ browser, origin, link: server.link, state, fail });
  const ask = async (path) => (await door.request.get(origin + path)).json();
  const all = await pages(ask);
  await door.close();

  // Every page and width in light and dark; the longest languages where they are narrowest.
  const looks = [
    { lang: "en", dark: false, width: 1280 }, { lang: "en", dark: true, width: 1280 },
    { lang: "fr", dark: false, width: 1280 }, { lang: "it", dark: true, width: 1280 },
    { lang: "fr", dark: true, width: 360 }, { lang: "it", dark: false, width: 360 },
    { lang: "en", dark: false, width: 360 }, { lang: "en", dark: true, width: 2560 },
    { lang: "fr", dark: false, width: 2560 },
  ];
  for (const look of looks) {
    const view = await context({
      viewport: { width: look.width, height: look.width === 360 ? 740 : look.width === 2560 ? 1440 : 900 },
      colorScheme: look.dark ? "dark" : "light",
      locale: look.lang,
      reducedMotion: "reduce",
    });
    const mode = `${look.lang}-${look.dark ? "dark" : "light"}-${look.width}`;
    for (const [name, path] of Object.entries(all)) {
      if (only && !name.startsWith(only)) continue;
      await visit(view, name, path, mode, look.lang);
    }
    await view.close();
  }
  if (!only || only === "keyboard") await keyboard({ context, origin, all, fail });
} finally {
  await browser.close();
  server.stop();
}

async function visit(view, name, path, mode, lang) {
  const where = `${name} ${mode}`;
  const page = await view.newPage();
  page.on("console", (message) => {
    const expected = name === "missing" && /404/.test(message.text());
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
  if (found.lang !== lang) fail(where, `in ${found.lang}`);
  if (found.bare.length) fail(where, `words missing: ${found.bare}`);
  await page.screenshot({ path: `${out}/${name}-${mode}.png`, fullPage: true });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  for (const v of violations) fail(where, `axe ${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? n.all[0]?.message ?? "")).join(" | ")}`);
  await page.close();
}

console.log(failures.length ? `${failures.length} failures` : "every page holds");
process.exit(failures.length ? 1 : 0);
