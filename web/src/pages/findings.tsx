// Owns the findings: what the failures have in common and the successes have not.
import { type Finding, type Findings, useApi } from '../api';
import { ago, count, fullMoment, percent, plural } from '../format';
import { link } from '../router';
import { ActorChip, Dotted, Empty, Failure, Foreign, Icon, PageHead, Prose, Skeleton, Stale } from '../ui';

function confidence(share: number): string {
  if (share <= 0) return '';
  return share >= 0.999 ? 'certain' : share >= 0.99 ? 'very likely' : share >= 0.95 ? 'likely' : 'perhaps chance';
}

function casesOf(finding: Finding): string {
  const factor = finding.factor === 'host' || finding.factor === 'path' ? { [finding.factor]: finding.value } : {};
  // A template of a path is no path.
  const usable = /[*{}<>:]|\.\.\./.test(finding.value) ? {} : factor;
  return link('/cases', { cause: finding.cause, since: finding.since, ...usable });
}

function Rates({ finding }: { finding: Finding }) {
  if (!finding.factor) return null;
  const most = Math.max(finding.inside_rate_high, finding.outside_rate, 1e-9);
  const at = (rate: number) => `${Math.min(100, (rate / most) * 100)}%`;
  return (
    <div class="rates">
      <div class="rate-row">
        <span class="rate-name"><Foreign text={`${finding.factor} ${finding.value}`} /></span>
        <span class="rate-bar" aria-hidden="true"><span class="rate-fill" style={{ width: at(finding.inside_rate) }} /><span class="rate-whisker" style={{ left: at(finding.inside_rate_low), width: `${((finding.inside_rate_high - finding.inside_rate_low) / most) * 100}%` }} /></span>
        <span class="rate-value num tone-bad">{percent(finding.inside_rate)}</span>
      </div>
      <div class="rate-row">
        <span class="rate-name faint">everything else</span>
        <span class="rate-bar" aria-hidden="true"><span class="rate-fill rate-outside" style={{ width: at(finding.outside_rate) }} /></span>
        <span class="rate-value num">{percent(finding.outside_rate)}</span>
      </div>
    </div>
  );
}

export function FindingCard({ finding, small }: { finding: Finding; small?: boolean }) {
  const sure = confidence(finding.confidence);
  return (
    <article class={`finding ${small ? 'finding-small' : 'panel'}`}>
      <header class="finding-head">
        <ActorChip actor={finding.actor} />
        <a class="finding-cause" href={casesOf(finding)} data-row title="Show these cases"><Dotted name={finding.cause} /></a>
        <span class="finding-count num">{count(finding.failed)} <span>failed</span></span>
      </header>
      <p class="finding-sentence"><Foreign text={finding.sentence} /></p>
      <Rates finding={finding} />
      <p class="finding-fix"><Icon name="wrench" size={14} /><span><Prose text={finding.fix} /></span></p>
      {small ? null : (
        <footer class="finding-foot">
          <dl class="facts-line num">
            <div><dt>failed</dt><dd>{count(finding.failed)}{finding.compared ? ` of ${plural(finding.requests, finding.unit === 'attempts' ? 'attempt' : 'request')}` : ''}</dd></div>
            {sure ? <div><dt>confidence</dt><dd>{sure} <span class="faint">({percent(finding.confidence)})</span></dd></div> : null}
            <div><dt>since</dt><dd title={fullMoment(finding.since)}>{ago(finding.since)}</dd></div>
            <div><dt>last</dt><dd title={fullMoment(finding.last)}>{ago(finding.last)}</dd></div>
          </dl>
          <div class="rays"><span class="faint">Rays</span>{finding.sample_rays.map((ray) => <a key={ray} class="mono" href={`/ray/${ray}`}>{ray}</a>)}</div>
          {finding.hidden_by_retry ? null : <a class="button" href={casesOf(finding)}>Show its cases</a>}
        </footer>
      )}
    </article>
  );
}

export function FindingsPage() {
  const { data, error, busy, reload } = useApi<Findings>('/api/findings', 60_000);
  return (
    <>
      <PageHead
        title={data ? (data.findings.length === 0 ? 'Nothing stands out' : plural(data.findings.length, 'finding')) : 'Findings'}
        lead="What failures have in common and the successes have not."
      >
        <button type="button" class="button" onClick={reload} disabled={busy}><Icon name="reset" size={15} />Look again</button>
      </PageHead>
      {data ? <Stale error={error} retry={reload} /> : null}
      {error && !data ? <section class="panel"><Failure error={error} retry={reload} /></section> : !data ? <div class="finding-grid">{[0, 1, 2, 3].map((i) => <section key={i} class="panel"><Skeleton rows={6} /></section>)}</div> : data.findings.length === 0 ? (
        <section class="panel"><Empty title="No pattern in the failures" icon="none"><p>A finding needs five failures of one cause. Single cases are under <a href="/cases">cases</a>.</p></Empty></section>
      ) : <div class="finding-grid" aria-busy={busy}>{data.findings.map((finding) => <FindingCard key={finding.cause + finding.factor + finding.value} finding={finding} />)}</div>}
      {data ? <p class="findings-about num">Computed {ago(data.computed)} from {plural(data.records, 'record')}{data.sampled ? ' (a sample)' : ''}, {count(data.failures)} of them failures, since {fullMoment(data.since)}.</p> : null}
    </>
  );
}
