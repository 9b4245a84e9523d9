/* Conversations, kept in this browser only: stored, listed, renamed, deleted, saved, opened again.

   What the page shows is the truth: after each answer its questions and records are stored as they stand.
   With them goes which articles were chosen to answer.
   A turn is {question, record} with the answer as the server recorded it, or {question, text} of an answer
   that was stopped. */

import { choiceIn, choose, chosen } from "./choice.js";
import { confirmed } from "./confirm.js";
import { $, $$, ROOT, answering, element, name, tool, words } from "./dom.js";

const PREFIX = "beleg:conversation:";
const OPEN = "beleg:open";
const MOST = 100;
const TITLE_LENGTH = 90;

/* --- the store ------------------------------------------------------------------------------------------ */

const records = new Map();

function all() {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    return keys.map(read).filter(Boolean).sort((a, b) => b.updated - a.updated);
  } catch {
    return [];
  }
}

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    return kept && Array.isArray(kept.turns) ? kept : null;
  } catch {
    return null;
  }
}

/** Stores a conversation; the oldest ones make room. */
function write(kept) {
  const older = all().filter((other) => other.id !== kept.id);
  older.splice(MOST - 1).forEach((other) => remove(other.id));
  for (;;) {
    try {
      localStorage.setItem(PREFIX + kept.id, JSON.stringify(kept));
      return;
    } catch {
      const oldest = older.pop();
      if (!oldest) return;
      remove(oldest.id);
    }
  }
}

function remove(id) {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    /* nothing is kept here */
  }
}

/** The conversation of this tab. */
const current = {
  get id() {
    try {
      return sessionStorage.getItem(OPEN);
    } catch {
      return null;
    }
  },
  set id(id) {
    try {
      if (id) sessionStorage.setItem(OPEN, id);
      else sessionStorage.removeItem(OPEN);
    } catch {
      /* a reload starts anew */
    }
  },
};

/* --- from the page to the store --------------------------------------------------------------------------- */

/** The page's turns: the words of each question, and the id of the answer's record or its draft. */
function shownTurns() {
  const turns = [];
  for (const row of $$("#conversation .message-row")) {
    if (row.classList.contains("user-row")) {
      const text = $(".message-content", row)?.innerText.trim();
      if (text) turns.push({ question: text });
    } else if (turns.length) {
      const turn = turns.at(-1);
      const link = $("a.record", row);
      if (link) turn.id = link.pathname.slice(`${ROOT}/antwort/`.length, -".md".length);
      else turn.text = draft(row);
    }
  }
  return turns;
}

function draft(row) {
  const parts = $$(".message-content > .md", row).filter((part) => !part.closest(".thought-group"));
  const first = parts.find((part) => !$(".stopped, .failure", part));
  return first?.innerText.trim() ?? "";
}

async function record(id) {
  if (!records.has(id)) {
    const response = await fetch(`${ROOT}/antwort/${id}.json`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    records.set(id, await response.json());
  }
  return records.get(id);
}

let last = "";
let restoring = false;

/** Stores what the page shows, once it has changed. */
export async function keep() {
  if (restoring || $("#conversation .user-row textarea")) return;
  const turns = shownTurns();
  const choice = chosen();
  const state = JSON.stringify([turns, choice]);
  if (state === last || !turns.length) return;
  last = state;
  current.id ??= crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  const id = current.id;
  const before = read(PREFIX + id);
  const kept = [];
  for (const turn of turns) {
    try {
      if (turn.id) {
        const found = await record(turn.id);
        kept.push({ question: found.question, record: found });
      } else kept.push({ question: turn.question, text: turn.text ?? "" });
    } catch {
      kept.push({ question: turn.question, text: turn.text ?? "" });
    }
  }
  if (last !== state || current.id !== id) return; // the page went on meanwhile
  if (before?.choice === choice && JSON.stringify(before.turns) === JSON.stringify(kept)) return;
  const title = before?.named ? before.title : shortened(kept[0].question);
  write({ id, title, named: before?.named ?? false, updated: Date.now(), choice, turns: kept });
}

function shortened(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH)} …` : line;
}

/* --- from the store to the page ------------------------------------------------------------------------------ */

/** Has the server show these turns; `n` makes each request another text. */
function show(turns) {
  const bridge = $("#reopened textarea");
  if (!bridge) return;
  for (const turn of turns) if (turn.record) records.set(turn.record.id, turn.record);
  bridge.value = JSON.stringify({ turns, n: Date.now() });
  bridge.dispatchEvent(new Event("input", { bubbles: true }));
}

/** After a reload: the conversation that this tab had open, unless the address chooses other articles. */
export function restore() {
  const kept = current.id && read(PREFIX + current.id);
  const asked = choiceIn(location.search);
  if (!kept?.turns.length || (asked && asked !== (kept.choice ?? ""))) {
    current.id = null;
    choose(asked);
    return;
  }
  choose(kept.choice ?? "");
  restoring = true;
  last = "";
  show(kept.turns);
  const done = () => $$("#conversation .user-row").length > 0;
  const until = Date.now() + 10_000;
  (function wait() {
    if (done() || Date.now() > until) restoring = false;
    else setTimeout(wait, 100);
  })();
}

function open(kept) {
  choose(kept.choice ?? "");
  leave(kept.id);
  show(kept.turns);
}

/** From now on the page is another conversation; what it still shows is not stored as that one's. */
function leave(next) {
  current.id = next;
  last = JSON.stringify([shownTurns(), chosen()]);
}

/** A new conversation; the old one stays in the list. */
export function startAnew() {
  choose("");
  leave(null);
  show([]);
  $("#composer textarea")?.focus();
}

/** Deletes the conversation on the page, if the reader really wants to: what clears the page is pressed then. */
export async function forget() {
  const kept = current.id && read(PREFIX + current.id);
  if (!(await confirmed(kept?.title ?? shortened(shownTurns()[0]?.question ?? "")))) return;
  erase();
  $("#conversation .top-panel button")?.click();
  $("#composer textarea")?.focus();
}

function erase() {
  if (current.id) remove(current.id);
  choose("");
  leave(null);
}

/* --- saving as a file -------------------------------------------------------------------------------------------- */

async function save(kept, form) {
  const response = await fetch(`${ROOT}/export/${form}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ title: kept.title, turns: kept.turns }),
  });
  if (!response.ok) return;
  const named = response.headers.get("Content-Disposition")?.match(/filename\*=UTF-8''(.+)$/)?.[1];
  const link = element("a", { download: decodeURIComponent(named ?? `beleg.${form}`) });
  link.href = URL.createObjectURL(await response.blob());
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/* --- the list ------------------------------------------------------------------------------------------------------ */

class List {
  constructor() {
    this.title = element("h2", { id: "list-title" });
    this.items = element("ul", { class: "conversations-list" });
    this.note = element("p", { class: "list-note" });
    this.anew = tool("new", "", () => {
      this.close();
      startAnew();
    });
    this.shut = tool("shut", "", () => this.close());
    const bar = element("div", { class: "list-bar" }, this.title, this.anew, this.shut);
    this.dialog = element("dialog", { class: "list", "aria-labelledby": "list-title" }, bar, this.items, this.note);
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.close());
    document.body.append(this.dialog);
  }

  open() {
    this.title.textContent = words.conversations;
    name(this.anew, words.new_conversation);
    name(this.shut, words.close_list);
    this.fill();
    this.dialog.showModal();
  }

  close() {
    this.dialog.close();
  }

  fill() {
    const kept = all();
    this.items.replaceChildren(...kept.map((each) => this.item(each)));
    this.note.textContent = kept.length ? words.kept_here : `${words.none_kept} ${words.kept_here}`;
  }

  item(kept) {
    const opener = element("button", { type: "button", class: "open" }, kept.title);
    opener.addEventListener("click", () => {
      this.close();
      if (!answering() && kept.id !== current.id) open(kept);
    });
    const day = element("time", { datetime: new Date(kept.updated).toISOString() });
    day.textContent = new Date(kept.updated).toLocaleString(words.lang, { dateStyle: "medium", timeStyle: "short" });
    const label = (text) => `${text}: ${kept.title}`;
    const file = (text, form, hint) => {
      const button = tool("text", label(hint), () => save(kept, form));
      button.textContent = text;
      return button;
    };
    const row = element(
      "div",
      { class: "row" },
      day,
      file("MD", "md", words.save_markdown),
      file("JSON", "json", words.save_json),
      tool("rename", label(words.rename), () => this.rename(kept, opener)),
      tool("delete", label(words.delete), () => this.remove(kept)),
    );
    const item = element("li", {}, opener, row);
    if (kept.id === current.id) {
      item.className = "current";
      opener.setAttribute("aria-current", "true");
    }
    return item;
  }

  rename(kept, opener) {
    const input = element("input", { type: "text", maxlength: "200", "aria-label": words.rename });
    input.value = kept.title;
    const done = (changed) => {
      input.removeEventListener("blur", input.leave);
      const fresh = read(PREFIX + kept.id);
      if (changed && fresh && input.value.trim()) write({ ...fresh, title: input.value.trim(), named: true });
      this.fill();
      const again = $$(".open", this.items).find((each) => each.textContent === (changed ? input.value.trim() : kept.title));
      (again ?? this.shut).focus();
    };
    input.leave = () => done(true);
    input.addEventListener("blur", input.leave);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // neither presses what is focused next nor closes the list
      event.stopPropagation();
      done(event.key === "Enter");
    });
    opener.replaceWith(input);
    input.focus();
    input.select();
  }

  async remove(kept) {
    if (!(await confirmed(kept.title))) return;
    if (kept.id === current.id) {
      erase();
      show([]);
    } else remove(kept.id);
    this.fill();
    ($(".open", this.items) ?? this.shut).focus();
  }
}

let list;

export function openList() {
  list ??= new List();
  list.open();
}
