/* Small helpers, and the words of the interface. */

/** The path below which a proxy shows Beleg, and a dossier of several; empty where it has a host of its own. */
export const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);
export const PLACE = `a[href^="${ROOT}/quelle/"]`;
export const CHIP = `${PLACE}:not(.card, .place)`;
export const sheet = matchMedia("(max-width: 640px)");
export const overlay = matchMedia("(max-width: 999px)");
export const hovers = matchMedia("(hover: hover)");
export const calm = matchMedia("(prefers-reduced-motion: reduce)");

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** What comes of an act that a browser may refuse, as keeping things; else null. */
export function quietly(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

/** While an answer comes, the composer offers to stop it. */
export const answering = () => $("#composer .stop-button") !== null;

/** Whether a click means the link itself, not a new tab or window. */
export const isPlain = (event) =>
  event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

/** The parts of an answer's message, without the step that shows what was searched. */
export const partsOf = (row) => $$(".message-content > .md", row).filter((part) => !part.closest(".thought-group"));

/** Shows a dialog, which is gone once it is closed; Escape closes it alone, not what is open beneath it. */
export function modal(dialog, closed = () => null) {
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** The words of `words.json` in the reader's language; empty where they could not be loaded. */
export const words = {};

export async function loadWords() {
  try {
    Object.assign(words, await (await fetch(`${ROOT}/beleg/words.json`)).json());
    document.documentElement.lang = words.lang;
  } catch {
    /* Gradio's own labels remain */
  }
}

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A name for screen readers and the pointer; without words Gradio's own stays. */
export function name(node, text) {
  if (!node || !text || node.getAttribute("aria-label") === text) return;
  node.setAttribute("aria-label", text);
  if (node.matches("button")) node.title = text;
}

/** A button that shows an icon of base.css. */
export function tool(kind, label, act) {
  const node = element("button", { type: "button", class: `tool ${kind}`, "aria-label": label, title: label });
  node.addEventListener("click", act);
  return node;
}
