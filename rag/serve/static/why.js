/* Asks why an answer is bad, once the thumb is down, which is noted already. The reason goes with its record. */

import { $, ROOT, answering, element, modal, words } from "./dom.js";

const REASONS = ["why_wrong", "why_off_topic", "why_unsupported", "why_incomplete"];

function ask(answer, button) {
  const form = element("form", {}, element("h2", { id: "why-title" }, words.why_title));
  const options = element("fieldset", { "aria-labelledby": "why-title" });
  for (const said of REASONS) {
    const box = element("input", { type: "radio", name: "reason", value: said.slice("why_".length) });
    options.append(element("label", {}, box, ` ${words[said]}`));
  }
  const note = element("textarea", { rows: "3", maxlength: "2000" });
  const skip = element("button", { type: "button" }, words.why_skip);
  const send = element("button", { class: "yes" }, words.why_send);
  form.append(options, element("label", {}, words.why_note, note), element("div", {}, skip, send));
  const dialog = element("dialog", { class: "confirm why", "aria-labelledby": "why-title" }, form);
  skip.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = new FormData(form).get("reason");
    const sent = await fetch(`${ROOT}/api/v1/answers/${answer}/feedback`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ rating: "down", reason, note: note.value.trim() }),
    }).catch(() => null);
    if (sent?.ok) dialog.close();
    else send.before(element("span", { role: "alert" }, words.why_not_sent));
  });
  modal(dialog, () => button.focus());
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("#conversation button[data-kind=dislike]");
  if (!button || answering() || button.getAttribute("aria-pressed") === "true") return;
  const link = $("a.record", button.closest(".message-buttons-left")?.previousElementSibling ?? button);
  if (link) ask(link.pathname.split("/").at(-1), button);
}, { capture: true });
