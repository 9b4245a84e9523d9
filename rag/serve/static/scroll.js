/* Calm scrolling: a new question goes to the top and stays there while its answer grows. */

import { $$, calm, hovers, sheet } from "./dom.js";

let following = null;
let questions = 0;

export function follow() {
  const rows = $$("#conversation .user-row");
  if (rows.length > questions) {
    following = rows.at(-1);
    if (!hovers.matches) document.activeElement?.blur(); // puts the phone's keyboard away
  }
  questions = rows.length;
  if (!following?.isConnected) return;
  const log = following.closest(".bubble-wrap");
  const gap = sheet.matches ? 44 : 20; // room for the button that clears
  const top = following.getBoundingClientRect().top - log.getBoundingClientRect().top + log.scrollTop - gap;
  log.scrollTo({ top, behavior: calm.matches ? "auto" : "smooth" });
}

for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
  document.addEventListener(type, () => (following = null), { capture: true, passive: true });
}
