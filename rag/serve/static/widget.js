/* Beleg on any page: <script src="https://beleg.example/widget.js" defer></script> adds a button that opens the
   chat in a frame. The page lends it nothing: styles live in a shadow root, the frame is sandboxed and loaded
   when it is first opened. data-lang="de" or "en" sets the language, else the page's; data-side="left" the side. */
(() => {
  "use strict";

  const script = document.currentScript;
  const home = new URL(".", script.src);
  const WORDS = JSON.parse("of all languages"); // widget.py puts them in
  const named = script.dataset.lang ?? (document.documentElement.lang || navigator.language);
  const lang = /^de\b/i.test(named) ? "de" : "en";
  const words = WORDS[lang];
  const address = `${home.origin}${home.pathname}?embed=1&lang=${lang}`;

  // no <style>: the page's own policy may forbid those
  const styles = new CSSStyleSheet();
  styles.replaceSync(`
    :host { all: initial; }
    * { box-sizing: border-box; }
    button, a { font: 500 15px/1 system-ui, sans-serif; color: inherit; cursor: pointer; }
    button:focus-visible, a:focus-visible { outline: 3px solid #d9a93a; outline-offset: 2px; }
    svg { width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 2;
      stroke-linecap: round; stroke-linejoin: round; display: block; }
    .bubble, .panel { position: fixed; z-index: 2147483000; right: 20px; bottom: 20px; }
    .left.bubble, .left.panel { right: auto; left: 20px; }
    .bubble { display: flex; gap: 9px; align-items: center; height: 52px; padding: 0 20px; border: 0;
      border-radius: 26px; background: #0b4a85; color: #fff; box-shadow: 0 4px 18px rgb(40 34 20 / 30%); }
    .panel { display: flex; flex-direction: column; width: 420px; height: min(680px, calc(100vh - 40px));
      overflow: hidden; border: 1px solid #dcd8ce; border-radius: 14px; background: #fbfaf6; color: #1c1a17;
      box-shadow: 0 12px 36px rgb(40 34 20 / 25%); }
    .panel[hidden], .bubble[hidden] { display: none; }
    .bar { display: flex; align-items: center; gap: 4px; padding: 6px 8px 6px 16px;
      border-bottom: 1px solid #dcd8ce; font: 600 15px/1.2 system-ui, sans-serif; }
    .bar span { flex: 1; }
    .bar button, .bar a { display: grid; place-items: center; width: 40px; height: 40px; padding: 0; border: 0;
      border-radius: 8px; background: none; }
    .bar button:hover, .bar a:hover { background: #eeece4; }
    iframe { flex: 1; width: 100%; border: 0; }
    @media (prefers-color-scheme: dark) {
      .bubble { background: #94c5fb; color: #10131a; }
      .panel { border-color: #343741; background: #131419; color: #eae8e3; }
      .bar { border-color: #343741; }
      .bar button:hover, .bar a:hover { background: #23252e; }
    }
    @media (max-width: 640px) {
      .panel, .left.panel { inset: 0; width: 100%; height: 100%; border: 0; border-radius: 0; }
    }`);

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const icon = (...paths) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    for (const d of paths) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      svg.append(path);
    }
    return svg;
  };

  const side = script.dataset.side === "left" ? " left" : "";
  const bubble = make(
    "button",
    { type: "button", class: `bubble${side}`, "aria-haspopup": "dialog", "aria-expanded": "false" },
    icon("M4 5h16v11H9l-5 4z"),
    words.ask,
  );
  const closer = make("button", { type: "button", title: words.close, "aria-label": words.close }, icon("M6 6l12 12M18 6L6 18"));
  const own = make(
    "a",
    { href: `${home.origin}${home.pathname}?lang=${lang}`, target: "_blank", rel: "noopener", title: words.own, "aria-label": words.own },
    icon("M13 5h6v6", "M19 5l-8 8", "M17 14v5H5V7h5"),
  );
  const bar = make("div", { class: "bar" }, make("span", {}, "Beleg"), own, closer);
  const panel = make("div", { class: `panel${side}`, role: "dialog", "aria-label": `Beleg: ${words.ask}`, hidden: "" }, bar);
  let frame = null;

  function open() {
    if (!frame) {
      frame = make("iframe", {
        title: words.ask,
        // a frame of Beleg's own origin, so that it can keep conversations; it cannot lead this page elsewhere
        sandbox: "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads",
        referrerpolicy: "strict-origin",
        loading: "lazy",
        src: address,
      });
      panel.append(frame);
    }
    panel.hidden = false;
    bubble.hidden = true;
    bubble.setAttribute("aria-expanded", "true");
    closer.focus();
  }

  function close() {
    if (panel.hidden) return;
    panel.hidden = true;
    bubble.hidden = false;
    bubble.setAttribute("aria-expanded", "false");
    bubble.focus();
  }

  bubble.addEventListener("click", open);
  closer.addEventListener("click", close);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && close());
  // Escape pressed in the frame stays in the frame: the chat passes it on when it has no use for it
  window.addEventListener("message", (event) => {
    if (frame && event.source === frame.contentWindow && event.origin === home.origin && event.data === "beleg:close") close();
  });

  const host = make("aside", { lang, "aria-label": "Beleg" });
  const shadow = host.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [styles];
  shadow.append(bubble, panel);
  const place = () => document.body.append(host);
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);
})();
