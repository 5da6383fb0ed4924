/** One order on the board. */
import { html } from '../../core/html.js';
import { money } from '../../core/format.js';
import { orderHref } from '../../core/router.js';
import { Lateness, Trouble } from '../../parts/marks.js';
import { Age } from '../../parts/when.js';

/** @param {{card: import('../../core/board.js').Card}} props */
export function Card({ card }) {
  return html`<li>
    <a class="card" href=${orderHref(card)} data-item=${card.id}>
      <span class="line"><strong class="name">${card.reference ?? shortKey(card)}</strong> <span class="age"><${Age} since=${card.since} /></span></span>
      <span class="line muted"><span class="name">${card.source}${card.store ? ' · ' + card.store : ''}</span> <span class="total">${money(card.total, card.currency)}</span></span>
      <span class="marks">
        <${Trouble} reason=${card.problem} />
        <${Lateness} since=${card.since} limit=${card.limit} expected=${card.expected} />
      </span>
    </a>
  </li>`;
}

/** The key without the store that it begins with, since the store is told below. @param {import('../../core/board.js').Card} card */
const shortKey = ({ key, store }) => (store && key.startsWith(store + ':') ? key.slice(store.length + 1) || key : key);
