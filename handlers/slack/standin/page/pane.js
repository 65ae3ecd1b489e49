// One conversation on the screen - a channel or a thread: its messages, its way down, its composer.

import { Composer } from "./composer.js";
import { h, icon, replace } from "./dom.js";
import { MessageList, statusLine } from "./messages.js";

const NEAR = 80; // pixels from the bottom that still count as being there

export class Pane {
  /** `deps`: id, label, store(), send(text), draft() -> text, keep(text), commands, placeholder, archived. */
  constructor(deps) {
    this.deps = deps;
    this.list = h("div", { class: "messages", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": deps.label });
    this.foot = h("div", { class: "foot" });
    this.intro = h("div", { class: "intro" });
    this.scroller = h("div", { class: "scroll", tabindex: "-1" }, this.intro, this.list, this.foot);
    this.jump = h("button", { type: "button", class: "jump", hidden: true, on: { click: () => this.down(true) } }, icon("down"), "Latest");
    this.below = h("div", { class: "below" });
    this.messages = new MessageList(this.list);
    this.pinned = true;
    this.scroller.addEventListener("scroll", () => {
      this.pinned = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR;
      this.jump.hidden = this.pinned;
    });
    // Pictures, charts and growing answers change the height after they were drawn.
    this.watcher = new ResizeObserver(() => {
      if (this.pinned) this.follow();
    });
    this.watcher.observe(this.list);
    this.watcher.observe(this.scroller);
    if (deps.archived) {
      this.composer = null;
      this.below.append(h("p", { class: "archived" }, icon("archive"), "This channel is archived: it can be read, not written to."));
    } else {
      this.composer = new Composer({ id: deps.id, label: deps.placeholder, store: deps.store, send: deps.send, commands: deps.commands, changed: (text) => this.changed(text) });
      this.below.append(this.composer.node);
    }
    this.nodes = [h("div", { class: "stage" }, this.scroller, this.jump), this.below];
  }

  changed(text) {
    this.deps.keep(text);
    if (this.chips) this.chips.hidden = text.trim() !== "";
  }

  /** Texts that a click puts into the composer. */
  suggest(texts) {
    if (!texts?.length || !this.composer) return;
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Try one of these" },
      texts.map((text) => h("button", { type: "button", class: "chip", on: { click: () => this.composer.set(text) } }, text)));
    this.below.prepend(this.chips);
  }

  /** After the nodes are on the page: the kept draft, the newest message in view. */
  settle(focus) {
    const draft = this.deps.draft();
    if (this.composer && draft) this.composer.set(draft, false);
    this.found = this.newest; // nothing has arrived since the pane was opened
    this.down();
    if (focus) this.composer?.field.focus({ preventScroll: true });
  }

  show(messages, view, status) {
    this.newest = messages.at(-1)?.ts;
    this.messages.show(messages, view);
    replace(this.foot, status ? statusLine(view.store, status) : null);
    if (this.pinned) this.follow();
  }

  /** Keep up with what arrives, but never push the beginning of the newest message out of sight. */
  follow() {
    const last = this.list.lastElementChild;
    if (!last || this.newest === this.found) return this.down();
    const bottom = this.scroller.scrollHeight - this.scroller.clientHeight;
    const start = last.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop - 12;
    this.scroller.scrollTo({ top: Math.min(bottom, start), behavior: "instant" });
    this.pinned = bottom <= start + NEAR;
    this.jump.hidden = this.pinned;
  }

  down(smooth = false) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth && !still ? "smooth" : "instant" });
    this.pinned = true;
    this.jump.hidden = true;
  }

  leave() {
    this.watcher.disconnect();
  }
}
