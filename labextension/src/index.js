// Shows in JupyterLab how long its job lasts and what it uses; before the end it saves and warns.
import { Dialog, Notification, showDialog } from "@jupyterlab/apputils";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";

import { saveAll } from "./documents";
import { NoHub, ask } from "./session";
import { duration, rounded, say } from "./words";

// Milliseconds between two questions to the hub: a thousand servers ask it, too.
const ASK_EVERY = 300000;
// Until the server has told for the first time what it uses, and so often at most.
const ASK_SOON = 20000;
const SOON_ASKED = 3;
const TICK = 1000;
// Seconds before the end at which documents are saved and the person is warned.
const WARNINGS = [600, 180];

class Session {
  constructor(app, translator) {
    this._app = app;
    this._translator = translator;
    this._known = null;
    this._end = null;
    // The least time for which the person was warned already.
    this._warned = Infinity;
    this._notice = "";
    this._idle = "";
    this._asked = 0;
    this._asking = false;
    this._soon = SOON_ASKED;
    this.button = document.createElement("button");
    this.button.className = "slurmhub-lab";
    // The status bar shows whatever it was given: an empty button must not be there.
    this.item = new Widget();
    this.item.id = "slurmhub-lab";
    this.item.node.append(this.button);
    // As JupyterLab's own items look, which are no buttons.
    this.button.style.cssText =
      "background: none; border: 0; color: inherit; font: inherit; cursor: pointer; padding: 0 6px";
    this.button.type = "button";
    this.button.addEventListener("click", () => this._show());
    this.button.hidden = true;
  }

  /** Ask and go on asking; ends at once where there is no hub. */
  async begin() {
    try {
      await this._ask();
    } catch (error) {
      if (error instanceof NoHub) {
        return;
      }
      console.warn("slurmhub: the hub does not answer", error);
    }
    window.setInterval(() => this._tick(), TICK);
  }

  get _left() {
    return this._end === null ? null : (this._end - Date.now()) / 1000;
  }

  get _language() {
    // English is what JupyterLab has where nobody chose: then the hub or the browser knows better.
    const code = (this._translator && this._translator.languageCode) || "";
    return code.startsWith("en") ? "" : code;
  }

  get _pause() {
    const told = this._known && this._known.use && this._known.use.length;
    return told || this._soon <= 0 ? ASK_EVERY : ASK_SOON;
  }

  async _ask(body) {
    this._asking = true;
    try {
      const { ok, session } = await ask(body, this._language);
      if (ok) {
        this._take(session);
      }
      return session;
    } finally {
      this._asking = false;
      this._asked = Date.now();
    }
  }

  _take(session) {
    this._known = session;
    const left = session.seconds_left;
    this._end = left === null || left === undefined ? null : Date.now() + 1000 * left;
    if (left > this._warned) {
      // There is more time than at the last warning, which is of no use any more.
      this._warned = Infinity;
      this._dismiss();
    }
    this._tellIdle(session);
    this._draw();
  }

  // Who reads here sees no page of the hub, and reading is nothing that a server notices.
  _tellIdle({ idle, texts }) {
    if (!idle && this._idle) {
      Notification.dismiss(this._idle);
      this._idle = "";
    } else if (idle && !this._idle) {
      this._idle = Notification.emit(
        `${idle.why} ${say(texts.idle, { time: idle.left })}`,
        "warning",
        { autoClose: false, actions: [{ label: texts.keep, callback: () => this._keep() }] }
      );
    }
  }

  async _keep() {
    this._idle = "";
    try {
      await this._ask({ keep: true });
    } catch (error) {
      console.warn("slurmhub: the hub does not answer", error);
      Notification.emit(this._known.texts.away, "error", { autoClose: false });
    }
  }

  _tick() {
    const left = this._left;
    const due = left === null ? undefined : WARNINGS.filter(at => left <= at).pop();
    if (due !== undefined && due < this._warned && !this._asking) {
      this._warned = due;
      this._warn();
    } else if (!this._asking && !document.hidden && Date.now() - this._asked > this._pause) {
      this._soon -= 1;
      this._ask().catch(error => console.warn("slurmhub: the hub does not answer", error));
    }
    this._draw();
  }

  _draw() {
    const known = this._known;
    if (!known || !known.texts || known.step !== "ready") {
      this.button.hidden = true;
      return;
    }
    const memory = (known.use || []).find(one => one.name === "memory");
    const left = this._left;
    const parts = [
      left === null ? "" : say(known.texts.left, { time: duration(left) }),
      memory ? memory.words : ""
    ].filter(Boolean);
    const words = parts.join(" \u00b7 ") || known.message;
    if (this.button.textContent !== words) {
      this.button.textContent = words;
    }
    this.button.title = known.asked;
    this.button.hidden = false;
  }

  async _warn() {
    const failed = await saveAll(this._app.shell);
    try {
      // Somebody may have given the server more time elsewhere.
      await this._ask();
    } catch (error) {
      console.warn("slurmhub: the hub does not answer", error);
    }
    const left = this._left;
    if (left === null || left <= 0 || left > WARNINGS[0] || !this._known || !this._known.texts) {
      return;
    }
    const texts = this._known.texts;
    const words = [
      say(texts.ends, { time: rounded(left) }),
      failed.length ? say(texts.unsaved, { names: failed.join(", ") }) : texts.saved
    ].join(" ");
    this._dismiss();
    this._notice = Notification.emit(words, failed.length ? "error" : "warning", {
      autoClose: false,
      actions: this._known.more
        ? [{ label: say(texts.more, { time: this._known.more }), callback: () => this._extend() }]
        : []
    });
  }

  _dismiss() {
    if (this._notice) {
      Notification.dismiss(this._notice);
      this._notice = "";
    }
  }

  async _extend() {
    let said = null;
    try {
      said = await this._ask({ limit: this._known.limit });
    } catch (error) {
      console.warn("slurmhub: the hub does not answer", error);
    }
    const granted = Boolean(said && said.granted);
    const words = said ? said.answer || said.message : this._known.texts.away;
    Notification.emit(words, granted ? "success" : "error", { autoClose: granted ? 5000 : false });
  }

  async _show() {
    let away = false;
    try {
      await this._ask();
    } catch (error) {
      console.warn("slurmhub: the hub does not answer", error);
      away = true;
    }
    const { texts, asked, use, more, message, job_id: job, node } = this._known;
    const body = new Widget();
    const lines = [
      this._left === null ? message : say(texts.ends, { time: duration(this._left) }),
      say(texts.asked, { what: asked }),
      say(texts.job, { job: String(job), node: node || "" }),
      ...(use || []).map(one => one.words),
      ...(away ? [texts.away] : [])
    ];
    for (const line of lines) {
      const paragraph = document.createElement("p");
      paragraph.textContent = line;
      body.node.append(paragraph);
    }
    const extend = more ? [Dialog.okButton({ label: say(texts.more, { time: more }) })] : [];
    const result = await showDialog({
      title: texts.title,
      body,
      // Enter must not spend what the site gives.
      defaultButton: 0,
      buttons: [Dialog.cancelButton({ label: texts.close }), ...extend]
    });
    if (result.button.accept) {
      await this._extend();
    }
  }
}

const plugin = {
  id: "slurmhub-lab:session",
  description: "Shows how long the job of this server lasts, and saves before it ends.",
  autoStart: true,
  optional: [IStatusBar, ITranslator],
  activate: (app, statusBar, translator) => {
    const session = new Session(app, translator);
    if (statusBar) {
      statusBar.registerStatusItem("slurmhub-lab:session", {
        item: session.item,
        align: "right",
        rank: 50
      });
    } else {
      // Notebook has no status bar.
      app.shell.add(session.item, "top", { rank: 1000 });
    }
    app.restored.then(() => session.begin());
  }
};

export default plugin;
