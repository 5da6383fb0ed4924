/** Texts for times, ages and amounts. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const whole = new Intl.NumberFormat();

/**
 * An age in its two greatest units: 42 s, 7 min, 1 h 05 min, 3 d 4 h.
 * @param {number} milliseconds
 */
export function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${seconds} s`;
  if (hours < 1) return `${minutes} min`;
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time of today by the clock, any other with its date. @param {string|number} instant */
export function time(instant) {
  const at = new Date(instant);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : full.format(at);
}

/** @param {string|number} instant */
export const fullTime = (instant) => full.format(new Date(instant));

/** A count, with its thousands set apart. @param {number} n */
export const count = (n) => whole.format(n);

/**
 * An amount as the provider gave it, to the last digit.
 * @param {string|null|undefined} amount
 * @param {string|null|undefined} currency
 */
export const money = (amount, currency) => (amount ? `${amount}${currency ? ' ' + currency : ''}` : '');

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1 << 20) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

/** One of something, or many. @param {number} n @param {string} one @param {string} [many] */
export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;
