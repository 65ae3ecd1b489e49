// What stands inside a line: bold, code, links, mentions, emoji - in Slack's mrkdwn or in standard Markdown.
// Safe by construction: makes DOM nodes, and links only to addresses that can't run anything.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const MARKDOWN = {
  marks: [["**", "strong"], ["__", "strong"], ["~~", "s"], ["*", "em"], ["_", "em"], ["~", "s"]],
  words: "_~", // these never open or close in the middle of a word
  standard: true,
};
const MRKDWN = { marks: [["*", "strong"], ["_", "em"], ["~", "s"]], words: "*_~", standard: false };

const DEEPEST = 10;
const SAFE = new Set(["http:", "https:", "mailto:", "tel:"]);
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", nbsp: "\u00a0" };

const PLAIN = /[^\\`<!\[*_~h:&\n]+/y;
const ENTITY = /&(amp|lt|gt|quot|apos|nbsp|#39);/y;
const ANGLE = /<([^<>\n]{1,2048})>/y;
const ADDRESS = /https?:\/\/[^\s<>"'`|\\^{}]{1,2048}/y;
const LINK = /\[((?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/y;
const SHORTCODE = /:([a-z0-9_+'-]{1,48})(?:::skin-tone-\d)?:/y;
const ESCAPE = /\\([!-/:-@[-`{-~])/y;
const WORD = /[\p{L}\p{N}]/u;

function at(pattern, text, index) {
  pattern.lastIndex = index;
  return pattern.exec(text);
}

/** The address when following it is harmless, else null. Relative addresses and scripts are not. */
export function safeAddress(address) {
  try {
    const url = new URL(address);
    return SAFE.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link, or its words alone where the address isn't safe to follow. */
export function link(address, label) {
  const safe = safeAddress(address);
  if (safe === null) return h("span", { class: "no-link", title: "This address can't be opened from here" }, label);
  return h("a", { href: safe, target: "_blank", rel: "noopener noreferrer nofollow", title: safe }, label);
}

/** A person's mention as a pill; marked when it is the reader. */
export function mention(id, people) {
  const user = people.user(id);
  return h("span", { class: id === people.me ? "mention me" : "mention" }, `@${user ? user.name : id}`);
}

export function channelLink(id, label, people) {
  const channel = people.channel(id);
  if (!channel) return h("span", { class: "mention" }, `#${label || id}`);
  return h("a", { class: "mention", href: `#/${id}` }, `#${channel.name}`);
}

export function emojiNode(name) {
  const character = emoji(name);
  return character === null ? `:${name}:` : h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, character);
}

/** Slack's date token: formatted in the reader's zone, the fallback when the number isn't one. */
export function dateText(seconds, format, fallback) {
  const when = new Date(Number(seconds) * 1000);
  if (Number.isNaN(when.getTime())) return fallback;
  const show = (options) => when.toLocaleString(undefined, options);
  return format.replace(/\{(\w+)\}/g, (token, name) => {
    if (name === "time" || name === "time_secs") return show({ timeStyle: name === "time" ? "short" : "medium" });
    if (name === "date_num") return when.toLocaleDateString("sv");
    if (name.startsWith("date")) return show({ dateStyle: name.includes("short") ? "medium" : name.includes("long") ? "full" : "long" });
    return token;
  });
}

function decode(text) {
  return text.replace(/&(amp|lt|gt|quot|apos|nbsp|#39);/g, (_, name) => ENTITIES[name]);
}

function angled(inner, people) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : decode(inner.slice(bar + 1));
  if (/^@[UWB][A-Z0-9]+$/.test(target)) return mention(target.slice(1), people);
  if (/^#[CGD][A-Z0-9]+$/.test(target)) return channelLink(target.slice(1), label, people);
  if (/^!(here|channel|everyone)$/.test(target)) return h("span", { class: "mention me" }, `@${target.slice(1)}`);
  if (target.startsWith("!subteam^")) return h("span", { class: "mention" }, label || "@group");
  if (target.startsWith("!date^")) {
    const [, seconds, format] = target.split("^");
    return dateText(seconds, format ?? "", label);
  }
  const address = decode(target);
  if (/^[a-z][a-z0-9+.-]*:\S/i.test(address)) return link(address, label || address.replace(/^mailto:/, ""));
  return null;
}

function closing(text, from, delimiter, flavour) {
  const sign = delimiter[0];
  for (let index = from; index < text.length; index++) {
    if (text[index] === "\\" && flavour.standard) index++;
    else if (text[index] === "`") {
      const end = text.indexOf("`", index + 1);
      if (end > 0) index = end;
    } else if (text[index] === "\n" && !flavour.standard) return -1;
    else if (text[index] === sign) {
      let end = index;
      while (text[end] === sign) end++;
      const run = end - index;
      const fits = run === delimiter.length || (run === 3 && flavour.standard);
      const opensOnly = /\s/.test(text[index - 1] ?? " ");
      const insideWord = flavour.words.includes(sign) && WORD.test(text[end] ?? " ");
      if (fits && !opensOnly && !insideWord && end - delimiter.length > from) return end - delimiter.length;
      index = end - 1;
    }
  }
  return -1;
}

function parse(text, people, flavour, depth, inLink) {
  const nodes = [];
  const hopeless = new Set(); // delimiters without a closing partner in the rest of this text
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  const push = (node) => {
    flush();
    nodes.push(node);
  };
  const inner = (part, link = inLink) => parse(part, people, flavour, depth + 1, link);

  let index = 0;
  while (index < text.length) {
    const run = at(PLAIN, text, index);
    if (run) {
      plain += run[0];
      index += run[0].length;
      continue;
    }
    const sign = text[index];
    const token = special(sign, index);
    if (token === null) {
      plain += sign;
      index++;
    } else {
      if (typeof token.node === "string") plain += token.node;
      else push(token.node);
      index = token.end;
    }
  }
  flush();
  return nodes;

  function special(sign, start) {
    let found;
    switch (sign) {
      case "\n":
        plain = plain.replace(/ +$/, "");
        if (!flavour.standard) hopeless.clear(); // mrkdwn's marks end with their line
        return { node: h("br"), end: start + 1 };
      case "\\":
        found = flavour.standard ? at(ESCAPE, text, start) : null;
        if (found) return { node: found[1], end: start + 2 };
        return flavour.standard && text[start + 1] === "\n" ? { node: "", end: start + 1 } : null;
      case "&":
        found = at(ENTITY, text, start);
        return found && { node: ENTITIES[found[1]], end: start + found[0].length };
      case "`":
        return code(start);
      case "<":
        found = at(ANGLE, text, start);
        if (!found) return null;
        found.node = angled(found[1], people);
        return found.node === null ? null : { node: found.node, end: start + found[0].length };
      case "!":
        if (!flavour.standard || text[start + 1] !== "[") return null;
        found = at(LINK, text, start + 1);
        return found && { node: link(decode(found[2]), found[1] || "image"), end: start + 1 + found[0].length };
      case "[":
        found = flavour.standard && !inLink && depth < DEEPEST ? at(LINK, text, start) : null;
        return found && { node: link(decode(found[2]), inner(found[1], true)), end: start + found[0].length };
      case ":":
        found = at(SHORTCODE, text, start);
        if (!found) return null;
        return { node: emojiNode(found[1]), end: start + found[0].length };
      case "h":
        return inLink || WORD.test(text[start - 1] ?? " ") ? null : bare(start);
      default:
        return marked(sign, start);
    }
  }

  function code(start) {
    let end = start;
    while (text[end] === "`") end++;
    const fence = text.slice(start, end);
    if (hopeless.has(fence)) return { node: fence, end };
    let close = text.indexOf(fence, end);
    while (close >= 0 && (text[close + fence.length] === "`" || text[close - 1] === "`")) close = text.indexOf(fence, close + fence.length);
    if (close < 0) {
      hopeless.add(fence);
      return { node: fence, end };
    }
    const content = text.slice(end, close).replaceAll("\n", " ");
    const trimmed = /^ .*[^ ].* $/.test(content) ? content.slice(1, -1) : content;
    return { node: h("code", null, flavour.standard ? trimmed : decode(trimmed)), end: close + fence.length };
  }

  function bare(start) {
    const found = at(ADDRESS, text, start);
    if (!found) return null;
    let address = found[0].replace(/(?:&(?:gt|lt|quot);.*|[.,:;!?*_~]+)$/, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1);
    return { node: link(decode(address), decode(address)), end: start + address.length };
  }

  function marked(sign, start) {
    let end = start;
    while (text[end] === sign) end++;
    const run = end - start;
    if (run > 3 || depth >= DEEPEST) return { node: text.slice(start, end), end };
    const midWord = flavour.words.includes(sign) && WORD.test(text[start - 1] ?? " ");
    for (const [delimiter, tag] of flavour.marks) {
      if (delimiter[0] !== sign || delimiter.length > run || midWord || hopeless.has(delimiter)) continue;
      if (!flavour.standard && run > 1) continue;
      const from = start + delimiter.length;
      if (from >= text.length || /\s/.test(text[from])) continue;
      const close = closing(text, from, delimiter, flavour);
      if (close < 0) {
        hopeless.add(delimiter);
        continue;
      }
      return { node: h(tag, null, inner(text.slice(from, close))), end: close + delimiter.length };
    }
    return { node: text.slice(start, end), end };
  }
}

/** Nodes for one run of text in standard Markdown. `people` names users and channels. */
export function markdownInline(text, people) {
  return parse(text, people, MARKDOWN, 0, false);
}

/** Nodes for one run of text in Slack's mrkdwn. */
export function mrkdwnInline(text, people) {
  return parse(text, people, MRKDWN, 0, false);
}

/** Plain text with emoji shortcodes, as in headers and buttons. */
export function plainInline(text) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(/:([a-z0-9_+'-]{1,48}):/g)) {
    if (emoji(match[1]) === null) continue;
    nodes.push(text.slice(last, match.index), emojiNode(match[1]));
    last = match.index + match[0].length;
  }
  nodes.push(text.slice(last));
  return nodes.filter((node) => node !== "");
}
