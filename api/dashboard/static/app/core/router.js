/**
 * Where the user is, which is all in the hash of the address: a copied address shows the
 * same thing, and going back undoes a step.
 */
import { signal } from '@preact/signals';

/** @typedef {import('./types.js').Route} Route */

/** @type {import('@preact/signals').Signal<Route>} */
export const route = signal(parseRoute(location.hash));

addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

/**
 * Reads a hash such as #/order/ordatic/store-7%3Ao-1?at=3.
 * @param {string} hash
 * @returns {Route}
 */
export function parseRoute(hash) {
  const [path, query = ''] = splitOnce(hash.replace(/^#\/?/, ''), '?');
  return {
    path: path.split('/').filter((segment) => segment !== '').map(decode),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/**
 * Gives the address of a place. What is empty in the query is left out.
 * @param {string[]} path
 * @param {Record<string, string|number|boolean|null|undefined>} [query]
 */
export function href(path, query = {}) {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false);
  const search = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return '#/' + path.map(encodeURIComponent).join('/') + (search && '?' + search);
}

/**
 * Goes to a place.
 * @param {string} address as href gives it
 * @param {{replace?: boolean}} [how] replace: going back skips the present place
 */
export function go(address, { replace = false } = {}) {
  if (!replace) {
    location.hash = address;
    return;
  }
  history.replaceState(null, '', address);
  route.value = parseRoute(address);
}

/**
 * Changes some of the query, and stays on the page.
 * @param {Record<string, string|number|boolean|null|undefined>} change
 * @param {{replace?: boolean}} [how]
 */
export function setQuery(change, how = { replace: true }) {
  go(href(route.value.path, { ...route.value.query, ...change }), how);
}

/**
 * The address of an order.
 * @param {{source: string, key: string}} order
 * @param {Record<string, string|number|null|undefined>} [query]
 */
export const orderHref = (order, query) => href(['order', order.source, order.key], query);

/** @param {string} text @param {string} by @returns {[string, string?]} */
function splitOnce(text, by) {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** @param {string} segment */
function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a hand-typed per cent sign
  }
}
