// Owns the address bar: the path says which page, the query holds range and filters.
import { useEffect, useState } from 'preact/hooks';

export interface Route {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

export function currentRoute(): Route {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export function navigate(href: string, options: { replace?: boolean } = {}): void {
  const from = location.pathname;
  if (href === location.pathname + location.search) return;
  if (options.replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  for (const tell of [...listeners]) tell();
  if (location.pathname !== from) scrollTo(0, 0);
}

/// The present path with some parameters set, or with null removed.
export function withQuery(changes: Record<string, string | null>, path = location.pathname): string {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  return path + (text ? `?${text}` : '');
}

export function link(path: string, parameters: Record<string, string | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value) query.set(key, value);
  const text = query.toString();
  return path + (text ? `?${text}` : '');
}

export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const tell = () => setRoute(currentRoute());
    listeners.add(tell);
    addEventListener('popstate', tell);
    return () => {
      listeners.delete(tell);
      removeEventListener('popstate', tell);
    };
  }, []);
  return route;
}

/// Links are plain links; those to our own pages are followed without a reload.
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = (event.target as Element).closest?.('a');
    if (!anchor || anchor.target || anchor.dataset['native'] !== undefined) return;
    if (anchor.origin !== location.origin || anchor.hash) return;
    event.preventDefault();
    navigate(anchor.pathname + anchor.search);
  });
}
