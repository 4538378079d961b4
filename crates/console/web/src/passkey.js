// Passkeys: what the server asks is handed to the browser, and what the browser answers to the server. A form with
// `data-passkey` says where; what becomes of it is said in its own line.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  // Without words of its own it is the gate's: signed out by now, or too many requests.
  if (!answer.ok) throw new Refused(said.said ?? "", answer.status);
  return said;
}
class Refused extends Error {
  constructor(said, status) {
    super(said);
    this.status = status;
  }
}

const acts = {
  async sign(options) {
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: [] };
    const made = await navigator.credentials.get({ publicKey });
    const response = made.response;
    return {
      id: text(made.rawId), type: "public-key", clientExtensionResults: {},
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
      const { known, refused, broke } = form.dataset;
      line.textContent =
        error instanceof Refused ? error.message || `${refused} (${error.status})`
        : error.name === "InvalidStateError" ? known
        : `${broke} (${error.name})`;
      button.disabled = false;
      button.focus();
    }
  });
}
