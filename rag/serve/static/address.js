/* What is shown has an address: `gespraech` is the record of the last answer, `quelle` the open place.

   In a frame no history is made, for it would be that of the page around. */

import { ROOT } from "./dom.js";

export function address() {
  const told = new URLSearchParams(location.search);
  return { answer: told.get("gespraech"), source: told.get("quelle") };
}

/** The place that a link leads to, as it is told in the address. */
export const placeOf = (link) => link.getAttribute("href").slice(`${ROOT}/quelle/`.length).split("#")[0];

/** Tells what is shown now; `state` is the history entry's. */
export function tell(changed, { replace = false, state = null } = {}) {
  const { answer, source } = { ...address(), ...changed };
  const url = new URL(location.href);
  for (const [name, value] of Object.entries({ gespraech: answer, quelle: source })) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (url.href === location.href) return;
  if (replace || window.parent !== window) history.replaceState(history.state, "", url);
  else history.pushState(state, "", url);
}
