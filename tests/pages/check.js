// Opens every page for people as a customer and as an integrator would, and prints what held.
//   node check.js PROGRAM CHROMIUM [PICTURES]        see `run`

"use strict";
const { mkdirSync, mkdtempSync, rmSync } = require("node:fs");
const { createServer } = require("node:http");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { chromium } = require("playwright-core");
const { CHROMIUM, Reader, gaps, inEachAppearance, inspect } = require("./look");
const { Program, eventually } = require("./program");

const [path, browserPath, pictures] = process.argv.slice(2);
const RENDER_MILLISECONDS = 60_000;
/** Ten times what it takes: a browser that hangs is a failure, not a wait. */
const WHOLE_SECONDS = 900;

let passed = 0;
let failed = 0;
function expect(name, findings) {
  const wrong = [findings].flat();
  if (wrong.length === 0) {
    passed += 1;
    console.log(`ok      ${name}`);
  } else {
    failed += 1;
    console.log(`FAILED  ${name}:\n        ${wrong.join("\n        ")}`);
  }
}

/** Nothing is wrong, or one thing. */
const holds = (condition, otherwise) => (condition ? [] : [otherwise]);

async function look(reader, name, status = 200) {
  for (const [rule, wrong] of Object.entries(await inspect(reader, { status, pictures, name }))) {
    expect(`${name}: ${rule}`, wrong);
  }
}

async function shows(reader, name, ...texts) {
  const seen = await reader.page.locator("body").innerText();
  expect(`${name}: says ${texts.join(" and ")}`, texts.filter((text) => !seen.includes(text)).map((text) => `does not say ${text}:\n${seen}`));
}

// ---------------------------------------------------------------------------------------------------------------------
// The check itself
// ---------------------------------------------------------------------------------------------------------------------

/** A page that breaks every rule: each must be found, or the check would find nothing on ours either. */
async function theCheckBites(browser) {
  const bad = `<!doctype html><html lang="fr"><title>Bad</title><body style="color:#999;background:#aaa">
    <div style="width:1500px">wide</div><input><img src="http://elsewhere.example/x.png">
    <script>console.error("loud")</script>${"<!-- long -->".repeat(2_000)}`;
  const server = createServer((_, answer) => answer.writeHead(404, { "content-type": "text/html" }).end(bad));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const home = `http://127.0.0.1:${server.address().port}`;
    const reader = await Reader.arrive(browser, home, "en", { scripts: true });
    await reader.open(`${home}/bad`);
    for (const [rule, wrong] of Object.entries(await inspect(reader, { name: "bad" }))) {
      expect(`a bad page is found out: ${rule}`, holds(wrong.length > 0, "nothing was found"));
    }
    await reader.context.close();
  } finally {
    server.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Surveys
// ---------------------------------------------------------------------------------------------------------------------

const WORDS = {
  "zh-CN": {
    question: "您对这次上门服务满意吗？", choose: "请在五个选项中选择一个", low: "感谢您的坦诚反馈", thanks: "感谢您的回答",
    before: "您已经回答过了", over: "问卷已结束", unknown: "链接无效", other: "English",
  },
  en: {
    question: "How satisfied are you with the visit?", choose: "Please choose one of the five answers", low: "Thank you for telling us",
    thanks: "Thank you", before: "You have answered already", over: "This survey is over", unknown: "This link does not work", other: "中文",
  },
};
const BRAND = "碧水 Clearwater";

/** With everything a survey can have, and words that do not break by themselves. */
const LONG_SURVEY = {
  code: "whole",
  name: "Whole",
  trigger: "complaint_resolved",
  question: { zh: "您对我们处理这次净水器漏水投诉的方式、速度和结果是否满意？", en: "How satisfied are you with how we dealt with your complaint about the Donaudampfschifffahrtsgesellschaftskapitänskajüte?" },
  comment: { zh: "您还想告诉我们什么？", en: "What else would you like to tell us?" },
  choices: [
    {
      code: "tidy",
      wording: { zh: "技师离开时地面干净吗？", en: "Was the floor clean when the technician left?" },
      options: [
        { code: "yes", wording: { zh: "干净", en: "Yes, it was" } },
        { code: "no", wording: { zh: "不干净", en: "No, it was not" } },
      ],
    },
  ],
};

/** Ninety days go by, both customers are visited, and a day later both are asked. */
async function visitsAndAsks(program) {
  await program.advance(90);
  const customers = (await program.get("/customers")).data;
  const visits = (await program.get("/appointments?state=confirmed")).data;
  const asked = {};
  for (const { id, locale } of customers) {
    const visit = visits.findLast(({ customer_id }) => customer_id === id);
    await program.post(`/appointments/${visit.id}/begin`);
    await program.post(`/appointments/${visit.id}/complete`);
    asked[locale] = id;
  }
  await program.advance(1);
  const links = Object.entries(asked).map(async ([locale, id]) => [locale, await program.surveyLink(id)]);
  return Object.fromEntries(await Promise.all(links));
}

/** All that could have been written because somebody looked. Cursors are sealed anew each time, and say nothing. */
async function written(program) {
  const lists = ["audit-entries", "invitations", "responses", "complaints", "test/outbox"];
  return JSON.stringify(await Promise.all(lists.map(async (list) => (await program.get(`/${list}`)).data)));
}

async function unanswered(program, reader, link) {
  const words = WORDS[reader.language];
  const name = `survey ${reader.language}, unanswered`;
  const before = await written(program);
  await reader.open(link);
  await look(reader, name);
  await shows(reader, name, words.question, BRAND);
  await reader.follow((page) => page.getByRole("link", { name: words.other }).click());
  const [other] = Object.keys(WORDS).filter((language) => language !== reader.language);
  await shows(reader, `${name}, in the other language`, WORDS[other].question, words.other === "English" ? "中文" : "English");
  expect(`${name}: looking changes nothing`, holds((await written(program)) === before, "something was written"));
}

async function refused(reader, link) {
  const words = WORDS[reader.language];
  const name = `survey ${reader.language}, nothing chosen`;
  await reader.open(link);
  await reader.page.locator("textarea").fill("<b>5 > 4 & \"快\"</b>");
  await reader.follow((page) => page.locator("button").click());
  await look(reader, name, 422);
  await shows(reader, name, words.question, words.choose, BRAND);
  const scale = reader.page.getByRole("radiogroup", { description: new RegExp(words.choose) });
  expect(`${name}: the fault stands at the scale`, holds((await scale.count()) === 1 && (await scale.getAttribute("aria-invalid")) === "true", "no radiogroup is described by it"));
  expect(`${name}: the scale has the focus`, holds(await reader.page.locator("input").first().evaluate((input) => input === document.activeElement), "something else has it"));
  expect(`${name}: the title begins with the fault`, holds((await reader.page.title()).includes(words.choose), await reader.page.title()));
  const kept = await reader.page.locator("textarea").inputValue();
  expect(`${name}: what was written is kept`, holds(kept === "<b>5 > 4 & \"快\"</b>", kept));
}

async function tooLong(reader, link) {
  const name = `survey ${reader.language}, comment too long`;
  await reader.open(link);
  await reader.page.getByRole("radio").nth(4).check();
  await reader.page.locator("textarea").evaluate((area) => { area.removeAttribute("maxlength"); area.value = "水".repeat(4_001); });
  await reader.follow((page) => page.locator("button").click());
  await look(reader, name, 422);
  const comment = reader.page.getByRole("textbox", { description: /4000/ });
  expect(`${name}: the fault stands at the comment`, holds((await comment.getAttribute("aria-invalid")) === "true", "it does not"));
  expect(`${name}: the score is kept`, holds(await reader.page.getByRole("radio").nth(4).isChecked(), "it is not"));
}

async function lowAnswer(program, reader, link) {
  const words = WORDS[reader.language];
  const late = await Reader.arrive(reader.context.browser(), reader.home, reader.language, { scripts: false });
  await late.open(link);

  const name = `survey ${reader.language}, answered with 2`;
  await reader.open(link);
  await reader.page.getByRole("radio").nth(1).check();
  await reader.page.locator("textarea").fill("迟到了一个小时。");
  await reader.follow((page) => page.locator("button").click());
  await look(reader, name);
  await shows(reader, name, words.low, BRAND);
  const complaint = await eventually("a complaint", async () => (await program.get("/complaints?state=received")).data[0]);
  expect(`${name}: there is a complaint`, holds(complaint.source === "survey" && complaint.description === "迟到了一个小时。", JSON.stringify(complaint)));

  const again = `survey ${reader.language}, opened again`;
  await reader.open(link);
  await look(reader, again);
  await shows(reader, again, words.low, BRAND);

  const twice = `survey ${reader.language}, answered twice`;
  await late.page.getByRole("radio").nth(0).check();
  await late.follow((page) => page.locator("button").click());
  await look(late, twice, 409);
  await shows(late, twice, words.before, BRAND);
  expect(`${twice}: the first answer counts`, holds((await program.get("/responses")).data.length === 1, "there are more"));
  await late.context.close();
  return complaint;
}

async function highAnswer(program, reader, link) {
  const name = `survey ${reader.language}, answered with 5 by keyboard`;
  await reader.open(link);
  const { keyboard } = reader.page;
  // The link to the other language, the scale, the comment, the button.
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await keyboard.press("Space");
  for (let step = 1; step < 5; step += 1) {
    await keyboard.press("ArrowDown");
  }
  await keyboard.press("Tab");
  await keyboard.type("Quick and tidy.");
  await keyboard.press("Tab");
  await reader.follow(() => keyboard.press("Enter"));
  await look(reader, name);
  await shows(reader, name, WORDS[reader.language].thanks, BRAND);
  const answer = (await program.get("/responses")).data.find(({ score }) => score === 5);
  expect(`${name}: it has arrived`, holds(answer?.comment === "Quick and tidy.", JSON.stringify(answer)));
}

/** The complaint is settled, the customer is asked about it with a longer survey, and does not answer in time. */
async function longAndOver(program, readers, complaint) {
  const { id } = await program.post("/surveys", LONG_SURVEY);
  await program.post(`/surveys/${id}/activate`);
  await program.post(`/complaints/${complaint.id}/acknowledge`);
  await program.post(`/complaints/${complaint.id}/decide`, { responsibility: "none", text: "一切正常。", recourse: "请致电 12315。" });
  await program.post(`/complaints/${complaint.id}/resolve`);
  const before = await program.surveyLink(complaint.customer_id);
  const link = await eventually("a survey about the complaint", async () => {
    await program.advance(1);
    const newest = await program.surveyLink(complaint.customer_id);
    return newest !== before && newest;
  });
  for (const reader of readers) {
    const name = `long survey ${reader.language}`;
    await reader.open(link);
    await look(reader, name);
    await shows(reader, name, BRAND);
  }
  await program.advance(8);
  for (const reader of readers) {
    const name = `survey ${reader.language}, over`;
    await reader.open(link);
    await look(reader, name, 410);
    await shows(reader, name, WORDS[reader.language].over, BRAND);
  }
}

async function unknown(program, reader) {
  const name = `survey ${reader.language}, unknown link`;
  await reader.open(`${program.url}/s/AAAAAAAAAAAAAAAAAAAAAA`);
  await look(reader, name, 404);
  await shows(reader, name, WORDS[reader.language].unknown);
}

async function surveys(program, readers) {
  const links = await visitsAndAsks(program);
  const [chinese, english] = readers;
  for (const reader of readers) {
    await unanswered(program, reader, links[reader.language]);
    await refused(reader, links[reader.language]);
    await tooLong(reader, links[reader.language]);
    await unknown(program, reader);
  }
  const complaint = await lowAnswer(program, chinese, links["zh-CN"]);
  await highAnswer(program, english, links.en);
  await longAndOver(program, readers, complaint);
}

// ---------------------------------------------------------------------------------------------------------------------
// Boards
// ---------------------------------------------------------------------------------------------------------------------

/** More complaints than a page has are public, and one of them is answered. */
async function boards(program, readers) {
  const [customer] = (await program.get("/customers")).data.filter(({ dealer_id }) => dealer_id);
  for (let number = 0; number < 21; number += 1) {
    const matter = { customer_id: customer.id, source: "group", kind: "quality", severity: 2, description: "净水器漏水，电话 13800138000。" };
    const { id } = await program.post("/complaints", matter);
    await program.post(`/complaints/${id}/publish`, { title: `漏水 ${number}` });
    if (number === 20) {
      await program.post(`/complaints/${id}/messages`, { direction: "to_customer", body: "我们今天上门。", public: true });
    }
  }
  const { board_path: path } = await program.post(`/dealers/${customer.dealer_id}/complaint-board`, {});
  const words = { "zh-CN": ["投诉与答复", "较早的投诉", "较新的投诉"], en: ["Complaints and answers", "Older complaints", "Newer complaints"] };
  for (const reader of readers) {
    const [title, older, newer] = words[reader.language];
    const name = `board ${reader.language}`;
    await reader.open(`${program.url}${path}`);
    await look(reader, name);
    await shows(reader, name, title, "电话 ***", "我们今天上门。", "漏水 20");
    const second = `board ${reader.language}, second page`;
    await reader.follow((page) => page.getByRole("link", { name: older }).click());
    await look(reader, second);
    await shows(reader, second, "漏水 0", newer);
    const gone = `board ${reader.language}, unknown link`;
    await reader.open(`${program.url}/b/AAAAAAAAAAAAAAAAAAAAAA`);
    await look(reader, gone, 404);
    await shows(reader, gone, WORDS[reader.language].unknown);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Complaints
// ---------------------------------------------------------------------------------------------------------------------

const COMPLAINT_WORDS = {
  "zh-CN": {
    title: "请告诉我们哪里出了问题", number: "您的投诉", choose: "请选择是哪方面的问题", what: "请填写发生了什么", photo: "有文件不是照片",
    promised: "之前", accepted: "您已接受这个决定", refused: "您没有接受我们的决定", why: "请简单说明", sent: "您已发送的照片：2 张",
    again: "您告诉我们问题还没有解决", satisfied: "您已告诉我们您对结果满意", moved: "投诉的进展有了变化", unknown: "链接无效", other: "English",
  },
  en: {
    title: "Tell us what went wrong", number: "Your complaint", choose: "Please choose what it is about", what: "Please tell us what happened",
    photo: "is not a photo", promised: "by ", accepted: "You have accepted this decision", refused: "You have not accepted our decision",
    why: "Please tell us in a few words", sent: "Photos that you have sent: 2", again: "something is still not right", satisfied: "You told us that you are satisfied",
    moved: "has moved on since you opened this page", unknown: "This link does not work", other: "中文",
  },
};
/** Words that do not break by themselves, and that would be markup. */
const SAID = `It leaks <b>everywhere</b> & "快" Donaudampfschifffahrtsgesellschaftskapitänskajütentürschlüssel`;
const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const picture = (last) => ({ name: `${last}.png`, mimeType: "image/png", buffer: Buffer.concat([PICTURE, Buffer.from(last)]) });

const press = (reader, say) => reader.follow((page) => page.locator(`button[value="${say}"]`).click());

async function notFiled(program, reader, link) {
  const words = COMPLAINT_WORDS[reader.language];
  const empty = `complaint form ${reader.language}`;
  const before = await written(program);
  await reader.open(link);
  await look(reader, empty);
  await shows(reader, empty, words.title, BRAND);
  expect(`${empty}: looking changes nothing`, holds((await written(program)) === before, "something was written"));

  const kind = `complaint form ${reader.language}, nothing chosen`;
  await reader.page.locator("#description").fill(SAID);
  await reader.follow((page) => page.locator("button").click());
  await look(reader, kind, 422);
  await shows(reader, kind, words.choose);
  const kept = await reader.page.locator("#description").inputValue();
  expect(`${kind}: what was written is kept`, holds(kept === SAID, kept));
  expect(`${kind}: the first kind has the focus`, holds(await reader.page.locator("input[name=kind]").first().evaluate((input) => input === document.activeElement), "something else has it"));

  const nothing = `complaint form ${reader.language}, nothing said and no photo`;
  await reader.page.locator("input[name=kind]").first().check();
  await reader.page.locator("#description").fill("");
  await reader.follow((page) => page.locator("button").click());
  await look(reader, nothing, 422);
  await shows(reader, nothing, words.what);
  await reader.page.locator("#description").fill(SAID);
  await reader.page.locator("#photos").setInputFiles([{ name: "a.png", mimeType: "image/png", buffer: Buffer.from("no picture") }]);
  await reader.follow((page) => page.locator("button").click());
  await look(reader, `complaint form ${reader.language}, no photo`, 422);
  await shows(reader, nothing, words.photo);
}

/** Files a complaint with a photo; what became of it. */
async function filed(program, reader, customer) {
  const words = COMPLAINT_WORDS[reader.language];
  const name = `complaint ${reader.language}, filed with a photo`;
  await reader.page.locator("#wish").fill("A new one. 换新。");
  await reader.page.locator("#photos").setInputFiles([picture("1")]);
  const assets = reader.page.locator("input[name=asset]");
  if ((await assets.count()) > 0) {
    await assets.first().check();
  }
  await reader.follow((page) => page.locator("button").click());
  await look(reader, name);
  const complaint = (await program.get(`/complaints?customer_id=${customer}`)).data[0];
  await shows(reader, name, words.number, complaint.number, words.promised, SAID, BRAND);
  const photos = (await program.get(`/complaints/${complaint.id}/attachments`)).data;
  expect(`${name}: it has arrived`, holds(complaint.source === "page" && complaint.description === SAID && photos.length === 1, JSON.stringify({ complaint, photos })));
  return complaint;
}

async function writtenAbout(program, reader, complaint) {
  const words = COMPLAINT_WORDS[reader.language];
  const name = `complaint ${reader.language}, written about`;
  await reader.page.locator("#message").fill(SAID);
  await reader.page.locator("#photos").setInputFiles([picture("2")]);
  await press(reader, "message");
  await program.post(`/complaints/${complaint.id}/messages`, { direction: "to_customer", body: "We come on Monday. 我们周一上门。" });
  await reader.open(reader.page.url());
  await look(reader, name);
  await shows(reader, name, "We come on Monday.", words.sent);
}

async function refusedAndAccepted(program, reader, complaint) {
  const words = COMPLAINT_WORDS[reader.language];
  const name = `complaint ${reader.language}`;
  await program.post(`/complaints/${complaint.id}/acknowledge`);
  await program.decide(complaint.id, "We repair it. 我们为您维修。");
  await reader.open(reader.page.url());
  await look(reader, `${name}, decided`);
  await press(reader, "refuse");
  await look(reader, `${name}, refused without a reason`, 422);
  await shows(reader, `${name}, refused without a reason`, words.why);
  await reader.page.locator("#refusal").fill(SAID);
  await press(reader, "refuse");
  await look(reader, `${name}, refused`);
  await shows(reader, `${name}, refused`, words.refused, SAID);

  await program.decide(complaint.id, "You get a new one. 我们为您换新。");
  const url = reader.page.url();
  await press(reader, "accept");
  await look(reader, `${name}, decided anew meanwhile`, 409);
  await shows(reader, `${name}, decided anew meanwhile`, words.moved, "You get a new one.");
  await reader.open(url);
  await press(reader, "accept");
  await look(reader, `${name}, accepted`);
  await shows(reader, `${name}, accepted`, words.accepted);
}

async function satisfiedInTheEnd(program, reader, complaint) {
  const words = COMPLAINT_WORDS[reader.language];
  const name = `complaint ${reader.language}`;
  await program.resolve(complaint.id);
  await reader.open(reader.page.url());
  await look(reader, `${name}, resolved`);
  await reader.page.locator("#comment").fill(SAID);
  await press(reader, "unsatisfied");
  await look(reader, `${name}, taken up again`);
  await shows(reader, `${name}, taken up again`, words.again, SAID);
  await program.decide(complaint.id, "We are sorry. 抱歉。");
  await program.resolve(complaint.id);
  await reader.open(reader.page.url());
  await press(reader, "satisfied");
  await look(reader, `${name}, closed`);
  await shows(reader, `${name}, closed`, words.satisfied);
  const { state, customer_satisfied } = await program.get(`/complaints/${complaint.id}`);
  expect(`${name}: it is closed`, holds(state === "closed" && customer_satisfied, `${state} ${customer_satisfied}`));
}

async function complaints(program, readers) {
  const customers = (await program.get("/customers")).data;
  for (const reader of readers) {
    const customer = customers.find(({ locale }) => locale === reader.language).id;
    const link = await program.filingLink(customer);
    await notFiled(program, reader, link);
    const complaint = await filed(program, reader, customer);
    await writtenAbout(program, reader, complaint);
    await refusedAndAccepted(program, reader, complaint);
    await satisfiedInTheEnd(program, reader, complaint);
    for (const path of ["c", "c/new"]) {
      const name = `complaint ${reader.language}, unknown link ${path.length}`;
      await reader.open(`${program.url}/${path}/AAAAAAAAAAAAAAAAAAAAAA`);
      await look(reader, name, 404);
      await shows(reader, name, COMPLAINT_WORDS[reader.language].unknown);
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Problems
// ---------------------------------------------------------------------------------------------------------------------

async function problems(program, readers) {
  const titles = { "zh-CN": ["问题代码", "允许的操作"], en: ["Problems", "What you can do"] };
  for (const reader of readers) {
    const all = `list of problems ${reader.language}`;
    await reader.open(`${program.url}/problems`);
    await look(reader, all);
    await shows(reader, all, titles[reader.language][0], "illegal_transition");
    const one = `a problem ${reader.language}`;
    await reader.follow((page) => page.getByRole("link", { name: "illegal_transition" }).click());
    await look(reader, one);
    await shows(reader, one, "illegal_transition", "409");
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Documentation
// ---------------------------------------------------------------------------------------------------------------------

const OPERATION = "Resolves a complaint";
/** How a reader comes from each page's beginning to the operations of complaints. */
const DOCUMENTATION = {
  "/docs": async (page) => {
    await page.getByText("complaints", { exact: true }).first().click();
    await page.getByRole("link", { name: OPERATION }).first().click();
    return page.getByRole("heading", { name: OPERATION });
  },
  "/docs/swagger": async (page) => page.getByText(OPERATION),
};
/** The programs of others that show our document: they must run, here alone; their markup is theirs. */
async function documentation(program, browser) {
  for (const [path, findOperation] of Object.entries(DOCUMENTATION)) {
    const reader = await Reader.arrive(browser, program.url, "en", { scripts: true });
    reader.page.setDefaultTimeout(RENDER_MILLISECONDS);
    await reader.open(`${program.url}${path}`);
    const policy = (await reader.answer.allHeaders())["content-security-policy"];
    expect(`${path}: has a strict policy`, gaps(policy, { programs: true }));
    const shown = findOperation(reader.page).then((found) => found.first().waitFor());
    expect(`${path}: shows the operation "${OPERATION}"`, await shown.then(() => [], ({ message }) => [message]));
    await inEachAppearance([reader.page], async (_, picture) => {
      if (pictures) {
        await reader.page.screenshot({ path: join(pictures, `${path.slice(1).replace("/", "-")}.${picture}`) });
      }
    });
    expect(`${path}: asks nobody else`, reader.elsewhere);
    expect(`${path}: leaves the console silent`, reader.complaints);
    await reader.context.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

async function everything(program, browser) {
  await theCheckBites(browser);
  const readers = [];
  for (const language of Object.keys(WORDS)) {
    readers.push(await Reader.arrive(browser, program.url, language, { scripts: false }));
  }
  await surveys(program, readers);
  await boards(program, readers);
  await complaints(program, readers);
  await problems(program, readers);
  await documentation(program, browser);
}

const tooLate = () =>
  new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not within ${WHOLE_SECONDS} seconds`)), WHOLE_SECONDS * 1000).unref();
  });

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "aftercare-pages-"));
  let browser;
  let program;
  try {
    if (pictures) {
      mkdirSync(pictures, { recursive: true });
    }
    browser = await chromium.launch({ executablePath: browserPath, args: CHROMIUM });
    program = await Program.start(path, folder);
    await Promise.race([everything(program, browser), tooLate()]);
  } catch (error) {
    expect("the check runs to its end", [error.stack]);
  } finally {
    await browser?.close();
    await program?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`pages: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
