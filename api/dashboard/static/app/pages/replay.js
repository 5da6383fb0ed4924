/** Replay: where the read model stands, and making it anew from the stream. */
import { useSignal } from '@preact/signals';
import { html } from '../core/html.js';
import { get, post, Problem } from '../core/api.js';
import { count } from '../core/format.js';
import { useAction, useAnswer, useEvery } from '../core/resource.js';
import { Dialog } from '../parts/dialog.js';
import { Failure, Loading } from '../parts/notes.js';
import { Arithmetic, Standing } from './parts/standing.js';
import { Run } from './replay/run.js';

/**
 * @typedef {import('../core/types.js').Rebuild} Rebuild
 * @typedef {{title: string, says: string, path: string, body: object, word: string}} Act
 */

/** How often the progress is asked for, in milliseconds. */
const look = 1000;

/** @type {Act[]} */
const acts = [
  {
    title: 'Compare only',
    word: 'Compare',
    path: '/v1/rebuilds',
    body: { plan: true },
    says: 'A second read model is made from the stream and compared with the one in use, row by row. Nothing is put in the place of anything.',
  },
  {
    title: 'Rebuild',
    word: 'Rebuild',
    path: '/v1/rebuilds',
    body: {},
    says: 'A new read model is made from the stream beside the one in use, which goes on. It comes into use only if every row of both is the same.',
  },
  {
    title: 'Rebuild, and accept a difference',
    word: 'Rebuild and accept',
    path: '/v1/rebuilds',
    body: { accept: true },
    says: 'A new read model is made from the stream and comes into use, whatever sets it apart from the one in use. That one is kept, to go back to.',
  },
];

/** The page. */
export function ReplayPage() {
  const answer = useAnswer(async (signal) => {
    const [projection, { rebuilds }] = await Promise.all([get('/v1/projection', {}, signal), get('/v1/rebuilds', {}, signal)]);
    return { projection, rebuilds: /** @type {Rebuild[]} */ (rebuilds) };
  }, []);
  useEvery(answer.again, look);
  const asked = useSignal(/** @type {Act|null} */ (null));
  const { projection, rebuilds = [] } = answer.value ?? {};
  const ends = rebuilds.filter((run) => run.ended_at !== null).length;
  const previous = useAnswer(readPrevious, [ends, asked.value]).value;
  const goesOn = rebuilds.some((run) => run.ended_at === null);
  return html`
    <h1>Replay</h1>
    <${Failure} error=${answer.error} again=${answer.again} />
    ${!answer.value && !answer.error && html`<${Loading} />`}
    ${projection && html`<${Standing} projection=${projection} /><${Arithmetic} projection=${projection} />
      <p class="line wrap acts">
        ${acts.map((act) => html`<button key=${act.title} type="button" disabled=${goesOn} onClick=${() => (asked.value = act)}>${act.title}…</button>`)}
        ${previous && html`<button type="button" disabled=${goesOn} onClick=${() => (asked.value = rollback(previous))}>Roll back…</button>`}
      </p>
      <h2>Rebuilds</h2>
      ${rebuilds.length === 0 && html`<p class="note">None yet. A rebuild proves that the read model is what the stream makes of it; <code>ticketrail rebuild --plan</code> does the same in a terminal.</p>`}
      <ol class="plain runs">${rebuilds.map((run) => html`<${Run} key=${run.id} run=${run} again=${answer.again} />`)}</ol>`}
    ${asked.value && html`<${Confirm} act=${asked.value} close=${() => ((asked.value = null), answer.again())} />`}
  `;
}

/** Says what will be done, and does it. @param {{act: Act, close: () => void}} props */
function Confirm({ act, close }) {
  const doing = useAction(async () => {
    await post(act.path, act.body);
    close();
  });
  return html`<${Dialog} title=${act.title} close=${close}>
    <p>${act.says}</p>
    <${Failure} error=${doing.error} />
    <p class="line"><button type="button" disabled=${doing.busy} onClick=${() => doing.run(undefined)}>${act.word}</button> <button type="button" class="quiet" onClick=${close}>Leave it</button></p>
  <//>`;
}

/** @param {{checkpoint: number, projection_version: number}} previous @returns {Act} */
const rollback = (previous) => ({
  title: 'Roll back',
  word: 'Roll back',
  path: '/v1/projection/rollback',
  body: {},
  says: `The read model that was in use before, which is at stream sequence ${count(previous.checkpoint)} and of projection version ${previous.projection_version}, is brought up to date and put back in its place. A second rollback undoes it.`,
});

/** What a rollback goes back to; null where there is nothing, or nobody here can tell. @param {AbortSignal} signal */
async function readPrevious(signal) {
  return get('/v1/projection/previous', {}, signal).catch((error) => {
    if (error instanceof Problem && error.status >= 400 && error.status !== 401) return null;
    throw error;
  });
}
