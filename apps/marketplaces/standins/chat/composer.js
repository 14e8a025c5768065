/* The foot of the chat: the input, the commands of the bot, or the one button that a person needs first. */

import * as api from "./api.js";
import { byId, el, reconcile } from "./dom.js";
import { word } from "./words.js";

const HIGHEST = 160;

export class Composer {
  constructor({ store, onError }) {
    Object.assign(this, { store, onError, drafts: new Map(), chosen: -1 });
    this.input = byId("input");
    this.menu = byId("commands");
    byId("composer").addEventListener("submit", (event) => this.submit(event));
    byId("menu").addEventListener("click", () => this.toggle());
    byId("wide").addEventListener("click", () => this.wide());
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("click", (event) => event.target.closest("#foot") || this.close());
  }

  /** Another person's chat is open: her draft, her commands. */
  open(chat) {
    this.input.value = this.drafts.get(chat.person.id) ?? "";
    this.close();
    this.render(chat);
    this.fit();
  }

  render({ person }) {
    const waiting = person.blocked || !person.started;
    byId("composer").hidden = waiting;
    byId("wide").hidden = !waiting;
    byId("wide").textContent = word(person.blocked ? "unblock" : "start");
  }

  wide() {
    const { person } = this.store.chat;
    if (person.blocked) api.unblock(person.id).catch(this.onError);
    else this.store.say("/start");
  }

  submit(event) {
    event.preventDefault();
    if (this.chosen >= 0) return this.run(this.shown[this.chosen].command);
    const text = this.input.value.trim();
    if (!text) return undefined;
    this.clear();
    return this.store.say(text);
  }

  run(command) {
    this.clear();
    this.input.focus();
    return this.store.say(`/${command}`);
  }

  clear() {
    this.input.value = "";
    this.typed();
    this.close();
  }

  typed() {
    this.drafts.set(this.store.current, this.input.value);
    this.fit();
    if (/^\/\w*$/.test(this.input.value)) this.offer(this.input.value.slice(1));
    else this.close();
  }

  fit() {
    byId("send").disabled = !this.input.value.trim();
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, HIGHEST)}px`;
  }

  key(event) {
    const open = !this.menu.hidden;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.choose(this.chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      byId("composer").requestSubmit();
    }
  }

  // Commands

  toggle() {
    if (!this.menu.hidden) return this.close();
    this.input.focus();
    return this.offer("");
  }

  offer(start) {
    this.shown = this.store.chat.commands.filter(({ command }) => command.startsWith(start.toLowerCase()));
    const none = !this.store.chat.commands.length && !start;
    reconcile(this.menu, none ? [el("p", {}, word("no_commands"))] : this.shown.map((command, place) => this.option(command, place)));
    this.menu.hidden = !none && !this.shown.length;
    byId("menu").setAttribute("aria-expanded", String(!this.menu.hidden));
    this.choose(-1);
  }

  option({ command, description }, place) {
    return el(
      "div",
      { className: "command-option", role: "option", id: `command-${place}`, onclick: () => this.run(command) },
      el("strong", {}, `/${command}`),
      el("span", {}, description),
    );
  }

  choose(place) {
    const options = [...this.menu.querySelectorAll(".command-option")];
    this.chosen = options.length && place >= -1 ? Math.min(place, options.length - 1) : -1;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === this.chosen)));
    options[this.chosen]?.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", this.chosen >= 0 ? `command-${this.chosen}` : "");
  }

  close() {
    this.menu.hidden = true;
    this.chosen = -1;
    byId("menu").setAttribute("aria-expanded", "false");
  }
}
