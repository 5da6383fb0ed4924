/** The filters that the board and the list share; what they say is in the address. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { html } from '../core/html.js';
import { setQuery } from '../core/router.js';

/** How long typing may pause before it counts, in milliseconds. */
const settle = 250;

/**
 * @param {{query: Record<string, string>, sources: string[], reset?: Record<string, null>}} props
 *   reset: what else of the query goes when a filter changes
 */
export function Filters({ query, sources, reset = {} }) {
  const set = (/** @type {Record<string, string>} */ change) => setQuery({ ...reset, ...change });
  return html`<form class="filters" role="search" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
    <${TextField} name="q" label="Search" value=${query.q} set=${set} search=${true} placeholder="key or reference" />
    <label>Source
      <select name="source" value=${query.source ?? ''} onChange=${(/** @type {any} */ e) => set({ source: e.target.value })}>
        <option value="">all</option>
        ${withChosen(sources, query.source).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
    </label>
    <${TextField} name="store" label="Store" value=${query.store} set=${set} placeholder="all" />
    <label>Problem
      <select name="problem" value=${query.problem ?? ''} onChange=${(/** @type {any} */ e) => set({ problem: e.target.value })}>
        <option value="">any</option>
        <option value="true">with one</option>
        <option value="false">without</option>
      </select>
    </label>
    <label>Late
      <select name="late" value=${query.late ?? ''} onChange=${(/** @type {any} */ e) => set({ late: e.target.value })}>
        <option value="">any</option>
        <option value="true">only those</option>
      </select>
    </label>
  </form>`;
}

/** @param {{name: string, label: string, value?: string, set: (change: Record<string, string>) => void, search?: boolean, placeholder: string}} props */
function TextField({ name, label, value = '', set, search = false, placeholder }) {
  const draft = useSignal(value);
  const sent = useRef(value);
  const timer = useRef(0);
  useEffect(() => {
    if (value === sent.current) return; // what was typed since then stays
    draft.value = sent.current = value;
  }, [value]);
  const typed = (/** @type {any} */ event) => {
    draft.value = event.target.value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = draft.value.trim();
      set({ [name]: sent.current });
    }, settle);
  };
  return html`<label class=${search ? 'grow' : ''}>${label}
    <input type="search" name=${name} value=${draft.value} placeholder=${placeholder} maxlength="200" autocomplete="off" spellcheck=${false} data-search=${search} onInput=${typed} />
  </label>`;
}

/** A source of the address is offered, though it is configured no more. @param {string[]} sources @param {string} [chosen] */
const withChosen = (sources, chosen) => (chosen && !sources.includes(chosen) ? [...sources, chosen] : sources);
