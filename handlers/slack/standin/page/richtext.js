// rich_text: what Slack's own composer writes, and what table cells and task cards hold.

import { h } from "./dom.js";
import { channelLink, dateText, emojiNode, link, mention } from "./inline.js";

const STYLES = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];

function styled(node, style) {
  return STYLES.reduce((inner, [name, tag]) => (style?.[name] ? h(tag, null, inner) : inner), node);
}

function lines(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));
}

function inlineElement(element, people) {
  switch (element.type) {
    case "text":
      return styled(lines(element.text ?? ""), element.style);
    case "link":
      return styled(link(element.url, element.text || element.url), element.style);
    case "user":
      return mention(element.user_id, people);
    case "channel":
      return channelLink(element.channel_id, "", people);
    case "usergroup":
      return h("span", { class: "mention" }, `@${element.usergroup_id}`);
    case "broadcast":
      return h("span", { class: "mention me" }, `@${element.range}`);
    case "emoji":
      return element.unicode ? h("span", { class: "emoji" }, fromUnicode(element.unicode)) : emojiNode(element.name);
    case "color":
      return h("span", { class: "colour" }, h("i", { vars: { "--colour": element.value } }), element.value);
    case "date":
      return dateText(element.timestamp, element.format ?? "{date_short}", element.fallback ?? "");
    default:
      return h("span", { class: "unknown-inline" }, `[${element.type}]`);
  }
}

function fromUnicode(codes) {
  const points = codes.split("-").map((code) => Number.parseInt(code, 16));
  return points.every((point) => point > 0 && point <= 0x10ffff) ? String.fromCodePoint(...points) : codes;
}

function inside(elements, people) {
  return (elements ?? []).map((element) => inlineElement(element, people));
}

function listOf(element, people) {
  const items = (element.elements ?? []).map((item) => h("li", null, inside(item.elements, people)));
  const depth = Math.min(Math.max(Number(element.indent) || 0, 0), 8);
  const start = Number.isInteger(element.offset) ? element.offset + 1 : null;
  return h(element.style === "ordered" ? "ol" : "ul", { start, vars: { "--indent": String(depth) }, class: depth ? "indented" : null }, items);
}

function blockElement(element, people) {
  switch (element.type) {
    case "rich_text_section":
      return h("p", null, inside(element.elements, people));
    case "rich_text_list":
      return listOf(element, people);
    case "rich_text_quote":
      return h("blockquote", null, h("p", null, inside(element.elements, people)));
    case "rich_text_preformatted":
      return h("pre", { tabindex: "0" }, h("code", null, (element.elements ?? []).map((part) => part.text ?? part.url ?? "").join("")));
    default:
      return h("p", { class: "unknown-block" }, `Unknown rich text element “${element.type}”`);
  }
}

/** The nodes of one rich_text block. */
export function richText(block, people) {
  return (block.elements ?? []).map((element) => blockElement(element, people));
}

/** The nodes of a rich_text inside a table cell: sections without paragraphs of their own. */
export function richTextCell(block, people) {
  return (block.elements ?? []).map((element) => (element.type === "rich_text_section" ? inside(element.elements, people) : blockElement(element, people)));
}
