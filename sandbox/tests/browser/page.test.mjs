// The page of the sandbox in a browser. PERENSO_SANDBOX is the path of the binary; CHROMIUM that of the browser, if it is
// not Debian's.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, afterEach, before, test } from "node:test";

import { chromium } from "playwright-core";

const BINARY = process.env.PERENSO_SANDBOX;
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** The timeout of each wait. */
const TIMEOUT = 30_000;

let browser;
const servers = [];
const pages = [];

/** Starts a sandbox. Returns its URL. */
async function sandbox(...args) {
  assert.ok(BINARY, "PERENSO_SANDBOX must name the binary");
  const server = spawn(BINARY, args, { stdio: ["ignore", "pipe", "inherit"] });
  servers.push(server);
  const line = await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the sandbox ended with ${code}`)));
    createInterface({ input: server.stdout }).once("line", resolve);
  });
  return line.match(/ url=(\S+)/)[1];
}

/** Opens the page, and records its requests and errors. */
async function open(url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  const record = { page, url, requests: [], complaints: [] };
  pages.push(record);
  page.on("request", (request) => record.requests.push(request.url()));
  page.on("pageerror", (error) => record.complaints.push(error.message));
  page.on("console", (message) => {
    // Chromium also reports the errors that the tests expect.
    const isExpected = /^Failed to load resource: (the server responded with a status of|net::ERR_(INCOMPLETE|CONTENT))/;
    if (message.type() === "error" && !isExpected.test(message.text())) record.complaints.push(message.text());
  });
  await page.goto(`${url}/docs`);
  await page.locator(".opblock").first().waitFor();
  return page;
}

const operation = (page, name) => page.locator(`.opblock[id$="-${name}"]`);

async function expand(page, name) {
  const block = operation(page, name);
  if (!(await block.locator(".opblock-body").isVisible())) await block.locator(".opblock-summary-control").click();
  const tryOut = block.locator(".try-out__btn:not(.cancel)");
  await block.locator(".opblock-body .opblock-section-header").first().waitFor();
  if (await tryOut.count()) await tryOut.click();
  return block;
}

/** Clears the last response and presses Execute. */
async function run(block, body) {
  const clear = block.locator(".btn-clear");
  if (await clear.count()) {
    await clear.click();
    await block.locator(".live-responses-table").waitFor({ state: "detached" });
  }
  // Clear restores the example.
  if (body) await block.locator("textarea").fill(body);
  await block.locator(".execute").click();
}

/** Executes an operation with its example or another body. Returns the response of the page. */
async function execute(page, name, body) {
  const block = await expand(page, name);
  await run(block, body);
  const response = block.locator(".live-responses-table .response").first();
  await response.locator(".response-col_status").waitFor();
  return {
    status: parseInt(await response.locator(".response-col_status").innerText(), 10),
    text: await response.locator(".response-col_description").innerText(),
    body: (await response.locator(".highlight-code code").allTextContents())[0] ?? "",
  };
}

async function authorize(page) {
  await page.getByRole("button", { name: "Authorize with a sandbox token" }).click();
  await page.locator('#access[data-state="live"]').waitFor();
}

before(async () => {
  browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });
});

afterEach(async () => {
  const opened = pages.splice(0);
  for (const { page } of opened) await page.context().close();
  for (const server of servers.splice(0)) {
    server.removeAllListeners("exit");
    server.kill();
  }
  for (const { url, requests, complaints } of opened) {
    assert.deepEqual(complaints, [], "the page complains of nothing");
    const foreign = requests.filter((request) => !request.startsWith(`${url}/`) && !request.startsWith("data:"));
    assert.deepEqual(foreign, [], "no request leaves the sandbox");
    assert.ok(requests.length > 3);
  }
});

after(() => browser?.close());

test("somebody with a browser authorises, creates a customer and finds it in the list", async () => {
  const page = await open(await sandbox());
  await authorize(page);
  const list = await execute(page, "customer_list");
  assert.equal(list.status, 200);
  assert.equal(JSON.parse(list.body).length, 10);

  const created = await execute(page, "customer_create");
  assert.equal(created.status, 200);
  const { id, customerID } = JSON.parse(created.body);

  const records = JSON.parse((await execute(page, "customer_list")).body);
  assert.equal(records[0].id, id);
  assert.equal(records[0].customerID, customerID);
  const paths = await page.locator("#journal summary").allInnerTexts();
  assert.ok(paths.some((path) => /POST\s+\/Customer\s+200/.test(path)), `the journal has the create: ${paths}`);
});

test("an export runs with its parameters and gives rows", async () => {
  const page = await open(await sandbox());
  await authorize(page);
  const block = await expand(page, "export_run");
  assert.equal(await block.locator("input").first().inputValue(), "79aag9");
  assert.deepEqual(JSON.parse(await block.locator("textarea").inputValue()), { Cursor: 1, Limit: 15 });
  const run = await execute(page, "export_run");
  assert.equal(run.status, 200);
  assert.equal(JSON.parse(run.body).length, 15);

  const refused = await execute(page, "export_run", '{ "Cursor": "1", "Limit": 15 }');
  assert.equal(refused.status, 400, "a quoted integer is refused");
});

test("a 429 is ordered with a click, shows Retry-After, and is gone with the next call", async () => {
  const page = await open(await sandbox());
  await authorize(page);
  await page.getByRole("button", { name: "429", exact: true }).click();
  const refused = await execute(page, "customer_list");
  assert.equal(refused.status, 429);
  assert.match(refused.text, /retry-after: 7/);
  assert.equal((await execute(page, "customer_list")).status, 200);

  await page.getByRole("button", { name: "503", exact: true }).click();
  assert.equal((await execute(page, "customer_list")).status, 503);
  for (const [name, text] of [["Cut", "The response was cut off."], ["Lost response", "The response was cut off."]]) {
    await page.getByRole("button", { name, exact: true }).click();
    const block = await expand(page, "export_list");
    await run(block);
    await block.getByText(text).waitFor();
  }
});

test("a create with a lost response is processed once, also on a reused connection", async () => {
  const page = await open(await sandbox());
  await authorize(page);
  const customers = () => page.evaluate(async () => {
    const { access_token: token } = await (await fetch("/sandbox/token", { method: "POST" })).json();
    const query = "?modifiedAfter=2000-01-01&resultsPerPage=1000";
    return (await (await fetch(`/Customer${query}`, { headers: { authorization: `Bearer ${token}` } })).json()).length;
  });
  const creates = () => page.evaluate(async () => (await (await fetch("/sandbox/journal")).json()).filter(({ method }) => method === "POST"));
  await execute(page, "customer_list");
  const before = await customers();
  await page.getByRole("button", { name: "Lost response", exact: true }).click();
  const block = await expand(page, "customer_create");
  await run(block);
  await block.getByText(/was cut off|No response/).waitFor();
  assert.equal(await customers(), before + 1);
  assert.deepEqual((await creates()).map(({ path, fault }) => `${path} ${fault}`), ["/Customer cut_after"]);
});

test("Try it out works for every operation with what is filled in", async () => {
  const url = await sandbox();
  const document = await (await fetch(`${url}/openapi.json`)).json();
  const names = Object.values(document.paths).flatMap((path) => Object.values(path)).map((one) => one.operationId).filter(Boolean);
  assert.ok(names.length >= 14);
  const page = await open(url);
  await authorize(page);
  assert.equal(await page.locator(".opblock").count(), names.length);
  const failed = [];
  for (const name of names) {
    const { status, body } = await execute(page, name);
    if (!(status >= 200 && status < 300)) failed.push(`${name}: ${status} ${body}`);
    // What is open is drawn again and again.
    await operation(page, name).locator(".opblock-summary-control").click();
  }
  assert.deepEqual(failed, []);
});

test("without a token, and with one that was revoked, the page says so and offers a new one", async () => {
  const page = await open(await sandbox());
  assert.equal((await execute(page, "customer_list")).status, 401);
  const renew = page.getByRole("button", { name: "Get a new token" });
  await renew.click();
  await renew.waitFor({ state: "hidden" });
  assert.equal((await execute(page, "customer_list")).status, 200);

  await page.evaluate(() => fetch("/sandbox/tokens/revoke", { method: "POST" }));
  assert.equal((await execute(page, "customer_list")).status, 401);
  await renew.click();
  await renew.waitFor({ state: "hidden" });
  assert.equal((await execute(page, "customer_list")).status, 200);
});

test("a token's end is announced", async () => {
  const page = await open(await sandbox("--token-lifetime", "1"));
  await authorize(page);
  await page.getByText("The token has expired.").waitFor();
});

test("a token's end is announced when it comes by the sandbox's clock", async () => {
  const page = await open(await sandbox());
  await authorize(page);
  await page.getByText(/^Token until \d/).waitFor();
  await page.evaluate(() => fetch("/sandbox/clock", { method: "POST", body: '{"advance": 1000000}' }));
  await page.getByText("The token has expired.").waitFor();
});

test("an ordered fault is named in the bar, wherever the page stands, and is taken back there", async () => {
  const page = await open(await sandbox(), { viewport: { width: 360, height: 740 } });
  await authorize(page);
  const badge = page.getByRole("button", { name: "Next call: 503" });
  assert.ok(!(await badge.isVisible()));
  await page.getByRole("button", { name: "503", exact: true }).click();
  await expand(page, "export_list");
  const box = await badge.boundingBox();
  assert.ok(box.y >= 0 && box.y + box.height < 200, `the badge is at ${box.y}`);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await badge.click();
  assert.ok(!(await badge.isVisible()));
  assert.equal((await execute(page, "export_list")).status, 200);
});

test("a recent request shows its time, fault and status, and its bodies before its headers", async () => {
  const url = await sandbox();
  const page = await open(url);
  await authorize(page);
  await page.getByRole("button", { name: "503", exact: true }).click();
  assert.equal((await execute(page, "customer_create")).status, 503);
  assert.ok(!(await page.getByText("Undocumented").isVisible()), "of what was ordered there is no document");
  await assert.rejects(fetch(`${url}/Customer`, { headers: { "sandbox-fault": "drop_connection" } }));
  await page.getByRole("button", { name: "Refresh" }).click();
  const summaries = page.locator("#journal > details > summary");
  await summaries.filter({ hasText: "drop_connection" }).first().waitFor();
  assert.match((await summaries.allInnerTexts())[0], /^\d\d:\d\d:\d\d\s+GET\s+\/Customer\s+drop_connection\s+lost$/);
  const create = page.locator("#journal > details").filter({ hasText: "POST" });
  assert.match(await create.locator("summary").first().innerText(), /POST\s+\/Customer\s+status\s+503$/);
  await create.locator("summary").first().click();
  assert.deepEqual(await create.locator("h3, details > summary").allInnerTexts(), [
    "Request", "Response", "Request headers", "Response headers",
  ]);
  assert.ok(await create.getByText('"customerName"').isVisible());
  assert.ok(!(await create.getByText("sandbox-fault:").isVisible()));
});

/** Presses Authorize for the client credentials, and closes the dialog. */
async function apply(dialog) {
  await dialog.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  await dialog.getByRole("button", { name: "Remove authorization" }).waitFor();
  await dialog.page().keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
}

test("the Authorize dialog knows the show's id and secret", async () => {
  const page = await open(await sandbox());
  await page.locator(".btn.authorize").click();
  await apply(page.locator(".modal-ux"));
  await page.getByText(/^Token until \d/).waitFor();
  assert.equal((await execute(page, "customer_list")).status, 200);
  await page.locator(".btn.authorize").click();
  await page.getByRole("button", { name: "Remove authorization" }).click();
  await page.getByText("No token yet").waitFor();
});

test("the keyboard is enough to authorise", async () => {
  const page = await open(await sandbox());
  const isAtButton = () => page.evaluate(() => document.activeElement?.id === "authorize");
  for (let presses = 0; presses < 5 && !(await isAtButton()); presses += 1) await page.keyboard.press("Tab");
  assert.ok(await isAtButton());
  await page.keyboard.press("Enter");
  await page.locator('#access[data-state="live"]').waitFor();
});

test("a phone needs no scrolling to the side, whatever is open", async () => {
  const page = await open(await sandbox(), { viewport: { width: 360, height: 740 } });
  await authorize(page);
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(await width(), 360);
  for (const name of ["customer_list", "customer_create", "export_run"]) {
    await execute(page, name);
    assert.equal(await width(), 360, name);
    const response = await operation(page, name).locator(".live-responses-table .highlight-code").first().boundingBox();
    assert.ok(response.width > 260, `the response of ${name} has ${response.width} of 360 pixels`);
  }
  await page.locator(".models-control").click();
  await page.locator(".btn.authorize").click();
  await page.locator(".modal-ux").waitFor();
  assert.equal(await width(), 360);
});

/** The contrast of text to what is behind it, for the first visible element of each selector. */
async function contrasts(selectors) {
  while (document.getAnimations().length) await Promise.allSettled(document.getAnimations().map((one) => one.finished));
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  const rgba = (colors) => {
    context.clearRect(0, 0, 1, 1);
    for (const color of colors) {
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((part) => part / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return selectors.map((selector) => {
    const element = [...document.querySelectorAll(selector)].find((one) => one.checkVisibility());
    if (!element) return { selector, contrast: 0 };
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.unshift(getComputedStyle(one).backgroundColor);
    const behind = luminance(rgba(["white", ...layers]));
    const text = luminance(rgba(["white", ...layers, getComputedStyle(element).color]));
    const [high, low] = [behind, text].sort((a, b) => b - a);
    return { selector, behind, text, contrast: (high + 0.05) / (low + 0.05) };
  });
}

const TEXTS = [
  "h1", ".lead", ".steps li", ".card p", ".brand", "#access", "#authorize", "#faults .button", "footer p", "footer a",
  ".opblock-tag a", ".opblock-tag small", ".opblock-summary-path", ".opblock-summary-description",
  ".opblock-get .opblock-summary-method", ".opblock-post .opblock-summary-method",
  ".opblock-put .opblock-summary-method", ".opblock-delete .opblock-summary-method",
  ".opblock-description p", ".opblock-description code", ".parameter__name", ".parameter__type", ".parameter__in",
  ".parameters-col_description p", ".parameters-col_description input", ".execute", ".btn.cancel", ".btn-clear", ".btn.authorize",
  ".response-col_status", "table.responses-table td", ".responses-inner h4", "textarea",
];
const GROUNDS = ["h1", ".lead", ".card p", ".opblock-description p", ".parameter__name", "textarea"];

test("text can be read in the light and in the dark, and the page follows a change", async () => {
  const page = await open(await sandbox());
  await authorize(page);
  await execute(page, "customer_list");
  await execute(page, "customer_create");
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate(contrasts, TEXTS);
    assert.deepEqual(found.filter(({ contrast }) => contrast < 4.5), [], colorScheme);
    const band = page.locator(".scheme-container");
    assert.equal(await band.evaluate((one) => getComputedStyle(one).backgroundColor), "rgba(0, 0, 0, 0)", colorScheme);
    const grounds = found.filter(({ selector }) => GROUNDS.includes(selector));
    assert.equal(grounds.length, GROUNDS.length);
    for (const { selector, behind, text } of grounds) {
      assert.equal(behind < 0.1 && text > 0.3, colorScheme === "dark", `${selector}: ${text} on ${behind}`);
    }
  }
});

test("each of several shows has its own token, records and document", async () => {
  const page = await open(await sandbox("--show", "SPRING", "--show", "AUTUMN"));
  await authorize(page);
  assert.equal((await execute(page, "customer_delete")).status, 204);
  await page.getByLabel("Show", { exact: true }).selectOption("AUTUMN");
  await page.locator('#access[data-state="lost"]').waitFor();
  await page.getByText("No requests yet.").waitFor();
  assert.equal((await execute(page, "customer_list")).status, 401, "no token of another show");
  await page.getByRole("button", { name: "Get a new token" }).click();
  await page.locator('#access[data-state="live"]').waitFor();
  assert.equal((await execute(page, "customer_list")).status, 200);
  assert.equal((await execute(page, "customer_delete")).status, 204, "what was deleted in one show is there in the other");
  const journal = await page.evaluate(async () => (await fetch("/sandbox/journal?show=AUTUMN")).json());
  assert.deepEqual(journal.map(({ method, status }) => `${method} ${status}`), ["GET 200", "DELETE 204"]);
});

test("without admin calls the Authorize dialog is left", async () => {
  const page = await open(await sandbox("--no-admin", "--client-id", "SPRING", "--client-secret", "made+up/secret="));
  assert.ok(!(await page.locator("#authorize").isVisible()));
  await page.locator(".btn.authorize").click();
  const dialog = page.locator(".modal-ux");
  await dialog.getByLabel("client_id").fill("SPRING");
  await dialog.getByLabel("client_secret").fill("made+up/secret=");
  await apply(dialog);
  assert.equal((await execute(page, "customer_list")).status, 200);
});

test("the files of Swagger UI are those of its package", async () => {
  const url = await sandbox();
  for (const [path, name] of [["swagger-ui.js", "swagger-ui-bundle.js"], ["swagger-ui.css", "swagger-ui.css"]]) {
    const served = Buffer.from(await (await fetch(`${url}/docs/${path}`)).arrayBuffer());
    const packed = readFileSync(new URL(`node_modules/swagger-ui-dist/${name}`, import.meta.url));
    assert.ok(served.equals(packed), `${path} is not the ${name} of swagger-ui-dist`);
  }
});
