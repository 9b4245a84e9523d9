/* The chat in a frame on another page: Escape, where it closes nothing here, closes the frame. */

export function leave(event) {
  const framed = window.parent !== window && document.documentElement.classList.contains("embed");
  const busy = event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]");
  // to whatever page is around it: it says no more than that Escape was pressed, and the widget checks whose it is
  if (framed && !busy) window.parent.postMessage("beleg:close", "*");
}
