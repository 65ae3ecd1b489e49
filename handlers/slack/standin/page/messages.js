// A conversation's messages as they stand: grouped by author, divided by day, replies counted, streams with a caret.

import { renderBlocks } from "./blocks.js";
import { h, icon, svg } from "./dom.js";
import { mrkdwn } from "./markdown.js";

const GROUPED_WITHIN = 300; // seconds between messages of one author that share a heading

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const moment = (ts) => new Date(Number(ts) * 1000);

function dayName(date) {
  const start = (one) => new Date(one.getFullYear(), one.getMonth(), one.getDate()).getTime();
  const ago = Math.round((start(new Date()) - start(date)) / 86400000);
  return ago === 0 ? "Today" : ago === 1 ? "Yesterday" : day.format(date);
}

/** A person's square: initials on their colour; the Director's own gauge. */
export function avatar(user, isDirector, small = false) {
  if (isDirector) {
    return h("span", { class: `avatar director${small ? " small" : ""}`, "aria-hidden": "true" },
      svg("svg", { viewBox: "0 0 32 32" },
        svg("path", { class: "dial", d: "M6.500 21.500a9.500 9.500 0 1 1 19 0" }),
        svg("path", { class: "needle", d: "m16 21.500 5-7" }),
        svg("circle", { class: "hub", cx: 16, cy: 21.5, r: 2.6 })));
  }
  const name = user?.real_name || user?.name || "?";
  const initials = name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("").toUpperCase();
  const colour = /^#?([0-9a-f]{6})$/i.exec(user?.color ?? "")?.[1];
  return h("span", { class: `avatar${small ? " small" : ""}`, "aria-hidden": "true", vars: colour ? { "--own": `#${colour}` } : {} }, initials);
}

function timeOf(ts) {
  const date = moment(ts);
  return h("time", { datetime: date.toISOString(), title: whole.format(date) }, clock.format(date));
}

/** The Director's line about what it is doing: Slack puts the app's name before the words. */
export function statusLine(store, line) {
  const name = store.people.user(store.director)?.name ?? "Director";
  return h("p", { class: "status", role: "status" }, h("i", { class: "pulse", "aria-hidden": "true" }), /^\p{Ll}/u.test(line) ? `${name} ${line}` : `${name}: ${line}`);
}

function content(message, scope) {
  if (message.blocks?.length) return renderBlocks(message.blocks, scope);
  return message.text ? [h("div", { class: "prose" }, mrkdwn(message.text, scope.people))] : [];
}

function withCaret(nodes) {
  const caret = h("span", { class: "caret", "aria-hidden": "true" });
  let place = nodes.at(-1);
  if (!place) return [h("div", { class: "prose" }, h("p", null, caret))];
  const last = (node) => [...node.childNodes].filter((child) => child.nodeType === 1 || child.textContent.trim()).at(-1);
  while (last(place)?.nodeType === 1 && /^(DIV|P|UL|OL|LI|BLOCKQUOTE|PRE|H\d)$/.test(last(place).tagName)) place = last(place);
  (/^(HR|TABLE|FIGURE)$/.test(place.tagName) ? nodes.at(-1) : place).append(caret);
  return nodes;
}

function attachedFiles(message) {
  const shown = JSON.stringify(message.blocks ?? []);
  return (message.files ?? []).filter((file) => !shown.includes(file.id)).map((file) => {
    const address = `/standin/files/${encodeURIComponent(file.id)}/${encodeURIComponent(file.name ?? "file")}`;
    const isPicture = /^image\/(png|jpeg|gif|webp)$/.test(file.mimetype ?? "") || /\.(png|jpe?g|gif|webp)$/i.test(file.name ?? "");
    if (isPicture) return h("a", { href: address, target: "_blank", rel: "noopener" }, h("img", { class: "picture", src: address, alt: file.alt_txt || file.title || file.name || "picture" }));
    return h("a", { class: "file", href: address, target: "_blank", rel: "noopener" }, icon("archive"), file.title || file.name || "file");
  });
}

function replyBar(message, store, channel, route) {
  const replies = store.replies(channel, message.ts);
  const count = replies.length || message.reply_count || 0;
  if (!count) return null;
  const authors = [...new Set(replies.map((one) => one.user))].slice(0, 4);
  const last = replies.at(-1);
  const writing = replies.some((one) => one.streaming);
  return h("a", { class: "replies", href: route, data: { focus: `replies/${message.ts}` } },
    authors.map((id) => avatar(store.people.user(id), id === store.director, true)),
    h("b", null, `${count} ${count === 1 ? "reply" : "replies"}`),
    h("span", { class: "quiet" }, writing ? "writing now …" : last ? `last ${dayName(moment(last.ts)) === "Today" ? "" : `${dayName(moment(last.ts)).toLowerCase()} `}at ${clock.format(moment(last.ts))}` : ""));
}

function article(message, view, compact) {
  const { store, channel, inThread } = view;
  const user = store.people.user(message.user);
  const name = message.username || user?.name || message.user || "Someone";
  const isDirector = message.user === store.director;
  const route = `#/${channel}/${message.thread_ts || message.ts}`;
  const scope = {
    people: store.people, files: message.files, key: `m-${message.ts}`,
    act: (action) => view.act({ channel, message_ts: message.ts, action }),
  };
  const drawn = content(message, scope);
  const canReply = !inThread && !message.ephemeral;
  const status = canReply && store.route.thread !== message.ts ? store.status(channel, message.ts) : null;
  return h("article", {
    class: ["message", compact ? "compact" : "", message.ephemeral ? "ephemeral" : "", message.streaming ? "streaming" : ""].join(" ").trim(),
    data: { ts: message.ts }, "aria-label": `${name}, ${clock.format(moment(message.ts))}`, "aria-busy": message.streaming ? "true" : null,
  },
  h("div", { class: "gutter" }, compact ? timeOf(message.ts) : avatar(user, isDirector)),
  h("div", { class: "body" },
    message.ephemeral ? h("p", { class: "only-you" }, icon("eye"), "Only visible to you",
      h("button", { type: "button", class: "link-button", on: { click: () => view.dismiss(message) } }, "Dismiss")) : null,
    compact ? null : h("p", { class: "author" }, h("b", null, name), user?.is_bot || isDirector ? h("span", { class: "app-tag" }, "APP") : null, timeOf(message.ts)),
    h("div", { class: "content" }, message.streaming ? withCaret(drawn) : drawn,
      message.edited && !isDirector ? h("span", { class: "edited" }, "(edited)") : null),
    attachedFiles(message),
    canReply ? replyBar(message, store, channel, route) : null,
    status ? statusLine(store, status) : null),
  canReply ? h("div", { class: "hover-tools" }, h("a", { class: "icon-button", href: route, "aria-label": `Reply in a thread to ${name}`, title: "Reply in thread" }, icon("reply"))) : null);
}

function fingerprint(message, view, compact) {
  const { store, channel, inThread } = view;
  const replies = inThread ? [] : store.replies(channel, message.ts);
  const status = inThread ? "" : store.status(channel, message.ts) ?? "";
  const open = !inThread && store.route.thread === message.ts;
  return [compact, store.me, replies.length, replies.at(-1)?.ts, replies.some((one) => one.streaming), message.reply_count, status, open].join("|");
}

/** Keeps one list of message nodes in step with messages; what didn't change keeps its node. */
export class MessageList {
  constructor(node) {
    this.node = node;
    this.drawn = new Map(); // key -> { message, print, node }
  }

  show(messages, view) {
    const focus = document.activeElement?.closest?.("[data-focus]")?.dataset.focus;
    const nodes = [];
    const next = new Map();
    const keep = (key, message, print, make) => {
      const before = this.drawn.get(key);
      const entry = before && before.message === message && before.print === print ? before : { message, print, node: make() };
      next.set(key, entry);
      nodes.push(entry.node);
    };
    let previous = null;
    for (const message of messages) {
      const date = moment(message.ts);
      const newDay = !previous || moment(previous.ts).toDateString() !== date.toDateString();
      if (newDay && !view.inThread) keep(`day/${date.toDateString()}`, null, dayName(date), () => h("div", { class: "day", role: "separator" }, h("span", null, dayName(date))));
      const firstNew = view.newAt === message.ts;
      if (firstNew) keep("new", null, "", () => h("div", { class: "new-mark", role: "separator" }, h("span", null, "New")));
      const compact = Boolean(previous) && !newDay && !firstNew && previous.user === message.user && previous.username === message.username && !message.ephemeral && !previous.ephemeral
        && Number(message.ts) - Number(previous.ts) < GROUPED_WITHIN && !view.first?.(previous);
      keep(message.ts, message, fingerprint(message, view, compact), () => article(message, view, compact));
      const count = view.inThread && view.first?.(message) ? view.count : null;
      if (count) keep("count", null, String(count), () => h("div", { class: "day left", role: "separator" }, h("span", null, `${count} ${count === 1 ? "reply" : "replies"}`)));
      previous = message;
    }
    this.drawn = next;
    this.place(nodes);
    if (focus && !document.activeElement?.closest?.("[data-focus]")) this.node.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  }

  /** Moves only what has to move, so that charts, focus and selections survive. */
  place(nodes) {
    const wanted = new Set(nodes);
    for (const child of [...this.node.children]) if (!wanted.has(child)) child.remove();
    let at = this.node.firstChild;
    for (const node of nodes) {
      if (node === at) at = at.nextSibling;
      else this.node.insertBefore(node, at);
    }
  }
}
