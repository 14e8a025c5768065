/* The shop's date in the header, and the button that moves the world on by a day. */

import * as api from "./api.js";
import { byId } from "./dom.js";
import { setZone, word, worldDay } from "./words.js";

const PATIENCE_MS = 180000;

export class World {
  day = null; // an ISO date
  preparing = "";
  timer = 0;

  constructor({ onError, onToast }) {
    Object.assign(this, { onError, onToast });
    byId("next-day").addEventListener("click", () => this.move());
  }

  /** The date and what the demo's clock said last. A stand-in without a world has no date: then nothing is shown. */
  async load() {
    const [clock, notices] = await Promise.all([this.clock(), api.notices()]);
    this.day = clock?.date ?? null;
    if (clock) setZone(clock.zone);
    const last = notices.at(-1);
    if (last?.kind === "progress") this.prepare(last.text);
    else if (last) this.rest();
    this.render();
  }

  async clock() {
    try {
      return await api.worldClock();
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  async move() {
    this.prepare(word("preparing"));
    try {
      await api.nextDay();
      await this.load();
    } catch (error) {
      this.rest();
      this.onError(new Error(word("next_day_failed", { reason: error.message })));
    }
  }

  async hear(notice) {
    if (notice.kind === "progress") return this.prepare(notice.text);
    this.rest();
    this.onToast(notice.text || word("day_ready"), { wrong: notice.kind === "trouble" });
    return this.load();
  }

  prepare(text) {
    this.preparing = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.rest();
      this.onToast(word("no_progress"));
    }, PATIENCE_MS);
    this.render();
  }

  rest() {
    this.preparing = "";
    clearTimeout(this.timer);
    this.render();
  }

  render() {
    byId("world").hidden = this.day === null;
    byId("next-day").disabled = Boolean(this.preparing);
    byId("progress").hidden = !this.preparing;
    byId("progress-text").textContent = this.preparing;
    if (this.day === null) return;
    byId("world-day").textContent = worldDay(this.day);
    byId("world-day").dateTime = this.day;
  }
}
