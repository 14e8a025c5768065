/* What the page knows: people, their chats, what is on its way. Tells `onChange(reason)` of every change. */

import * as api from "./api.js";

const TYPING_MS = 5000;
const ANSWER_MS = 20000;
const readKey = (id) => `vitrina.read.${id}`;

export class Store {
  chats = new Map();
  current = null;
  connected = false;
  said = 0;
  loading = 0;
  early = []; // events that came while a chat was being read: they are newer than what is read

  constructor({ onChange, onAnswer, onSilence, onNotice }) {
    Object.assign(this, { onChange, onAnswer, onSilence, onNotice });
  }

  get chat() {
    return this.chats.get(this.current) ?? null;
  }

  /** Read everything anew; keeps what is on its way out. */
  async load() {
    await this.reading(async () => {
      const people = await api.people();
      await Promise.all(people.map((person) => this.loadChat(person.id)));
      this.chats = new Map(people.map(({ id }) => [id, this.chats.get(id)]));
    });
    if (!this.chats.has(this.current)) this.current = this.chats.keys().next().value ?? null;
    this.onChange("loaded");
  }

  async loadChat(id) {
    const { person, messages, commands } = await api.chat(id);
    const chat = this.chats.get(id) ?? newChat(id);
    Object.assign(chat, { person, commands, messages: new Map(messages.map((message) => [message.id, message])) });
    this.chats.set(id, chat);
  }

  async reading(work) {
    this.loading += 1;
    try {
      await work();
    } finally {
      this.loading -= 1;
      if (!this.loading) this.early.splice(0).forEach((event) => this.apply(event));
    }
  }

  open(id) {
    this.current = id;
    this.onChange("opened");
  }

  apply(event) {
    if (this.loading) return this.early.push(event);
    if (event.type === "notice") return this.onNotice(event.notice);
    if (event.type === "commands") return this.load();
    if (event.type === "person") return this.putPerson(event.person);
    const chat = this.chats.get(event.chat_id);
    if (!chat) return undefined;
    if (event.type === "message") this.putMessage(chat, event.message);
    if (event.type === "typing") this.setTyping(chat, event.action);
    if (event.type === "answer") this.settle(chat, event.answer);
    return undefined;
  }

  async putPerson(person) {
    await this.reading(() => this.loadChat(person.id));
    this.current ??= person.id;
    this.onChange("people");
  }

  putMessage(chat, message) {
    const known = chat.messages.get(message.id);
    chat.messages.set(message.id, message);
    if (message.sender === null) this.setTyping(chat, null);
    else if (!known) this.arrived(chat, message);
    this.onChange(known ? "edited" : "message", chat);
  }

  /** What was said is told by an event too, often before its own request is answered: it must not stand there twice. */
  arrived(chat, message) {
    const place = chat.outgoing.findIndex((out) => !out.failed && out.text === message.text);
    if (place >= 0) chat.outgoing.splice(place, 1);
  }

  setTyping(chat, action) {
    clearTimeout(chat.typingTimer);
    chat.typing = action;
    if (action) chat.typingTimer = setTimeout(() => this.setTyping(chat, null), TYPING_MS);
    this.onChange("typing", chat);
  }

  // Saying

  async say(text) {
    const chat = this.chat;
    this.said += 1;
    const out = { key: `out-${this.said}`, text, failed: false };
    chat.outgoing.push(out);
    this.onChange("said", chat);
    await this.send(chat, out);
  }

  async send(chat, out) {
    out.failed = false;
    this.onChange("outgoing", chat);
    try {
      const message = await api.say(chat.person.id, out.text);
      if (!chat.messages.has(message.id)) chat.messages.set(message.id, message);
      chat.outgoing = chat.outgoing.filter((other) => other !== out);
    } catch (error) {
      out.failed = true;
    }
    this.onChange("outgoing", chat);
  }

  // Pressing

  /** Press a button; it stays pressed until the bot answers, or is silent for too long. Rejects when it never got there. */
  async press(message, data) {
    const chat = this.chat;
    const key = `${message.id} ${data}`;
    if (chat.pressed.has(key)) return;
    const timer = setTimeout(() => this.giveUp(chat, key), ANSWER_MS);
    chat.pressed.set(key, timer);
    this.onChange("pressed", chat);
    try {
      await api.press(chat.person.id, message.id, data);
    } catch (error) {
      this.release(chat, key);
      throw error;
    }
  }

  giveUp(chat, key) {
    this.release(chat, key);
    this.onSilence(chat);
  }

  settle(chat, answer) {
    this.release(chat, `${answer.message_id} ${answer.data}`);
    this.onAnswer(chat, answer);
  }

  release(chat, key) {
    clearTimeout(chat.pressed.get(key));
    chat.pressed.delete(key);
    this.onChange("pressed", chat);
  }

  // Reading

  markRead(chat, id) {
    if (id <= chat.lastRead) return;
    chat.lastRead = id;
    localStorage.setItem(readKey(chat.person.id), String(id));
    this.onChange("read", chat);
  }
}

function newChat(id) {
  return {
    person: null,
    commands: [],
    messages: new Map(),
    outgoing: [],
    pressed: new Map(),
    typing: null,
    typingTimer: 0,
    lastRead: Number(localStorage.getItem(readKey(id)) ?? 0),
    shown() {
      return [...this.messages.values()].filter((message) => !message.deleted).sort((a, b) => a.id - b.id);
    },
    unread() {
      return this.shown().filter((message) => message.sender === null && message.id > this.lastRead);
    },
  };
}
