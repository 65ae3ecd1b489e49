// Block Kit as the page shows it: exactly the blocks that were sent, in their order, none dropped in silence.

import { chart } from "./chart.js";
import { h } from "./dom.js";
import { control, feedback } from "./elements.js";
import { link, plainInline } from "./inline.js";
import { fitColumns, markdown, mrkdwn, scrolling } from "./markdown.js";
import { richText, richTextCell } from "./richtext.js";

/** A text object: mrkdwn or plain_text. */
export function textObject(text, people) {
  if (!text) return [];
  return text.type === "plain_text" ? [h("p", null, plainInline(text.text ?? ""))] : mrkdwn(text.text ?? "", people);
}

function unknown(block) {
  return h("div", { class: "unknown-block", role: "note" }, h("b", null, `Block “${block?.type ?? "without a type"}”`), " is of a kind that this page doesn’t draw.");
}

/** Where a picture lies on this machine, or null: the page loads nothing from elsewhere. */
export function picture(image, files) {
  const id = image.slack_file?.id;
  const known = files?.find((file) => file.id === id || file.url_private === image.slack_file?.url);
  const address = known ? `/standin/files/${encodeURIComponent(known.id)}/${encodeURIComponent(known.name ?? "file")}`
    : image.image_url ?? image.slack_file?.url ?? (id ? `/standin/files/${encodeURIComponent(id)}/image` : "");
  try {
    const url = new URL(address, location.href);
    if (/^data:image\/(png|jpeg|gif|webp);/.test(address)) return address;
    return url.origin === location.origin || (isLoopback(url.hostname) && url.port === location.port) ? url.pathname + url.search : null;
  } catch {
    return null;
  }
}

const isLoopback = (host) => host === "localhost" || host === "[::1]" || host.startsWith("127.");

function pictureNode(image, scope, small) {
  const address = picture(image, scope.files);
  if (address === null) {
    return h("p", { class: "no-picture" }, "Picture from elsewhere: ", link(image.image_url ?? "", image.alt_text || "picture"));
  }
  const node = h("img", { src: address, alt: image.alt_text ?? "", class: small ? "thumb" : "picture", loading: small ? null : "lazy" });
  node.addEventListener("error", () => node.replaceWith(h("p", { class: "no-picture" }, `The picture “${image.alt_text || "without a description"}” can’t be loaded.`)));
  return small ? node : h("a", { href: address, target: "_blank", rel: "noopener" }, node);
}

function section(block, scope) {
  const main = [
    block.text ? h("div", { class: "prose" }, textObject(block.text, scope.people)) : null,
    block.fields ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "prose" }, textObject(field, scope.people)))) : null,
  ];
  const accessory = block.accessory ? (block.accessory.type === "image" ? pictureNode(block.accessory, scope, true) : control(block.accessory, block, scope)) : null;
  return h("div", { class: "section" }, h("div", { class: "main" }, main), accessory ? h("div", { class: "accessory" }, accessory) : null);
}

function context(block, scope) {
  return h("div", { class: "context" }, (block.elements ?? []).map((element) =>
    element.type === "image" ? pictureNode(element, scope, true) : h("div", { class: "prose" }, textObject(element, scope.people))));
}

function image(block, scope) {
  const title = block.title ? h("figcaption", null, plainInline(block.title.text ?? "")) : null;
  return h("figure", { class: "image" }, title, pictureNode(block, scope, false));
}

function cell(value, scope) {
  if (value?.type === "rich_text") return richTextCell(value, scope.people);
  if (value?.type === "raw_text") return value.text ?? "";
  if (value?.type === "raw_number") return value.text ?? String(value.value ?? "");
  return h("span", { class: "unknown-inline" }, `[${value?.type ?? "empty"}]`);
}

function table(block, scope) {
  const settings = block.column_settings ?? [];
  const row = (tag, cells) => h("tr", null, (cells ?? []).map((value, column) => {
    const side = settings[column]?.align;
    const classes = [side && side !== "left" ? `to-${side}` : "", settings[column]?.is_wrapped ? "wraps" : ""].join(" ").trim();
    return h(tag, { class: classes || null, scope: tag === "th" ? "col" : null }, cell(value, scope));
  }));
  const [head, ...rest] = block.rows ?? [];
  return scrolling("Table", fitColumns(h("table", { class: "grid" }, h("thead", null, head ? row("th", head) : null), h("tbody", null, rest.map((cells) => row("td", cells))))));
}

const TASKS = { pending: "to do", in_progress: "working", complete: "done", error: "failed" };

function taskCard(block, scope) {
  const status = TASKS[block.status] ? block.status : "pending";
  return h("div", { class: "task-card", data: { status } },
    h("span", { class: "task-mark", role: "img", "aria-label": TASKS[status] }),
    h("div", null,
      h("b", null, block.title ?? ""),
      block.details ? h("div", { class: "prose quiet" }, richText(block.details, scope.people)) : null,
      block.output ? h("div", { class: "prose" }, richText(block.output, scope.people)) : null,
      block.sources?.length ? h("p", { class: "quiet" }, block.sources.flatMap((source, index) => [index ? " · " : "", link(source.url, source.text ?? source.url)])) : null));
}

function plan(block, scope) {
  return h("div", { class: "plan-block" }, h("b", null, block.title ?? "Plan"), (block.tasks ?? []).map((task) => taskCard(task, scope)));
}

function input(block, scope) {
  const id = `f-${scope.key}-${block.block_id ?? block.element?.action_id ?? ""}`;
  const node = control(block.element ?? {}, block, { ...scope, inputId: id, describedBy: `${id}-hint ${id}-error` });
  const label = block.label?.text ?? "";
  return h("div", { class: "input-block", data: { blockId: block.block_id ?? "" } },
    h("label", { for: id }, plainInline(label), block.optional ? h("span", { class: "quiet" }, " (optional)") : null),
    node,
    block.hint ? h("p", { class: "hint", id: `${id}-hint` }, plainInline(block.hint.text ?? "")) : null,
    h("p", { class: "field-error", id: `${id}-error`, role: "alert" }));
}

const KINDS = {
  section,
  header: (block) => h("h3", { class: "header-block" }, plainInline(block.text?.text ?? "")),
  divider: () => h("hr", { class: "divider" }),
  context,
  markdown: (block, scope) => h("div", { class: "prose" }, markdown(block.text ?? "", scope.people)),
  table,
  image,
  actions: (block, scope) => h("div", { class: "actions" }, (block.elements ?? []).map((element) => control(element, block, scope))),
  rich_text: (block, scope) => h("div", { class: "prose" }, richText(block, scope.people)),
  context_actions: (block, scope) => h("div", { class: "context-actions" }, (block.elements ?? []).flatMap((element) => feedback(element, block, scope))),
  data_visualization: (block) => chart(block),
  task_card: taskCard,
  plan,
  input,
};

/**
 * Nodes for blocks. `scope` says who reads (`people`), which files the message has (`files`), what a click does
 * (`act`, an async function of the action), a `key` for element ids, and in modals where inputs register (`inputs`).
 */
export function renderBlocks(blocks, scope) {
  return blocks.map((block) => {
    const node = (Object.hasOwn(KINDS, block?.type) ? KINDS[block.type] : unknown)(block, scope);
    node.dataset.block = block?.type ?? "";
    return node;
  });
}
