// What opens over the page: an app's modals with their fields and errors, and a button's confirmation.

import { h, icon, replace } from "./dom.js";
import { mrkdwnInline, plainInline } from "./inline.js";

const SETTLING = 150; // ms in which an app's next view may take a submitted one's place without a flicker

function words(text, people) {
  if (!text) return [];
  return text.type === "mrkdwn" ? mrkdwnInline(text.text ?? "", people) : plainInline(text.text ?? "");
}

/** Ask as a button's `confirm` wants it; true when the person agrees. */
export function confirmation(confirm, people) {
  return new Promise((resolve) => {
    const done = (answer) => () => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const style = confirm.style === "danger" ? "danger" : "primary";
    const dialog = h("dialog", { class: "modal small", "aria-labelledby": "confirm-title" },
      h("header", null, h("h2", { id: "confirm-title" }, words(confirm.title, people))),
      h("div", { class: "modal-body prose" }, h("p", null, words(confirm.text, people))),
      h("footer", null,
        h("button", { type: "button", class: "button plain", on: { click: done(false) } }, words(confirm.deny, people).length ? words(confirm.deny, people) : "Cancel"),
        h("button", { type: "button", class: `button ${style}`, on: { click: done(true) } }, words(confirm.confirm, people).length ? words(confirm.confirm, people) : "Yes")));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      done(false)();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** The modal an app has open. `deps` gives people, render (blocks to nodes), submit, close and act. */
export class Modal {
  constructor(deps) {
    this.deps = deps;
    this.view = null;
    this.dialog = null;
    this.inputs = [];
  }

  show(view) {
    const kept = this.view?.id === view.id ? this.values() : null;
    this.view = view;
    if (!this.dialog) {
      this.dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title" });
      this.dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        this.dismiss();
      });
      document.body.append(this.dialog);
    }
    this.inputs = [];
    const scope = { people: this.deps.people(), key: `view-${view.id}`, inputs: this.inputs, act: (action) => this.deps.act(view, action) };
    const form = h("form", { novalidate: true, on: { submit: (event) => { event.preventDefault(); this.submit(); } } },
      h("header", null,
        h("h2", { id: "modal-title" }, plainInline(view.title?.text ?? "")),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: () => this.dismiss() } }, icon("close"))),
      h("div", { class: "modal-body" }, this.deps.render(view.blocks ?? [], scope), h("p", { class: "field-error general", role: "alert" })),
      h("footer", null,
        h("button", { type: "button", class: "button plain", on: { click: () => this.dismiss() } }, view.close?.text ?? "Cancel"),
        view.submit ? h("button", { type: "submit", class: "button primary" }, plainInline(view.submit.text ?? "Submit")) : null));
    replace(this.dialog, form);
    if (kept) this.restore(kept);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.querySelector("input, textarea, select")?.focus();
  }

  values() {
    const values = {};
    for (const { blockId, actionId, state } of this.inputs) (values[blockId] ??= {})[actionId] = state();
    return values;
  }

  restore(values) {
    for (const { blockId, actionId, node } of this.inputs) {
      const before = values[blockId]?.[actionId];
      if (before && typeof before.value === "string" && "value" in node) node.value = before.value;
    }
  }

  async submit() {
    const button = this.dialog.querySelector("button[type=submit]");
    if (!button || button.disabled) return;
    const view = this.view;
    button.disabled = true;
    button.classList.add("busy");
    this.mark(this.missing());
    try {
      if (Object.keys(this.missing()).length) return;
      const answer = await this.deps.submit(view, this.values());
      if (answer.errors && Object.keys(answer.errors).length) this.mark(answer.errors);
      else setTimeout(() => this.view === view && this.hide(), SETTLING);
    } catch (error) {
      this.general(error.message);
    } finally {
      button.disabled = false;
      button.classList.remove("busy");
    }
  }

  missing() {
    const errors = {};
    for (const block of this.view.blocks ?? []) {
      if (block.type !== "input" || block.optional) continue;
      const { type, ...state } = this.inputs.find((input) => input.blockId === (block.block_id ?? ""))?.state() ?? {};
      const empty = Object.values(state).every((value) => value === null || (Array.isArray(value) && !value.length));
      if (type && empty) errors[block.block_id] = "Please complete this field.";
    }
    return errors;
  }

  mark(errors) {
    this.general("");
    for (const place of this.dialog.querySelectorAll(".input-block")) {
      const text = errors[place.dataset.blockId] ?? "";
      place.querySelector(".field-error").textContent = text;
      place.classList.toggle("wrong", text !== "");
      place.querySelector("input, textarea, select")?.setAttribute("aria-invalid", String(text !== ""));
    }
    const known = new Set((this.view.blocks ?? []).map((block) => block.block_id));
    const rest = Object.entries(errors).filter(([id]) => !known.has(id)).map(([, text]) => text);
    if (rest.length) this.general(rest.join(" "));
    this.dialog.querySelector(".wrong :is(input, textarea, select)")?.focus();
  }

  general(text) {
    this.dialog.querySelector(".general").textContent = text;
  }

  dismiss() {
    const view = this.view;
    this.hide();
    if (view) this.deps.close(view);
  }

  hide() {
    this.dialog?.close();
    this.dialog?.remove();
    this.dialog = null;
    this.view = null;
    this.inputs = [];
  }
}
