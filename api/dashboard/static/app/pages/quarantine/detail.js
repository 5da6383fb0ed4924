/** One entry of the quarantine, in a drawer at the side. */
import { html } from '../../core/html.js';
import { get } from '../../core/api.js';
import { useAnswer } from '../../core/resource.js';
import { Copy } from '../../parts/copy.js';
import { Dialog } from '../../parts/dialog.js';
import { Failure, Loading } from '../../parts/notes.js';
import { Rows } from '../parts/rows.js';
import { When } from '../../parts/when.js';
import { indented } from '../parts/json.js';

/** @param {{id: string, close: () => void}} props */
export function Detail({ id, close }) {
  const answer = useAnswer((signal) => get('/v1/quarantine/' + encodeURIComponent(id), {}, signal), [id]);
  return html`<${Dialog} title=${'Entry ' + id} kind="drawer" close=${close}>
    <${Failure} error=${answer.error} again=${answer.again} />
    ${!answer.value && !answer.error && html`<${Loading} />`}
    ${answer.value && html`<${Entry} entry=${answer.value} />`}
  <//>`;
}

/** @param {{entry: import('../../core/types.js').QuarantineDetail}} props */
function Entry({ entry }) {
  const body = entry.body ?? entry.body_base64;
  return html`
    <dl class="facts">
      <div><dt>Received</dt><dd><${When} at=${entry.received_at} /></dd></div>
      <div><dt>Source</dt><dd>${entry.source}</dd></div>
      <div><dt>Cause</dt><dd>${entry.cause}</dd></div>
      <div><dt>Where</dt><dd>${entry.where ?? 'the whole body'}</dd></div>
    </dl>
    ${entry.hint && html`<p>${entry.hint}</p>`}
    <p><${Copy} text=${`ticketrail quarantine retry ${entry.id}`} label="Copy the command that tries it again" /></p>
    ${entry.headers.length > 0 && html`<${Rows} label="Headers" heads=${['Header', 'Value']} rows=${entry.headers.map((header) => [header.name, header.value])} />`}
    ${body ? html`<pre class="code" tabindex="0" aria-label="Body">${indented(body)}</pre>` : html`<p class="muted">Its body is gone.</p>`}
  `;
}
