/* Labels: what Gradio leaves out, says in English, or says with roles that do not fit. */

import { $, $$, CHIP, answering, element, name, partsOf, words } from "./dom.js";

const BUSY = /busy|queue is full/i;

export function polish() {
  const root = $("#conversation");
  if (!root) return;
  header();
  messages(root);
  chips(root);
  steps(root);
  buttons(root);
  toasts();
  name($("[role=log]", root), words.conversation);
  name($("#composer .submit-button"), words.ask);
  name($("#composer .stop-button"), words.stop);
  name($(".top-panel button", root), words.clear);
  $("#notice")?.setAttribute("role", "alert");
}

function header() {
  const nav = $("#masthead nav");
  name(nav, words.pages);
  $$("a", nav ?? undefined).forEach((link) => link.classList.contains("here") && link.setAttribute("aria-current", "page"));
  $$(":is(#masthead, #choice, #footnote, .overview) a[target]").forEach((link) => link.removeAttribute("target"));
  // the other pages are not shown in a frame
  if (window.parent !== window) $$('.overview a[href*="/artikel?"]').forEach((link) => (link.target = "_blank"));
}

function messages(root) {
  $$('[data-testid="bot"][aria-label], [data-testid="user"][aria-label]', root).forEach((node) =>
    node.removeAttribute("aria-label"),
  );
  $(".placeholder-content[role]", root)?.removeAttribute("role");
  const examples = $(".examples", root);
  if (examples?.getAttribute("role") === "list") {
    examples.setAttribute("role", "group");
    name(examples, words.suggestions);
    $$(".example", examples).forEach((example) => example.removeAttribute("aria-label"));
  }
  const options = $(".options", root);
  if (options && !options.hasAttribute("role")) {
    options.setAttribute("role", "group");
    name(options, words.follow_ups);
  }
  if (window.parent === window) $$("a.record[target]", root).forEach((link) => link.removeAttribute("target"));
}

function chips(root) {
  $$(`${CHIP}[title]`, root).forEach((chip) => {
    chip.dataset.chip = chip.title;
    name(chip, `${words.citation ?? ""} ${chip.textContent}: ${chip.title}`);
    chip.removeAttribute("title");
  });
}

function steps(root) {
  $$(".thought-group > .title", root).forEach((title) => {
    title.setAttribute("aria-expanded", String(title.classList.contains("expanded")));
    title.removeAttribute("aria-busy");
    const arrow = $("button", title);
    if (arrow) {
      arrow.disabled = true;
      arrow.setAttribute("aria-hidden", "true");
    }
  });
}

/** Gradio names them in the browser's language, which need not be the reader's: they are known by place. */
function buttons(root) {
  $$(".message-buttons-right", root).forEach((panel) => {
    const editing = $("textarea", panel.previousElementSibling ?? panel) !== null;
    kinds(panel, editing ? ["edit_done", "edit_cancel"] : ["copy", "edit"]);
  });
  $$(".message-buttons-left", root).forEach((panel) => {
    const all = $$("button", panel);
    kinds(panel, [...["copy", "retry"].slice(0, all.length - 2), "dislike", "like"]);
  });
  editor(root);
}

function kinds(panel, names) {
  $$("button", panel).forEach((button, i) => {
    const kind = names[i] ?? "";
    if (button.dataset.kind !== kind) button.dataset.kind = kind;
    const chosen = kind.endsWith("like") && button.style.color.includes("accent");
    if (kind.endsWith("like")) button.setAttribute("aria-pressed", String(chosen));
    if (!button.classList.contains("done")) name(button, words[kind]);
  });
}

/** The question to change is shown as it was typed, not as it is written for Markdown. */
function editor(root) {
  const textarea = $(".user-row textarea:not([data-decoded])", root);
  if (!textarea) return;
  textarea.dataset.decoded = "";
  name(textarea, words.question);
  const decoder = element("textarea");
  decoder.innerHTML = textarea.value;
  if (decoder.value !== textarea.value) {
    textarea.value = decoder.value;
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Gradio says in English that its queue is full. */
function toasts() {
  $$(".toast-body").forEach((toast) => {
    const text = $(".toast-text", toast);
    if (words.overloaded && text && BUSY.test(text.textContent)) {
      text.textContent = words.overloaded;
      $(".toast-title", toast)?.remove();
    }
  });
}

/* --- what a screen reader is told while an answer comes: that it comes, then the answer, once ----------- */

const status = element("div", { class: "unseen", role: "status" });
let told = "";
let awaited = false;

/** To be called at each change of the page: an answer may be there before the next frame. */
export function notice() {
  awaited ||= answering();
}

export function announce() {
  const log = $("#conversation [role=log]");
  if (!log) return;
  if (!status.isConnected) document.body.append(status);
  if (log.getAttribute("aria-live") !== "off") log.setAttribute("aria-live", "off");
  if (!awaited) return;
  awaited = answering();
  const now = awaited ? words.searching : answer();
  if (now !== told) status.textContent = told = now;
}

function answer() {
  const row = $$("#conversation .bot-row").at(-1);
  const text = row && partsOf(row)[0];
  return `${words.answered}: ${text?.textContent.replace(/\s+/g, " ").trim() ?? ""}`;
}
