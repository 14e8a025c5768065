/* Text and entities to DOM nodes. Offsets count UTF-16 units, which is how JavaScript counts. */

import { el } from "./dom.js";

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", blockquote: "blockquote" };

/** Nodes for a formatted text; `onCommand` is called with a command that was clicked. */
export function formatted(text, entities, onCommand) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return span(text, sorted, 0, text.length, onCommand);
}

function span(text, entities, start, end, onCommand) {
  const nodes = [];
  let at = start;
  for (let i = 0; i < entities.length; i += 1) {
    const entity = entities[i];
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < at || stop <= at) continue;
    if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
    const inner = entities.slice(i + 1).filter((other) => other.offset < stop);
    nodes.push(wrapped(entity, text, span(text, inner, entity.offset, stop, onCommand), onCommand));
    at = stop;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

function wrapped(entity, text, children, onCommand) {
  const literal = text.slice(entity.offset, entity.offset + entity.length);
  switch (entity.type) {
    case "text_link":
      return link(entity.url, children);
    case "url":
      return link(literal, children);
    case "bot_command":
      return el("button", { type: "button", className: "command", onclick: () => onCommand(literal) }, ...children);
    case "pre":
      return el("pre", {}, el("code", {}, ...children));
    case "spoiler":
      return hidden("span", "spoiler", children);
    case "expandable_blockquote":
      return hidden("blockquote", "expandable", children);
    default:
      return el(TAGS[entity.type] ?? "span", {}, ...children);
  }
}

function link(address, children) {
  if (!/^https?:\/\//i.test(address)) return el("span", {}, ...children);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Something that opens at a click or at Enter. */
function hidden(tag, className, children) {
  const node = el(tag, { className, tabIndex: 0, role: "button", "aria-expanded": "false" }, ...children);
  const open = (event) => {
    if (event.type === "keydown" && event.key !== "Enter") return;
    node.classList.toggle("open");
    node.setAttribute("aria-expanded", String(node.classList.contains("open")));
  };
  node.addEventListener("click", open);
  node.addEventListener("keydown", open);
  return node;
}
