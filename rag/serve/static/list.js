/* The list of kept conversations: opened, renamed, saved as files, deleted. */

import { confirmed } from "./confirm.js";
import { all, current, erase, open, read, startAnew, write } from "./conversations.js";
import { $, $$, ROOT, answering, element, name, tool, words } from "./dom.js";

/* --- saving as a file -------------------------------------------------------------------------------------------- */

async function save(kept, form) {
  const response = await fetch(`${ROOT}/export/${form}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ title: kept.title, turns: kept.turns }),
  });
  if (!response.ok) return;
  const named = response.headers.get("Content-Disposition")?.match(/filename\*=UTF-8''(.+)$/)?.[1];
  const link = element("a", { download: decodeURIComponent(named ?? `beleg.${form}`) });
  link.href = URL.createObjectURL(await response.blob());
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/* --- the list ------------------------------------------------------------------------------------------------------ */

class List {
  constructor() {
    this.title = element("h2", { id: "list-title" });
    this.items = element("ul", { class: "conversations-list" });
    this.note = element("p", { class: "list-note" });
    this.anew = tool("new", "", () => {
      this.close();
      startAnew();
    });
    this.shut = tool("shut", "", () => this.close());
    const bar = element("div", { class: "list-bar" }, this.title, this.anew, this.shut);
    this.dialog = element("dialog", { class: "list", "aria-labelledby": "list-title" }, bar, this.items, this.note);
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.close());
    document.body.append(this.dialog);
  }

  open() {
    this.title.textContent = words.conversations;
    name(this.anew, words.new_conversation);
    name(this.shut, words.close_list);
    this.fill();
    this.dialog.showModal();
  }

  close() {
    this.dialog.close();
  }

  fill() {
    const kept = all();
    this.items.replaceChildren(...kept.map((each) => this.item(each)));
    this.note.textContent = kept.length ? words.kept_here : `${words.none_kept} ${words.kept_here}`;
  }

  item(kept) {
    const opener = element("button", { type: "button", class: "open" }, kept.title);
    opener.addEventListener("click", () => {
      this.close();
      if (!answering() && kept.id !== current.id) open(kept);
    });
    const day = element("time", { datetime: new Date(kept.updated).toISOString() });
    day.textContent = new Date(kept.updated).toLocaleString(words.lang, { dateStyle: "medium", timeStyle: "short" });
    const label = (text) => `${text}: ${kept.title}`;
    const file = (text, form, hint) => {
      const button = tool("text", label(hint), () => save(kept, form));
      button.textContent = text;
      return button;
    };
    const row = element(
      "div",
      { class: "row" },
      day,
      file("MD", "md", words.save_markdown),
      file("Word", "docx", words.save_word),
      file("HTML", "html", words.save_html),
      file("JSON", "json", words.save_json),
      tool("rename", label(words.rename), () => this.rename(kept, opener)),
      tool("delete", label(words.delete), () => this.remove(kept)),
    );
    const item = element("li", {}, opener, row);
    if (kept.id === current.id) {
      item.className = "current";
      opener.setAttribute("aria-current", "true");
    }
    return item;
  }

  rename(kept, opener) {
    const input = element("input", { type: "text", maxlength: "200", "aria-label": words.rename });
    input.value = kept.title;
    const done = (changed) => {
      input.removeEventListener("blur", input.leave);
      const fresh = read(kept.id);
      if (changed && fresh && input.value.trim()) write({ ...fresh, title: input.value.trim(), named: true });
      this.fill();
      const again = $$(".open", this.items).find((each) => each.textContent === (changed ? input.value.trim() : kept.title));
      (again ?? this.shut).focus();
    };
    input.leave = () => done(true);
    input.addEventListener("blur", input.leave);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // neither presses what is focused next nor closes the list
      event.stopPropagation();
      done(event.key === "Enter");
    });
    opener.replaceWith(input);
    input.focus();
    input.select();
  }

  async remove(kept) {
    if (!(await confirmed(kept.title))) return;
    erase(kept.id);
    this.fill();
    ($(".open", this.items) ?? this.shut).focus();
  }
}

let list;

export function openList() {
  list ??= new List();
  list.open();
}
