/* Puts the parts of the page together: the store tells what changed, each part draws itself. */

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { byId, el, reconcile } from "./dom.js";
import { MessageList } from "./messages.js";
import { fullName, People } from "./people.js";
import { Store } from "./store.js";
import { alertBox, toast, watchAlert } from "./toasts.js";
import { setLanguage, loadWords, word } from "./words.js";
import { World } from "./world.js";

const onError = (error) => toast(word("failed", { reason: error.message }), { wrong: true });
const acts = { press, command: (text) => store.say(text) };
const store = new Store({ onChange, onAnswer, onSilence: () => toast(word("no_answer")), onNotice: (notice) => world.hear(notice) });
const list = new MessageList({ store, acts });
const people = new People({ store, onError });
const composer = new Composer({ store, onError });
const world = new World({ onError, onToast: toast });
let opened = null;

function onChange(reason, chat) {
  people.render();
  renderTitle();
  if (!store.chat) return showNobody();
  if (store.current !== opened) return openChat();
  if (reason === "people" || reason === "loaded") composer.render(store.chat);
  if (!chat || chat === store.chat) {
    renderStatus();
    if (reason !== "read") list.update(reason);
  }
  return undefined;
}

function openChat() {
  opened = store.current;
  history.replaceState(null, "", `#${opened}`);
  byId("app").classList.remove("nobody");
  setLanguage(store.chat.person.language_code);
  people.render();
  world.render();
  renderStatus();
  list.open(store.chat);
  composer.open(store.chat);
  if (matchMedia("(pointer: fine)").matches) byId("input").focus();
}

function showNobody() {
  byId("app").classList.add("nobody");
  const note = el("div", { className: "empty" }, el("strong", {}, word("nobody")), el("p", {}, word("nobody_hint")));
  note.append(el("button", { type: "button", className: "solid", onclick: () => byId("new-person").showModal() }, word("add_person")));
  reconcile(byId("messages"), [note]);
}

function renderStatus() {
  const { typing, person } = store.chat;
  const doing = typing && word(typing === "typing" ? "typing" : "sending_file");
  byId("status").textContent = store.connected ? doing ?? word("bot", { name: person.first_name }) : word("connecting");
  byId("status").classList.toggle("active", Boolean(typing) || !store.connected);
}

function renderTitle() {
  const unread = [...store.chats.values()].reduce((sum, chat) => sum + chat.unread().length, 0);
  const name = store.chat ? ` · ${fullName(store.chat.person)}` : "";
  document.title = `${unread ? `(${unread}) ` : ""}Vitrina${name}`;
}

async function press(message, button) {
  try {
    if (button.copy_text) {
      await navigator.clipboard.writeText(button.copy_text.text);
      toast(word("copied"));
    } else {
      await store.press(message, button.callback_data);
    }
  } catch (error) {
    toast(word("press_failed", { reason: error.message }), { wrong: true });
  }
}

function onAnswer(chat, answer) {
  if (!answer.text || chat !== store.chat) return;
  if (answer.show_alert) alertBox(answer.text);
  else toast(answer.text);
}

async function reload() {
  try {
    await Promise.all([store.load(), world.load()]);
    store.connected = true;
  } catch (error) {
    onError(error);
  }
  if (store.chat) renderStatus();
}

await loadWords();
watchAlert();
store.current = Number(location.hash.slice(1)) || null;
window.addEventListener("hashchange", () => {
  const wanted = Number(location.hash.slice(1));
  if (store.chats.has(wanted)) store.open(wanted);
});
api.listen({
  onOpen: reload,
  onEvent: (event) => store.apply(event),
  onLost: () => {
    store.connected = false;
    if (store.chat) renderStatus();
  },
});
