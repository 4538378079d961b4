// The overview follows an opening: it is loaded when a first part of a seizure is in, and must show
// what a page loaded afterwards shows when the rest has come in beneath it.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { execFileSync, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "./serve.mjs";

export async function live({ browser, bin, fail }) {
  const work = mkdtempSync(join(tmpdir(), "vigie-live-"));
  const env = { ...process.env, VIGIE_HOME: join(work, "home") };
  const dir = join(work, "case"), material = join(work, "seizure", "material");
  const options = { env, stdio: "ignore" };
  let server, view;
  try {
    execFileSync(bin, ["range", "make", "--scenario", "small", "--seed", "5", join(work, "seizure")], options);
    execFileSync(bin, ["open", "--json", "--case", dir, join(material, readdirSync(material).sort()[0])], options);
    server = await serve(bin, dir);
    const origin = new URL(server.link).origin;
    view = await browser.newContext({ locale: "fr" });
    const page = await view.newPage();
    await page.goto(server.link);
    await page.waitForURL(`${origin}/`);
    const shown = (where) => where.evaluate(() => document.querySelector("#answer").textContent + document.querySelector("#figures").textContent);
    const before = await shown(page);
    const open = spawn(bin, ["open", "--json", "--case", dir, material], options);
    const code = await new Promise((resolve) => open.once("exit", resolve));
    if (code !== 0) throw new Error(`open ended with ${code}`);
    const fresh = await view.newPage();
    await fresh.goto(`${origin}/`);
    const after = await shown(fresh);
    if (before === after) throw new Error("the second part changed nothing");
    let now;
    for (let i = 0; i < 40; i += 1) {
      now = await shown(page);
      if (now === after) return;
      await page.waitForTimeout(250);
    }
    throw new Error(`it stands at ${JSON.stringify(now.slice(0, 200))}`);
  } catch (error) {
    fail("live overview", error.message.split("\n")[0]);
  } finally {
    await view?.close();
    server?.stop();
    rmSync(work, { recursive: true, force: true });
  }
}
