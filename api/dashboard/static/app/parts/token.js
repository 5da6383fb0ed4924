/** Asks for the token of the API, where it wants one. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { html } from '../core/html.js';
import { forgetToken, giveToken, hasToken } from '../core/session.js';

/** A form in the place of the page. */
export function TokenForm() {
  const field = useRef(/** @type {HTMLInputElement|null} */ (null));
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const token = field.current?.value.trim();
    if (token) giveToken(token);
  };
  return html`<form class="note token" onSubmit=${submit}>
    <h1>This ticketrail asks for a token</h1>
    <p>${hasToken() ? 'The token that was given is not accepted, or no longer.' : 'It is kept for this tab, and sent to this ticketrail only.'}</p>
    <label>Token <input ref=${field} type="password" name="token" required autocomplete="off" /></label>
    <button type="submit">Continue</button>
    <p class="muted">Who runs ticketrail makes one with <code>ticketrail token create</code>: with the scope read you see orders, with raw what is personal of them and what senders sent too.</p>
  </form>`;
}

/** A button that forgets the token, where one was given. */
export const Leave = () => hasToken() && html`<button type="button" class="quiet" onClick=${forgetToken}>Leave</button>`;
