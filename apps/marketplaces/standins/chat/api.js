/* Talking to the stand-in. Every failure becomes an Error whose message a person can read. */

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(data.error ?? `${answer.status} ${answer.statusText}`), { status: answer.status });
  return data;
}

export const people = () => call("GET", "/_telegram/people");
export const chat = (person) => call("GET", `/_telegram/chats/${person}`);
export const addPerson = (wish) => call("POST", "/_telegram/people", wish);
export const unblock = (person) => call("POST", `/_telegram/people/${person}/unblock`);
export const say = (person, text) => call("POST", `/_telegram/chats/${person}/messages`, { text });
export const press = (person, messageId, data) =>
  call("POST", `/_telegram/chats/${person}/presses`, { message_id: messageId, data });
export const notices = () => call("GET", "/_telegram/notices");
export const worldClock = () => call("GET", "/world/clock");
export const nextDay = () => call("POST", "/world/next-day");
export const fileUrl = (attachment) => `/_telegram/files/${encodeURIComponent(attachment.file_id)}`;

/** Live events. `onOpen` runs at each connection: what happened in between is to be read anew. */
export function listen({ onOpen, onEvent, onLost }) {
  const source = new EventSource("/_telegram/events");
  source.onopen = onOpen;
  source.onerror = onLost;
  source.onmessage = (message) => onEvent(JSON.parse(message.data));
}
