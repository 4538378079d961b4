// Passkeys: what the server asks is handed to the browser, and what the browser answers to the server. A form with
// `data-passkey` says where; what becomes of it is said in its own line.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  // A refusal that is no JSON is a page of its own: it is shown as such by going there.
  const said = await answer.json().catch(() => ({ said: answer.statusText }));
  if (!answer.ok) throw new Refused(said.said ?? said.error);
  return said;
}
class Refused extends Error {}

const acts = {
  async sign(options) {
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: [] };
    const { response, ...made } = await navigator.credentials.get({ publicKey });
    return {
      id: made.id ?? text(made.rawId), type: "public-key", clientExtensionResults: {},
      authenticatorData: text(response.authenticatorData), clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature), userHandle: response.userHandle && text(response.userHandle),
    };
  },
  async add(options) {
    const known = (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
    const publicKey = { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: known };
    const { response } = await navigator.credentials.create({ publicKey });
    return {
      type: "public-key", clientExtensionResults: {}, transports: response.getTransports?.() ?? [],
      attestationObject: text(response.attestationObject), clientDataJSON: text(response.clientDataJSON),
    };
  },
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button"), line = form.querySelector("[role=status]");
  if (!window.PublicKeyCredential || !navigator.credentials) {
    line.textContent = form.dataset.without;
    continue;
  }
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    line.textContent = form.dataset.waits;
    try {
      const fields = Object.fromEntries(new FormData(form));
      const answer = await acts[form.dataset.passkey](await post(form.action + "/options", fields));
      location.href = (await post(form.action, { ...fields, answer })).to;
    } catch (error) {
      // What the browser says is in its own language, and of the device; what the server says is ours.
      line.textContent = error instanceof Refused ? error.message : `${form.dataset.broke} (${error.name})`;
      button.disabled = false;
    }
  });
}
