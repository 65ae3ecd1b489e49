// Block Kit's interactive elements: buttons, menus and fields. A click goes out through `scope.act`.

import { h, icon } from "./dom.js";
import { plainInline, safeAddress } from "./inline.js";
import { confirmation } from "./dialogs.js";

const FIELDS = { plain_text_input: "text", email_text_input: "email", url_text_input: "url", number_input: "number", datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

async function press(node, element, block, scope, more) {
  if (element.confirm && !(await confirmation(element.confirm, scope.people))) return;
  node.setAttribute("aria-busy", "true");
  node.classList.add("busy");
  try {
    await scope.act({ type: element.type, block_id: block.block_id, action_id: element.action_id, action_ts: String(Date.now() / 1000), ...more });
  } finally {
    node.removeAttribute("aria-busy");
    node.classList.remove("busy");
  }
}

function button(element, block, scope) {
  const style = ["primary", "danger"].includes(element.style) ? element.style : "plain";
  const address = element.url ? safeAddress(element.url) : null;
  const node = h(address ? "a" : "button", {
    class: `button ${style}`, data: { focus: `${block.block_id ?? ""}/${element.action_id ?? ""}` }, "aria-label": element.accessibility_label,
    ...(address ? { href: address, target: "_blank", rel: "noopener noreferrer nofollow" } : { type: "button" }),
  }, plainInline(element.text?.text ?? ""));
  node.addEventListener("click", () => {
    if (!node.classList.contains("busy")) press(node, element, block, scope, { text: element.text, value: element.value });
  });
  return node;
}

function options(element, people) {
  const grouped = element.option_groups?.flatMap((group) => group.options ?? []) ?? [];
  const given = element.options ?? grouped;
  if (/^(multi_)?users_select$/.test(element.type)) return people.users.map((user) => ({ text: { text: user.real_name || user.name }, value: user.id }));
  if (/^(multi_)?(channels|conversations)_select$/.test(element.type)) {
    return people.channels.filter((channel) => !channel.is_im).map((channel) => ({ text: { text: `#${channel.name}` }, value: channel.id }));
  }
  return given;
}

function chosenValue(element, choice) {
  if (element.type === "users_select") return { selected_user: choice?.value ?? null };
  if (element.type === "channels_select") return { selected_channel: choice?.value ?? null };
  if (element.type === "conversations_select") return { selected_conversation: choice?.value ?? null };
  return { selected_option: choice ?? null };
}

function menu(element, block, scope) {
  const several = element.type.startsWith("multi_");
  const list = options(element, scope.people);
  const initial = element.initial_option?.value ?? element.initial_user ?? element.initial_channel ?? element.initial_conversation;
  const initials = new Set(several ? (element.initial_options ?? []).map((option) => option.value) ?? [] : [initial]);
  const node = h("select", { id: scope.inputId, multiple: several, "aria-describedby": scope.describedBy, "aria-label": scope.inputId ? null : element.placeholder?.text ?? "Choose" },
    several ? null : h("option", { value: "", disabled: !block.optional, selected: true }, element.placeholder?.text ?? "Choose …"),
    list.map((option) => h("option", { value: option.value, selected: initials.has(option.value) }, option.text?.text ?? option.value)));
  const state = () => {
    const chosen = [...node.selectedOptions].map((option) => list.find((one) => one.value === option.value)).filter(Boolean);
    if (several) return element.type === "multi_users_select" ? { selected_users: chosen.map((one) => one.value) } : { selected_options: chosen };
    return chosenValue(element, chosen[0]);
  };
  return registered(node, element, block, scope, state);
}

function overflow(element, block, scope) {
  const node = h("details", { class: "overflow" }, h("summary", { "aria-label": "More actions" }, icon("dots")), h("div", { class: "overflow-list" },
    (element.options ?? []).map((option) => h("button", {
      type: "button",
      on: { click: () => { node.open = false; press(node, element, block, scope, { selected_option: option }); } },
    }, plainInline(option.text?.text ?? "")))));
  return node;
}

function ticks(element, block, scope) {
  const single = element.type === "radio_buttons";
  const name = `${scope.key}-${block.block_id ?? ""}-${element.action_id ?? ""}`;
  const initial = new Set(single ? [element.initial_option?.value] : (element.initial_options ?? []).map((option) => option.value));
  const node = h("div", { class: "ticks", role: single ? "radiogroup" : "group", id: scope.inputId, "aria-describedby": scope.describedBy },
    (element.options ?? []).map((option) => h("label", null,
      h("input", { type: single ? "radio" : "checkbox", name, value: option.value, checked: initial.has(option.value) }),
      h("span", null, plainInline(option.text?.text ?? ""), option.description ? h("small", null, option.description.text) : null))));
  const state = () => {
    const values = new Set([...node.querySelectorAll("input:checked")].map((box) => box.value));
    const chosen = (element.options ?? []).filter((option) => values.has(option.value));
    return single ? { selected_option: chosen[0] ?? null } : { selected_options: chosen };
  };
  return registered(node, element, block, scope, state);
}

function field(element, block, scope) {
  const kind = FIELDS[element.type];
  const attributes = {
    id: scope.inputId, placeholder: element.placeholder?.text, minlength: element.min_length, maxlength: element.max_length,
    "aria-describedby": scope.describedBy, "aria-label": scope.inputId ? null : element.placeholder?.text ?? "Value", autocomplete: "off",
  };
  const initial = element.initial_value ?? element.initial_date ?? element.initial_time ?? "";
  const node = element.multiline
    ? h("textarea", { ...attributes, rows: 4 })
    : h("input", { ...attributes, type: kind, min: element.min_value, max: element.max_value, step: element.is_decimal_allowed ? "any" : null });
  node.value = initial;
  const state = () => {
    const value = node.value === "" ? null : node.value;
    if (element.type === "datepicker") return { selected_date: value };
    if (element.type === "timepicker") return { selected_time: value };
    if (element.type === "datetimepicker") return { selected_date_time: value === null ? null : Math.floor(new Date(value).getTime() / 1000) };
    return { value };
  };
  return registered(node, element, block, scope, state);
}

/** In a modal an input's value is read at submission; elsewhere, and where asked for, a change is an action of its own. */
function registered(node, element, block, scope, state) {
  scope.inputs?.push({ blockId: block.block_id ?? "", actionId: element.action_id ?? "", node, state: () => ({ type: element.type, ...state() }) });
  if (block.type !== "input" || block.dispatch_action) node.addEventListener("change", () => press(node, element, block, scope, state()));
  return node;
}

/** The node of one element in an actions block, an accessory or an input block. */
export function control(element, block, scope) {
  if (element.type === "button") return button(element, block, scope);
  if (element.type === "overflow") return overflow(element, block, scope);
  if (element.type === "checkboxes" || element.type === "radio_buttons") return ticks(element, block, scope);
  if (/^(multi_)?(static|users|channels|conversations|external)_select$/.test(element.type ?? "")) return menu(element, block, scope);
  if (Object.hasOwn(FIELDS, element.type ?? "")) return field(element, block, scope);
  if (element.type === "feedback_buttons" || element.type === "icon_button") return h("span", null, feedback(element, block, scope));
  return h("span", { class: "unknown-block" }, `Unknown element “${element.type}”`);
}

/** The nodes of one element in a context_actions block. */
export function feedback(element, block, scope) {
  const one = (text, value, extra) => {
    const node = h("button", { type: "button", class: "quiet-button", ...extra }, text);
    node.addEventListener("click", () => {
      press(node, element, block, scope, { value });
      node.setAttribute("aria-pressed", "true");
    });
    return node;
  };
  if (element.type === "feedback_buttons") {
    return [element.positive_button, element.negative_button].filter(Boolean).map((side) =>
      one(plainInline(side.text?.text ?? ""), side.value, { "aria-label": side.accessibility_label }));
  }
  if (element.type === "icon_button") return [one([icon(element.icon), h("span", null, element.text?.text ?? "")], element.value, {})];
  return [h("span", { class: "unknown-block" }, `Unknown element “${element.type}”`)];
}
