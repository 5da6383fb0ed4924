/** The pages, by the first segment of the address. A page is fetched when it is first asked for. */
import { html } from './core/html.js';
import { useAnswer } from './core/resource.js';
import { Failure, Loading } from './parts/notes.js';

/**
 * @typedef {import('./core/types.js').Route} Route
 * @typedef {(props: {route: Route}) => unknown} View
 * @typedef {{name: string, title: string, listed: boolean, load: () => Promise<View>}} Place
 */

/** @type {Place[]} */
export const pages = [
  { name: 'board', title: 'Board', listed: true, load: async () => (await import('./pages/board.js')).BoardPage },
  { name: 'orders', title: 'Orders', listed: true, load: async () => (await import('./pages/orders.js')).OrdersPage },
  { name: 'order', title: 'Order', listed: false, load: async () => (await import('./pages/order.js')).OrderPage },
  { name: 'replay', title: 'Replay', listed: true, load: async () => (await import('./pages/replay.js')).ReplayPage },
  { name: 'quarantine', title: 'Quarantine', listed: true, load: async () => (await import('./pages/quarantine.js')).QuarantinePage },
  { name: 'sources', title: 'Sources', listed: true, load: async () => (await import('./pages/sources.js')).SourcesPage },
  { name: 'system', title: 'System', listed: true, load: async () => (await import('./pages/system.js')).SystemPage },
];

/** The page that an address is about; the board where it is about none. @param {Route} route */
export const pageOf = (route) => pages.find((page) => page.name === route.path[0]) ?? pages[0];

/** Shows a page. @param {{place: Place, route: Route}} props */
export function Page({ place, route }) {
  const view = useAnswer(place.load, [place.name]);
  if (view.value) return html`<${view.value} route=${route} />`;
  return view.error ? html`<${Failure} error=${view.error} again=${view.again} />` : html`<${Loading} />`;
}
