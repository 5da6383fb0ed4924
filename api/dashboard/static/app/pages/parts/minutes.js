/** Webhooks by minute, of the last hour. */

/** How many minutes back it goes. */
export const back = 60;

/** The webhooks of each minute, of all sources that are given; one without any is 0. @param {import('../../core/types.js').Stats['webhooks_per_minute']} counts @returns {[number[], number[]]} */
export function minutes(counts) {
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (const m of counts) {
    const at = Date.parse(m.minute) / 1000;
    sums.set(at, (sums.get(at) ?? 0) + m.applied + m.duplicate + m.not_about_order + m.quarantined);
  }
  const last = Math.floor(Date.now() / 60_000) * 60;
  const times = Array.from({ length: back }, (_, i) => last - (back - 1 - i) * 60);
  return [times, times.map((at) => sums.get(at) ?? 0)];
}
