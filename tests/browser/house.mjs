// The clearing house's pages: each in its looks as a regulator sees it, the open ones as nobody does; and
// Live by the keyboard alone. The server is the console's own example: a match night without a network.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "./serve.mjs";
import { looks, looksOf } from "./looks.mjs";
import { visit } from "./visit.mjs";

const PASSWORD = "four plain words chosen";
const PAGES = {
  "house-live": "/live",
  "house-tickets": "/tickets",
  "house-tickets-held": "/tickets?state=held",
  "house-tickets-none": "/tickets?event=nothing-is-called-so",
  "house-ticket": "/tickets/0",
  "house-check": "/check?q=" + encodeURIComponent("co.uk\nhd.rojatv.example\n198.51.100.7\n*.wild.example"),
  "house-check-empty": "/check",
  "house-objections": "/objections",
  "house-statistics": "/statistics",
  "house-orders": "/orders",
  "house-exceptions": "/exceptions",
  "house-stops": "/stops",
  "house-parties": "/parties",
  "house-record": "/log/5",
  "house-keys": "/keys",
};
const OPEN = {
  "open-blocked": "/blocked?q=tv1.stream-cup.example",
  "open-not-blocked": "/blocked?q=www.example.org",
  "open-nonsense": "/blocked?q=*.example.org",
  "open-empty": "/blocked",
  "open-objection": "/objection?q=tv1.stream-cup.example",
  "open-harm": "/harm",
  "open-transparency": "/transparency",
};

export async function house({ browser, bin, out, fail, wanted, every }) {
  const work = mkdtempSync(join(tmpdir(), "vigie-house-"));
  let server;
  try {
    server = await serve(bin, join(work, "house"));
    const origin = new URL(server.link).origin;
    const signIn = async (name) => {
      const door = await browser.newContext();
      const page = await door.newPage();
      await page.goto(`${origin}/sign-in`);
      await page.fill("[name=name]", name);
      await page.fill("[name=password]", PASSWORD);
      await page.keyboard.press("Enter");
      await page.waitForURL(`${origin}/sessions`);
      const state = await door.storageState();
      await door.close();
      return state;
    };
    const states = { vera: await signIn("vera"), lea: await signIn("lea") };
    const all = [
      ...Object.entries(PAGES).map((page) => [...page, states.vera]),
      ["house-live-reporter", "/live", states.lea],
      ["house-exceptions-reporter", "/exceptions", states.lea],
      ["house-stops-reporter", "/stops", states.lea],
      ...Object.entries(OPEN).map((page) => [...page, undefined]),
    ];
    for (const [name, path, state] of all.filter(([name]) => wanted(name))) {
      for (const [i, look] of (every ? looks : looksOf(name)).entries()) {
        const view = await browser.newContext({
          viewport: { width: look.width, height: look.height }, colorScheme: look.dark ? "dark" : "light",
          locale: look.lang, reducedMotion: "reduce", storageState: state,
        });
        await view.addInitScript(() => {
          window.shift = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
          }).observe({ type: "layout-shift", buffered: true });
        });
        await visit({ view, name, path, look, axe: every || i < 2, origin, out, fail });
        await view.close();
      }
    }
    if (wanted("house-keyboard")) await keyboard({ browser, origin, states, out, fail });
    if (wanted("house-rows")) await inRows({ browser, origin, state: states.vera, fail });
    if (wanted("house-bare")) await withoutScript({ browser, origin, states, fail });
  } catch (error) {
    fail("house", error.message.split("\n")[0]);
  } finally {
    server?.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

// A monitor's match night: to Live, down to a row, lift it with one key and a reason; meanwhile another page
// of Live hears of it by itself.
async function keyboard({ browser, origin, states, out, fail }) {
  const view = await browser.newContext({ viewport: { width: 1280, height: 900 }, storageState: states.lea, reducedMotion: "reduce" });
  const other = await browser.newContext({ viewport: { width: 1280, height: 900 }, storageState: states.vera });
  const check = async (what, test) => {
    try {
      await test();
    } catch (error) {
      fail(`house keyboard: ${what}`, error.message.split("\n")[0]);
    }
  };
  const page = await view.newPage(), wall = await other.newPage();
  await wall.goto(`${origin}/live`);
  await page.goto(`${origin}/tickets`);
  await check("g l goes to Live", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("l");
    await page.waitForURL(`${origin}/live`);
    await page.waitForLoadState("load");
  });
  await check("j reaches an item, l opens its form, Esc closes it", async () => {
    for (let i = 0; i < 30; i += 1) {
      await page.keyboard.press("j");
      const lifts = await page.evaluate(() => !!document.activeElement.closest("tr")?.querySelector("details[data-key=l]"));
      if (lifts) break;
    }
    await page.keyboard.press("l");
    await page.waitForFunction(() => document.activeElement?.name === "grounds");
    await page.screenshot({ path: join(out, "house-lift.png") });
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => /^i-/.test(document.activeElement?.id) && !document.querySelector("tr details[open]"));
  });
  await check("a board that changes lets what is written stand", async () => {
    await page.keyboard.press("l");
    await page.waitForFunction(() => document.activeElement?.name === "grounds");
    await page.keyboard.type("the stream");
    await wall.evaluate(async () => {
      const form = new URLSearchParams({ item: "0/6", grounds: "not ours", back: "/live" });
      await fetch("/items/refuse", { method: "POST", body: form });
    });
    await page.waitForTimeout(2_500);
    const value = await page.evaluate(() => document.activeElement?.value);
    if (value !== "the stream") throw new Error(`what was written is ${value}`);
  });
  await check("Enter lifts, and both pages say so", async () => {
    const before = await wall.evaluate(() => document.querySelector("#answer").textContent);
    await page.keyboard.type(" is gone");
    await page.keyboard.press("Enter");
    await page.waitForFunction((was) => document.querySelector("#answer").textContent !== was, before, { timeout: 5_000 });
    await wall.waitForFunction((was) => document.querySelector("#answer").textContent !== was, before, { timeout: 5_000 });
  });
  await view.close();
  await other.close();
}

// What is written in a row is seen whole: no table cuts off a form that is open in it.
export async function inRows({ browser, origin, state, fail }) {
  const view = await browser.newContext({ viewport: { width: 1280, height: 900 }, storageState: state });
  const page = await view.newPage();
  for (const path of ["/live", "/tickets/0", "/orders", "/exceptions", "/parties"]) {
    await page.goto(origin + path);
    const cut = await page.evaluate(() => {
      const acts = [...document.querySelectorAll("td details.act")];
      return acts.filter((act) => {
        act.open = true;
        const end = act.closest(".scroll").getBoundingClientRect().right + 1;
        const cut = [...act.querySelectorAll("form *")].some((part) => part.getBoundingClientRect().right > end);
        act.open = false;
        return cut;
      }).map((act) => act.querySelector("summary").textContent);
    });
    if (cut.length) fail(`house rows: ${path}`, `its table cuts off ${[...new Set(cut)].join(", ")}`);
  }
  await view.close();
}

// All of it without script: a list is pasted, a bad line is named, a reason lifts.
async function withoutScript({ browser, origin, states, fail }) {
  const view = await browser.newContext({ javaScriptEnabled: false, storageState: states.lea });
  const page = await view.newPage();
  const expect = (what, is) => is || fail("house without script", what);
  await page.goto(`${origin}/live`);
  await page.fill("[name=items]", "*.bad.example");
  await page.click("form[action='/report'] button");
  expect("what was pasted is kept", (await page.inputValue("[name=items]")) === "*.bad.example");
  expect("the line is told why", (await page.textContent("main")).includes("wildcard"));
  await page.fill("[name=items]", "new.stream-cup.example\n*.bad.example");
  await page.click("form[action='/report'] button");
  expect(`a ticket's page, at ${page.url()}`, /\/tickets\/\d+\?taken=1$/.test(page.url()));
  expect("its left-out line is named", (await page.textContent(".left-out")).includes("wildcard"));
  await page.goto(`${origin}/live`);
  const lift = page.locator("details[data-key=l]").first();
  await lift.locator("summary").click();
  await lift.locator("[name=grounds]").fill("the stream is gone");
  await lift.locator("button").click();
  expect(`back on Live, at ${page.url()}`, page.url() === `${origin}/live`);
  await view.close();
}
