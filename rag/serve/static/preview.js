/* The preview of a citation, while the pointer or the focus is on its chip. */

import { $, $$, element } from "./dom.js";
import { fragment } from "./panel.js";

export class Preview {
  constructor() {
    this.timer = 0;
    this.link = null;
    this.quiet = false;
    this.card = element("div", { class: "preview", id: "preview", role: "tooltip", hidden: "" });
    this.card.addEventListener("mouseenter", () => clearTimeout(this.timer));
    this.card.addEventListener("mouseleave", () => this.later(() => this.hide()));
    document.body.append(this.card);
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
    const quote = $$("mark", article).map((mark) => mark.textContent.trim()).join(" ");
    this.card.replaceChildren(
      element("p", { class: "kicker" }, part(".kicker")),
      element("p", { class: "name" }, part("h1")),
      ...(quote ? [element("blockquote", {}, quote.length > 320 ? `${quote.slice(0, 320)} …` : quote)] : []),
    );
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
