// How a page is looked at, and what must hold for every one of them.

"use strict";
const axe = require("axe-core");
const { join } = require("node:path");

/** A page must fit through a slow connection: this is what may go over it. */
const MOST_PAGE_BYTES = 20_000;
/** The narrowest phones in use, and a desk. */
const WIDTHS = [360, 1280];
const SCHEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Chromium does nothing of its own accord, keeps no account of us, and finds no other machine. It has no sandbox, which
 * root and many containers cannot have, because it meets no page but ours.
 */
const CHROMIUM = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Somebody who reads one page after the other, in one language. */
class Reader {
  static async arrive(browser, home, language, { scripts }) {
    const context = await browser.newContext({ locale: language, javaScriptEnabled: scripts });
    const reader = new Reader();
    Object.assign(reader, { home: new URL(home).origin, language, context, scripts, page: await context.newPage() });
    reader.forget();
    reader.listen();
    return reader;
  }

  forget() {
    Object.assign(this, { complaints: [], elsewhere: [], loaded: [] });
  }

  listen() {
    this.context.on("request", (request) => {
      const url = new URL(request.url());
      this.loaded.push(url.href);
      if (!["data:", "blob:"].includes(url.protocol) && url.origin !== this.home) {
        this.elsewhere.push(url.href);
      }
    });
    this.page.on("pageerror", (error) => this.complaints.push(error.message));
    this.page.on("console", (message) => {
      // That a page is a refusal is its status, which is asked for.
      const isStatus = /^Failed to load resource: the server responded with a status/.test(message.text());
      if (["error", "warning"].includes(message.type()) && !(isStatus && message.location().url === this.page.url())) {
        this.complaints.push(`${message.text()} (${message.location().url})`);
      }
    });
  }

  async open(url) {
    this.forget();
    this.answer = await this.page.goto(url, { waitUntil: "load" });
  }

  /** Does what leads to another page, such as pressing a button. */
  async follow(act) {
    this.forget();
    const [answer] = await Promise.all([this.page.waitForNavigation({ waitUntil: "load" }), act(this.page)]);
    this.answer = answer;
  }

  /**
   * The page as it came, where scripts run: axe is one. The page itself stays without, and a form can be answered once.
   */
  async double() {
    const headers = Object.entries(await this.answer.allHeaders()).filter(([name]) => !/^content-(encoding|length)$/.test(name));
    const context = await this.context.browser().newContext({ locale: this.language });
    const page = await context.newPage();
    const same = { status: this.answer.status(), headers: Object.fromEntries(headers), body: await this.answer.body() };
    await page.route(this.answer.url(), (route) => route.fulfill(same));
    await page.goto(this.answer.url());
    await page.evaluate(axe.source);
    return page;
  }

}

/** Shows pages narrow and wide, light and dark. */
async function inEachAppearance(pages, act) {
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      for (const page of pages) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme: scheme });
      }
      await act(`${width} px, ${scheme}`, `${width}.${scheme}.png`);
    }
  }
}

/** The faults in accessibility of a page that knows axe, as it now looks. */
async function faults(page) {
  const found = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: "tag", values }, resultTypes: ["violations"] }), RULES);
  return found.violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target).join(", ")}`);
}

/** What a policy lacks to be strict. Scripts and inline styles are for the documentation alone. */
function gaps(policy = "", { programs }) {
  const directives = new Map(policy.split(";").map((part) => part.trim().split(/\s+/)).map(([name, ...values]) => [name, values.join(" ")]));
  const found = ["default-src", "base-uri", "frame-ancestors"].filter((name) => directives.get(name) !== "'none'");
  const script = directives.get("script-src");
  const scriptIsFine = programs ? script === "'self'" : script === undefined;
  const others = [...directives].filter(([name]) => !(programs && name === "style-src"));
  const isLoose = others.some(([, values]) => /unsafe|\*|https?:/.test(values));
  return [...found, ...(scriptIsFine ? [] : ["script-src"]), ...(isLoose ? [policy] : [])];
}

/** Looks at the page that is open: one finding for each rule, with what is wrong. */
async function inspect(reader, { status = 200, pictures, name }) {
  const wide = [];
  const found = [];
  const double = await reader.double();
  await inEachAppearance([reader.page, double], async (appearance, picture) => {
    const overflow = await reader.page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
    if (overflow > 0) {
      wide.push(`${overflow} px too wide at ${appearance}`);
    }
    found.push(...(await faults(double)).map((fault) => `${appearance}: ${fault}`));
    if (pictures) {
      const file = `${name.replace(/[^\w-]+/g, "-")}.${picture}`;
      await reader.page.screenshot({ path: join(pictures, file), fullPage: true });
    }
  });
  await double.context().close();
  const bytes = (await reader.answer.request().sizes()).responseBodySize;
  const language = await reader.page.evaluate(() => document.documentElement.lang);
  return {
    [`answers ${status}`]: reader.answer.status() === status ? [] : [`answered ${reader.answer.status()}`],
    [`speaks ${reader.language}`]: language === reader.language ? [] : [`speaks ${language}`],
    "has a strict policy": gaps((await reader.answer.allHeaders())["content-security-policy"], { programs: false }),
    [`is under ${MOST_PAGE_BYTES} bytes`]: bytes < MOST_PAGE_BYTES ? [] : [`${bytes} bytes`],
    "fits 360 and 1280 px": wide,
    "has no accessibility fault, narrow and wide, light and dark": found,
    // A form leads to its page: then that is the second.
    "is one request": reader.loaded.length === (reader.answer.request().redirectedFrom() ? 2 : 1) ? [] : reader.loaded,
    "asks nobody else": reader.elsewhere,
    "leaves the console silent": reader.complaints,
  };
}

module.exports = { CHROMIUM, Reader, gaps, inEachAppearance, inspect };
