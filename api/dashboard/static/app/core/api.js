/** Asking the API: the same paths and the same JSON that every other reader gets. */
import { authorization, session, tokenWanted } from './session.js';

/** An answer that is no success: what RFC 9457 calls a problem, or no answer at all. */
export class Problem extends Error {
  /**
   * @param {number} status 0 where nobody answered
   * @param {{title?: string, detail?: string, hint?: string, code?: string, errors?: {parameter: string, message: string}[]}} told
   */
  constructor(status, told) {
    const parameters = (told.errors ?? []).map((e) => `${e.parameter}: ${e.message}`);
    super([told.detail ?? told.title ?? `The API answered ${status}.`, ...parameters].join(' '));
    this.status = status;
    this.title = told.title ?? 'No answer';
    this.hint = told.hint ?? '';
    this.code = told.code ?? '';
  }
}

/**
 * Asks for JSON.
 * @param {string} path
 * @param {Record<string, string|number|null|undefined>} [query] what is empty is left out
 * @param {AbortSignal} [signal]
 */
export async function get(path, query = {}, signal) {
  const response = await ask('GET', path + search(query), { signal });
  return response.json();
}

/**
 * Changes something, and gives the answer.
 * @param {string} path
 * @param {unknown} [body]
 */
export async function post(path, body = {}) {
  const response = await ask('POST', path, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  return response.json();
}

/**
 * Asks for bytes.
 * @param {string} path
 * @param {AbortSignal} [signal]
 */
export async function getBlob(path, signal) {
  return (await ask('GET', path, { signal })).blob();
}

/**
 * Asks, and gives the response of a success. Everything else is a Problem, but for an
 * AbortError where the signal aborted it.
 * @param {string} method
 * @param {string} path
 * @param {RequestInit & {headers?: Record<string, string>}} [init]
 */
export async function ask(method, path, init = {}) {
  const headers = { ...authorization(), ...init.headers };
  const asked = session.peek();
  const response = await fetch(path, { ...init, method, headers, cache: 'no-cache' }).catch((error) => {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { title: 'No answer', detail: 'ticketrail does not answer.' });
  });
  if (response.ok) return response;
  // What was asked with another token than the present one tells nothing of this one.
  if (response.status === 401 && asked === session.peek()) tokenWanted.value = true;
  throw new Problem(response.status, await response.json().catch(() => ({})));
}

/** @param {Record<string, string|number|null|undefined>} query */
export function search(query) {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return text && '?' + text;
}

/**
 * The path of an order.
 * @param {{source: string, key: string}} order
 */
export const orderPath = ({ source, key }) => `/v1/orders/${encodeURIComponent(source)}/${encodeURIComponent(key)}`;
