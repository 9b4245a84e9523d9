/* The article of a citation beside the chat: side panel, or bottom sheet on a phone. */

import { address, placeOf, tell } from "./address.js";
import { $, $$, CHIP, PLACE, element, name, overlay, words } from "./dom.js";

const fragments = new Map();

/** The article of a place, with the place marked. */
export function fragment(link) {
  const url = new URL(link.href);
  url.searchParams.set("teil", "1");
  url.hash = "";
  if (!fragments.has(url.href)) {
    const loading = fetch(url, { headers: { Accept: "text/html" } }).then((response) => {
      if (!response.ok) throw new Error(`status ${response.status}`);
      return response.text();
    });
    loading.catch(() => fragments.delete(url.href));
    fragments.set(url.href, loading);
  }
  return fragments.get(url.href).then((html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.firstElementChild;
  });
}

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;

export class Panel {
  /** `onClose` is told before the focus goes back to the chip. */
  constructor(onClose) {
    this.onClose = onClose;
    this.link = null;
    this.name = element("span", { class: "name", id: "source-name" });
    this.position = element("span", { class: "position", "aria-live": "polite" });
    this.body = element("div", { class: "source-body", tabindex: "0", role: "region" });
    this.closer = this.button("M6 6l12 12M18 6L6 18", () => this.close());
    this.previous = this.button("M15 5l-7 7 7 7", () => this.step(-1));
    this.next = this.button("M9 5l7 7-7 7", () => this.step(1));
    const bar = element("div", { class: "source-bar" });
    bar.append(this.closer, this.name, this.previous, this.position, this.next);
    this.dialog = element("dialog", { class: "source", "aria-labelledby": "source-name" }, bar, this.body);
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.close());
    document.body.append(this.dialog);
  }

  button(path, act) {
    const node = element("button", { type: "button" });
    node.innerHTML = icon(path);
    node.addEventListener("click", act);
    return node;
  }

  label() {
    name(this.closer, words.close);
    name(this.previous, words.previous);
    name(this.next, words.next);
    name(this.body, words.reader);
  }

  /** The places one can step through: the chips of an answer, or the links of one list. */
  group() {
    const list = this.link.closest(".cards, .places");
    return list ? $$(PLACE, list) : $$(CHIP, this.link.closest(".bot-row") ?? document);
  }

  async open(link) {
    let article;
    try {
      article = await fragment(link);
    } catch {
      window.location.assign(link.href);
      return;
    }
    this.show(link, article);
  }

  show(link, article) {
    const first = !this.dialog.open;
    this.mark(link);
    const page = element("a", { class: "source-page-link", href: link.href, target: "_blank" });
    page.textContent = words.whole_page;
    this.body.replaceChildren(article, page);
    this.name.textContent = $("h1", article).textContent;
    this.count();
    if (first) this.reveal();
    tell({ source: placeOf(link) }, { replace: !first, state: { source: true } });
    this.scroll();
    if (first) ($("mark", this.body) ?? this.body).focus({ preventScroll: true });
  }

  reveal() {
    if (overlay.matches) this.dialog.showModal();
    else this.dialog.show();
    document.body.classList.add("source-open");
  }

  count() {
    const group = this.group();
    const at = group.indexOf(this.link);
    this.position.textContent = group.length > 1 ? `${at + 1} / ${group.length}` : "";
    this.previous.hidden = this.next.hidden = group.length < 2;
    this.previous.disabled = at <= 0;
    this.next.disabled = at >= group.length - 1;
  }

  step(by) {
    const group = this.group();
    const link = group[group.indexOf(this.link) + by];
    if (link) this.open(link);
  }

  mark(link) {
    this.link?.classList.remove("current");
    this.link?.removeAttribute("aria-current");
    this.link = link;
    link?.classList.add("current");
    link?.setAttribute("aria-current", "true");
  }

  scroll() {
    const mark = $("mark", this.body);
    if (!mark) this.body.scrollTop = 0;
    else {
      const offset = mark.getBoundingClientRect().top - this.body.getBoundingClientRect().top;
      this.body.scrollTop += offset - this.body.clientHeight * 0.3;
    }
  }

  /** Closes it; unless the address is `told` already, it goes back to what it was before. */
  close({ told = false } = {}) {
    if (!this.dialog.open) return;
    const link = this.link;
    this.onClose();
    this.dialog.close();
    document.body.classList.remove("source-open");
    this.mark(null);
    if (!told && address().source && history.state?.source) history.back();
    else if (!told) tell({ source: null }, { replace: true });
    (link?.isConnected ? link : $("#composer textarea"))?.focus({ preventScroll: true });
  }
}
