// What the console must refuse, asked from outside it.
import http from "node:http";

function raw(origin, path, { method = "GET", headers = {} } = {}) {
  const url = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: url.hostname, port: url.port, path, method, headers, setHost: false }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer));
    });
    request.on("error", reject);
    request.end();
  });
}

export async function refusals({ origin, link, state, fail }) {
  const host = new URL(origin).host;
  const cookie = state.cookies.map((c) => `${c.name}=${c.value}`).join("; ");
  const expect = async (what, want, path, options) => {
    const { statusCode } = await raw(origin, path, options);
    if (statusCode !== want) fail(`refusal: ${what}`, `status ${statusCode}, not ${want}`);
  };
  await expect("no session", 401, "/", { headers: { host } });
  await expect("a spent link", 403, new URL(link).pathname, { headers: { host } });
  await expect("another host", 421, "/", { headers: { host: "evil.example", cookie } });
  await expect("no host", 421, "/", { headers: { cookie } });
  await expect("another origin", 403, "/sign-out", { method: "POST", headers: { host, cookie, origin: "http://evil.example" } });
  await expect("no origin", 403, "/sign-out", { method: "POST", headers: { host, cookie } });
  // A program reads no notes: it must not take a whole list for a part.
  for (const path of ["/entities?format=json&page=2", "/entities?format=json&kind=Nosuch", "/problems?format=json&kind=x"]) {
    await expect(path, 400, path, { headers: { host, cookie } });
  }
  await expect("no such item", 404, "/custody?format=json&item=nope", { headers: { host, cookie } });
  await expect("a list as data", 200, "/entities?format=json&kind=Server&limit=1", { headers: { host, cookie } });
  const session = state.cookies.find((c) => /^vigie_\d+$/.test(c.name));
  if (!session?.httpOnly || session.sameSite !== "Strict") fail("refusal: cookie", JSON.stringify(session));
}
