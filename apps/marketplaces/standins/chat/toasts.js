/* Short words over the chat, and the alert that has to be closed. */

import { byId, el } from "./dom.js";

const SHORTEST_MS = 3500;
const MS_PER_CHARACTER = 45;
const MOST = 3;

export function toast(text, { wrong = false } = {}) {
  const node = el("div", { className: wrong ? "toast wrong" : "toast" }, text);
  const shown = byId("toasts");
  shown.append(node);
  while (shown.children.length > MOST) shown.firstChild.remove();
  setTimeout(() => node.remove(), Math.max(SHORTEST_MS, text.length * MS_PER_CHARACTER));
}

export function alertBox(text) {
  byId("alert-text").textContent = text;
  if (!byId("alert").open) byId("alert").showModal();
}

export function watchAlert() {
  byId("alert-close").addEventListener("click", () => byId("alert").close());
}
