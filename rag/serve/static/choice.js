/* Which articles answer: chips above the composer, the dialog in which they are chosen, and the address.
   A choice is the query of an address, as choice.py has it; the server makes the chips of what `#chosen` says. */

import { $, ROOT, element, isPlain, modal } from "./dom.js";

const NAMES = ["medium", "von", "bis", "artikel"];

/** What an address chooses, without all else. */
export function choiceIn(search) {
  const query = [...new URLSearchParams(search)].filter(([name, value]) => NAMES.includes(name) && value);
  return new URLSearchParams(query).toString();
}

/** The present choice. */
export const chosen = () => choiceIn($("#chosen textarea")?.value ?? "");

/** From now on these articles answer; the address says so. */
export function choose(query) {
  const bridge = $("#chosen textarea");
  if (!bridge) return;
  bridge.value = `?${query}`; // never empty, for the page shows nothing before the first choice
  bridge.dispatchEvent(new Event("input", { bubbles: true }));
  const rest = [...new URLSearchParams(location.search)].filter(([name]) => !NAMES.includes(name));
  const search = [new URLSearchParams(rest).toString(), query].filter(Boolean).join("&");
  history.replaceState(history.state, "", `${location.pathname}${search && `?${search}`}${location.hash}`);
}

async function open() {
  const answer = await fetch(`${ROOT}/auswahl?teil=1&${chosen()}`).catch(() => null);
  if (!answer?.ok) return;
  const dialog = element("dialog", { class: "confirm choosing", "aria-labelledby": "auswahl" });
  dialog.innerHTML = await answer.text();
  const form = $("form", dialog);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(choiceIn(new URLSearchParams(new FormData(form)).toString()));
    dialog.close();
  });
  $(".all", dialog).addEventListener("click", () => {
    choose("");
    dialog.close();
  });
  $(".no", dialog).addEventListener("click", () => dialog.close());
  modal(dialog, () => $("#composer textarea")?.focus());
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const chip = event.target.closest('#choice a, .overview a:is([href*="?von="], [href*="?medium="])');
  if (chip && isPlain(event)) {
    event.preventDefault();
    choose(choiceIn(chip.search));
    $("#composer textarea")?.focus();
  } else if (event.target.closest("#choice .narrow")) open();
});
