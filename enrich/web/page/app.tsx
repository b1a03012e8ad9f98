import { useEffect, useRef, useState } from 'preact/hooks';
import { AlertPage } from './alert-page.tsx';
import { AlertsPage } from './alerts-page.tsx';
import { ExceptionsPage } from './exceptions-page.tsx';
import { HealthPage } from './health-page.tsx';
import { Help } from './help.tsx';
import { isTyping } from './keys.ts';
import { LoginPage } from './login-page.tsx';
import { go, Link, useRoute } from './route.tsx';
import { DestinationsPage, FingerprintsPage, HostsPage } from './rows-pages.tsx';
import { SearchPage } from './search-page.tsx';
import { forgetToken, hasToken } from './server.ts';
import { applyTheme, currentTheme, nextTheme } from './theme.ts';

const PAGES = [
  { name: 'alerts', title: 'Alerts' },
  { name: 'hosts', title: 'Hosts' },
  { name: 'destinations', title: 'Destinations' },
  { name: 'fingerprints', title: 'Fingerprints' },
  { name: 'search', title: 'Search' },
  { name: 'exceptions', title: 'Exceptions' },
  { name: 'health', title: 'Health' },
] as const;

export function App() {
  const route = useRoute();
  const [isIn, setIn] = useState(hasToken);
  const [isHelp, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const page = PAGES.find(({ name }) => name === route.page);

  useEffect(() => {
    document.title = `${page?.title ?? 'Waybill'} · Waybill`;
  }, [page]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '?') setHelp((shown) => !shown);
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[type=search]');
        if (search) search.focus();
        else go('/alerts');
        event.preventDefault();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const leave = () => {
    forgetToken();
    setIn(false);
  };
  if (!isIn) return <LoginPage onDone={() => setIn(true)} />;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <Link to="/alerts" class="brand">
          <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="#0b5cad" />
            <path d="M7 10l4 13 5-10 5 10 4-13" fill="none" stroke="#fff" stroke-width="3" />
          </svg>
          Waybill
        </Link>
        <nav aria-label="Pages">
          {PAGES.map(({ name, title }) => (
            <Link to={`/${name}`} aria-current={route.page === name ? 'page' : undefined}>
              {title}
            </Link>
          ))}
        </nav>
        <div class="tools">
          <ThemeSwitch />
          <button type="button" class="quiet" onClick={() => setHelp(true)} aria-label="Keyboard help">
            ?
          </button>
          <button type="button" class="quiet" onClick={leave}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {shown(route.page, route.id, route.query, leave)}
      </main>
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

function shown(page: string, id: string | undefined, query: URLSearchParams, onDenied: () => void) {
  switch (page) {
    case 'alerts':
      return id === undefined ? (
        <AlertsPage query={query} onDenied={onDenied} />
      ) : (
        <AlertPage key={id} id={id} isWhole={query.get('axis') === 'whole'} onDenied={onDenied} />
      );
    case 'hosts':
      return <HostsPage query={query} onDenied={onDenied} />;
    case 'destinations':
      return <DestinationsPage query={query} onDenied={onDenied} />;
    case 'fingerprints':
      return <FingerprintsPage query={query} onDenied={onDenied} />;
    case 'search':
      return <SearchPage query={query} onDenied={onDenied} />;
    case 'exceptions':
      return <ExceptionsPage onDenied={onDenied} />;
    case 'health':
      return <HealthPage onDenied={onDenied} />;
    default:
      return <p class="empty">There is no such page.</p>;
  }
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(currentTheme);
  const turn = () => {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" class="quiet" onClick={turn} aria-label={`Colours: ${theme}. Change`}>
      {{ system: '◐', light: '☀', dark: '☾' }[theme]} <span class="wide">{theme}</span>
    </button>
  );
}
