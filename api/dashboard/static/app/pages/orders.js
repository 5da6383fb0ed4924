/** The list of all orders: search, filter, and page through. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { html } from '../core/html.js';
import { get } from '../core/api.js';
import { announce } from '../core/announce.js';
import { subscribe } from '../core/feed.js';
import { money, plural } from '../core/format.js';
import { limitOf } from '../core/program.js';
import { useAnswer } from '../core/resource.js';
import { go, href, orderHref, setQuery } from '../core/router.js';
import { stateName, states } from '../core/states.js';
import { Failure, Loading, NoMatches, NoOrders } from '../parts/notes.js';
import { Filters } from '../parts/filters.js';
import { Lateness, State, Trouble } from '../parts/marks.js';
import { useSources } from '../parts/sources.js';
import { When } from '../parts/when.js';

/** @typedef {import('../core/types.js').Order} Order */

/** A change of a filter begins at the first page. */
const firstPage = { cursor: null, page: null };

const pageSize = 50;

/** @param {{route: import('../core/types.js').Route}} props */
export function OrdersPage({ route }) {
  const { source, store, problem, q, late, state, sort, cursor } = route.query;
  const asked = { source, store, problem, q, late, state, sort, cursor, limit: pageSize };
  const list = useList(asked);
  const sources = useSources();
  /** @type {Order[]} */
  const orders = list.value?.orders ?? [];
  const narrowed = [source, store, problem, q, late, state].some(Boolean);
  useEffect(() => {
    if (list.value) announce(plural(orders.length, 'order') + ' on this page.');
  }, [list.value]);
  return html`
    <h1>Orders</h1>
    <${Filters} query=${route.query} sources=${sources} reset=${firstPage} />
    <${States} chosen=${state} />
    <${Failure} error=${list.error} again=${list.again} />
    ${!list.value && !list.error && html`<${Loading} />`}
    ${list.value && orders.length === 0 && (narrowed || cursor ? html`<${NoMatches} clear=${href(['orders'])} />` : html`<${NoOrders} />`)}
    ${orders.length > 0 && html`
      ${list.news > 0 && html`<p class="note slim">${plural(list.news, 'order')} changed since this was read. <button type="button" onClick=${list.again}>Read again</button></p>`}
      <${Table} orders=${orders} sort=${sort} />
      <${Pages} route=${route} next=${list.value.next_cursor} />
    `}
  `;
}

/** Which states are listed; none chosen is all. @param {{chosen?: string}} props */
function States({ chosen = '' }) {
  const all = chosen.split(',').filter(Boolean);
  const toggle = (/** @type {string} */ state) => {
    const now = all.includes(state) ? all.filter((one) => one !== state) : [...all, state];
    setQuery({ ...firstPage, state: now.join(',') });
  };
  return html`<div class="chips" role="group" aria-label="States">
    ${states.map((state) => html`<button key=${state} type="button" class="chip" data-state=${state} aria-pressed=${all.includes(state)} onClick=${() => toggle(state)}>${stateName(state)}</button>`)}
  </div>`;
}

/** @param {{orders: Order[], sort?: string}} props */
const Table = ({ orders, sort = '-updated' }) => html`<div class="table" tabindex="0" role="region" aria-label="Orders">
  <table>
    <thead>
      <tr>
        <th scope="col">Order</th><th scope="col">State</th><th scope="col">Source</th><th scope="col">Store</th><th scope="col" class="number">Total</th>
        <${Sortable} name="created" label="First webhook" sort=${sort} /><${Sortable} name="updated" label="Last webhook" sort=${sort} />
      </tr>
    </thead>
    <tbody>
      ${orders.map((order) => html`<tr key=${idOf(order)}>
        <th scope="row"><a href=${orderHref(order)} data-item=${idOf(order)}>${order.key}</a>${order.reference && html` <span class="muted">${order.reference}</span>`}</th>
        <td><${State} state=${order.state} /> <${Trouble} reason=${order.problem?.reason} />
          <${Lateness} since=${Date.parse(order.state_since)} limit=${limitOf(order)} expected=${order.expected_next} /></td>
        <td>${order.source}</td><td>${order.store_id}</td><td class="number">${money(order.total, order.currency)}</td>
        <td><${When} at=${order.first_seen_at} /></td><td><${When} at=${order.updated_at} /></td>
      </tr>`)}
    </tbody>
  </table>
</div>`;

/** A heading that sorts by its column, and again the other way round. @param {{name: string, label: string, sort: string}} props */
function Sortable({ name, label, sort }) {
  const descending = sort === '-' + name;
  const direction = descending ? 'descending' : sort === name ? 'ascending' : undefined;
  const next = descending ? name : '-' + name;
  return html`<th scope="col" aria-sort=${direction}>
    <button type="button" class="sort" onClick=${() => setQuery({ ...firstPage, sort: next })}>${label} <span aria-hidden="true">${direction ? (descending ? '↓' : '↑') : ''}</span></button>
  </th>`;
}

/** The way to the next page; the way back is the browser's. @param {{route: import('../core/types.js').Route, next: string|null}} props */
function Pages({ route, next }) {
  const page = Number(route.query.page ?? 1);
  const forth = () => go(href(route.path, { ...route.query, cursor: next, page: page + 1 }));
  return html`<nav class="pages" aria-label="Pages of the list">
    ${page > 1 && html`<button type="button" onClick=${() => setQuery(firstPage, {})}>First page</button> <button type="button" onClick=${() => history.back()}>Previous page</button>`}
    <span class="muted">Page ${page}</span>
    ${next && html`<button type="button" onClick=${forth}>Next page</button>`}
  </nav>`;
}

/**
 * Reads a list, and tells how many orders have changed since it was asked for, but for
 * changes that it knows of: it stays as it is while somebody reads it.
 * @param {Record<string, string|number|undefined>} asked
 */
function useList(asked) {
  const changed = useSignal(/** @type {Map<string, number>} */ (new Map()));
  const list = useAnswer((signal) => {
    changed.value = new Map();
    return get('/v1/orders', asked, signal);
  }, [JSON.stringify(asked)]);
  useEffect(() => {
    let began = false; // a reset at once is about what is being read just now
    const end = subscribe({
      reset: () => began && list.again(),
      change: ({ order }) => (changed.value = new Map(changed.value).set(idOf(order), order.stream_sequence)),
    });
    began = true;
    return end;
  }, [list.again]);
  const known = new Map((list.value?.orders ?? []).map((/** @type {Order} */ order) => [idOf(order), order.stream_sequence]));
  const news = [...changed.value].filter(([id, sequence]) => sequence > (known.get(id) ?? 0));
  return { ...list, news: news.length };
}

/** @param {Order} order */
const idOf = (order) => order.source + '/' + order.key;
