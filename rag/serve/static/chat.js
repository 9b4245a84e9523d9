/* What Gradio cannot do for Beleg: citations that open beside the chat, previews, copying with sources,
   kept conversations, calm scrolling, and labels for screen readers. Without scripts of ours every citation
   is still a plain link to the article's page. */

import { address, placeOf } from "./address.js";
import { asked, forget, go, keep, restore, shownAnswer, startAnew } from "./conversations.js";
import "./copy.js";
import { $, $$, CHIP, PLACE, answering, hovers, isPlain, loadWords, overlay } from "./dom.js";
import { leave } from "./embed.js";
import { listen } from "./keys.js";
import { announce, notice, polish } from "./labels.js";
import { openList } from "./list.js";
import { Panel } from "./panel.js";
import { Preview } from "./preview.js";
import { follow } from "./scroll.js";
import "./why.js";

const preview = new Preview();
// focus and pointer come back to a chip that the reader has just left
const panel = new Panel(() => (preview.quiet = true));
listen(panel);

/* --- citations ------------------------------------------------------------------------------------------ */

const linkOf = (event) => (event.target instanceof Element ? event.target.closest(`#conversation ${PLACE}`) : null);

document.addEventListener("click", (event) => {
  const link = linkOf(event);
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  preview.hide();
  panel.open(link);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (!preview.card.hidden) preview.hide();
    else if (panel.dialog.open) panel.close();
    else leave(event);
  } else if (event.key === " " && event.target.matches?.("#conversation .thought-group > .title")) {
    event.preventDefault();
    event.target.click();
  }
});

for (const type of ["mousemove", "keydown"]) {
  document.addEventListener(type, (event) => {
    if (event.movementX || event.movementY || event.key === "Tab") preview.quiet = false;
  });
}
document.addEventListener("mouseover", (event) => {
  const link = linkOf(event);
  if (!preview.quiet && link?.matches(CHIP) && hovers.matches) preview.later(() => preview.show(link));
});
document.addEventListener("mouseout", (event) => {
  if (linkOf(event)?.matches(CHIP)) preview.later(() => preview.hide());
});
document.addEventListener("focusin", (event) => {
  const link = linkOf(event);
  if (!preview.quiet && link?.matches(CHIP) && link.matches(":focus-visible")) preview.show(link);
});
document.addEventListener("focusout", (event) => linkOf(event) && preview.hide());
document.addEventListener("scroll", () => preview.card.hidden || preview.hide(), { capture: true, passive: true });
overlay.addEventListener("change", () => panel.close());

/* --- Back and Forward ------------------------------------------------------------------------------------- */

let following = true; // the page is to show what the address says

window.addEventListener("popstate", () => {
  following = true;
  if (address().answer !== shownAnswer()) go(address().answer);
  followAddress();
});

/** Opens and closes the source as the address says, once the conversation is there. */
function followAddress() {
  const { answer, source } = address();
  if (!following || answer !== shownAnswer()) return;
  following = false;
  const link = source && $$(`#conversation ${PLACE}`).find((each) => placeOf(each) === source);
  if (!link) panel.close({ told: true });
  else if (link !== panel.link) panel.open(link);
}

/* --- conversations ---------------------------------------------------------------------------------------- */

// captured, for Gradio would clear at once, unasked
document.addEventListener(
  "click",
  (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("#masthead .tool.conversations")) openList();
    else if (event.target.closest("#masthead .tool.new")) startAnew();
    else if (event.isTrusted && event.target.closest("#conversation .top-panel button")) {
      event.stopImmediatePropagation();
      forget(); // which presses it, once that is meant
    }
  },
  { capture: true },
);

/* While an answer comes, nothing else is asked: two answers would write over each other. */
const ASKS = ".message-buttons button, .option, .example";
for (const type of ["click", "keydown"]) {
  document.addEventListener(
    type,
    (event) => {
      if (!answering() || !(event.target instanceof Element)) return;
      const asks = event.target.closest(`#conversation :is(${ASKS}):not([data-kind=copy])`);
      const enters = event.key === "Enter" && !event.shiftKey && event.target.matches("#composer textarea");
      if (!enters && !(asks && (type === "click" || event.key === "Enter"))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
}

/* What is asked is kept at once, and Enter sends a changed question. */
document.addEventListener(
  "keydown",
  (event) => {
    if (!(event.target instanceof Element) || event.isComposing || event.shiftKey) return;
    if (event.key === "Enter" && event.target.matches("#composer textarea")) sends(event.target.value);
    const row = event.target.matches(".user-row textarea") && event.target.closest(".user-row");
    const place = ["Enter", "Escape"].indexOf(event.key); // the buttons beside it: send, leave
    if (!row || place < 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    $$("button", row.nextElementSibling)[place]?.click();
  },
  { capture: true },
);
document.addEventListener(
  "click",
  (event) => {
    const from = event.target instanceof Element && event.target.closest("#composer .submit-button, .example");
    if (from) sends(from.matches(".example") ? from.textContent : $("#composer textarea").value);
  },
  { capture: true },
);
const sends = (question) => question.trim() && !answering() && asked(question.trim());

/* --- start, and whatever Gradio changes -------------------------------------------------------------------- */

/** The cursor waits in the composer, except where that would call up a phone's keyboard. */
let welcomed = false;
function welcome() {
  const composer = $("#composer textarea");
  if (!composer || !$("#reopened textarea") || welcomed) return;
  welcomed = true;
  if (hovers.matches && document.activeElement === document.body) composer.focus();
  restore();
}

function update() {
  polish();
  welcome();
  follow();
  announce();
  keep();
  followAddress();
  if (panel.link && !panel.link.isConnected) panel.close({ told: following });
}

async function start() {
  document.documentElement.lang = /^de\b/i.test(navigator.language) ? "de" : "en";
  await loadWords();
  panel.label();
  let due = false;
  new MutationObserver(() => {
    notice();
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      update();
    });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "style"] });
  update();
}

start();
