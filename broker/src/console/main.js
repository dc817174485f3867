// Which view a place is, and the token.

const PLACES = [
  [/^#?\/?$/, overview],
  [/^#\/queues\/([^/]+)$/, queue],
  [/^#\/queues\/([^/]+)\/dead-letters\/([^/]+)\/([^/]*)$/, dead_letter],
  [/^#\/messages\/([^/]+)$/, message],
  [/^#\/events$/, live],
  [/^#\/redrives$/, redrives],
  [/^#\/audit$/, audit],
];

let shown = new AbortController();
let arrival = "";

async function show(text = "") {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  say(text);
  document.getElementById("leave").hidden = !sessionStorage.getItem(TOKEN);
  const main = document.querySelector("main");
  // Nothing of the place before stays, least of all its buttons, should this one not be shown.
  main.replaceChildren();
  const found = PLACES.map(([pattern, view]) => [location.hash.match(pattern), view]).find(([match]) => match);
  if (!found) return main.replaceChildren(element("h1", {}, "There is nothing at this place"));
  const [[, ...parameters], view] = found;
  try {
    await view(main, signal, ...parameters.map(decodeURIComponent));
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

// Another place, or this one anew, with what was done.
function go_to(place, text) {
  if (location.hash === place) return show(text);
  arrival = text;
  location.hash = place;
}

// Again and again until the place is left, also when the broker can't be reached for a while; not while nobody
// looks. The work says when the broker has answered.
async function every(pause, signal, work) {
  let failed = false;
  const answered = () => {
    if (failed) say("");
    failed = false;
  };
  while (!signal.aborted) {
    try {
      if (!document.hidden) await work(answered);
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
addEventListener("hashchange", () => {
  show(arrival);
  arrival = "";
});
show();
