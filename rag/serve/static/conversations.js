/* Conversations, kept in this browser only: stored, opened again, deleted.

   What the page shows is the truth: after each answer its questions and records are stored as they stand.
   A turn is {question, record} with the answer as the server recorded it, or {question, text} of an answer
   that was stopped, with `cut` while it is still awaited. Answers that a changed question replaces stay as a
   conversation of their own. With each goes which articles were chosen to answer. Each of several dossiers has
   its own conversations. */

import { address, tell } from "./address.js";
import { choiceIn, choose, chosen } from "./choice.js";
import { confirmed } from "./confirm.js";
import { $, $$, ROOT, answering, partsOf, quietly, words } from "./dom.js";
import { offer, withdraw } from "./offer.js";

const DOSSIER = $('meta[name="dossier"]')?.content ?? "";
const PREFIX = `beleg:${DOSSIER && `${DOSSIER}:`}conversation:`;
const OPEN = `beleg:${DOSSIER && `${DOSSIER}:`}open`;
const MOST = 100;
const TITLE_LENGTH = 90;

/* --- the store ------------------------------------------------------------------------------------------ */

const records = new Map();

export function all() {
  const keys = (quietly(() => Object.keys(localStorage)) ?? []).filter((key) => key.startsWith(PREFIX));
  return keys.map((key) => read(key.slice(PREFIX.length))).filter(Boolean).sort((a, b) => b.updated - a.updated);
}

export function read(id) {
  const kept = quietly(() => JSON.parse(localStorage.getItem(PREFIX + id)));
  return kept && Array.isArray(kept.turns) ? kept : null;
}

/** Stores a conversation; the oldest ones make room. */
export function write(kept) {
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

const remove = (id) => quietly(() => localStorage.removeItem(PREFIX + id));

/** The conversation of this tab; where it cannot be kept, a reload starts anew. */
export const current = {
  get id() {
    return quietly(() => sessionStorage.getItem(OPEN));
  },
  set id(id) {
    quietly(() => (id ? sessionStorage.setItem(OPEN, id) : sessionStorage.removeItem(OPEN)));
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
      if (link) turn.id = link.pathname.slice(`${ROOT}/antwort/`.length);
      else turn.text = draft(row);
    }
  }
  return turns;
}

function draft(row) {
  const first = partsOf(row).find((part) => !$(".stopped, .failure", part));
  return first?.innerText.trim() ?? "";
}

const lastAnswer = (turns) => turns.findLast((turn) => turn.id)?.id ?? null;

/** The record of the last answer on the page. */
export const shownAnswer = () => lastAnswer(shownTurns());

async function toKeep(turn, awaited) {
  try {
    if (turn.id && !records.has(turn.id)) {
      const response = await fetch(`${ROOT}/antwort/${turn.id}.json`);
      if (!response.ok) throw new Error(`status ${response.status}`);
      records.set(turn.id, await response.json());
    }
  } catch {
    /* its words remain */
  }
  const record = records.get(turn.id);
  if (record) return { question: record.question, record };
  return { question: turn.question, text: turn.text ?? "", ...(awaited ? { cut: true } : {}) };
}

const pageState = () => JSON.stringify([shownTurns(), chosen(), answering()]);
const newId = () => crypto.randomUUID?.() ?? String(Math.random()).slice(2);
const spoken = (turns) => JSON.stringify(turns.map((turn) => [turn.question, turn.record?.text]));

let last = ""; // what of the page is stored
let restoring = false;
let opened = false; // by its address: it is on the page already when it is told
let viewing = null; // an answer that was looked up: the conversation up to it is kept once it goes on
let sent = null;
let former = null;

/** A question that has just been sent is kept before the server says anything: the page may be left at once. */
export function asked(question) {
  withdraw();
  viewing = null;
  current.id ??= newId();
  const before = read(current.id);
  sent = { rows: $$("#conversation .user-row").length, before };
  const turns = [...(before?.turns ?? []), { question, text: "", cut: true }];
  const kept = { title: shortened(question), named: false, choice: chosen(), ...before };
  write({ ...kept, id: current.id, updated: Date.now(), turns });
}

/** Whether the page does not show yet what was sent. What was refused is not kept. */
function awaitsFirstWord() {
  const refused = $("#notice .md")?.textContent.trim() && !answering();
  if (sent && refused) {
    if (sent.before) write(sent.before);
    else {
      remove(current.id);
      current.id = null;
    }
  }
  if (refused || $$("#conversation .user-row").length > sent?.rows) sent = null;
  return sent !== null;
}

/** Stores what the page shows, once it has changed. */
export async function keep() {
  if (restoring || $("#conversation .user-row textarea") || awaitsFirstWord()) return;
  const turns = shownTurns();
  const choice = chosen();
  const state = pageState();
  if (state === last || !turns.length) return;
  last = state;
  if (viewing) {
    if (lastAnswer(turns) === viewing) viewing = null;
    return;
  }
  current.id ??= newId();
  const id = current.id;
  const before = read(id);
  const busy = answering();
  const kept = await Promise.all(turns.map((turn) => toKeep(turn, busy && turn === turns.at(-1))));
  if (last !== state || current.id !== id) return; // the page went on meanwhile
  if (turns.at(-1).id) tell({ answer: turns.at(-1).id }, { replace: opened });
  opened = false;
  if (before?.choice === choice && JSON.stringify(before.turns) === JSON.stringify(kept)) return;
  branchOff(before, kept, busy);
  const title = before?.named ? before.title : shortened(kept[0].question);
  write({ id, title, named: before?.named ?? false, updated: Date.now(), choice, turns: kept });
}

/** Answers that are not on the page any more, for a question was changed, stay as a conversation of their own. */
function branchOff(before, kept, busy) {
  const ids = new Set(kept.map((turn) => turn.record?.id));
  if (before?.turns.some((turn) => turn.record && !ids.has(turn.record.id))) {
    former = { ...before, id: newId(), title: `${before.title} (${words.former})`, named: true };
    former.turns = before.turns.filter((turn) => turn.record);
    write(former);
  }
  if (!former || busy) return;
  const branch = former;
  former = null;
  if (spoken(branch.turns) === spoken(kept)) remove(branch.id);
  else offer(words.former_kept, words.former_open, () => open(branch));
}

function shortened(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH)} …` : line;
}

/* --- from the store to the page ------------------------------------------------------------------------------ */

let asks = 0; // of `show`: only the last one counts

/** Has the server show `{turns}`, or the conversation up to an `{answer}`; `n` makes each request another text.
    An answer that is still growing is stopped before: what comes late of it would write over what is shown. */
async function show(what) {
  const mine = (asks += 1);
  for (const turn of what.turns ?? []) if (turn.record) records.set(turn.record.id, turn.record);
  if (answering()) {
    restoring = true; // what remains of the stopped answer is not kept
    $("#composer .stop-button").click();
    await until(() => !answering());
    restoring = false;
    last = pageState();
  }
  const bridge = $("#reopened textarea");
  if (!bridge || mine !== asks) return;
  bridge.value = JSON.stringify({ ...what, n: Date.now() });
  bridge.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Waits until a condition holds, ten seconds at most. */
async function until(holds) {
  for (let n = 0; n < 100 && !holds(); n += 1) await new Promise((go) => setTimeout(go, 100));
}

/** After a load: the conversation of the address, or the one that this tab had open, unless the address chooses
    other articles. */
export function restore() {
  const { answer } = address();
  const kept = current.id && read(current.id);
  const asked = choiceIn(location.search);
  const others = asked && asked !== (kept?.choice ?? "");
  if (answer && (others || !kept?.turns.some((turn) => turn.record?.id === answer))) return go(answer);
  if (!kept?.turns.length || others) {
    current.id = null;
    choose(asked);
    return;
  }
  choose(kept.choice ?? "");
  opened = restoring = true;
  last = "";
  show({ turns: kept.turns });
  until(() => $$("#conversation .user-row").length > 0).then(() => (restoring = false));
}

/** The conversation up to an answer: this browser's own, or that of the answer's record. */
export function go(answer) {
  leave(null);
  const kept = answer && all().find((each) => each.turns.some((turn) => turn.record?.id === answer));
  const turns = kept ? kept.turns.slice(0, kept.turns.findIndex((turn) => turn.record?.id === answer) + 1) : [];
  if (turns.length === kept?.turns.length) current.id = kept.id;
  else viewing = answer;
  choose(choiceIn(location.search));
  show(answer && !kept ? { answer } : { turns });
}

export function open(kept) {
  leave(kept.id);
  choose(kept.choice ?? "");
  show({ turns: kept.turns });
}

/** From now on the page is another conversation; what it still shows is not stored as that one's. */
function leave(next) {
  withdraw();
  current.id = next;
  viewing = null;
  last = pageState();
}

/** A new conversation; the old one stays in the list. */
export function startAnew() {
  leave(null);
  tell({ answer: null, source: null });
  choose("");
  show({ turns: [] });
  $("#composer textarea")?.focus();
}

/** Deletes the conversation on the page, if the reader really wants to. */
export async function forget() {
  const kept = current.id && read(current.id);
  if (!(await confirmed(kept?.title ?? shortened(shownTurns()[0]?.question ?? "")))) return;
  erase(current.id);
  $("#composer textarea")?.focus();
}

/** Deletes a conversation; the one on the page is no longer shown. */
export function erase(id) {
  if (id) remove(id);
  if (id !== current.id) return;
  leave(null);
  tell({ answer: null, source: null }, { replace: true });
  choose("");
  show({ turns: [] });
}
