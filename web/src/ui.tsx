// Owns the small parts that every page is made of.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Actor, ApiError } from './api';

const ICONS = {
  client: <><rect x="3" y="4.5" width="18" height="15" rx="2.5" /><path d="M3 9h18M6 6.8h.01M8.5 6.8h.01" /></>,
  edge: <><path d="M12 2.8l8 4.6v9.2l-8 4.6-8-4.6V7.4z" /><circle cx="12" cy="12" r="3" /></>,
  origin: <><rect x="4" y="4" width="16" height="7" rx="2" /><rect x="4" y="13" width="16" height="7" rx="2" /><path d="M7.5 7.5h.01M7.5 16.5h.01M12 7.5h4.5M12 16.5h4.5" /></>,
  network: <><path d="M3 12h5M16 12h5" stroke-dasharray="2 2.6" /><path d="M9 9l6 6M15 9l-6 6" /></>,
  none: <path d="M5 12.5l4.5 4.5L19 7" />,
  traffic: <path d="M4 20V10M9.3 20V4M14.7 20v-7M20 20V8" />,
  cases: <><path d="M4 7a2 2 0 012-2h3.5l2 2.5H18a2 2 0 012 2V17a2 2 0 01-2 2H6a2 2 0 01-2-2z" /><path d="M8 13h8" /></>,
  findings: <><circle cx="11" cy="11" r="6.5" /><path d="M16 16l4.5 4.5M8.5 11.5l2 2 3.5-4" /></>,
  origins: <><rect x="4" y="4" width="16" height="7" rx="2" /><rect x="4" y="13" width="16" height="7" rx="2" /><path d="M7.5 7.5h.01M7.5 16.5h.01" /></>,
  tail: <><path d="M4 6h16M4 11h16M4 16h9" /><circle cx="18.5" cy="17" r="2.4" /></>,
  settings: <><path d="M4 7h9M19 7h1M4 12h2M12 12h8M4 17h9M19 17h1" /><circle cx="16" cy="7" r="2.4" /><circle cx="9" cy="12" r="2.4" /><circle cx="16" cy="17" r="2.4" /></>,
  search: <><circle cx="11" cy="11" r="6.5" /><path d="M16 16l4.5 4.5" /></>,
  copy: <><rect x="8.5" y="8.5" width="11" height="11" rx="2.2" /><path d="M5.5 15.5h-.3A1.7 1.7 0 013.5 13.8V5.7A2.2 2.2 0 015.7 3.5h8.1a1.7 1.7 0 011.7 1.7v.3" /></>,
  check: <path d="M5 12.5l4.5 4.5L19 7" />,
  link: <><path d="M10 14a4.5 4.5 0 006.5.3l3-3a4.5 4.5 0 00-6.4-6.4l-1.3 1.3" /><path d="M14 10a4.5 4.5 0 00-6.5-.3l-3 3a4.5 4.5 0 006.4 6.4l1.3-1.3" /></>,
  close: <path d="M6 6l12 12M18 6L6 18" />,
  sun: <><circle cx="12" cy="12" r="4" /><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" /></>,
  moon: <path d="M20 14.5A8.5 8.5 0 119.5 4a6.8 6.8 0 0010.5 10.5z" />,
  pause: <path d="M8.5 5v14M15.5 5v14" />,
  play: <path d="M7.5 5l11 7-11 7z" />,
  filter: <path d="M4 6h16M7 12h10M10 18h4" />,
  back: <path d="M14.5 5l-7 7 7 7" />,
  next: <path d="M9.5 5l7 7-7 7" />,
  wrench: <path d="M14.7 6.3a4.2 4.2 0 005.3 5.3l-9 9a2.4 2.4 0 01-3.4-3.4z M20 6.5l-2.5 2.5-2.5-.5-.5-2.5L17 3.5a5 5 0 00-6.5 6.3L3.8 16.5" />,
  warn: <><path d="M12 4l9 15.5H3z" /><path d="M12 10v4.5M12 17h.01" /></>,
  reset: <><path d="M4 12a8 8 0 102.5-5.8L4 8.5" /><path d="M4 4v4.5h4.5" /></>,
} satisfies Record<string, JSX.Element>;

export type IconName = keyof typeof ICONS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">{ICONS[name]}</svg>;
}

export const ACTOR_NAME: Record<Actor, string> = { none: 'Nobody', client: 'Client', edge: 'Edge', network: 'Network', origin: 'Origin' };

/// Told by shape and word; the colour only helps.
export function ActorChip({ actor, text }: { actor: Actor; text?: string }) {
  return <span class={`actor actor-${actor}`}><Icon name={actor} size={14} />{text ?? ACTOR_NAME[actor]}</span>;
}

export function StatusPill({ status, aborted }: { status: number; aborted?: boolean }) {
  const kind = status === 0 || status >= 500 ? 'bad' : status >= 400 ? 'warn' : aborted ? 'bad' : 'good';
  return <span class={`pill pill-${kind}`}>{status === 0 ? 'none' : status}{aborted ? <span class="cut"> cut</span> : null}</span>;
}

/// Text that foreign hands wrote: its direction must not disturb what stands beside it.
export function Foreign({ text, class: className, title }: { text: string; class?: string; title?: boolean }) {
  return <bdi class={className} title={title ? text : undefined}>{text}</bdi>;
}

/// An address or a path that may break where its parts meet.
export function Address({ text, class: className }: { text: string; class?: string }) {
  return <bdi class={className} title={text}>{text.split(/(?=[.?&=]|:\d)|(?<=[/_-])/).map((part, i) => <>{i > 0 ? <wbr /> : null}{part}</>)}</bdi>;
}

/// A sentence with `code` in backticks.
export function Prose({ text }: { text: string }) {
  return <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}

/// A dotted name that may break at its dots only.
export function Dotted({ name }: { name: string }) {
  return <code class="dotted">{name.split(/(?<=[._])/).map((part, i) => <>{i > 0 ? <wbr /> : null}{part}</>)}</code>;
}

export function Panel({ title, aside, children, class: className, id, level = 2 }: {
  title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; class?: string; id?: string; level?: 2 | 3;
}) {
  const Heading = `h${level}` as 'h2';
  return (
    <section class={`panel ${className ?? ''}`} id={id}>
      {title ? <header class="panel-head"><Heading>{title}</Heading>{aside ? <div class="panel-aside">{aside}</div> : null}</header> : null}
      {children}
    </section>
  );
}

let announcer: ((text: string) => void) | null = null;

/// Said to screen readers, and shown for a moment.
export function announce(text: string): void {
  announcer?.(text);
}

export function Announcer() {
  const [text, setText] = useState('');
  useEffect(() => {
    let timer = 0;
    announcer = (said) => {
      setText(said);
      clearTimeout(timer);
      timer = window.setTimeout(() => setText(''), 3500);
    };
    return () => {
      announcer = null;
      clearTimeout(timer);
    };
  }, []);
  return <div class={`toast ${text ? 'toast-shown' : ''}`} role="status" aria-live="polite">{text}</div>;
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain http from another machine there is no clipboard API.
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'offscreen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function CopyButton({ text, what, label, icon = 'copy', class: className }: { text: string; what: string; label?: string; icon?: IconName; class?: string }) {
  const [done, setDone] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <button
      type="button"
      class={`button button-small ${label ? '' : 'button-icon'} ${className ?? ''}`}
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={async () => {
        const ok = await copyText(text);
        setDone(ok);
        announce(ok ? `Copied ${what}` : `Could not copy ${what}`);
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => setDone(false), 1600);
      }}
    >
      <Icon name={done ? 'check' : icon} size={15} />{label ? <span>{label}</span> : null}
    </button>
  );
}

export function Segmented<T extends string>({ label, value, options, onChange, disabled }: {
  label: string; value: T; options: { value: T; label: string; title?: string }[]; onChange: (value: T) => void; disabled?: boolean;
}) {
  return (
    <div class="segmented" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} title={option.title} disabled={disabled} onClick={() => onChange(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}

/// A share as a bar; the figure stands beside it.
export function Bar({ share, tone = 'accent' }: { share: number; tone?: string }) {
  return <span class="bar" aria-hidden="true"><span class={`bar-fill bar-${tone}`} style={{ width: `${Math.max(share > 0 ? 1.5 : 0, Math.min(100, share * 100))}%` }} /></span>;
}

export function Empty({ title, children, icon = 'none' }: { title: string; children?: ComponentChildren; icon?: IconName }) {
  return <div class="empty"><span class="empty-mark"><Icon name={icon} size={22} /></span><p class="empty-title">{title}</p>{children ? <div class="empty-text">{children}</div> : null}</div>;
}

const ERROR_TITLE: Record<number, string> = {
  0: 'No answer from the edge', 400: 'The edge did not understand', 401: 'A token is needed', 403: 'Not allowed', 404: 'Not found', 503: 'The edge cannot answer this now',
};

export function Failure({ error, retry, title }: { error: ApiError; retry?: () => void; title?: string }) {
  return (
    <div class="empty empty-bad" role="alert">
      <span class="empty-mark"><Icon name="warn" size={22} /></span>
      <p class="empty-title">{title ?? ERROR_TITLE[error.status] ?? `Error ${error.status}`}</p>
      <div class="empty-text"><p><Foreign text={error.message} /></p></div>
      {retry ? <button type="button" class="button" onClick={retry}><Icon name="reset" size={15} />Try again</button> : null}
    </div>
  );
}

/// Above figures that could not be asked for again.
export function Stale({ error, retry }: { error: ApiError | null; retry: () => void }) {
  return error ? <p class="banner" role="status"><Icon name="warn" size={16} /><span>These figures are not of now: <Foreign text={error.message} /> <button type="button" class="text-button" onClick={retry}>Try again</button></span></p> : null;
}

/// Holds the place of what is coming.
export function Skeleton({ rows, class: className }: { rows: number; class?: string }) {
  return (
    <div class={`skeleton ${className ?? ''}`} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => <span key={i} class={`bone bone-${i % 4}`} />)}
    </div>
  );
}

export function PageHead({ title, children, lead }: { title: ComponentChildren; children?: ComponentChildren; lead?: ComponentChildren }) {
  return (
    <header class="page-head">
      <div class="page-title"><h1 tabIndex={-1}>{title}</h1>{lead ? <p class="lead">{lead}</p> : null}</div>
      {children ? <div class="page-tools">{children}</div> : null}
    </header>
  );
}
