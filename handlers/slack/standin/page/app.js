// The workspace's chat page: reads the workspace, follows it live, and takes what a person says to it.

import { renderBlocks } from "./blocks.js";
import { outgoing } from "./composer.js";
import { Modal } from "./dialogs.js";
import { h, icon, replace } from "./dom.js";
import { Live, api } from "./live.js";
import { Pane } from "./pane.js";
import { drawSidebar } from "./sidebar.js";
import { Store } from "./store.js";

const $ = (id) => document.getElementById(id);
const store = new Store();
const drafts = new Map();
const phone = matchMedia("(max-width: 760px)");
const mouse = matchMedia("(hover: hover) and (pointer: fine)");
const parts = { room: null, thread: null, roomKey: "", threadKey: "" };
let live = null;
let asked = null; // my last root message, whose answer may open its thread by itself
let scheduled = false;

const modal = new Modal({
  people: () => store.people,
  render: renderBlocks,
  submit: (view, values) => api.submitView({ user: store.me, view_id: view.id, values }),
  close: (view) => api.closeView({ user: store.me, view_id: view.id }).catch((error) => toast(error.message)),
  act: (view, action) => act({ channel: null, message_ts: null, view_id: view.id, action }),
});

// --- saying and doing ---

function toast(text) {
  const node = h("p", { class: "toast" }, text, h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", on: { click: () => node.remove() } }, icon("close")));
  $("toasts").append(node);
  setTimeout(() => node.remove(), 9000);
}

async function act(what) {
  try {
    await api.action({ user: store.me, ...what });
  } catch (error) {
    toast(error.message);
  }
}

async function say(channel, thread, text) {
  const command = /^(\/\S+)\s*([\s\S]*)$/.exec(text);
  if (command?.[1] === "/invite") return invite(channel, command[2]);
  if (command) {
    const known = store.state.app.commands.map((one) => one.command);
    if (!known.includes(command[1])) throw new Error(`“${command[1]}” is not a command here. There is ${known.join(", ") || "none"}.`);
    if (thread) throw new Error("Commands can’t be used in threads. Use the channel’s own message box.");
    await api.command({ user: store.me, channel, command: command[1], text: command[2].trim() });
    return;
  }
  const body = { user: store.me, channel, text: outgoing(text, store.state.users, store.state.channels) };
  if (!thread) asked = { channel, ts: null }; // the socket may be faster than the answer to this request
  await api.say(thread ? { ...body, thread_ts: thread } : body);
}

/** Slack's own `/invite @name`: the person brings the app into the channel. */
async function invite(channel, words) {
  const [, id] = /^<@(\w+)>/.exec(outgoing(words.trim(), store.state.users, [])) ?? [];
  if (!id) throw new Error("Say whom to invite, for example /invite @Director.");
  if (id !== store.director) throw new Error("Everybody else is here already; only the Director can be invited.");
  await api.command({ user: store.me, channel, command: "/invite", text: words.trim() });
  store.open(await api.state(store.me), store.me);
  draw();
}

// --- what arrives ---

function receive(event) {
  const { channel, message } = event;
  if (event.type === "message" || event.type === "message_changed") {
    if (message.ephemeral && typeof message.ephemeral === "string" && message.ephemeral !== store.me) return;
    store.put(channel, message);
    if (asked?.channel === channel && asked.ts === null && message.user === store.me && !message.thread_ts) asked.ts = message.ts;
    if (message.user === store.director) {
      store.setStatus(channel, message.thread_ts ?? "", null);
      openAnswer(channel, message.thread_ts);
    }
  } else if (event.type === "message_deleted") {
    store.remove(channel, message?.ts ?? event.ts);
  } else if (event.type === "status") {
    store.setStatus(channel, event.thread_ts, event.status);
    if (event.status) openAnswer(channel, event.thread_ts);
  } else if (event.type === "view") {
    modal.show(event.view);
  } else if (event.type === "view_closed") {
    if (!event.view_id || event.view_id === modal.view?.id) modal.hide();
  } else if (event.type === "home") {
    store.home = event.view;
  }
  draw();
}

/** The answer to what I just asked in this channel opens beside it, where there is room and no reply is being written. */
function openAnswer(channel, thread) {
  if (!thread || asked?.channel !== channel || asked.ts !== thread || phone.matches) return;
  asked = null;
  const writing = document.getElementById("thread-composer")?.value.trim();
  if (store.route.channel === channel && !writing && store.route.tab === "messages") location.replace(`#/${channel}/${thread}`);
}

async function catchUp() {
  store.open(await api.state(store.me), store.me);
  const loaded = await Promise.all(store.visible.map(async (channel) => [channel.id, (await api.messages(channel.id, store.me)).messages]));
  for (const [channel, messages] of loaded) store.load(channel, messages);
  store.statuses.clear();
  navigate();
}

function connect() {
  live?.close();
  live = new Live({
    user: store.me,
    catchUp,
    receive,
    tell: (connection) => {
      store.connection = connection;
      draw();
    },
  });
}

function speakAs(user) {
  store.open(store.state, user);
  try {
    sessionStorage.setItem("speaker", user);
  } catch {
    // without storage the choice holds until the page is loaded again
  }
  store.channels.clear();
  store.home = null;
  modal.hide();
  asked = null;
  connect();
}

// --- where we are ---

function navigate() {
  if (!store.state) return;
  const [, wanted, second] = decodeURIComponent(location.hash).split("/");
  const talks = (channel) => store.messages(channel.id).some((one) => one.user === store.director);
  const open = store.visible.filter((channel) => !channel.is_im && !channel.is_archived);
  const channel = store.visible.find((one) => one.id === wanted) ?? open.find(talks) ?? open.find((one) => one.bot_is_member) ?? store.visible[0];
  const changed = store.route.channel !== channel?.id;
  store.route = { channel: channel?.id ?? null, thread: second && second !== "home" ? second : null, tab: second === "home" && channel?.is_im ? "home" : "messages" };
  if (changed) {
    store.newAt = store.roots(channel?.id).find((one) => store.unreadMessages(channel.id).includes(one))?.ts ?? null;
    drawer(false);
  }
  if (store.route.tab === "home") api.home({ user: store.me }).catch((error) => toast(error.message));
  draw();
}

function drawer(open) {
  $("app").classList.toggle("drawer-open", open);
  fit();
  if (open) $("sidebar").querySelector("[aria-current], a")?.focus();
}

/** What is covered on a phone can't be reached by keyboard either. */
function fit() {
  const open = $("app").classList.contains("drawer-open");
  $("sidebar").inert = phone.matches && !open;
  $("room").inert = phone.matches && (open || Boolean(store.route.thread));
}

// --- drawing ---

function draw() {
  if (scheduled) return;
  scheduled = true;
  const frame = () => {
    scheduled = false;
    if (store.state) drawNow();
  };
  if (document.hidden) setTimeout(frame, 100);
  else requestAnimationFrame(frame);
}

function drawNow() {
  const { channel: id } = store.route;
  const channel = store.people.channel(id);
  if (channel && !document.hidden) store.markRead(id);
  $("app").dataset.connection = store.connection;
  drawSidebar($("sidebar"), store, { speakAs, closeDrawer: () => drawer(false) });
  if (channel) {
    drawRoom(channel);
    drawThread(channel);
  }
  fit();
  const unread = store.visible.reduce((sum, one) => sum + store.unread(one.id), 0);
  document.title = `${unread ? `(${unread}) ` : ""}${channel?.is_im ? "" : "#"}${store.title(channel)} – ${store.state.team.name}`;
}

function view(channel, more) {
  return { store, channel: channel.id, act: (what) => act(what), dismiss: (message) => { store.dismissed.add(message.ts); draw(); }, ...more };
}

function header(channel) {
  const tab = (name, label, href) => h("a", { href, class: "tab", "aria-current": store.route.tab === name ? "page" : null }, label);
  return h("header", { class: "bar" },
    h("button", { type: "button", class: "icon-button menu", "aria-label": "Channels and direct messages", on: { click: () => drawer(true) } }, icon("menu")),
    h("h1", null, channel.is_im ? null : icon(channel.is_archived ? "archive" : channel.is_private ? "lock" : "hash"), h("span", null, store.title(channel))),
    channel.topic ? h("p", { class: "topic" }, channel.topic) : null,
    channel.is_im ? h("nav", { class: "tabs", "aria-label": "Views" }, tab("home", "Home", `#/${channel.id}/home`), tab("messages", "Messages", `#/${channel.id}`)) : null);
}

/** The workspace's note; a phone shows its beginning until it is opened. */
function banner(note) {
  const more = h("button", { type: "button", class: "more", "aria-expanded": "false" }, "More");
  const node = h("p", { class: "banner" }, icon("info"), h("span", null, note), note.length > 90 ? more : null);
  more.addEventListener("click", () => {
    const whole = node.classList.toggle("whole");
    more.textContent = whole ? "Less" : "More";
    more.setAttribute("aria-expanded", String(whole));
  });
  return node;
}

function notices(channel) {
  const name = store.people.user(store.director)?.name ?? "The Director";
  return [
    store.state.note ? banner(store.state.note) : null,
    h("p", { class: "offline", role: "status" }, store.connection === "lost" ? "Connection lost. Trying again …" : ""),
    channel.bot_is_member === false && !channel.is_im && !channel.is_archived ? h("p", { class: "banner plain" }, icon("info"), h("span", null, `${name} isn’t in this channel and doesn’t see what is said here.`)) : null,
  ];
}

function intro(channel) {
  if (channel.is_im) return [h("h2", null, store.title(channel)), h("p", null, "This is the start of your direct messages. Only the two of you see them.")];
  return [h("h2", null, `#${channel.name}`), h("p", null, channel.topic ? `${channel.topic}. ` : "", "This is the start of the channel.")];
}

function drawRoom(channel) {
  const key = [channel.id, store.me, store.route.tab].join("/");
  const room = $("room");
  if (parts.roomKey !== key) {
    parts.room?.leave();
    parts.roomKey = key;
    parts.head = h("div", { class: "head" });
    if (store.route.tab === "home") {
      parts.room = null;
      parts.home = h("div", { class: "home", tabindex: "0", role: "region", "aria-label": "Home" });
      parts.drawnHome = undefined;
      replace(room, parts.head, parts.home);
    } else {
      parts.room = new Pane({
        id: "composer", label: `Messages in ${store.title(channel)}`, placeholder: `Message ${channel.is_im ? "" : "#"}${store.title(channel)}`,
        store: () => store, commands: true, archived: channel.is_archived, send: (text) => say(channel.id, null, text),
        draft: () => drafts.get(channel.id), keep: (text) => drafts.set(channel.id, text),
      });
      if (!channel.is_archived) parts.room.suggest(store.state.suggestions);
      replace(parts.room.intro, intro(channel));
      replace(room, parts.head, parts.room.nodes);
    }
  }
  const facts = JSON.stringify([channel, store.connection, store.state.note, store.route.tab, store.me]);
  if (parts.facts !== facts || !parts.head.firstChild) {
    parts.facts = facts;
    replace(parts.head, header(channel), notices(channel));
  }
  if (store.route.tab === "home") return drawHome();
  const fresh = !parts.room.opened;
  parts.room.show(store.roots(channel.id), view(channel, { newAt: store.newAt }), store.status(channel.id, ""));
  if (fresh) {
    parts.room.opened = true;
    parts.room.settle(mouse.matches && !store.route.thread);
  }
}

function drawHome() {
  if (parts.drawnHome === store.home) return;
  parts.drawnHome = store.home;
  const scope = { people: store.people, key: "home", act: (action) => act({ channel: null, message_ts: null, view_id: store.home.id, action }) };
  replace(parts.home, store.home ? h("div", { class: "content" }, renderBlocks(store.home.blocks ?? [], scope)) : h("p", { class: "loading", role: "status" }, "Opening the home view …"));
}

function drawThread(channel) {
  const root = store.route.thread;
  const aside = $("thread");
  const parent = root && store.messages(channel.id).find((one) => one.ts === root);
  aside.hidden = !root;
  $("app").classList.toggle("with-thread", Boolean(root));
  const key = root ? [channel.id, root, store.me].join("/") : "";
  if (parts.threadKey !== key) {
    parts.thread?.leave();
    parts.threadKey = key;
    parts.thread = null;
    replace(aside);
    if (root) {
      parts.thread = new Pane({
        id: "thread-composer", label: "Messages in this thread", placeholder: "Reply …", store: () => store, commands: false, archived: channel.is_archived,
        send: (text) => say(channel.id, root, text), draft: () => drafts.get(key), keep: (text) => drafts.set(key, text),
      });
      replace(aside, h("header", { class: "bar" },
        h("a", { class: "icon-button back", href: `#/${channel.id}`, "aria-label": "Back to the channel" }, icon("back")),
        h("h2", null, "Thread"), h("p", { class: "topic" }, `${channel.is_im ? "" : "#"}${store.title(channel)}`),
        h("a", { class: "icon-button close", href: `#/${channel.id}`, "aria-label": "Close the thread" }, icon("close"))), parts.thread.nodes);
    }
  }
  if (!parts.thread) return;
  const replies = store.replies(channel.id, root);
  replace(parts.thread.intro, parent ? null : h("p", null, "The message that began this thread isn’t here."));
  parts.thread.show(parent ? [parent, ...replies] : replies, view(channel, { inThread: true, first: (message) => message === parent, count: replies.length }), store.status(channel.id, root));
  if (!parts.thread.opened) {
    parts.thread.opened = true;
    parts.thread.settle(mouse.matches);
  }
}

// --- the beginning ---

async function begin() {
  let chosen = null;
  try {
    chosen = sessionStorage.getItem("speaker");
  } catch {
    // without storage the workspace's own choice holds
  }
  try {
    store.open(await api.state(chosen), chosen);
  } catch (error) {
    replace($("room"), h("p", { class: "loading", role: "alert" }, `${error.message} Trying again …`));
    setTimeout(begin, 2000);
    return;
  }
  connect();
}

window.addEventListener("hashchange", navigate);
document.addEventListener("visibilitychange", draw);
phone.addEventListener("change", fit);
$("scrim").addEventListener("click", () => drawer(false));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if ($("app").classList.contains("drawer-open")) drawer(false);
  else if (store.route.thread) location.hash = `#/${store.route.channel}`;
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  (document.getElementById("thread-composer") ?? document.getElementById("composer"))?.focus();
});
begin();
