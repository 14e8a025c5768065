/* The people whose phone can be held: the list beside the chat, a drawer on a small screen. */

import * as api from "./api.js";
import { byId, el, Keeper, reconcile } from "./dom.js";
import { clockTime, dayKey, shortDay, word } from "./words.js";

export class People {
  constructor({ store, onError }) {
    Object.assign(this, { store, onError, keeper: new Keeper() });
    this.app = byId("app");
    byId("switch").addEventListener("click", () => this.toggle());
    byId("shade").addEventListener("click", () => this.toggle(false));
    byId("add-person").addEventListener("click", () => byId("new-person").showModal());
    byId("new-person-cancel").addEventListener("click", () => byId("new-person").close());
    byId("new-person-form").addEventListener("submit", (event) => this.add(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.toggle(false));
  }

  toggle(open = !this.app.classList.contains("drawer")) {
    this.app.classList.toggle("drawer", open);
    byId("switch").setAttribute("aria-expanded", String(open));
    if (open) byId("people-list").querySelector("[aria-current=true]")?.focus();
  }

  async add(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    byId("new-person").close();
    try {
      const person = await api.addPerson({ ...Object.fromEntries(form), started: false });
      event.target.reset();
      await this.store.loadChat(person.id);
      this.store.open(person.id);
      this.toggle(false);
    } catch (error) {
      this.onError(error);
    }
  }

  render() {
    const chats = [...this.store.chats.values()];
    const newest = Math.max(0, ...chats.map((chat) => chat.shown().at(-1)?.at ?? 0));
    reconcile(byId("people-list"), chats.map((chat) => this.row(chat, dayKey(newest))));
    const chosen = this.store.chat?.person;
    byId("switch").hidden = !chosen;
    if (!chosen) return;
    const others = chats.some((chat) => chat !== this.store.chat && chat.unread().length);
    reconcile(byId("switch"), [avatar(chosen), ...(others ? [el("span", { className: "dot" })] : [])]);
    byId("switch").title = `${word("people")}: ${fullName(chosen)}`;
    byId("switch").setAttribute("aria-label", byId("switch").title);
  }

  row(chat, today) {
    const last = chat.shown().at(-1);
    const when = !last ? "" : dayKey(last.at) === today ? clockTime(last.at) : shortDay(last.at);
    const unread = chat.unread().length;
    const current = chat.person.id === this.store.current;
    const stamp = JSON.stringify([chat.person, last, when, unread, current, document.documentElement.lang]);
    return this.keeper.node(chat.person.id, stamp, () => this.freshRow({ person: chat.person, last, when, unread, current }));
  }

  freshRow({ person, last, when, unread, current }) {
    const row = el(
      "button",
      { type: "button", className: "person", "aria-current": String(current) },
      avatar(person),
      el("span", { className: "person-name" }, fullName(person)),
      el("time", { className: "person-time" }, when),
      el("span", { className: "person-last" }, preview(last, person)),
      unread ? el("span", { className: "count" }, String(unread)) : null,
    );
    row.addEventListener("click", () => {
      this.store.open(person.id);
      this.toggle(false);
    });
    return row;
  }
}

export const fullName = (person) => [person.first_name, person.last_name].filter(Boolean).join(" ");

function avatar(person) {
  const letters = [person.first_name, person.last_name].map((name) => [...name][0] ?? "").join("");
  return el("span", { className: `avatar tone-${person.id % 6}`, "aria-hidden": "true" }, letters.toUpperCase());
}

function preview(message, person) {
  if (!message) return "";
  const words = message.text || word(message.attachment?.width ? "photo" : "file");
  return message.sender === person.id ? `${word("you")}: ${words}` : words;
}
