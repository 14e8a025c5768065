/* The list of messages: order, days, the unread line, scrolling and reading. */

import { bubble, outgoing, typingBubble } from "./bubbles.js";
import { byId, el, Keeper, reconcile } from "./dom.js";
import { dayKey, longDay, word } from "./words.js";

const NEAR_END = 80;
const SAME_BREATH = 300;

export class MessageList {
  constructor({ store, acts }) {
    Object.assign(this, { store, acts, keeper: new Keeper(), chat: null, firstUnread: null, atEnd: true });
    this.scroll = byId("scroll");
    this.list = byId("messages");
    this.toEnd = byId("to-end");
    this.toEnd.addEventListener("click", () => this.scrollToEnd("smooth"));
    this.scroll.addEventListener("scroll", () => this.looked(), { passive: true });
    document.addEventListener("visibilitychange", () => this.looked());
    new ResizeObserver(() => this.settle()).observe(this.scroll);
    new ResizeObserver(() => this.settle()).observe(this.list);
  }

  /** Show a chat that was not open before: at its first unread message, or at its end. */
  open(chat) {
    this.chat = chat;
    this.keeper.clear();
    this.firstUnread = chat.unread()[0]?.id ?? null;
    this.render();
    const line = this.list.querySelector(".unread-line");
    this.atEnd = !line;
    if (line) this.scroll.scrollTop = line.offsetTop - 12;
    else this.scrollToEnd();
    this.looked();
  }

  /** Something changed in the open chat. */
  update(reason) {
    if (reason === "said") this.firstUnread = null;
    const unread = this.chat.unread()[0]?.id ?? null;
    if (reason === "message" && unread && !this.firstUnread && (document.hidden || !this.atEnd)) this.firstUnread = unread;
    this.render(reason === "edited");
    if (reason === "said") this.scrollToEnd("smooth");
    else this.settle();
  }

  settle() {
    if (this.atEnd) this.scrollToEnd();
    this.looked();
  }

  scrollToEnd(behavior = "auto") {
    this.atEnd = true;
    this.scroll.scrollTo({ top: this.scroll.scrollHeight, behavior });
  }

  /** After any movement: where are we, and what has been seen? */
  looked() {
    if (!this.chat) return;
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (!document.hidden) this.markSeen();
    const count = this.chat.unread().length;
    this.toEnd.hidden = this.atEnd;
    byId("to-end-count").hidden = count === 0;
    byId("to-end-count").textContent = count;
  }

  markSeen() {
    const bottom = this.scroll.getBoundingClientRect().bottom + NEAR_END / 2;
    const seen = this.chat.unread().filter(({ id }) => {
      const node = this.keeper.get(id);
      return node && node.getBoundingClientRect().bottom <= bottom;
    });
    if (seen.length) this.store.markRead(this.chat, seen.at(-1).id);
  }

  render(flash = false) {
    const nodes = [];
    let before = null;
    for (const message of this.chat.shown()) {
      this.separate(nodes, before, message);
      const node = this.messageNode(message, flash);
      node.classList.toggle("follows", follows(before, message));
      nodes.push(node);
      before = message;
    }
    for (const out of this.chat.outgoing) nodes.push(this.outgoingNode(out));
    if (this.chat.typing) nodes.push(this.keeper.node("typing", "", typingBubble));
    if (!nodes.length) nodes.push(emptyNote(this.chat));
    reconcile(this.list, nodes);
  }

  separate(nodes, before, message) {
    const day = dayKey(message.at);
    if (!before || dayKey(before.at) !== day) {
      nodes.push(this.line(`day-${day}`, "day", longDay(message.at)));
    }
    if (message.id === this.firstUnread) {
      nodes.push(this.line("unread", "unread-line", word("unread")));
    }
  }

  line(key, className, text) {
    return this.keeper.node(key, text, () => el("div", { className }, el("span", {}, text)));
  }

  messageNode(message, flash) {
    const busy = [...this.chat.pressed.keys()].filter((key) => key.startsWith(`${message.id} `));
    const stamp = JSON.stringify([message, busy, document.documentElement.lang]);
    const context = { person: this.chat.person, pressed: this.chat.pressed, acts: this.acts };
    const before = this.keeper.get(message.id);
    const node = this.keeper.node(message.id, stamp, () => bubble(message, context));
    if (flash && before && before.dataset.edited !== node.dataset.edited) node.classList.add("changed");
    return node;
  }

  outgoingNode(out) {
    const stamp = `${out.failed} ${document.documentElement.lang}`;
    return this.keeper.node(out.key, stamp, () => outgoing(out, () => this.store.send(this.chat, out)));
  }
}

function follows(before, message) {
  return Boolean(before) && before.sender === message.sender && message.at - before.at < SAME_BREATH && dayKey(before.at) === dayKey(message.at);
}

function emptyNote(chat) {
  const hint = word("empty_hint", { name: chat.person.first_name });
  return el("div", { className: "empty" }, el("strong", {}, word("empty")), el("p", {}, hint));
}
