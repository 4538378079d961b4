// A person is registered by the command, invited, sets a password in the browser, signs in and out, sees
// the parties, changes the password, signs in by a passkey, and is let in no more once suspended.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "./serve.mjs";
import { findings } from "./visit.mjs";

const PASSWORD = "four plain words chosen";
const OTHER = "another four plain words";

export async function access({ browser, bin, out, fail }) {
  const work = mkdtempSync(join(tmpdir(), "vigie-access-"));
  const env = { ...process.env, VIGIE_HOME: join(work, "home") };
  const run = (...words) => execFileSync(bin, words, { env, stdio: ["ignore", "pipe", "ignore"] }).toString();
  const dir = join(work, "case"), material = join(work, "seizure", "material");
  let server, view;
  try {
    run("range", "make", "--scenario", "small", "--seed", "5", join(work, "seizure"));
    run("open", "--json", "--case", dir, join(material, readdirSync(material).sort()[0]));
    run("party", "add", "agency", "--name", "The agency", "--sector", "authority");
    for (const person of ["ana", "ben"]) {
      run("party", "person", person, "--name", person, "--organisation", "agency", "--by", "ana");
      run("party", "role", person, "operator", "--by", "ana");
    }
    server = await serve(bin, dir, env);
    const origin = new URL(server.link).origin;
    const link = run("party", "invite", "ben", "--by", "ana", "--at", origin).trim();
    view = await browser.newContext({ locale: "it" });
    const page = await view.newPage();
    const holds = async (name) => {
      await findings(page, `access: ${name}`, fail);
      await page.screenshot({ path: join(out, `access-${name}.png`), fullPage: true });
    };
    const expect = (what, is) => is || fail("access", what);
    await page.goto(link);
    await holds("invite");
    await page.fill("[name=password]", "short");
    await page.fill("[name=again]", "short");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=alert]");
    await page.fill("[name=password]", PASSWORD);
    await page.fill("[name=again]", PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${origin}/sessions`);
    await holds("sessions");
    await page.goto(`${origin}/parties`);
    await holds("parties");
    expect("the parties name ben", (await page.textContent("main")).includes("ben"));
    await page.goto(`${origin}/sessions`);
    await page.fill("[name=present]", PASSWORD);
    await page.fill("[name=password]", OTHER);
    await page.fill("[name=again]", OTHER);
    await page.locator("[name=again]").press("Enter");
    await page.waitForSelector("[role=alert]");
    await page.locator("form[action='/sign-out'] button").click();
    await page.waitForURL(`${origin}/sign-in`);
    await holds("sign-in");
    for (const [password, url] of [[PASSWORD, "/sign-in"], [OTHER, "/sessions"]]) {
      await page.fill("[name=name]", "ben");
      await page.fill("[name=password]", password);
      await page.keyboard.press("Enter");
      await page.waitForURL(origin + url);
      if (url === "/sign-in") await page.waitForSelector("[role=alert]");
    }
    await passkey({ page, view, origin: origin.replace("127.0.0.1", "localhost"), holds, expect });
    run("party", "suspend", "person:ben", "--reason", "test", "--by", "ana");
    await page.waitForTimeout(2_500);
    const answer = await page.goto(`${origin}/parties`);
    expect(`suspended, and answered ${answer.status()}`, answer.status() === 401);
    const session = (await view.cookies()).find((c) => /^vigie_\d+$/.test(c.name));
    expect("the cookie is held back from scripts", session?.httpOnly && session.sameSite === "Strict");
  } finally {
    await view?.close();
    server?.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

// A passkey belongs to a name: the console is opened by the machine's own. The device is the browser's own, in software.
async function passkey({ page, view, origin, holds, expect }) {
  expect("an address has no passkey to add", !(await page.locator("form[data-passkey]").count()));
  const device = await view.newCDPSession(page);
  await device.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  const { authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", { options });
  await page.goto(`${origin}/sign-in`);
  await page.fill("[name=name]", "ben");
  await page.fill("[name=password]", OTHER);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${origin}/sessions`);
  const form = page.locator("form[data-passkey=add]"), said = form.locator("[role=status]");
  const add = async (name, password) => {
    await form.locator("[name=name]").fill(name);
    await form.locator("[name=present]").fill(password);
    await form.locator("[name=present]").press("Enter");
  };
  await add("Telefono", "a wrong password");
  await page.waitForFunction(() => /sbagliata/.test(document.querySelector("form[data-passkey=add] [role=status]").textContent));
  expect("after a refusal it can be tried again", await form.locator("button").isEnabled());
  // Nothing is made in a device for a passkey without a name.
  await add("", OTHER);
  await page.waitForFunction(() => /40 caratteri/.test(document.querySelector("form[data-passkey=add] [role=status]").textContent));
  await add("Telefono", OTHER);
  await page.waitForSelector("#passkeys table");
  expect("the passkey is listed", (await page.textContent("#passkeys table")).includes("Telefono"));
  await holds("passkey");
  const out = () => page.locator("form[action='/sign-out'] button").click();
  await out();
  await page.waitForURL(`${origin}/sign-in`);
  await holds("sign-in-passkey");
  await page.locator("form[data-passkey=sign] button").click();
  await page.waitForURL(`${origin}/sessions`);
  expect("the session says how it began", /passkey/i.test(await page.textContent("main table")));
  // Whoever is not the device's owner is turned away, and told.
  await out();
  await page.waitForURL(`${origin}/sign-in`);
  await device.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.locator("form[data-passkey=sign] button").click();
  await page.waitForFunction(() => /NotAllowedError/.test(document.querySelector("form[data-passkey=sign] [role=status]").textContent));
  await device.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await page.locator("form[data-passkey=sign] button").click();
  await page.waitForURL(`${origin}/sessions`);
  await page.locator("#passkeys table form button").click();
  await page.waitForSelector("#passkeys table", { state: "detached" });
  await out();
  await page.waitForURL(`${origin}/sign-in`);
  await page.locator("form[data-passkey=sign] button").click();
  await page.waitForFunction(() => /non apre nulla/.test(document.querySelector("form[data-passkey=sign] [role=status]").textContent));
  // Back to where the rest of this walk is.
  const here = origin.replace("localhost", "127.0.0.1");
  await page.goto(`${here}/sessions`);
}
