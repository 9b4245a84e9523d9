/* The preview of a citation, while the pointer or the focus is on its chip. */

import { $, $$, element } from "./dom.js";
import { fragment } from "./panel.js";

const BEFORE = 140;
const AFTER = 170;
const EDGE = 24;

const first = (text, most) => (text.length > most ? `${text.slice(0, most).replace(/\s+\S*$/, "")} …` : text);
const last = (text, most) => (text.length > most ? `… ${text.slice(-most).replace(/^\S*\s+/, "")}` : text);

/** What stands around the quote, which the reader has before them: of the quote itself only both ends. */
function around(article) {
  const told = { before: "", quote: "", after: "" };
  for (const block of $$(":scope > :not(header, .note)", article)) {
    for (const piece of block.childNodes) {
      const marked = piece.nodeName === "MARK";
      told[marked ? "quote" : told.quote ? "after" : "before"] += piece.textContent;
    }
    told[told.quote ? "after" : "before"] += " ";
  }
  const [before, quote, after] = Object.values(told).map((text) => text.replace(/\s+/g, " ").trim());
  if (!quote) return [];
  const short = quote.length > 3 * EDGE ? `${first(quote, EDGE)} ${last(quote, EDGE)}` : quote;
  const mark = element("mark", {}, short.replace("… …", "…"));
  return [element("p", { class: "around" }, last(before, BEFORE), " ", mark, " ", first(after, AFTER))];
}

export class Preview {
  constructor() {
    this.timer = 0;
    this.link = null;
    this.quiet = false;
    this.card = element("div", { class: "preview", id: "preview", role: "tooltip", hidden: "" });
    this.card.addEventListener("mouseenter", () => clearTimeout(this.timer));
    this.card.addEventListener("mouseleave", () => this.later(() => this.hide()));
  }

  later(act, wait = 160) {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, wait);
  }

  async show(link) {
    this.link = link;
    let article;
    try {
      article = await fragment(link);
    } catch {
      return;
    }
    if (this.link !== link || !link.isConnected) return;
    const part = (selector) => $(selector, article)?.textContent.trim() ?? "";
    this.card.replaceChildren(
      element("p", { class: "kicker" }, part(".kicker")),
      element("p", { class: "name" }, part("h1")),
      ...around(article),
    );
    // in a landmark, as all that is read
    if (!this.card.isConnected) ($("main") ?? document.body).append(this.card);
    this.card.hidden = false;
    link.setAttribute("aria-describedby", "preview");
    this.place(link);
  }

  place(link) {
    const chip = link.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const edge = 12;
    const left = Math.min(Math.max(chip.left + chip.width / 2 - width / 2, edge), innerWidth - width - edge);
    const above = chip.top - height - 8;
    this.card.style.left = `${left}px`;
    this.card.style.top = `${above >= edge ? above : chip.bottom + 8}px`;
  }

  hide() {
    clearTimeout(this.timer);
    this.link?.removeAttribute("aria-describedby");
    this.link = null;
    this.card.hidden = true;
  }
}
