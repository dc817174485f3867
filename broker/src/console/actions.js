// What changes something: asked first, done, said, and the place shown anew.

function say(text, is_bad = false) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.className = is_bad ? "bad" : "";
}

function fail(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401) ask_for_token(error.message);
  else say(error.message, true);
}

// A click's handler whose failure is said, and which can't run twice at a time.
function act(work) {
  return async ({ currentTarget }) => {
    currentTarget.disabled = true;
    await work().catch(fail);
    currentTarget.disabled = false;
  };
}

async function some(ids, work) {
  return ids.length ? work(ids) : say("Choose some first.", true);
}

async function redrive_all(queue, dead) {
  if (!confirm(`Redrive all ${count(dead)} dead letters of ${queue}?`)) return;
  const { redriven, stopped } = await call("POST", `${path_of(queue)}/dead-letters/redrive`, {});
  await go_to(place_of(queue), `Redriven: ${count(redriven)}${stopped ? `; stopped: ${stopped}` : ""}`);
}

async function redrive(queue, letters) {
  if (!confirm(`Redrive ${things(letters)} of ${queue}?`)) return;
  const answers = await by_source(letters, (of_source, ids) => call("POST", `${path_of(queue)}/dead-letters/redrive${of_source}`, { ids }));
  const stopped = answers.find((answer) => answer.stopped);
  await go_to(place_of(queue), `Redriven: ${total(answers, "redriven")}${stopped ? `; stopped: ${stopped.stopped}` : ""}`);
}

async function discard(queue, letters) {
  if (!confirm(`Discard ${things(letters)} of ${queue} for good?`)) return;
  const answers = await by_source(letters, (of_source, ids) => call("POST", `${path_of(queue)}/dead-letters/purge${of_source}`, { ids }));
  await go_to(place_of(queue), `Discarded: ${total(answers, "purged")}`);
}

// An id names a message only together with its source.
async function by_source(letters, act_on) {
  const answers = [];
  for (const [source, some] of Map.groupBy(letters, (letter) => letter.source)) {
    answers.push(await act_on(`?source=${of(source)}`, some.map(({ id }) => id)));
  }
  return answers;
}

const things = (letters) => (letters.length === 1 ? `the dead letter ${letters[0].id}` : `${count(letters.length)} dead letters`);
const total = (answers, what) => count(answers.reduce((sum, answer) => sum + answer[what], 0));

async function stop(task) {
  await call("DELETE", `/redrives/${of(task)}`);
  await show("Stopped.");
}
