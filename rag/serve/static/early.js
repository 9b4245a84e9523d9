/* Runs before the page is drawn, so that it is never seen in the wrong colours: theme and embed mode.
   Then what all pages have: the switch of the theme, and the menu of dossiers, which closes when it is left. */
(() => {
  "use strict";

  const KEY = "beleg:theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  /** What the reader chose; null where nothing was, or where nothing can be kept. */
  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  function apply() {
    root.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
    // Gradio has its own switch, and sets it when it starts
    if (document.body && !root.classList.contains("reader-page")) {
      document.body.classList.toggle("dark", root.dataset.theme === "dark");
    }
  }

  /** The other theme; a choice that is the system's own is no longer kept. */
  function toggle() {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      if (theme === (system.matches ? "dark" : "light")) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      root.dataset.theme = theme;
      return;
    }
    apply();
  }

  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  document.addEventListener("click", (event) => event.target.closest?.(".tool.theme") && toggle());
  document.addEventListener("click", (event) => event.target.closest?.(".share .print") && window.print());
  for (const kind of ["click", "keydown"]) {
    document.addEventListener(kind, (event) => {
      const open = document.querySelector(".dossiers[open]");
      if (!open || (event.key ? event.key !== "Escape" : open.contains(event.target))) return;
      open.open = false;
      if (event.key) open.querySelector("summary").focus();
    });
  }
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    new MutationObserver(() => {
      const dark = root.dataset.theme === "dark";
      if (!root.classList.contains("reader-page") && document.body.classList.contains("dark") !== dark) apply();
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });
  if (new URLSearchParams(location.search).get("embed") === "1") root.classList.add("embed");
})();
