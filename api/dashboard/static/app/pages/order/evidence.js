/** What is odd about an order, and the pictures that prove its delivery. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { html } from '../../core/html.js';
import { getBlob } from '../../core/api.js';
import { size } from '../../core/format.js';
import { setQuery } from '../../core/router.js';
import { Failure } from '../../parts/notes.js';

/** @typedef {import('../../core/types.js').Order} Order */

/** What each oddity means to somebody who has never met it. @type {Record<string, string>} */
const meanings = {
  'unknown-status': 'The provider sent a status that ticketrail does not know: the axes stay as they were.',
  'unknown-event': 'The provider sent an event that it has not published.',
  'status-outside-contract': 'The provider sent a status that it does not document for this event.',
  'webhook-id-reused': 'Two webhooks with different bodies bear the same id: both were applied.',
  'contradicting-outcomes': 'Two outcomes contradict one another: the higher one stands.',
  'unreadable-value': 'A value has an odd form: it is left out, and the rest of the webhook was applied.',
  'proof-not-base64': 'A proof of delivery could not be decoded: there is no picture of it.',
  'proof-not-a-picture': 'A proof of delivery is no picture: it can be saved, and is not shown.',
};

/** @param {{order: Order}} props */
export const Anomalies = ({ order }) => order.anomalies.length > 0 && html`<section aria-label="Anomalies"><h2>Anomalies</h2>
  <ul class="plain">
    ${order.anomalies.map((a) => html`<li key=${a.code + a.stream_sequence} class="note slim"><strong>${a.code}</strong> ${a.detail} <span class="muted">${meanings[a.code]}</span>
      <button type="button" class="quiet" onClick=${() => setQuery({ webhook: a.stream_sequence }, {})}>Webhook ${a.stream_sequence}</button></li>`)}
  </ul>
</section>`;

/** @param {{order: Order}} props */
export const Proofs = ({ order }) => order.proofs.length > 0 && html`<section aria-label="Proof of delivery"><h2>Proof of delivery</h2>
  <ul class="plain proofs">${order.proofs.map((proof) => html`<li key=${proof.id}><${ProofOfDelivery} proof=${proof} /></li>`)}</ul>
</section>`;

/** The types that a browser shows as a plain picture. */
const pictures = ['image/png', 'image/jpeg', 'image/gif'];

/** A picture is fetched with the token, which an image element cannot send. @param {{proof: Order['proofs'][number]}} props */
function ProofOfDelivery({ proof }) {
  const address = useSignal('');
  const failure = useSignal(/** @type {Error|null} */ (null));
  useEffect(() => {
    const controller = new AbortController();
    let made = '';
    getBlob(proof.url, controller.signal).then(
      (blob) => (address.value = made = URL.createObjectURL(blob)),
      (error) => controller.signal.aborted || (failure.value = error),
    );
    return () => {
      controller.abort();
      URL.revokeObjectURL(made);
    };
  }, [proof.url]);
  if (failure.value) return html`<${Failure} error=${failure.value} />`;
  return html`<figure>
    ${address.value && pictures.includes(proof.type) && html`<img src=${address.value} alt="Proof of delivery" />`}
    <figcaption><span class="muted">${proof.type}, ${size(proof.size)}</span> ${address.value && html`<a href=${address.value} download=${'proof-' + proof.id}>Save</a>`}</figcaption>
  </figure>`;
}
