// The views, one for each kind of place: each fills `main` and may go on until the signal ends it.

const REFRESH = 2000;

async function overview(main, signal) {
  const rates = rates_between_looks();
  const figure = (name) => [name, ({ counts }) => count(counts[name]), "number"];
  const queues = table([
    ["queue", ({ name }) => queue_link(name)],
    figure("ready"), figure("leased"), figure("delayed"),
    ["dead", ({ counts }) => element("span", { class: counts.dead ? "bad" : "" }, count(counts.dead)), "number"],
    ["oldest", ({ counts }) => counts.oldest_age, "number"],
    ["bytes", ({ counts }) => size(counts.bytes), "number"],
    ["in/s", (queue) => rates(queue, "published"), "number"],
    ["acked/s", (queue) => rates(queue, "acked"), "number"],
  ]);
  const topics = table([
    ["topic", ({ name }) => name],
    ["retained", ({ retained }) => count(retained.messages), "number"],
    ["subscribed queues", ({ subscriptions }) => subscriptions.flatMap(({ queue }) => [queue_link(queue), " "])],
  ]);
  const more = element("p", { class: "soft", hidden: true }, "There are more than are shown here: GET /queues and GET /topics list all.");
  main.replaceChildren(element("h1", {}, "Queues"), queues.whole, heading("Topics"), topics.whole, more);
  await every(REFRESH, signal, async (answered) => {
    const [these, those] = await Promise.all([get("/queues?limit=1000", signal), get("/topics?limit=1000", signal)]);
    answered();
    queues.show(these.items);
    topics.show(those.items);
    rates.looked();
    more.hidden = !these.next_cursor && !those.next_cursor;
  });
}

function rates_between_looks() {
  let before = new Map(), now = new Map(), then = 0;
  const rate = ({ name, counts }, of_what) => {
    now.set(`${name} ${of_what}`, counts[of_what]);
    const earlier = before.get(`${name} ${of_what}`);
    return earlier === undefined ? "" : count(Math.round((counts[of_what] - earlier) / ((Date.now() - then) / 1000)));
  };
  rate.looked = () => { [before, now, then] = [now, new Map(), Date.now()]; };
  return rate;
}

async function queue(main, signal, name) {
  const path = path_of(name);
  const { settings, counts } = await get(path, signal);
  const flow = Object.entries(counts).filter(([, value]) => value).map(([key, value]) => [key.replaceAll("_", " "), typeof value === "number" ? count(value) : value]);
  const waiting = [
    ["message", ({ message }) => message && message_link(message.id), "id"],
    ["state", ({ state }) => state],
    ["type", ({ message }) => message?.type],
    ["key", ({ message }) => message?.partitionkey],
    ["published", ({ published_at }) => at(published_at)],
    ["available", ({ available_at }) => at(available_at)],
    ["deliveries", ({ delivery_count }) => count(delivery_count), "number"],
  ];
  main.replaceChildren(
    element("h1", {}, name), facts(flow),
    heading("Dead letters"), await dead_letters(name, counts, signal),
    heading("Ready, leased and delayed"), await growing(waiting, `${path}/messages?limit=50`, signal, "None waits."),
    heading("Settings"), json(settings),
  );
}

async function dead_letters(queue, counts, signal) {
  if (!counts.dead) return element("p", { class: "soft" }, "None.");
  const groups = [
    ["count", (group) => count(group.count), "number"],
    ["type", ({ type }) => type],
    ["reason", ({ reason }) => reason],
    ["last seen", ({ last_seen }) => at(last_seen)],
    ["one of them", ({ sample_id }) => letter_link(queue, { id: sample_id }), "id"],
  ];
  const letters = [
    ["", (letter) => choice(letter, chosen)],
    ["message", (letter) => letter_link(queue, letter), "id"],
    ["source", ({ source }) => source],
    ["type", ({ type }) => type],
    ["reason", ({ reason }) => reason],
    ["failed", ({ last_failed_at }) => at(last_failed_at)],
    ["redriven", ({ redrive_count }) => count(redrive_count), "number"],
  ];
  const chosen = new Set();
  const path = `${path_of(queue)}/dead-letters`;
  return element("div", {},
    await growing(groups, `${path}/groups`, signal, "None."),
    element("div", { class: "actions" },
      button("Redrive all", act(() => redrive_all(queue, counts.dead))),
      button("Redrive the chosen", act(() => some([...chosen], (letters) => redrive(queue, letters)))),
      button("Discard the chosen", act(() => some([...chosen], (letters) => discard(queue, letters)))),
    ),
    await growing(letters, `${path}?limit=50`, signal, "None."));
}

function choice(letter, chosen) {
  const change = ({ target }) => (target.checked ? chosen.add(letter) : chosen.delete(letter));
  return element("input", { type: "checkbox", change, "aria-label": `Choose ${letter.id}` });
}

async function dead_letter(main, signal, queue, id, source) {
  const narrowed = source ? `?source=${of(source)}` : "";
  const letter = await get(`${path_of(queue)}/dead-letters/${of(id)}${narrowed}`, signal);
  const history = table([
    ["delivery", ({ delivery_count }) => count(delivery_count), "number"],
    ["delivered", ({ delivered_at }) => at(delivered_at)],
    ["ended", ({ ended_at }) => at(ended_at)],
    ["consumer", ({ consumer }) => consumer],
    ["outcome", ({ outcome }) => outcome],
    ["reason", ({ reason }) => reason],
  ]);
  history.show(letter.history);
  main.replaceChildren(
    element("h1", {}, `Dead letter ${id}`),
    facts([["queue", queue_link(queue)], ["source", letter.source], ["type", letter.type], ["key", letter.partitionkey], ["reason", letter.reason], ["redriven", `${letter.redrive_count} times`], ["journey", message_link(id)]]),
    element("div", { class: "actions" },
      button("Redrive", act(() => redrive(queue, [letter]))),
      button("Discard", act(() => discard(queue, [letter])))),
    heading("History"), history.whole, heading("Message"), json(letter.message),
  );
}

async function message(main, signal, id) {
  const { journey, complete } = await get(`/messages/${of(id)}`, signal);
  const steps = table([
    ["at", (step) => at(step.at)],
    ["what", ({ what }) => what],
    ["where", ({ queue, topic }) => (queue ? queue_link(queue) : topic)],
    ["consumer", ({ consumer }) => consumer],
    ["reason", ({ reason }) => reason],
  ]);
  steps.show(journey);
  const note = complete ? "" : "Not all of it is shown: something is not in memory any more, or not for this token to see.";
  main.replaceChildren(element("h1", {}, `Message ${id}`), element("p", { class: "soft" }, note), steps.whole);
}

async function live(main, signal) {
  const MOST = 500;
  const feed = table([
    ["at", (told) => at(told.at)],
    ["what", ({ kind }) => kind],
    ["queue", (told) => told.queue && queue_link(told.queue)],
    ["message", ({ id }) => id && message_link(id), "id"],
    ["type", ({ type }) => type],
    ["consumer", ({ consumer }) => consumer],
    ["reason", (told) => told.reason ?? (told.count && `${count(told.count)} are not shown`)],
  ]);
  main.replaceChildren(element("h1", {}, "What happens now"), feed.whole);
  let last;
  await every(REFRESH, signal, (answered) => events(last, signal, answered, (told) => {
    last = told.place ?? last;
    feed.first(told);
    if (feed.body.children.length > MOST) feed.body.lastElementChild.remove();
  }));
}

async function redrives(main, signal) {
  const paced = [
    ["task", ({ task }) => task],
    ["from", (paced) => queue_link(paced.queue)],
    ["to", ({ to }) => queue_link(to)],
    ["state", ({ state, waiting_for, stopped }) =>
      (waiting_for ? `${state}, waits for ${waiting_for}` : stopped ? `${state}: ${stopped}` : state)],
    ["per second", ({ per_second }) => count(per_second), "number"],
    ["redriven", ({ redriven }) => count(redriven), "number"],
    ["skipped", ({ skipped }) => count(skipped), "number"],
    ["remaining", ({ remaining }) => count(remaining), "number"],
    ["started", ({ started_at }) => at(started_at)],
    ["ended", ({ ended_at, task }) => (ended_at ? at(ended_at) : button("Stop", act(() => stop(task))))],
  ];
  main.replaceChildren(element("h1", {}, "Paced redrives"), await growing(paced, "/redrives", signal, "None."));
}

async function audit(main, signal) {
  const items = [
    ["at", (item) => at(item.at)],
    ["who", ({ who }) => who],
    ["what", ({ action }) => action],
    ["queue or topic", ({ topic, queue }) => [topic, queue].filter(Boolean).join(", ")],
    ["to", ({ to }) => to],
    ["count", (item) => count(item.count), "number"],
    ["asked for", ({ request }) => request && JSON.stringify(request)],
  ];
  main.replaceChildren(element("h1", {}, "Audit"), await growing(items, "/audit?limit=100", signal, "Nothing yet."));
}
