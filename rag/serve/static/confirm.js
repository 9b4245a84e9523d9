/* Asks before a conversation is deleted. The cursor waits on the button that keeps it; so does Escape. */

import { element, modal, words } from "./dom.js";

/** Whether the reader really wants to. */
export function confirmed(title) {
  const no = element("button", { type: "button" }, words.keep);
  const yes = element("button", { type: "button", class: "yes" }, words.delete);
  const dialog = element(
    "dialog",
    { class: "confirm", role: "alertdialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
    element("h2", { id: "confirm-title" }, words.delete_title),
    element("p", { id: "confirm-text" }, words.delete_text.replace("{title}", () => title)),
    element("div", {}, no, yes),
  );
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => dialog.close("yes"));
  return new Promise((answer) => modal(dialog, () => answer(dialog.returnValue === "yes")));
}
