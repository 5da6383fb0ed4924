/** A webhook as it was received, in a drawer at the side. */
import { useSignal } from '@preact/signals';
import { html } from '../../core/html.js';
import { get } from '../../core/api.js';
import { size } from '../../core/format.js';
import { useAnswer } from '../../core/resource.js';
import { hasToken } from '../../core/session.js';
import { Copy } from '../../parts/copy.js';
import { Dialog } from '../../parts/dialog.js';
import { indented } from '../parts/json.js';
import { Failure, Loading } from '../../parts/notes.js';
import { When } from '../../parts/when.js';

/** @typedef {import('../../core/types.js').Webhook} Webhook */

/** @param {{sequence: string, close: () => void}} props */
export function Drawer({ sequence, close }) {
  const answer = useAnswer((signal) => get('/v1/webhooks/' + encodeURIComponent(sequence), {}, signal), [sequence]);
  /** @type {Webhook|null} */
  const webhook = answer.value;
  return html`<${Dialog} title=${'Webhook ' + sequence} kind="drawer" close=${close}>
    <${Failure} error=${answer.error} again=${answer.again} />
    ${!webhook && !answer.error && html`<${Loading} />`}
    ${webhook && html`<${Received} webhook=${webhook} />`}
  <//>`;
}

/** @param {{webhook: Webhook}} props */
function Received({ webhook }) {
  const asCame = useSignal(false);
  const body = webhook.body ?? webhook.body_base64 ?? '';
  return html`
    <dl class="facts">
      <div><dt>Received</dt><dd><${When} at=${webhook.received_at} /></dd></div>
      <div><dt>Source</dt><dd>${webhook.source}</dd></div>
      <div><dt>Event</dt><dd>${webhook.event}</dd></div>
      <div><dt>Webhook id</dt><dd>${webhook.webhook_id ?? 'none'}</dd></div>
      <div><dt>Content-Type</dt><dd>${webhook.content_type}</dd></div>
      <div><dt>Size</dt><dd>${size(webhook.size)}</dd></div>
    </dl>
    <p class="line wrap">
      <${Copy} text=${curl(webhook)} label="Copy as curl" />
      <${Copy} text=${curl(webhook) + ' && ' + send(webhook)} label="Copy as a command that sends it again" />
      <${Copy} text=${body} label="Copy body" />
    </p>
    ${webhook.body === null && webhook.body_base64 !== null && html`<p class="muted">The body is not UTF-8: it is shown in base64.</p>`}
    <label class="check"><input type="checkbox" checked=${asCame.value} onChange=${(/** @type {any} */ e) => (asCame.value = e.target.checked)} /> Byte for byte, as it came</label>
    <pre class="code" tabindex="0" aria-label="Body">${asCame.value ? body : indented(body)}</pre>
  `;
}

/** The file that the commands leave the body in. @param {Webhook} webhook */
const fileName = (webhook) => `webhook-${webhook.stream_sequence}.json`;

/** A command that fetches the body, byte for byte. The token is not in it. @param {Webhook} webhook */
function curl(webhook) {
  const token = hasToken() ? ' -H "Authorization: Bearer $TICKETRAIL_API_TOKEN"' : '';
  return `curl -fsS${token} -o ${fileName(webhook)} ${quoted(`${location.origin}/v1/webhooks/${webhook.stream_sequence}?raw=true`)}`;
}

/** A command that signs the body anew and posts it. @param {Webhook} webhook */
const send = (webhook) => `ticketrail send --source ${quoted(webhook.source)} ${fileName(webhook)}`;

/** A text as one word of a shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
