/** What is around every page: the way about, the standing of the connection, dialogs. */
import { useEffect, useRef } from 'preact/hooks';
import { html } from './core/html.js';
import { announcement } from './core/announce.js';
import { href, route } from './core/router.js';
import { session, tokenWanted } from './core/session.js';
import { help, palette } from './core/dialogs.js';
import { nextTheme, theme } from './core/settings.js';
import { Connection, LostBanner, ReplacedBanner } from './parts/connection.js';
import { TokenForm, Leave } from './parts/token.js';
import { Palette } from './parts/palette.js';
import { Help } from './parts/help.js';
import { Page, pageOf, pages } from './pages.js';

/** The whole of the page. */
export function Shell() {
  const page = pageOf(route.value);
  const wall = route.value.query.wall === '1';
  useEffect(() => {
    document.title = page.title + ' · ticketrail';
  }, [page.title]);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    ${!wall && html`<${Header} current=${page.name} />`}
    <${LostBanner} />
    <${ReplacedBanner} />
    <main id="main" tabindex="-1" class=${wall ? 'wall' : ''}>
      ${tokenWanted.value ? html`<${TokenForm} />` : html`<${Page} key=${page.name + session.value} place=${page} route=${route.value} />`}
    </main>
    <div class="unseen" role="status">${announcement.value}</div>
    ${palette.value && html`<${Palette} />`}
    ${help.value && html`<${Help} />`}
  `;
}

/** @param {{current: string}} props */
function Header({ current }) {
  const nav = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => {
    const here = nav.current?.querySelector('[aria-current]');
    // To scroll it into view would have the Tab key go on from there.
    if (nav.current && here instanceof HTMLElement) nav.current.scrollLeft = here.offsetLeft - nav.current.offsetLeft - 40;
  }, [current]);
  return html`<header class="top">
    <a class="brand" href=${href(['board'])}>ticketrail</a>
    <nav aria-label="Pages" ref=${nav}>
      <ul>
        ${pages
          .filter((page) => page.listed)
          .map((page) => html`<li key=${page.name}><a href=${href([page.name])} aria-current=${page.name === current ? 'page' : undefined}>${page.title}</a></li>`)}
      </ul>
    </nav>
    <div class="tools">
      <${Connection} />
      <button type="button" class="quiet" onClick=${() => (palette.value = true)}>Find <kbd>Ctrl K</kbd></button>
      <button type="button" class="quiet" onClick=${nextTheme} aria-label=${'Theme: ' + theme.value} title=${'Theme: ' + theme.value}>${themeSigns[theme.value]}</button>
      <button type="button" class="quiet" onClick=${() => (help.value = true)} aria-label="Keyboard shortcuts">?</button>
      <${Leave} />
    </div>
  </header>`;
}

/** @type {Record<string, string>} */
const themeSigns = { system: '◐', light: '☀', dark: '☾' };

/** Moves on past the header; the hash is the address of the page and stays. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
