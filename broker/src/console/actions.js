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

async function redrive(path, which, what) {
  if (!confirm(`Redrive ${what}?`)) return;
  const { redriven, not_found, stopped } = await call("POST", `${path}/dead-letters/redrive`, which);
  const rest = [not_found?.length && `${count(not_found.length)} were not there`, stopped && `stopped: ${stopped}`].filter(Boolean);
  await show([`Redriven: ${count(redriven)}`, ...rest].join("; "));
}

async function discard(path, { ids }, what) {
  if (!confirm(`Discard ${what} for good?`)) return;
  const { purged } = await call("POST", `${path}/dead-letters/purge`, { ids });
  await show(`Discarded: ${count(purged)}`);
}

async function stop(task) {
  await call("DELETE", `/redrives/${of(task)}`);
  await show("Stopped.");
}
