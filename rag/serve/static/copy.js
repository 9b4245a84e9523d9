/* Copying an answer: its words with numbers, and the list of its sources. */

import { $, $$, CHIP, name, partsOf, words } from "./dom.js";

function answerText(row) {
  const answer = partsOf(row).find((part) => !$(".cards, .places", part));
  if (!answer) return "";
  const copy = answer.cloneNode(true);
  $$(CHIP, copy).forEach((chip) => chip.replaceWith(` [${chip.textContent}]`));
  $$("small.label", copy).forEach((label) => label.remove());
  $$("small.status", copy).forEach((note) => note.replaceWith(`(${note.textContent})`));
  $$("cite", copy).forEach((cite) => cite.replaceWith(` (${cite.textContent})`));
  const blocks = [...copy.children].map((block) => block.textContent.replace(/\u2060/g, "").replace(/\s+/g, " ").trim());
  const sources = new Map($$(CHIP, answer).map((chip) => [chip.textContent, `[${chip.textContent}] ${chip.dataset.chip} <${chip.href}>`]));
  return [...blocks, ...(sources.size ? [[`${words.sources}:`, ...sources.values()].join("\n")] : [])].join("\n\n");
}

document.addEventListener(
  "click",
  (event) => {
    const button = event.target instanceof Element && event.target.closest("#conversation .message-buttons-left button[data-kind=copy]");
    if (!button) return;
    const row = button.closest(".message-buttons-left")?.previousElementSibling;
    const text = row && answerText(row);
    if (!text || !navigator.clipboard) return;
    event.stopImmediatePropagation();
    navigator.clipboard.writeText(text).then(() => announce(button));
  },
  { capture: true },
);

function announce(button) {
  name(button, words.copied);
  button.classList.add("done");
  setTimeout(() => {
    button.classList.remove("done");
    name(button, words.copy);
  }, 1800);
}
