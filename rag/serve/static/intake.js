/* Taking articles in: files that are chosen or dropped, their progress and results, and reading in again. */

import { ROOT, element } from "./dom.js";

const SOON = 400; // milliseconds between looks while something is going on
const LATER = 5000; // and while nothing is

export class Intake {
  /** Calls `changed` whenever the articles are others than before, `announce` with words for screen readers. */
  constructor(root, changed, announce) {
    this.root = root;
    this.changed = changed;
    this.announce = announce;
    this.words = JSON.parse(root.dataset.words);
    this.limit = Number(root.dataset.limit);
    this.state = root.querySelector("#state");
    this.bar = root.querySelector("#reading");
    this.button = root.querySelector("#refresh");
    this.results = root.querySelector("#results");
    this.queue = [];
    this.sending = false;
    this.unread = new Map(); // name among the uploads → its line, until it is read in
    this.revision = null;

    const files = root.querySelector("#dateien"); // none on a replica
    files?.addEventListener("change", () => {
      this.add(files.files);
      files.value = "";
    });
    this.button.addEventListener("click", () => this.refresh());
    this.listenForDrops();
    document.addEventListener("visibilitychange", () => document.hidden || this.follow());
    this.follow();
  }

  /* Files may be dropped anywhere: what misses the field would otherwise replace the page. */
  listenForDrops() {
    let depth = 0;
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    const mark = (change) => {
      depth = Math.max(0, depth + change);
      this.root.classList.toggle("dragged", depth > 0);
    };
    document.addEventListener("dragenter", (event) => holdsFiles(event) && mark(1));
    document.addEventListener("dragleave", (event) => holdsFiles(event) && mark(-1));
    document.addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
    document.addEventListener("drop", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      mark(-depth);
      if (this.results) this.add(event.dataTransfer.files);
    });
  }

  /* --- sending ------------------------------------------------------------------------------------------ */

  add(files) {
    for (const file of files) {
      const line = this.line(file.name);
      if (file.size > this.limit) refuse(line, this.words.too_large.replace("{limit}", this.words.limit), this.words);
      else this.queue.push([file, line]);
    }
    this.send();
  }

  /** One after the other, so that each has all of the line and the progress is true. */
  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.queue.length) await this.upload(...this.queue.shift());
    this.sending = false;
  }

  line(name) {
    const outcome = element("span", { class: "outcome" }, this.words.waiting);
    const bar = element("progress", { value: "0", "aria-label": name });
    const line = element("li", {}, element("b", {}, name), outcome, bar);
    this.results.hidden = false;
    this.results.tabIndex = 0; // it scrolls
    this.results.append(line);
    return line;
  }

  /** Resolves when the server has answered; XMLHttpRequest, for `fetch` does not tell how much is sent. */
  upload(file, line) {
    const bar = line.querySelector("progress");
    say(line, this.words.sending);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", `${ROOT}/artikel/datei?name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.onprogress = (event) => (bar.value = event.loaded / (event.total || 1));
      request.upload.onload = () => {
        bar.removeAttribute("value");
        say(line, this.words.checking);
      };
      request.onloadend = () => {
        this.answered(request, line);
        resolve();
      };
      request.send(file);
    });
  }

  answered(request, line) {
    const told = request.response;
    if (request.status !== 201) {
      refuse(line, told?.detail ?? this.words.no_connection, this.words);
      this.announce(toldBy(line));
    } else if (told.known) {
      finish(line, this.words.known);
    } else {
      say(line, this.words.indexing);
      this.unread.set(told.name, line);
      this.follow();
    }
  }

  /* --- reading in ------------------------------------------------------------------------------------------ */

  async refresh() {
    this.button.disabled = true;
    await fetch(`${ROOT}/artikel/einlesen`, { method: "POST" }).catch(() => null);
    this.follow();
  }

  /** Looks now, and again: soon while something is going on, else now and then; never when nobody watches. */
  async follow() {
    clearTimeout(this.due);
    const look = (this.look = Symbol("look"));
    const names = [...this.unread.keys()].map((name) => `datei=${encodeURIComponent(name)}`);
    const answer = await fetch(`${ROOT}/artikel/stand?${names.join("&")}`).catch(() => null);
    if (look !== this.look) return;
    const told = answer?.ok ? await answer.json() : null;
    if (look !== this.look) return;
    if (told) this.told(told);
    const busy = told?.running || this.unread.size;
    if (busy || !document.hidden) this.due = setTimeout(() => this.follow(), busy ? SOON : LATER);
  }

  told(state) {
    if (this.state.textContent !== state.text) this.state.textContent = state.text;
    this.state.classList.toggle("failed", state.failed);
    if (!state.running && (this.button.disabled || state.failed)) this.announce(state.text);
    this.button.disabled = state.running;
    this.bar.hidden = !state.running;
    if (state.total) this.bar.value = state.done / state.total;
    else this.bar.removeAttribute("value");
    if (!state.running) this.settle(state);
    if (this.revision !== null && this.revision !== state.revision) this.changed();
    this.revision = state.revision;
  }

  /** What became of the files that were waiting to be read in. */
  settle(state) {
    for (const [name, { articles, problems }] of Object.entries(state.files)) {
      const line = this.unread.get(name);
      if (!line) continue;
      this.unread.delete(name);
      if (!articles.length) refuse(line, problems[0] ?? state.text, this.words);
      else finish(line, problems.length ? `${this.words.incomplete}: ${problems.join("; ")}` : this.words.taken);
      this.announce(toldBy(line));
      if (articles.length === 1) link(line, articles[0]);
    }
  }
}

/** Name and outcome of a line, for screen readers. */
function toldBy(line) {
  return [...line.querySelectorAll("b, .outcome")].map((part) => part.textContent).join(": ");
}

function say(line, words) {
  line.querySelector(".outcome").textContent = words;
}

function finish(line, words) {
  line.className = "done";
  line.querySelector("progress").remove();
  say(line, words);
}

function refuse(line, reason, words) {
  line.className = "refused";
  line.querySelector("progress").remove();
  say(line, `${words.refused}: ${reason}`);
}

/** The name becomes the way to the article. */
function link(line, article) {
  const address = `${ROOT}/quelle/${encodeURIComponent(article.id)}`;
  const name = line.querySelector("b");
  name.replaceChildren(element("a", { href: address, title: article.title }, name.textContent));
}
