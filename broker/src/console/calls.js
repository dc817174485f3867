"use strict";
// Calls to the broker, with the token that this tab was given.

const TOKEN = "broker-token";

class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the broker answered ${status}`);
    this.status = status;
  }
}

function headers() {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function answered(response) {
  if (response.status === 204) return null;
  const answer = await response.text().then((text) => JSON.parse(text, exact)).catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

// Data may hold numbers that a double can't: they are shown with the digits they came with, where the browser can.
function exact(_, value, context) {
  const lost = typeof value === "number" && context?.source !== undefined && String(value) !== context.source;
  return lost && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
}

async function call(method, path, body, signal) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return answered(await fetch(path, { method, headers: headers(), body: text, signal }));
}

const get = (path, signal) => call("GET", path, undefined, signal);
const of = encodeURIComponent;

// A list to its end may be a million dead letters: a page at a time, the next when asked for.
function pages(path, signal, show) {
  let next = path;
  return async () => {
    const page = await get(next, signal);
    show(page.items);
    const joint = path.includes("?") ? "&" : "?";
    next = page.next_cursor && `${path}${joint}cursor=${of(page.next_cursor)}`;
    return Boolean(next);
  };
}

// EventSource can't send a token; this reads the same stream with one, behind the event `last` if there is one.
async function events(last, signal, began, tell) {
  const behind = last === undefined ? {} : { "Last-Event-ID": last };
  const response = await fetch("/events", { headers: { ...headers(), ...behind }, signal });
  if (!response.ok) return answered(response);
  began();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return null;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    blocks.map(read_event).filter(Boolean).forEach(tell);
  }
}

function read_event(block) {
  const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
  return fields.event && { ...JSON.parse(fields.data), kind: fields.event, place: fields.id };
}
