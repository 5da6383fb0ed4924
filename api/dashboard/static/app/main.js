/** Starts the page. */
import { render } from 'preact';
import { html } from './core/html.js';
import { startFeed } from './core/feed.js';
import { startKeys } from './core/keys.js';
import { Shell } from './shell.js';

startFeed();
startKeys();
const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(html`<${Shell} />`, root);
}
