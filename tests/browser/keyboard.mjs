// The flows that matter, by keyboard alone.
export async function keyboard({ context, origin, all, fail }) {
  const view = await context({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  const page = await view.newPage();
  const check = async (what, test) => {
    try {
      await test();
    } catch (error) {
      fail(`keyboard: ${what}`, error.message.split("\n")[0]);
    }
  };
  const at = (path) => page.waitForURL((url) => url.pathname + url.search === path || url.pathname === path, { timeout: 5000 });
  const focused = () => page.evaluate(() => {
    const node = document.activeElement;
    const style = getComputedStyle(node);
    return { tag: node.tagName, text: node.textContent.trim(), outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0, href: node.getAttribute("href") };
  });

  await page.goto(`${origin}/`);
  await check("skip link", async () => {
    await page.keyboard.press("Tab");
    if ((await focused()).href !== "#main") throw new Error("the first stop is not the skip link");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.id === "main");
  });
  for (const [letter, path] of [["e", "/entities"], ["x", "/exhibits"], ["t", "/tables"], ["c", "/custody"], ["p", "/problems"], ["l", "/log"], ["m", "/map"], ["n", "/network"], ["b", "/package"], ["o", "/"]]) {
    await check(`g ${letter}`, async () => {
      await page.keyboard.press("g");
      await page.keyboard.press(letter);
      await at(path);
      await page.waitForLoadState("load");
    });
  }
  await check("? shows the keys", async () => {
    await page.keyboard.press("?");
    await at("/keys");
  });
  await check("/ searches, Esc closes", async () => {
    await page.keyboard.press("/");
    await page.waitForFunction(() => document.querySelector("#palette").open && document.activeElement.id === "palette-q");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("#palette").open);
  });
  await check("/, words, arrow, Enter opens a hit", async () => {
    await page.goto(`${origin}/`);
    await page.keyboard.press("/");
    await page.waitForFunction(() => document.querySelector("#palette").open && document.activeElement.id === "palette-q");
    const answered = page.waitForResponse((r) => r.url().includes("/search?q="));
    await page.keyboard.type("a");
    await answered;
    await page.waitForFunction(() => document.querySelector("#palette-hits a[href^='/entity/'], #palette-hits a[href^='/search']"));
    await page.keyboard.press("ArrowDown");
    const stop = await focused();
    if (stop.tag !== "A" || !stop.outline) throw new Error("no visible focus on the first hit");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname !== "/");
  });
  await check("j, j, k, Enter opens a row", async () => {
    await page.goto(`${origin}/entities`);
    await page.keyboard.press("j");
    const first = await focused();
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    const again = await focused();
    if (first.href !== again.href || !first.href?.startsWith("/entity/")) throw new Error(`at ${again.href}`);
    if (!again.outline) throw new Error("focus is not visible");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/entity\//);
  });
  await check("from an entity to its source's byte", async () => {
    await page.goto(origin + all.entity);
    await page.focus(".known .source");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/exhibit\/[0-9a-f]{64}\?at=\d+-\d+/);
    await page.waitForSelector("mark");
  });
  await check("filters narrow as one types, and the URL says so", async () => {
    await page.goto(`${origin}/entities`);
    await page.focus("input[name=q]");
    await page.keyboard.type("example");
    await page.waitForURL(/q=example/);
    await page.waitForFunction(() => document.activeElement?.name === "q");
  });
  await check("the language switch", async () => {
    await page.goto(`${origin}/map`);
    await page.focus("button[value=it]");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.documentElement.lang === "it");
    await at("/map");
    await page.focus("button[value=en]");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.documentElement.lang === "en");
  });
  await check("copying says that it did", async () => {
    await view.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.goto(origin + all.entity);
    await page.focus("[data-copy]");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#heard").textContent.length > 0);
  });
  await check("the picture moves by keys", async () => {
    await page.goto(`${origin}/network`);
    await page.waitForFunction(() => document.querySelector("#graph")?.dataset.ready);
    await page.focus("#graph");
    const before = await page.evaluate(() => window.vigieNetwork.picture().getCamera().x);
    await page.keyboard.press("ArrowLeft");
    const after = await page.evaluate(() => window.vigieNetwork.picture().getCamera().x);
    if (before === after) throw new Error("the camera stands still");
  });
  await check("signing out", async () => {
    await page.goto(`${origin}/`);
    await page.focus("form[action='/sign-out'] button");
    await page.keyboard.press("Enter");
    await at("/sign-in");
    await page.goto(`${origin}/entities`);
    await page.waitForSelector("body.bare");
  });
  await view.close();
}
