// Elements out of data. Texts go in as texts only: what a message says is never markup.

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return made;
}

const path_of = (queue) => `/queues/${of(queue)}`;
const place_of = (queue) => `#${path_of(queue)}`;
const link = (to, text) => element("a", { href: to }, text);
const queue_link = (name) => link(place_of(name), name);
const letter_link = (queue, { id, source }) => link(`${place_of(queue)}/dead-letters/${of(id)}/${of(source ?? "")}`, id);
const message_link = (id) => link(`#/messages/${of(id)}`, id);
const button = (text, click, attributes = {}) => element("button", { type: "button", click, ...attributes }, text);
const heading = (text) => element("h2", {}, text);
const count = (number) => number.toLocaleString("en");
const at = (time) => (time ? time.replace("T", " ").replace("Z", "") : "");
const size = (bytes) => (bytes < 1 << 20 ? `${count(Math.ceil(bytes / 1024))} KiB` : `${count(Math.ceil(bytes / (1 << 20)))} MiB`);

// Columns are [title, cell of an item, class?].
function table(columns) {
  const body = element("tbody", {});
  const head = element("tr", {}, columns.map(([title, , kind]) => element("th", { scope: "col", class: kind }, title)));
  const row = (item) => element("tr", {}, columns.map(([, cell, kind]) => element("td", { class: kind }, cell(item) ?? "")));
  const whole = element("div", { class: "wide" }, element("table", {}, element("thead", {}, head), body));
  return {
    whole,
    body,
    show: (items) => body.replaceChildren(...items.map(row)),
    add: (items) => body.append(...items.map(row)),
    first: (item) => body.prepend(row(item)),
  };
}

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return element("dl", {}, shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function json(value) {
  return element("pre", {}, JSON.stringify(value, null, 2));
}

// A list that grows by a page at a time.
async function growing(columns, path, signal, none) {
  const shown = table(columns);
  const more = pages(path, signal, shown.add);
  const next = button("More", act(async () => { next.hidden = !(await more()); }));
  next.hidden = !(await more());
  return shown.body.children.length ? element("div", {}, shown.whole, next) : element("p", { class: "soft" }, none);
}
