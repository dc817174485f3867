// Which view a place is, and the token.

const PLACES = [
  [/^#?\/?$/, overview],
  [/^#\/queues\/([^/]+)$/, queue],
  [/^#\/queues\/([^/]+)\/dead-letters\/([^/]+)$/, dead_letter],
  [/^#\/messages\/([^/]+)$/, message],
  [/^#\/events$/, live],
  [/^#\/redrives$/, redrives],
  [/^#\/audit$/, audit],
];

let shown = new AbortController();

async function show(text = "") {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  say(text);
  document.getElementById("leave").hidden = !sessionStorage.getItem(TOKEN);
  const main = document.querySelector("main");
  const found = PLACES.map(([pattern, view]) => [location.hash.match(pattern), view]).find(([match]) => match);
  if (!found) return main.replaceChildren(element("h1", {}, "There is nothing at this place"));
  const [[, ...parameters], view] = found;
  return view(main, signal, ...parameters.map(decodeURIComponent)).catch((error) => signal.aborted || fail(error));
}

// Again and again until the place is left, also when the broker can't be reached for a while; not while nobody
// looks.
async function every(pause, signal, work) {
  for (let failed = false; !signal.aborted; ) {
    try {
      if (!document.hidden) await work();
      if (failed) say("");
      failed = false;
    } catch (error) {
      if (error.status === 401 || signal.aborted) throw error;
      failed = true;
      say(`${error.message}: trying again`, true);
    }
    await new Promise((resume) => setTimeout(resume, pause));
  }
}

function ask_for_token(why) {
  const field = element("input", { type: "password", name: "token", "aria-label": "Token", autocomplete: "off", required: true });
  const submit = (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, field.value.trim());
    show();
  };
  say(why, true);
  document.querySelector("main").replaceChildren(
    element("h1", {}, "Who are you?"),
    element("p", {}, "Give a token of this broker. It is kept in this tab until it is closed."),
    element("form", { class: "actions", submit }, field, element("button", {}, "Come in")));
  field.focus();
}

document.getElementById("find").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = `#/messages/${of(new FormData(event.target).get("id").trim())}`;
});
document.getElementById("leave").addEventListener("click", () => {
  sessionStorage.removeItem(TOKEN);
  show();
});
addEventListener("hashchange", () => show());
show();
