// Owns the sentence above the traffic: what is wrong, in words.
import type { Totals, Traffic } from './api';
import { count, percent, plural } from './format';

export interface Headline {
  sentence: string;
  detail: string;
  tone: 'good' | 'bad' | 'quiet';
  /// The causes the sentence counts.
  causes: Traffic['top']['causes'];
}

export const isFailure = (cause: string) => cause !== 'none' && cause !== '(other)' && !cause.startsWith('client.');

const WORDS = ['no', 'one', 'two', 'three'];

function change(now: Totals, before: Totals | null, range: string): string {
  if (!before || before.requests === 0) return '';
  if (before.failures === now.failures) return `As many as in the ${range} before.`;
  if (before.failures === 0) return `There were none in the ${range} before.`;
  const more = now.failures > before.failures;
  const ratio = now.failures / before.failures;
  if (ratio >= 2) return `That is ${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1).replace(/\.0$/, '')} times as many as in the ${range} before (${count(before.failures)}).`;
  return `${more ? 'Up' : 'Down'} from ${count(before.failures)} in the ${range} before.`;
}

/// `range` as in "the hour before", `phrase` as in "the last hour".
export function headline(traffic: Traffic, range: string, phrase = `the last ${range}`): Headline {
  const { totals, before, top } = traffic;
  if (totals.requests === 0) {
    return { sentence: `No request in ${phrase}.`, detail: 'Nothing has come through this edge, or nothing that these filters let through.', tone: 'quiet', causes: [] };
  }
  if (totals.failures === 0) {
    return {
      sentence: `All is well: ${plural(totals.requests, 'request')}, no failure.`,
      detail: totals.client_gone > 0 ? `${plural(totals.client_gone, 'request')} failed by the client’s own doing.` : change(totals, before, range),
      tone: 'good',
      causes: [],
    };
  }
  const failing = top.causes.filter((row) => isFailure(row.key));
  const explained: typeof failing = [];
  let sum = 0;
  for (const row of failing.slice(0, 3)) {
    if (explained.length > 0 && sum / totals.failures >= 0.9) break;
    explained.push(row);
    sum += row.requests;
  }
  const statuses = top.statuses.filter((row) => Number(row.key) >= 500).sort((a, b) => b.requests - a.requests);
  // A failure may have a status below 500 (a body cut after its 200), and a 505 may be the client's own doing.
  const [most] = statuses;
  const part = most ? most.requests / totals.failures : 0;
  const what = !most || part < 0.5 || part > 1 ? 'Failures' : part === 1 && statuses.length === 1 ? `${most.key}s` : `Mostly ${most.key}s`;
  const share = Math.min(1, sum / totals.failures);
  const failures = plural(totals.failures, 'failure');
  const n = explained.length;
  let sentence: string;
  if (n === 0) sentence = `${failures} in ${plural(totals.requests, 'request')}.`;
  else if (share < 0.4) sentence = `${what}: ${failures}, and no cause stands out.`;
  else if (share >= 1 && n === 1) sentence = `${what}: one cause explains ${totals.failures === 1 ? 'the one failure' : `all ${failures}`}.`;
  else if (share >= 1) sentence = `${what}: ${WORDS[n]} causes explain all ${failures}.`;
  else sentence = `${what}: ${n === 1 ? 'one cause explains' : `${n} causes explain`} ${percent(share)} of ${failures}.`;
  const first = explained[0];
  const detail = [
    `${percent(totals.failures / totals.requests)} of ${plural(totals.requests, 'request')} failed.`,
    change(totals, before, range),
    n === 1 && first ? first.summary : '',
  ].filter(Boolean).join(' ');
  return { sentence, detail, tone: 'bad', causes: explained };
}
