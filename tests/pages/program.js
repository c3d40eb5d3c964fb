// The program under test: started in an empty folder with a database of its own, asked over HTTP, ended again.

"use strict";
const { spawn } = require("node:child_process");
const { randomUUID } = require("node:crypto");
const { chmodSync, readFileSync } = require("node:fs");
const { createServer } = require("node:net");
const { join } = require("node:path");

const START_TRIES = 3;
/** A cluster is created, and the demo is pushed, on a machine that may be busy. */
const START_SECONDS = 120;
const STOP_SECONDS = 30;
const WORK_SECONDS = 120;
const POLL_MILLISECONDS = 100;

const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));

/** Asks until there is an answer. */
async function eventually(what, ask) {
  const deadline = Date.now() + WORK_SECONDS * 1000;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer) {
      return answer;
    }
    await pause();
  }
  throw new Error(`${what}: not within ${WORK_SECONDS} seconds`);
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** The caller's settings must not reach the program. */
function surroundings(ours) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AFTERCARE_|PG)/.test(name));
  return { ...Object.fromEntries(kept), ...ours };
}

class Program {
  constructor(child, url, folder) {
    Object.assign(this, { child, url, folder, said: "" });
    this.ended = new Promise((resolve) => child.once("exit", resolve));
    // Should the check itself be ended.
    process.once("exit", () => child.kill("SIGTERM"));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.said += text));
    }
  }

  /** Starts it in `folder`, which is empty, and waits for its health and its demo. */
  static async start(path, folder) {
    // As root the program runs PostgreSQL under another account, which passes through this folder.
    chmodSync(folder, 0o711);
    for (let tries = 1; ; tries += 1) {
      const [port, admin] = [await freePort(), await freePort()];
      const settings = {
        AFTERCARE_BIND: `127.0.0.1:${port}`,
        AFTERCARE_ADMIN_BIND: `127.0.0.1:${admin}`,
        AFTERCARE_DATA_DIR: join(folder, "data"),
      };
      const child = spawn(path, [], { env: surroundings(settings), cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      const program = new Program(child, `http://127.0.0.1:${port}`, folder);
      if (await program.ready()) {
        return program;
      }
      await program.stop();
      if (tries === START_TRIES) {
        throw new Error(`the program did not start:\n${program.said}`);
      }
    }
  }

  async ready() {
    const deadline = Date.now() + START_SECONDS * 1000;
    while (Date.now() < deadline && this.child.exitCode === null) {
      // These are the last words of the welcome, after the demo.
      if (this.said.includes("Try it:")) {
        this.key = readFileSync(join(this.folder, "data/demo.key"), "utf8").trim();
        return (await fetch(`${this.url}/readyz`)).ok;
      }
      await pause();
    }
    return false;
  }

  async stop() {
    const patience = setTimeout(() => this.child.kill("SIGKILL"), STOP_SECONDS * 1000);
    this.child.kill("SIGTERM");
    await this.ended;
    clearTimeout(patience);
  }

  async ask(method, path, body) {
    const headers = { authorization: `Bearer ${this.key}`, "content-type": "application/json", "idempotency-key": randomUUID() };
    const answer = await fetch(`${this.url}/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    }
    return JSON.parse(text);
  }

  get(path) {
    return this.ask("GET", path);
  }

  post(path, body = {}) {
    return this.ask("POST", path, body);
  }

  /** Moves the sandbox's clock, and waits until all that was due has happened. */
  async advance(days) {
    const clock = (await this.get("/test/clocks")).data[0].id;
    const { id } = await this.post(`/test/clocks/${clock}/advance`, { days });
    await eventually(`${days} days`, async () => (await this.get(`/operations/${id}`)).status === "succeeded");
  }

  /** The newest link to a survey that this customer was sent. */
  async surveyLink(customer) {
    // A letter is written by one job and sent by the next.
    return eventually("a letter with a survey", async () => {
      const letters = (await this.get(`/test/outbox?customer_id=${customer}`)).data;
      return letters.flatMap(({ body }) => body.match(/http\S*\/s\/[\w-]+/g) ?? [])[0];
    });
  }

  /** The address of a page on which this customer files complaints. */
  async filingLink(customer) {
    return (await this.post(`/customers/${customer}/complaint-link`)).link;
  }

  /** Decides a complaint in the customer's favour. */
  async decide(complaint, text) {
    return this.post(`/complaints/${complaint}/decide`, {
      responsibility: "ours", apology: "We are sorry. 非常抱歉。", text, recourse: "请致电 12315。 Call 12315.", remedies: [{ kind: "repair", note: "This week. 本周。" }],
    });
  }

  /** Carries out all that was promised, and resolves. */
  async resolve(complaint) {
    const remedies = (await this.get(`/complaints/${complaint}/remedies`)).data;
    for (const { id } of remedies.filter(({ state }) => state === "due")) {
      await this.post(`/complaints/${complaint}/remedies/${id}/complete`);
    }
    return this.post(`/complaints/${complaint}/resolve`);
  }
}

module.exports = { Program, eventually };
