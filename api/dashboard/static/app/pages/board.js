/** The board: every order that goes on, and those that ended lately, in columns by state. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { html } from '../core/html.js';
import { announce } from '../core/announce.js';
import { now } from '../core/clock.js';
import { count, plural } from '../core/format.js';
import { href, setQuery } from '../core/router.js';
import { endedStates, openStates, states } from '../core/states.js';
import { Failure, Loading, NoMatches, NoOrders } from '../parts/notes.js';
import { Filters } from '../parts/filters.js';
import { useSources } from '../parts/sources.js';
import { Column } from './board/column.js';
import { useBoard } from './board/live.js';
import { WallBar } from './board/wall.js';

/** @param {{route: import('../core/types.js').Route}} props */
export function BoardPage({ route }) {
  const { source = '', store = '', problem = '', q = '', late = '', wall = '' } = route.query;
  const filters = { source, store, problem, q };
  const paused = useSignal(false);
  const live = useBoard(filters, paused.value);
  const sources = useSources();
  const narrowed = source + store + problem + q + late !== '';
  const lateAt = late ? now.value : undefined; // who is late is a matter of the clock

  const size = states.reduce((sum, state) => (live.board.watch(state), sum + live.board.size(state, lateAt)), 0);
  useEffect(() => {
    if (live.loaded) announce(plural(size, 'order') + ' on the board.');
  }, [live.loaded, size]);
  const column = (/** @type {string} */ state) => html`<${Column} key=${state} state=${state} board=${live.board} lateAt=${lateAt} total=${live.totals.get(state)} more=${live.more.has(state)} />`;
  return html`
    <h1 class="unseen">Board</h1>
    ${wall === '1'
      ? html`<${WallBar} />`
      : html`<div class="bar">
          <${Filters} query=${route.query} sources=${sources} />
          <${Pause} paused=${paused} waiting=${live.waiting} />
          <button type="button" class="quiet" onClick=${() => setQuery({ wall: 1 }, {})}>Wall screen</button>
        </div>`}
    <${Failure} error=${live.error} again=${live.again} />
    ${!live.loaded && size === 0 && !live.error && html`<${Loading} />`}
    ${live.loaded && size === 0 && (narrowed ? html`<${NoMatches} clear=${href(['board'])} />` : html`<${NoOrders} />`)}
    <div class="board" hidden=${size === 0} tabindex="0" role="region" aria-label="Columns by state">
      ${openStates.map(column)}
      ${!late && html`<div class="ended">${endedStates.map(column)}</div>`}
    </div>
  `;
}

/** Stops the cards and counts what came meanwhile. @param {{paused: import('@preact/signals').Signal<boolean>, waiting: number}} props */
const Pause = ({ paused, waiting }) => html`<button type="button" data-key="p" aria-pressed=${paused.value} onClick=${() => (paused.value = !paused.value)}>
  ${paused.value ? `Go on (${count(waiting)} new)` : 'Pause'}
</button>`;
