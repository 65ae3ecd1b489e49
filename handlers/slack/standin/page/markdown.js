// Whole texts: standard Markdown (headings, lists, tables, quotes, code) and Slack's mrkdwn (quotes, code, lines).

import { h } from "./dom.js";
import { markdownInline, mrkdwnInline } from "./inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+•]|\d{1,9}[.)])(?:([ \t]+)(.*))?$/;
const TASK = /^\[([ xX])\][ \t]+/;
const DELIMITERS = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const DEEPEST = 8;

const blank = (line) => /^[ \t]*$/.test(line);
const indent = (line) => line.length - line.trimStart().length;

/** A region that scrolls sideways by itself, reachable by keyboard. */
export function scrolling(label, child) {
  return h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label }, child);
}

const BRIEF = 24; // characters; a column whose cells are all this short never breaks its lines

/** Marks the columns that may break lines: those with long cells, so that short words stay whole. */
export function fitColumns(table) {
  const rows = [...table.rows];
  const longest = (column) => Math.max(...rows.map((row) => row.cells[column]?.textContent.length ?? 0));
  for (const [column] of [...(rows[0]?.cells ?? [])].entries()) {
    const long = longest(column) > BRIEF;
    for (const row of rows.slice(1)) row.cells[column]?.classList.add(long ? "long" : "brief");
  }
  return table;
}

function cells(row) {
  const text = row.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  const parts = [];
  let cell = "";
  let code = false;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "\\" && text[index + 1] === "|") {
      cell += "|";
      index++;
    } else if (text[index] === "|" && !code) {
      parts.push(cell.trim());
      cell = "";
    } else {
      if (text[index] === "`") code = !code && text.indexOf("`", index + 1) > 0;
      cell += text[index];
    }
  }
  parts.push(cell.trim());
  return parts;
}

function isTable(lines, index) {
  const next = lines[index + 1];
  return lines[index].includes("|") && next !== undefined && DELIMITERS.test(next) && cells(lines[index]).length === cells(next).length;
}

function starts(lines, index) {
  const line = lines[index];
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line) || isTable(lines, index);
}

function table(lines, start, people) {
  const sides = cells(lines[start + 1]).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : null));
  let end = start + 2;
  while (end < lines.length && lines[end].includes("|") && !blank(lines[end])) end++;
  const row = (tag, line) => {
    const parts = cells(line);
    return h("tr", null, sides.map((side, column) => {
      const scope = tag === "th" ? "col" : null;
      return h(tag, { class: side && `to-${side}`, scope }, markdownInline(parts[column] ?? "", people));
    }));
  };
  const body = lines.slice(start + 2, end).map((line) => row("td", line));
  return [scrolling("Table", fitColumns(h("table", { class: "grid" }, h("thead", null, row("th", lines[start])), h("tbody", null, body)))), end];
}

function list(lines, start, people, depth) {
  const [, lead, marker] = ITEM.exec(lines[start]);
  const ordered = /\d/.test(marker);
  const base = lead.length;
  const items = [];
  let index = start;
  let item = null;
  let open = 0; // column where the current item's own text starts
  while (index < lines.length) {
    const line = lines[index];
    const found = ITEM.exec(line);
    if (blank(line)) {
      const next = lines.slice(index + 1).find((other) => !blank(other));
      const goes = next !== undefined && (indent(next) > base + 1 || (ITEM.test(next) && indent(next) === base && /\d/.test(ITEM.exec(next)[2]) === ordered));
      if (!goes) break;
      item?.push("");
    } else if (found && found[1].length <= base + 1 && found[1].length >= base && !RULE.test(line)) {
      if (/\d/.test(found[2]) !== ordered) break;
      open = found[1].length + found[2].length + Math.min((found[3] ?? " ").length, 4);
      item = [found[4] ?? ""];
      items.push(item);
    } else if (indent(line) > base + 1) {
      item.push(line.slice(Math.min(indent(line), open)));
    } else if (blank(lines[index - 1]) || starts(lines, index)) {
      break;
    } else {
      item.push(line.trimStart());
    }
    index++;
  }
  const nodes = items.map((content) => {
    const task = TASK.exec(content[0]);
    if (task) content[0] = content[0].slice(task[0].length);
    const inside = blocks(content, people, depth + 1);
    const flat = inside.flatMap((node, at) => (at === 0 && node.tagName === "P" ? [...node.childNodes] : [node]));
    if (!task) return h("li", null, flat);
    const box = h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": task[1] !== " " ? "done" : "to do" });
    return h("li", { class: "task" }, box, h("div", null, flat));
  });
  const first = Number.parseInt(marker, 10);
  return [h(ordered ? "ol" : "ul", { start: ordered && first !== 1 ? first : null }, nodes), index];
}

function blocks(lines, people, depth) {
  const nodes = [];
  let index = 0;
  while (index < lines.length) {
    const line = lines[index];
    if (blank(line)) {
      index++;
      continue;
    }
    const fence = FENCE.exec(line);
    if (fence) {
      const close = new RegExp(`^ {0,3}${fence[1][0]}{${fence[1].length},}[ \\t]*$`);
      let end = index + 1;
      while (end < lines.length && !close.test(lines[end])) end++;
      nodes.push(h("pre", { tabindex: "0" }, h("code", { data: fence[2] ? { language: fence[2].slice(0, 24) } : {} }, lines.slice(index + 1, end).join("\n"))));
      index = end + 1;
      continue;
    }
    const heading = HEADING.exec(line);
    if (heading) {
      nodes.push(h(`h${Math.min(heading[1].length + 2, 6)}`, null, markdownInline(heading[2] ?? "", people)));
      index++;
    } else if (RULE.test(line)) {
      nodes.push(h("hr"));
      index++;
    } else if (QUOTE.test(line) && depth < DEEPEST) {
      let end = index;
      while (end < lines.length && QUOTE.test(lines[end])) end++;
      const inside = lines.slice(index, end).map((quoted) => quoted.replace(QUOTE, ""));
      nodes.push(h("blockquote", null, blocks(inside, people, depth + 1)));
      index = end;
    } else if (isTable(lines, index)) {
      const [node, end] = table(lines, index, people);
      nodes.push(node);
      index = end;
    } else if (ITEM.test(line) && depth < DEEPEST) {
      const [node, end] = list(lines, index, people, depth);
      nodes.push(node);
      index = end;
    } else {
      let end = index + 1;
      while (end < lines.length && !blank(lines[end]) && !starts(lines, end)) end++;
      const text = lines.slice(index, end).map((part) => part.trimStart()).join("\n").trimEnd();
      nodes.push(h("p", null, markdownInline(text, people)));
      index = end;
    }
  }
  return nodes;
}

/** Standard Markdown as nodes. */
export function markdown(text, people) {
  return blocks(text.replace(/\r\n?/g, "\n").split("\n"), people, 0);
}

/** Slack's mrkdwn as nodes: lines stay lines. */
export function mrkdwn(text, people) {
  const nodes = [];
  text.replace(/\r\n?/g, "\n").split(/(```[\s\S]*?```)/).forEach((piece, position) => {
    if (position % 2 === 1) {
      const inside = piece.slice(3, -3).replace(/^\n/, "").replace(/\n$/, "");
      nodes.push(h("pre", { tabindex: "0" }, h("code", null, inside.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"))));
      return;
    }
    const around = position > 0 ? piece.replace(/^\n/, "") : piece;
    let gathered = [];
    let quoted = false;
    const flush = () => {
      const joined = gathered.join("\n");
      if (joined.trim()) {
        const paragraphs = joined.split(/\n{2,}/).filter((part) => part.trim()).map((part) => h("p", null, mrkdwnInline(part.replace(/^\n|\n$/g, ""), people)));
        nodes.push(quoted ? h("blockquote", null, paragraphs) : paragraphs);
      }
      gathered = [];
    };
    for (const line of around.split("\n")) {
      const match = /^(?:&gt;|>) ?(.*)$/.exec(line);
      if (Boolean(match) !== quoted) {
        flush();
        quoted = Boolean(match);
      }
      gathered.push(match ? match[1] : line);
    }
    flush();
  });
  return nodes.flat();
}
