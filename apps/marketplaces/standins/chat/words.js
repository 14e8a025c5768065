/* The page's own words, dates and times, in the language of the person whose chat is open. */

let dictionary = {};
let language = "en";
let zone;

export async function loadWords() {
  dictionary = await (await fetch("/chat/assets/words.json")).json();
  setLanguage(navigator.language);
}

/** Take the first part of a tag such as `uk-UA` when there are words for it; English otherwise. */
export function setLanguage(tag) {
  const wanted = (tag ?? "").split("-")[0];
  language = wanted in dictionary ? wanted : "en";
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll("[data-title]")) {
    node.title = word(node.dataset.title);
    node.setAttribute("aria-label", node.title);
  }
  for (const node of document.querySelectorAll("[data-label]")) {
    node.placeholder = word(node.dataset.label);
    node.setAttribute("aria-label", node.placeholder);
  }
}

/** Days and hours are those of the shop's zone, an IANA name; of the browser when none is known. */
export function setZone(name) {
  zone = name;
}

export function word(key, values = {}) {
  return dictionary[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const format = (seconds, options) => new Intl.DateTimeFormat(language, { timeZone: zone, ...options }).format(seconds * 1000);

export const clockTime = (seconds) => format(seconds, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const dayKey = (seconds) => new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(seconds * 1000);
export const longDay = (seconds) => format(seconds, { weekday: "long", day: "numeric", month: "long" });
export const shortDay = (seconds) => format(seconds, { weekday: "short", day: "numeric", month: "short" });
export const worldDay = (iso) =>
  new Intl.DateTimeFormat(language, { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" }).format(Date.parse(iso));
export const bytes = (count) =>
  new Intl.NumberFormat(language, { style: "unit", unit: "kilobyte", maximumFractionDigits: 1 }).format(count / 1000);
