/* What Gradio cannot do for Beleg: citations that open beside the chat, previews, copying with
   sources, calm scrolling, and labels for screen readers. Without this file every citation is still a
   plain link to the article's page. */
(() => {
  "use strict";

  const PLACE = 'a[href^="/quelle/"]';
  const CHIP = `${PLACE}:not(.card, .place)`;
  const sheet = matchMedia("(max-width: 640px)");
  const overlay = matchMedia("(max-width: 999px)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const fragments = new Map();
  let words = {};

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const conversation = () => $("#conversation");

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  /** A name for screen readers and the pointer; without words (offline) Gradio's own stays. */
  function name(node, text) {
    if (!node || !text) return;
    node.setAttribute("aria-label", text);
    if (node.matches("button")) node.title = text;
  }

  /* --- the article of a place ------------------------------------------------------------------- */

  function fragment(link) {
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

  /* --- the panel --------------------------------------------------------------------------------- */

  const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;

  class Panel {
    constructor() {
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
      this.scroll();
      if (first) ($("mark", this.body) ?? this.body).focus({ preventScroll: true });
    }

    reveal() {
      if (overlay.matches) this.dialog.showModal();
      else this.dialog.show();
      document.body.classList.add("source-open");
      if (sheet.matches) history.pushState({ source: true }, "");
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

    close({ back = true } = {}) {
      if (!this.dialog.open) return;
      const link = this.link;
      preview.quiet = true; // focus and pointer come back to a chip that the reader has just left
      this.dialog.close();
      document.body.classList.remove("source-open");
      this.mark(null);
      if (back && history.state?.source) history.back();
      (link?.isConnected ? link : $("#composer textarea"))?.focus({ preventScroll: true });
    }
  }

  /* --- the preview of a chip ---------------------------------------------------------------------- */

  class Preview {
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

  const panel = new Panel();
  const preview = new Preview();

  /* --- events ---------------------------------------------------------------------------------------- */

  const placeOf = (event) => (event.target instanceof Element ? event.target.closest(`#conversation ${PLACE}`) : null);
  const isPlain = (event) =>
    event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

  document.addEventListener("click", (event) => {
    const link = placeOf(event);
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    preview.hide();
    panel.open(link);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (!preview.card.hidden) preview.hide();
      else panel.close();
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
    const link = placeOf(event);
    if (!preview.quiet && link?.matches(CHIP) && matchMedia("(hover: hover)").matches) preview.later(() => preview.show(link));
  });
  document.addEventListener("mouseout", (event) => {
    if (placeOf(event)?.matches(CHIP)) preview.later(() => preview.hide());
  });
  document.addEventListener("focusin", (event) => {
    const link = placeOf(event);
    if (!preview.quiet && link?.matches(CHIP) && link.matches(":focus-visible")) preview.show(link);
  });
  document.addEventListener("focusout", (event) => placeOf(event) && preview.hide());
  document.addEventListener("scroll", () => preview.card.hidden || preview.hide(), { capture: true, passive: true });
  window.addEventListener("popstate", () => panel.close({ back: false }));
  overlay.addEventListener("change", () => panel.close());

  /* --- copying: the answer's words with numbers and a list of sources -------------------------------- */

  function answerText(row) {
    const parts = $$(".message-content > .md", row).filter((part) => !part.closest(".thought-group"));
    const answer = parts.find((part) => !$(".cards, .places", part));
    if (!answer) return "";
    const copy = answer.cloneNode(true);
    $$(CHIP, copy).forEach((chip) => chip.replaceWith(` [${chip.textContent}]`));
    $$("cite", copy).forEach((cite) => cite.replaceWith(` (${cite.textContent})`));
    const blocks = [...copy.children].map((block) => block.textContent.replace(/\u2060/g, "").replace(/\s+/g, " ").trim());
    const sources = new Map($$(CHIP, answer).map((chip) => [chip.textContent, `[${chip.textContent}] ${chip.dataset.chip} <${chip.href}>`]));
    return [...blocks, ...(sources.size ? [[`${words.sources}:`, ...sources.values()].join("\n")] : [])].join("\n\n");
  }

  document.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element && event.target.closest("#conversation button[data-copy]");
      if (!button) return;
      const row = button.closest(".message-buttons-left")?.previousElementSibling;
      const text = row && answerText(row);
      if (!text || !navigator.clipboard) return;
      event.stopImmediatePropagation();
      navigator.clipboard.writeText(text).then(() => announce(button));
    },
    { capture: true },
  );

  function announce(button) {
    name(button, words.copied);
    button.classList.add("done");
    setTimeout(() => {
      button.classList.remove("done");
      name(button, words.copy);
    }, 1800);
  }

  /* --- calm scrolling: a new question goes to the top and stays there while its answer grows ------------ */

  let following = null;
  let questions = 0;

  function follow() {
    const rows = $$("#conversation .user-row");
    if (rows.length > questions) {
      following = rows.at(-1);
      if (!matchMedia("(hover: hover)").matches) document.activeElement?.blur(); // puts the phone's keyboard away
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

  /* --- labels: what Gradio leaves out or says in English ------------------------------------------------ */

  function polish() {
    const root = conversation();
    if (!root) return;
    root.querySelectorAll('[data-testid="bot"][aria-label], [data-testid="user"][aria-label]').forEach((node) => node.removeAttribute("aria-label"));
    $(".placeholder-content[role]", root)?.removeAttribute("role");
    const examples = $(".examples", root);
    if (examples?.getAttribute("role") === "list") {
      examples.setAttribute("role", "group");
      name(examples, words.suggestions);
      $$(".example", examples).forEach((example) => example.removeAttribute("aria-label"));
    }
    $$(`${CHIP}[title]`, root).forEach((chip) => {
      chip.dataset.chip = chip.title;
      name(chip, `${words.citation ?? ""} ${chip.textContent}: ${chip.title}`);
      chip.removeAttribute("title");
    });
    $$(".thought-group > .title", root).forEach((title) => {
      title.setAttribute("aria-expanded", String(title.classList.contains("expanded")));
      title.removeAttribute("aria-busy");
      const arrow = $("button", title);
      if (arrow) {
        arrow.disabled = true;
        arrow.setAttribute("aria-hidden", "true");
      }
    });
    $$(".message-buttons-left button:first-of-type", root).forEach((button) => {
      button.dataset.copy = "";
      if (!button.classList.contains("done")) name(button, words.copy);
    });
    name($("[role=log]", root), words.conversation);
    name($("#composer .submit-button"), words.ask);
    name($(".top-panel button", root), words.clear);
    $("#notice")?.setAttribute("role", "alert");
  }

  /** The cursor waits in the composer, except where that would call up a phone's keyboard. */
  function welcome() {
    const composer = $("#composer textarea");
    if (!composer || welcome.done) return;
    welcome.done = true;
    if (matchMedia("(hover: hover)").matches && document.activeElement === document.body) composer.focus();
  }

  function update() {
    polish();
    welcome();
    follow();
    if (panel.link && !panel.link.isConnected) panel.close();
  }

  async function start() {
    document.documentElement.lang = /^de\b/i.test(navigator.language) ? "de" : "en";
    try {
      words = await (await fetch("/beleg/words.json")).json();
      document.documentElement.lang = words.lang;
    } catch {
      /* Gradio's own labels remain */
    }
    panel.label();
    let due = false;
    new MutationObserver(() => {
      if (due) return;
      due = true;
      requestAnimationFrame(() => {
        due = false;
        update();
      });
    }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    update();
  }

  start();
})();
