// The list of channels and direct messages, who one speaks as, and the light.

import { h, icon, replace } from "./dom.js";
import { avatar } from "./messages.js";
import { remember } from "./store.js";

export function themeNow() {
  return document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function toggleTheme() {
  const next = themeNow() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("theme", next);
  } catch {
    remember("theme", next);
  }
}

function entry(store, channel, picture) {
  const unread = store.unread(channel.id);
  const here = store.route.channel === channel.id;
  return h("li", null, h("a", {
    href: `#/${channel.id}`, class: unread && !here ? "entry unread" : "entry", "aria-current": here ? "page" : null, data: { focus: `channel/${channel.id}` },
  }, picture, h("span", { class: "name" }, store.title(channel)),
  unread && !here ? h("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : null));
}

let drawn = "";

export function drawSidebar(node, store, deps) {
  const print = JSON.stringify([store.state, store.me, store.route.channel, store.visible.map((channel) => store.unread(channel.id))]);
  if (drawn === print) return; // drawing anew would close the open menu of speakers
  drawn = print;
  const focus = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  const channels = store.visible.filter((channel) => !channel.is_im);
  const direct = store.visible.filter((channel) => channel.is_im);
  const director = store.people.user(store.director);
  const people = store.state.users.filter((user) => !user.is_bot);
  const me = store.people.user(store.me);
  const speaker = h("select", { id: "speaker", "aria-label": "Speak as", data: { focus: "speaker" } },
    people.map((user) => h("option", { value: user.id, selected: user.id === store.me }, user.real_name || user.name)));
  speaker.addEventListener("change", () => deps.speakAs(speaker.value));
  const sign = (channel) => icon(channel.is_archived ? "archive" : channel.is_private ? "lock" : "hash");
  replace(node,
    h("header", { class: "team" }, h("b", null, store.state.team.name), h("button", { type: "button", class: "icon-button drawer-close", "aria-label": "Close the channel list", on: { click: deps.closeDrawer } }, icon("close"))),
    h("div", { class: "lists" },
      h("h2", { id: "list-channels" }, "Channels"),
      h("ul", { "aria-labelledby": "list-channels" }, channels.map((channel) => entry(store, channel, sign(channel)))),
      h("h2", { id: "list-direct" }, "Direct messages"),
      h("ul", { "aria-labelledby": "list-direct" }, direct.map((channel) => entry(store, channel, avatar(director, true, true))))),
    h("footer", { class: "myself" }, avatar(me, false),
      h("label", { class: "speaker" }, h("span", null, "Speak as"), speaker),
      h("button", { type: "button", class: "icon-button theme", "aria-label": "Switch between light and dark", data: { focus: "theme" }, on: { click: toggleTheme } }, icon("moon"), icon("sun"))));
  if (focus) node.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}
