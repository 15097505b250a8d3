// The page around Swagger UI: tokens, faults, the journal, several shows, light and dark.
"use strict";

const element = (id) => document.getElementById(id);

/** The faults of the page: name, serialised form, and effect. */
const FAULTS = [
  { name: "429", fault: { too_many_requests: { retry_after: 7 } }, text: "answers 429 with Retry-After: 7" },
  { name: "503", fault: 503, text: "answers 503" },
  { name: "Slow", fault: { delay: 3 }, text: "is delayed by three seconds" },
  { name: "Cut", fault: "cut_body", text: "loses its connection within the response body" },
  // A browser retries a call without any response, so this fault sends the headers.
  { name: "Lost response", fault: { cut_after: 0 }, text: "is processed, and its response has no body" },
];

let ui;
let fault = null;
/** The sandbox has admin calls. */
let isAdmin = true;
let noToken = "No token yet";
/** The last token of this page. */
let own;
/** The last known authorisation of Swagger UI. */
let authorized;
/** The expiry of the token by the sandbox's clock, in milliseconds, if it is known. */
let end = null;

/** Returns the URL of an admin call or of the document for the selected show. */
function ofShow(path, parameters = {}) {
  const show = element("show").value;
  const query = String(new URLSearchParams(show ? { show, ...parameters } : parameters));
  return query ? `${path}?${query}` : path;
}

async function json(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

function tell(text) {
  element("notice-text").textContent = text;
  element("notice").hidden = !text;
}

// --- Access

async function authorize() {
  try {
    own = await json(ofShow("/sandbox/token"), { method: "POST" });
    logOut();
    ui.preauthorizeApiKey("bearer", own.access_token);
  } catch (error) {
    tell(`No token: ${error.message}`);
  }
}

function logOut() {
  const names = ui.authSelectors.authorized()?.keySeq().toArray() ?? [];
  if (names.length) ui.authActions.logout(names);
}

/** Shows what Swagger UI is authorised with, by the button of this page or by its own dialog. */
async function followAccess() {
  const now = ui.authSelectors.authorized();
  if (now === authorized) return;
  authorized = now;
  end = null;
  tell("");
  if (!now?.size) return showAccess("none", noToken);
  showAccess("live", "Token");
  element("authorize").textContent = "New token";
  const bearer = now.getIn(["bearer", "value"]);
  const known = bearer ? bearer === own?.access_token && own.expires_in : now.getIn(["oauth2", "token", "expires_in"]);
  if (!known) return;
  const time = await sandboxTime();
  if (now === authorized) end = time + known * 1000;
  checkEnd();
}

function showAccess(state, text) {
  element("access").dataset.state = state;
  element("access").textContent = text;
}

/** The time in milliseconds by the sandbox's clock, which a test may move. */
async function sandboxTime() {
  if (!isAdmin) return Date.now();
  const clock = await json(ofShow("/sandbox/clock")).catch(() => null);
  return clock ? Date.parse(clock.now) : Date.now();
}

async function checkEnd() {
  if (!end || document.hidden) return;
  const checked = end;
  const left = checked - (await sandboxTime());
  if (checked !== end) return;
  if (left <= 0) return lose("The token has expired.");
  const until = new Date(Date.now() + left);
  showAccess("live", `Token until ${until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
}

function lose(reason) {
  end = null;
  showAccess("lost", "No valid token");
  tell(reason);
}

// --- Faults

function drawFaults() {
  for (const choice of FAULTS) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = choice.name;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => order(fault === choice ? null : choice));
    element("faults").append(button);
  }
}

function order(choice) {
  fault = choice;
  for (const button of element("faults").children) {
    button.setAttribute("aria-pressed", String(button.textContent === choice?.name));
  }
  element("armed").hidden = !choice;
  element("armed").textContent = `Next call: ${choice?.name} ✕`;
  element("armed").setAttribute("aria-label", `Next call: ${choice?.name}. Remove the fault`);
  element("fault-text").textContent = choice ? `The next call ${choice.text}.` : "The next call has no fault.";
}

/** Sends the fault as a header, so that it applies only to a call of this page. */
function spoil(request) {
  if (fault && !request.loadSpec && isCall(request.url)) {
    request.headers["Sandbox-Fault"] = JSON.stringify(fault.fault);
    order(null);
  }
  return request;
}

function isCall(url) {
  const path = new URL(url, location.href).pathname;
  return !path.startsWith("/auth/") && !path.startsWith("/sandbox");
}

// --- Journal

async function refresh() {
  if (!isAdmin) return;
  try {
    const entries = await json(ofShow("/sandbox/journal", { last: 20 }));
    element("journal").replaceChildren(...entries.reverse().map(drawEntry));
    if (!entries.length) element("journal").textContent = "No requests yet.";
  } catch (error) {
    element("journal").textContent = `Cannot read the journal: ${error.message}`;
  }
}

function drawEntry(entry) {
  const details = document.createElement("details");
  const status = entry.status ?? (entry.fault ? "lost" : "pending");
  const summary = tag("summary");
  summary.append(
    tag("span", "time", new Date(entry.at).toLocaleTimeString([], { hour12: false })),
    tag("span", "method", entry.method),
    tag("span", "path", entry.path),
    ...(entry.fault ? [tag("span", "fault", entry.fault)] : []),
    tag("span", `status status-${entry.status ? String(status)[0] : status}`, status),
  );
  details.append(
    summary,
    ...part("Request", entry.body, entry.body_is_cut),
    ...part("Response", entry.answer, entry.answer_is_cut),
    headers("Request headers", entry.headers),
    headers("Response headers", entry.answer_headers),
  );
  return details;
}

function tag(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Returns a text block that also scrolls by keyboard. */
function scrolled(text) {
  const pre = tag("pre", "", text);
  pre.tabIndex = 0;
  return pre;
}

function part(title, body, isCut) {
  if (!body) return [];
  return [tag("h3", "", isCut ? `${title} (truncated)` : title), scrolled(indented(body))];
}

function indented(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function headers(title, values) {
  const lines = Object.entries(values).map(([name, value]) => `${name}: ${value}`);
  const details = document.createElement("details");
  details.hidden = !lines.length;
  details.append(tag("summary", "", title), scrolled(lines.join("\n")));
  return details;
}

/** Explains a broken response, which Swagger UI reports as a CORS problem. */
function explained(response) {
  const { error, err } = response;
  if (!error || (err.status && err.status !== 200)) return response;
  const text = err.status
    ? "**The response was cut off.** The call was processed with status 200, and the connection was closed within the body."
    : "**No response.** The connection was closed before the response. The call may have been processed.";
  return { error, err: { name: "", message: text } };
}

/** Observes every response in Swagger UI, also a lost one. */
const watch = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        setResponse: (set) => (path, method, response) => {
          set(path, method, explained(response));
          // Swagger UI reports a 4xx as an error with its status.
          if ((response.err ?? response).status === 401) lose("The sandbox answered 401: the token has expired, was revoked, or is missing.");
          refresh();
        },
      },
    },
  },
});

/** Hides the parts that this page replaces. */
const plain = () => ({ components: { InfoContainer: () => null, ServersContainer: () => null } });

// --- The document and the shows

/** The document with the address that the page came from, which a proxy before the sandbox may have changed. */
async function loadDocument() {
  const path = ofShow("/openapi.json");
  element("document").href = path;
  const text = JSON.stringify(await json(path));
  const { servers } = JSON.parse(text);
  return JSON.parse(text.replaceAll(`"${servers[0].url}`, `"${location.origin}`));
}

async function loadShows() {
  const { shows } = await json("/sandbox");
  const choices = shows.map((show) => new Option(show.client_id, show.client_id));
  element("show").replaceChildren(...choices);
  element("shows").hidden = shows.length < 2;
  return shows;
}

/** A sandbox may have been started without the calls that give tokens and the journal away. */
function withoutAdmin() {
  isAdmin = false;
  noToken = "No token yet: Authorize below";
  showAccess("none", noToken);
  for (const id of ["authorize", "renew", "journal-card"]) element(id).hidden = true;
  element("first-step").textContent = "Press Authorize above the calls, with the id and secret of the show.";
  return [];
}

async function changeShow(shows) {
  logOut();
  ui.specActions.updateSpec(JSON.stringify(await loadDocument()));
  prefill(shows);
  lose("");
  refresh();
}

/** Fills in the id and secret of the show in the dialog of Swagger UI. */
function prefill(shows) {
  const show = shows.find((show) => show.client_id === element("show").value) ?? shows[0];
  if (show) ui.initOAuth({ clientId: show.client_id, clientSecret: show.client_secret, scopes: ["100214"] });
}

// --- Start

/** The order of the vendor's guide: a list, then create, update, get and delete one. */
function byGuide(one, other) {
  const place = (operation) => {
    const ofOne = operation.get("path").endsWith("}");
    const places = { get: ofOne ? 3 : 0, post: 1, put: 2, delete: 4 };
    return operation.get("path").startsWith("/v2/") ? 5 : places[operation.get("method")];
  };
  return place(one) - place(other);
}

function followTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}

async function start() {
  followTheme();
  drawFaults();
  const shows = await loadShows().catch(withoutAdmin);
  ui = SwaggerUIBundle({
    spec: await loadDocument(),
    dom_id: "#calls",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    operationsSorter: byGuide,
    requestInterceptor: spoil,
    plugins: [watch, plain],
    validatorUrl: null,
    onComplete: () => prefill(shows),
  });
  element("authorize").addEventListener("click", authorize);
  element("renew").addEventListener("click", authorize);
  ui.getStore().subscribe(followAccess);
  setInterval(checkEnd, 2000);
  element("armed").addEventListener("click", () => order(null));
  element("refresh").addEventListener("click", refresh);
  element("show").addEventListener("change", () => changeShow(shows));
  refresh();
}

start().catch((error) => tell(`The page could not start: ${error.message}`));
