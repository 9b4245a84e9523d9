/* A line above the composer that says what has just happened, with a way back; it stays until it is answered. */

import { element, tool, words } from "./dom.js";

const line = element("div", { class: "offer", role: "status", hidden: "" });

export function offer(text, action, act) {
  const button = element("button", { type: "button" }, action);
  button.addEventListener("click", () => {
    withdraw();
    act();
  });
  const shut = tool("shut", words.close_note, withdraw);
  if (!line.isConnected) document.body.append(line);
  line.hidden = false;
  line.replaceChildren(element("span", {}, text), button, shut);
}

export function withdraw() {
  line.hidden = true;
  line.replaceChildren();
}
