/* The articles page: the list follows what is typed, sorted and changed; articles are deleted. Without
   scripts the search is a form and each heading a link; see intake.js for taking articles in. */

import { ROOT, isPlain } from "./dom.js";
import { Intake } from "./intake.js";

const root = document.querySelector(".articles");
const found = document.getElementById("found");
const field = document.getElementById("suche");
const said = document.getElementById("said");

/* --- the list ---------------------------------------------------------------------------------------- */

let latest = 0;

/** Shows the list of an address in place of the present one; an older answer never overwrites a newer. */
async function show(address, { keep = true } = {}) {
  const asked = ++latest;
  const url = new URL(address, location.href);
  if (keep) history.replaceState(null, "", url);
  url.searchParams.set("teil", "1");
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok || asked !== latest) return;
  const html = await answer.text();
  if (asked !== latest) return;
  const focused = focusIn(found);
  const open = found.querySelector("details")?.open;
  found.innerHTML = html;
  if (open) found.querySelector("details")?.setAttribute("open", "");
  if (focused) found.querySelector(focused)?.focus();
  said.textContent = found.querySelector(".summary, .nothing")?.firstChild.textContent ?? "";
}

/** How to find the focused element again when the list has been replaced. */
function focusIn(part) {
  const at = document.activeElement;
  if (!at || !part.contains(at)) return null;
  if (at.dataset.sort) return `[data-sort="${at.dataset.sort}"]`;
  if (at.dataset.id) return `[data-id="${CSS.escape(at.dataset.id)}"]`;
  return at.getAttribute("href") ? `a[href="${CSS.escape(at.getAttribute("href"))}"]` : null;
}

/** The present address with another query; any page but the first makes no sense with that. */
function withQuery(query) {
  const url = new URL(location.href);
  url.searchParams.delete("seite");
  if (query.trim()) url.searchParams.set("q", query);
  else url.searchParams.delete("q");
  return url;
}

let typing;
field.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => show(withQuery(field.value)), 120);
});
field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  show(withQuery(field.value));
});

found.addEventListener("click", (event) => {
  const link = event.target.closest("th a, .pager a, .summary .clear, .timeline a");
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  show(link.getAttribute("href")).then(() => link.closest(".pager") && found.querySelector("table").scrollIntoView());
  if (!link.matches(".clear")) return;
  field.value = "";
  field.focus();
});

/* --- deleting -------------------------------------------------------------------------------------------- */

const dialog = document.getElementById("confirm");
let chosen = null;

found.addEventListener("click", (event) => {
  const button = event.target.closest(".delete");
  if (!button) return;
  chosen = button.dataset.id;
  dialog.returnValue = "";
  dialog.querySelector("p").textContent = button.dataset.asks;
  dialog.showModal();
});

/** Changes the chosen article, and says what came of it. */
async function change(what, body) {
  const address = `${ROOT}/artikel/${what}?id=${encodeURIComponent(chosen)}`;
  const answer = await fetch(address, { method: "POST", body }).catch(() => null);
  said.textContent = answer ? (await answer.json()).detail : intake.words.no_connection;
  intake.follow();
}
dialog?.addEventListener("close", () => dialog.returnValue === "yes" && change("loeschen"));

/* --- title, outlet, author and date of an upload -------------------------------------------------------------- */

const facts = document.getElementById("facts");
const form = facts?.querySelector("form");

found.addEventListener("click", (event) => {
  const button = event.target.closest(".edit");
  if (!button) return;
  chosen = button.dataset.id;
  facts.returnValue = "";
  for (const name of ["title", "outlet", "author", "published"]) form.elements[name].value = button.dataset[name];
  facts.showModal();
});

form?.querySelector("[type=button]").addEventListener("click", () => facts.close());
facts?.addEventListener("close", () => facts.returnValue === "yes" && change("angaben", new URLSearchParams(new FormData(form))));

/* --- taking articles in ------------------------------------------------------------------------------------ */

const announce = (words) => {
  if (said.textContent !== words) said.textContent = words;
};
const intake =
  root.querySelector(".intake") && new Intake(root, () => show(location.href, { keep: false }), announce);
