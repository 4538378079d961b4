// Visits every page of a running console and fails on: an error or a policy violation in the
// browser's console, a finding of axe, text wider than the screen, layout that shifts, a page over
// 100 kB, or a flow that the keyboard alone cannot do. Screenshots go to OUT; look at them.
//
//   run.mjs [NAME…] [--every-look]    only the pages whose names start so; in all nine looks
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";
import { pages } from "./pages.mjs";
import { looks, looksOf } from "./looks.mjs";
import { visit } from "./visit.mjs";
import { keyboard } from "./keyboard.mjs";
import { refusals } from "./refusals.mjs";
import { live } from "./live.mjs";
import { access } from "./access.mjs";
import { house } from "./house.mjs";

const bin = process.env.VIGIE_BIN ?? "target/debug/vigie";
const caseDir = process.env.VIGIE_CASE ?? "case";
const out = process.env.OUT ?? "target/browser";
const every = process.argv.includes("--every-look");
const only = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const wanted = (name) => !only.length || only.some((start) => name.startsWith(start));
// Pages in work at a time: one a core keeps the browser busy and no page waiting for long.
const WORKERS = Math.max(2, availableParallelism());
if (!only.length) rmSync(out, { recursive: true, force: true });
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
  // WebGL by SwiftShader, for the picture of the network; pages themselves are painted without it.
  args: ["--no-sandbox", "--enable-unsafe-swiftshader"],
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

  // Every page in looks of its own; a worker takes one visit after the other.
  const visits = Object.entries(all).filter(([name]) => wanted(name))
    .flatMap(([name, path]) => (every ? looks : looksOf(name)).map((look, i) => ({ name, path, look, axe: every || i < 2 })));
  const views = new Map();
  const view = (look) => {
    if (!views.has(look.name)) {
      views.set(look.name, context({
        viewport: { width: look.width, height: look.height },
        colorScheme: look.dark ? "dark" : "light",
        locale: look.lang,
        reducedMotion: "reduce",
      }));
    }
    return views.get(look.name);
  };
  await Promise.all(Array.from({ length: WORKERS }, async () => {
    for (let next = visits.shift(); next; next = visits.shift()) {
      await visit({ ...next, view: await view(next.look), origin, out, fail });
    }
  }));
  for (const made of views.values()) await (await made).close();
  if (wanted("live")) await live({ browser, bin, fail });
  if (process.env.HOUSE_BIN) await house({ browser, bin: process.env.HOUSE_BIN, out, fail, wanted, every });
  if (wanted("access")) await access({ browser, bin, out, fail });
  if (wanted("keyboard")) await keyboard({ context, origin, all, fail });
} finally {
  await browser.close();
  server.stop();
}

console.log(failures.length ? `${failures.length} failures` : "every page holds");
process.exit(failures.length ? 1 : 0);
