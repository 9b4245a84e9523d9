/* Keys: `/` the composer, `j` and `k` the citations, `?` help, in which they are switched off for who speaks
   to their computer or touches keys by accident. */

import { $, $$, CHIP, element, modal, quietly, words } from "./dom.js";

const OFF = "beleg:keys-off";
const KEYS = [
  ["/", "key_composer"],
  ["j", "key_next"],
  ["k", "key_previous"],
  ["Esc", "key_close"],
  ["?", "key_help"],
];

const off = () => quietly(() => localStorage.getItem(OFF)) !== null;

export function help() {
  const rows = KEYS.flatMap(([key, what]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, words[what])]);
  const box = element("input", { type: "checkbox" });
  box.checked = !off();
  box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "")));
  const shut = element("button", { type: "button" }, words.help_close);
  const dialog = element(
    "dialog",
    { class: "confirm keys", "aria-labelledby": "keys-title" },
    element("h2", { id: "keys-title" }, words.help),
    element("dl", {}, ...rows),
    element("label", {}, box, ` ${words.keys_on}`),
    element("div", {}, shut),
  );
  shut.addEventListener("click", () => dialog.close());
  modal(dialog);
}

/** The chip before or after the one that is focused; of none, the first or last one. */
function step(panel, by) {
  if (panel.dialog.open) return panel.step(by);
  const chips = $$(`#conversation ${CHIP}`);
  const at = chips.indexOf(document.activeElement);
  const chip = at < 0 ? chips.at(by > 0 ? 0 : -1) : chips[at + by];
  chip?.focus();
  chip?.scrollIntoView({ block: "nearest" });
}

export function listen(panel) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || off()) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable=true]") || $("dialog:modal:not(.source)")) return;
    const act = { "/": () => $("#composer textarea")?.focus(), j: () => step(panel, 1), k: () => step(panel, -1), "?": help }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("click", (event) => event.target.closest?.("#masthead .tool.help") && help());
}
