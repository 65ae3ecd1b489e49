// Where a person writes: grows with the text, completes commands and names, loses nothing when sending fails.

import { h, icon, replace } from "./dom.js";

/** `help | status [service] | plan <initiative>` as separate hints; bars inside brackets don't divide. */
export function hints(usage) {
  const parts = [];
  let depth = 0;
  let part = "";
  for (const sign of usage ?? "") {
    if ("[<(".includes(sign)) depth++;
    if ("]>)".includes(sign)) depth--;
    if (sign === "|" && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else part += sign;
  }
  parts.push(part.trim());
  return parts.filter(Boolean);
}

/** What of a hint is typed literally: up to the first thing a person must fill in. */
const literal = (hint) => hint.split(/[[<(…]|\.\.\./)[0].trimEnd();

/** A person's text as Slack stores it: escaped, with names of people and channels as references. */
export function outgoing(text, users, channels) {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const names = users.flatMap((user) => [...new Set([user.real_name, user.name])].filter(Boolean).map((name) => [name.toLowerCase(), `<@${user.id}>`]));
  names.sort((one, other) => other[0].length - one[0].length);
  const rooms = new Map(channels.filter((channel) => !channel.is_im).map((channel) => [channel.name, channel.id]));
  return escaped
    .replace(/(^|[\s(*_~"'])@([^\s@][^@\n]*)/g, (whole, before, rest) => {
      const found = names.find(([name]) => rest.toLowerCase().startsWith(name) && !/[\p{L}\p{N}_-]/u.test(rest[name.length] ?? " "));
      return found ? `${before}${found[1]}${rest.slice(found[0].length)}` : whole;
    })
    .replace(/(^|[\s(])#([\p{L}\p{N}_-]+)/gu, (whole, before, name) => (rooms.has(name) ? `${before}<#${rooms.get(name)}>` : whole));
}

export class Composer {
  /** `deps`: store(), send(text) -> promise, label, commands (whether slash commands work here), id. */
  constructor(deps) {
    this.deps = deps;
    this.options = [];
    this.picked = 0;
    const listId = `${deps.id}-options`;
    this.list = h("ul", { class: "options", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
    this.field = h("textarea", {
      id: deps.id, rows: 1, "aria-label": deps.label, placeholder: deps.label, autocomplete: "off", spellcheck: "true", enterkeyhint: "send",
      role: "combobox", "aria-autocomplete": "list", "aria-controls": listId, "aria-expanded": "false",
    });
    this.error = h("p", { class: "composer-error", role: "alert" });
    this.button = h("button", { type: "submit", class: "send", "aria-label": "Send", disabled: true }, icon("send"));
    const tool = (label, text, sign) => h("button", { type: "button", class: "tool", "aria-label": label, title: label, on: { click: () => this.insert(sign) } }, text);
    this.node = h("form", { class: "composer", on: { submit: (event) => { event.preventDefault(); this.send(); } } },
      this.list,
      h("div", { class: "box" }, this.field,
        h("div", { class: "tools" },
          tool("Mention someone", "@", "@"), deps.commands ? tool("Use a command", "/", "/") : null,
          h("span", { class: "hint-keys" }, h("kbd", null, "Enter"), " sends, ", h("kbd", null, "Shift+Enter"), " breaks the line"), this.button)),
      this.error);
    this.field.addEventListener("input", () => this.changed());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => setTimeout(() => this.offer([]), 150));
    this.field.addEventListener("click", () => this.suggest());
  }

  get text() {
    return this.field.value;
  }

  /** Put a text in, ready to be changed or sent. */
  set(text, focus = true) {
    this.field.value = text;
    this.changed(false);
    if (!focus) return;
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
  }

  insert(sign) {
    const before = this.field.value.slice(0, this.field.selectionStart);
    const text = sign === "/" ? "/" : before && !/\s$/.test(before) ? ` ${sign}` : sign;
    if (sign === "/" && this.field.value.startsWith("/")) return this.field.focus();
    if (sign === "/") this.field.setSelectionRange(0, 0);
    this.field.focus();
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.changed();
  }

  changed(suggest = true) {
    this.error.textContent = "";
    this.button.disabled = !this.field.value.trim();
    this.field.style.setProperty("height", "auto");
    this.field.style.setProperty("height", `${this.field.scrollHeight}px`);
    this.deps.changed?.(this.field.value);
    if (suggest) this.suggest();
  }

  suggest() {
    const text = this.field.value;
    const before = text.slice(0, this.field.selectionStart);
    const { state } = this.deps.store();
    if (this.deps.commands && before.startsWith("/") && !before.includes("\n")) {
      return this.offer(state.app.commands.flatMap((command) => {
        const subs = hints(command.usage_hint).map((hint) => ({ label: `${command.command} ${hint}`, insert: `${command.command} ${literal(hint)} `, about: "" }));
        const own = { label: command.command, insert: `${command.command} `, about: command.description };
        const typed = before.toLowerCase().trimEnd();
        if (own.label.startsWith(typed)) return [own, ...subs];
        return subs.filter((sub) => sub.insert.trimEnd().startsWith(typed) || (before.toLowerCase().startsWith(sub.insert) && /[[<(]/.test(sub.label)));
      }), 0);
    }
    const typed = /(?:^|[\s(])@([\p{L}\p{N}_. -]{0,24})$/u.exec(before);
    if (typed) {
      const wanted = typed[1].toLowerCase();
      const people = state.users.filter((user) => [user.name, user.real_name].some((name) => name?.toLowerCase().startsWith(wanted)));
      people.sort((one, other) => Number(other.id === state.app.bot_user_id) - Number(one.id === state.app.bot_user_id));
      return this.offer(people.slice(0, 8).map((user) => ({ label: `@${user.real_name || user.name}`, insert: `@${user.real_name || user.name} `, about: user.is_bot ? "app" : "" })), before.length - typed[1].length - 1);
    }
    return this.offer([]);
  }

  offer(options, from = 0) {
    this.options = options;
    this.from = from;
    this.picked = 0;
    this.list.hidden = !options.length;
    this.field.setAttribute("aria-expanded", String(options.length > 0));
    replace(this.list, options.map((option, index) => {
      const node = h("li", { role: "option", id: `${this.deps.id}-option-${index}` }, h("b", null, option.label), option.about ? h("span", null, option.about) : null);
      node.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.take(index);
      });
      return node;
    }));
    this.highlight();
  }

  highlight() {
    [...this.list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === this.picked)));
    this.list.children[this.picked]?.scrollIntoView({ block: "nearest" });
    if (this.options.length) this.field.setAttribute("aria-activedescendant", `${this.deps.id}-option-${this.picked}`);
    else this.field.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const option = this.options[index];
    const caret = this.field.selectionStart;
    this.field.setRangeText(option.insert, this.from, caret, "end");
    this.offer([]);
    this.changed(false);
    this.field.focus();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.options.length && !event.shiftKey) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const exact = this.options[this.picked]?.insert.trimEnd() === this.field.value.slice(this.from, this.field.selectionStart).trimEnd();
      const filling = this.field.value.startsWith(this.options[this.picked]?.insert ?? "\0");
      if (step) {
        event.preventDefault();
        this.picked = (this.picked + step + this.options.length) % this.options.length;
        return this.highlight();
      }
      if (event.key === "Tab" || (event.key === "Enter" && !exact && !filling)) {
        event.preventDefault();
        return this.take(this.picked);
      }
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        return this.offer([]);
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  async send() {
    const text = this.field.value.trim();
    if (!text || this.sending) return;
    this.sending = true;
    this.button.classList.add("busy");
    this.offer([]);
    try {
      await this.deps.send(text);
      if (this.field.value.trim() === text) this.set("");
    } catch (error) {
      this.error.textContent = error.message;
    } finally {
      this.sending = false;
      this.button.classList.remove("busy");
    }
  }
}
