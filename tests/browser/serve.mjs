// Starts the console on a free port and gives the sign-in link it prints.
import { spawn } from "node:child_process";

export async function serve(bin, caseDir, env = process.env) {
  const args = /vigie$/.test(bin) ? ["serve", "--case", caseDir, "--listen", "127.0.0.1:0"] : [caseDir];
  const child = spawn(bin, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const link = await new Promise((resolve, reject) => {
    const hear = (chunk) => {
      said += chunk;
      const found = said.match(/http:\/\/\S+\/sign-in\/[0-9a-f]{64}/);
      if (found) resolve(found[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", (code) => reject(new Error(`the console ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`no sign-in link within 60 s: ${said}`)), 60_000).unref();
  });
  return { link, stop: () => child.kill("SIGTERM") };
}
