/* One message as DOM. */

import * as api from "./api.js";
import { el, icon } from "./dom.js";
import { formatted } from "./entities.js";
import { bytes, clockTime, word } from "./words.js";

/** A message of the chat; `acts` = {press(message, button), command(text)}. */
export function bubble(message, { person, pressed, acts }) {
  const out = message.sender === person.id;
  const body = el("div", { className: "bubble" }, attachment(message), words(message, out, acts));
  const marks = { tabIndex: -1, "data-id": message.id, "data-edited": message.edited_at ?? "" };
  const node = el("article", { className: `message ${out ? "out" : "in"}`, ...marks }, body);
  if (message.attachment?.width) body.classList.add("with-photo");
  if (message.buttons.length) node.append(keyboard(message, pressed, acts));
  return node;
}

/** What the person has just said and the server has not confirmed. */
export function outgoing(out, retry) {
  const state = out.failed ? null : icon("clock", word("sending"));
  const text = el("div", { className: "text" }, out.text, el("span", { className: "meta" }, state));
  const node = el("article", { className: "message out", tabIndex: -1 }, el("div", { className: "bubble" }, text));
  if (out.failed) node.append(el("button", { type: "button", className: "retry", onclick: retry }, word("not_sent")));
  return node;
}

export function typingBubble() {
  const dots = el("span", { className: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  return el("article", { className: "message in typing" }, el("div", { className: "bubble" }, dots));
}

function words(message, out, acts) {
  return el(
    "div",
    { className: "text" },
    ...formatted(message.text, message.entities, acts.command),
    el(
      "span",
      { className: "meta" },
      message.edited_at ? el("span", { title: clockTime(message.edited_at) }, word("edited")) : null,
      el("time", { dateTime: new Date(message.at * 1000).toISOString() }, clockTime(message.at)),
      out ? icon(message.taken ? "taken" : "sent", word(message.taken ? "taken" : "sent")) : null,
    ),
  );
}

function attachment({ attachment: file, text }) {
  if (!file) return null;
  if (file.width) {
    const picture = { src: api.fileUrl(file), width: file.width, height: file.height, alt: text || word("photo") };
    return el("a", { className: "photo", href: picture.src, target: "_blank", rel: "noopener" }, el("img", picture));
  }
  return el(
    "a",
    { className: "file", href: api.fileUrl(file), download: file.name },
    el("span", { className: "file-icon" }, icon("file")),
    el("span", { className: "file-name" }, file.name, el("small", {}, bytes(file.size))),
  );
}

function keyboard(message, pressed, acts) {
  const rows = message.buttons.map((row) =>
    el("div", { className: "keys" }, ...row.map((button) => key(message, button, pressed, acts))),
  );
  return el("div", { className: "keyboard" }, ...rows);
}

function key(message, button, pressed, acts) {
  const className = `key ${button.style ?? ""}`;
  const label = el("span", {}, button.text);
  if (button.url) {
    return el("a", { className, href: button.url, target: "_blank", rel: "noopener noreferrer" }, label, icon("link"));
  }
  const busy = pressed.has(`${message.id} ${button.callback_data}`);
  const props = { type: "button", className: busy ? `${className} busy` : className, "data-data": button.callback_data ?? "" };
  const node = el("button", { ...props, onclick: () => acts.press(message, button) }, label);
  if (busy) {
    node.setAttribute("aria-busy", "true");
    node.append(el("span", { className: "spinner", role: "img", "aria-label": word("pressed") }));
  }
  return node;
}
