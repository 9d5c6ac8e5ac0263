// The owner's page: /metrics and /v1/live, each second; rates and percentiles are differences of two looks.
'use strict';
const $ = id => document.getElementById(id);
const kept = []; // the last minute of looks
let token = sessionStorage.getItem('attune-admin') || '';

const ask = async path => {
  const reply = await fetch(path, { headers: token ? { Authorization: 'Bearer ' + token } : {} });
  if (reply.status === 401) { $('login').hidden = false; throw new Error('the admin listener asks for its token') }
  $('login').hidden = true;
  return reply;
};

// Prometheus' text: name → [{labels, value}].
const parse = text => {
  const all = {};
  for (const line of text.split('\n')) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) continue;
    const labels = Object.fromEntries([...(found[2] || '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]));
    (all[found[1]] ||= []).push({ labels, value: found[3] === '+Inf' ? Infinity : +found[3] });
  }
  return all;
};
const sum = (look, name, labels = {}) => (look.metrics[name] || [])
  .filter(each => Object.entries(labels).every(([label, value]) => each.labels[label] === value)).reduce((all, each) => all + each.value, 0);
const count = number => new Intl.NumberFormat('en', number < 10 ? { maximumFractionDigits: 1 } : number < 10000 ? { maximumFractionDigits: 0 } :
  { notation: 'compact', maximumFractionDigits: 1 }).format(number);

// The quantile of a stage's times between two looks, in ms: by its buckets, straight within one.
const quantile = (from, to, stage, part) => {
  const buckets = look => Object.fromEntries((look?.metrics.attune_stage_seconds_bucket || [])
    .filter(each => each.labels.stage === stage).map(each => [each.labels.le, each.value]));
  const before = buckets(from), now = Object.entries(buckets(to))
    .map(([le, value]) => [le === '+Inf' ? Infinity : +le, value - (before[le] || 0)]).sort((a, b) => a[0] - b[0]);
  const all = now.at(-1)?.[1] || 0;
  if (!all) return { all };
  let low = 0, below = 0;
  for (const [le, reached] of now) {
    if (reached >= all * part) return { all, ms: 1000 * (le === Infinity ? low : low + (le - low) * (all * part - below) / Math.max(1, reached - below)) };
    low = le;
    below = reached;
  }
  return { all };
};
const ms = value => value === undefined ? '–' : value < 10 ? value.toFixed(2) : value.toFixed(0);

const text = (tag, words, kind) => {
  const element = document.createElement(tag);
  element.textContent = words;
  if (kind) element.className = kind;
  return element;
};
const bars = (id, rows, none) => {
  const most = Math.max(...rows.map(row => row.size), 1e-9);
  $(id).replaceChildren(...(rows.length ? rows.map(row => {
    const line = document.createElement('li'), bar = text('i', '', 'bar');
    bar.style.width = 100 * row.size / most + '%';
    line.append(bar, text('span', row.name), text('span', row.words));
    return line;
  }) : [text('li', none, 'none')]));
};
const spark = (id, numbers) => {
  const most = Math.max(...numbers, 1), step = 120 / Math.max(1, numbers.length - 1);
  $(id).firstElementChild.setAttribute('d', numbers.map((n, i) => `${i ? 'L' : 'M'}${(i * step).toFixed(1)} ${(31 - 30 * n / most).toFixed(1)}`).join(''));
};
const rates = read => kept.slice(1).map((look, i) => Math.max(0, (read(look) - read(kept[i])) * 1000 / (look.at - kept[i].at)));

const kStages = { accepted: 'read and checked', durable: 'durable in the log', applied: 'event → profile written', profile: 'profile at hand', wait: 'waited for an event', rank: 'ranked', answer: 'answer, all of it' };
const draw = look => {
  const first = kept[0];
  const events = each => sum(each, 'attune_collect_events_total', { outcome: 'acknowledged' });
  const answers = each => sum(each, 'attune_answers_total');
  for (const [id, read] of [['events', events], ['answers', answers]]) {
    const all = rates(read);
    $(id).textContent = all.length ? count(all.slice(-5).reduce((a, b) => a + b, 0) / Math.min(5, all.length)) : '–';
    $(id + '-all').textContent = count(read(look)) + ' since the start';
    spark(id + '-line', all);
  }
  const fresh = quantile(first, look, 'applied', .5), slow = quantile(first, look, 'applied', .99);
  $('fresh').textContent = fresh.ms === undefined ? '–' : ms(fresh.ms) + ' ms';
  $('fresh-more').textContent = fresh.ms === undefined ? 'no event in the last minute' : 'p50; p99 ' + ms(slow.ms) + ' ms';
  $('streams').textContent = count(sum(look, 'attune_http_streams'));
  $('memory').textContent = count(sum(look, 'process_resident_memory_bytes') / 1048576) + ' MB of memory';
  $('stages').replaceChildren(...Object.entries(kStages).map(([stage, name]) => {
    const row = document.createElement('tr'), half = quantile(first, look, stage, .5), most = quantile(first, look, stage, .99);
    const head = text('th', name);
    head.scope = 'row';
    row.append(head, text('td', ms(half.ms)), text('td', ms(most.ms)), text('td', count(half.all)));
    return row;
  }));
  const all = answers(look) || 1;
  bars('tiers', (look.metrics.attune_answers_total || []).filter(each => each.value).map(each =>
    ({ name: each.labels.tier, size: each.value, words: (100 * each.value / all).toFixed(1) + ' %' })), 'no answer yet');
  const { model, refused } = look.live;
  const trust = model?.trust[0];
  bars('trust', Object.entries(trust?.sources || {}).sort((a, b) => b[1] - a[1]).map(([name, size]) =>
    ({ name, size, words: (100 * size).toFixed(0) + ' %' })), 'this process does not answer');
  $('lessons').textContent = model ? `from ${count(trust.clicks)} clicks; the model holds ${count(model.clicks)} clicks on ${count(model.items)} items` : '';
  bars('top', (model?.top || []).map(each => ({ name: each.name || each.item, size: each.clicks, words: count(each.clicks) })), 'nothing yet');
  bars('rising', (model?.rising || []).map(each => ({ name: each.name || each.item, size: each.times, words: '× ' + each.times.toFixed(1) })), 'nothing rises');
  bars('refused', Object.entries(refused).sort((a, b) => b[1] - a[1]).map(([name, size]) => ({ name, size, words: count(size) })), 'none');
};

const look = async () => {
  try {
    const [metrics, live] = await Promise.all([ask('/metrics').then(reply => reply.text()), ask('/v1/live').then(reply => reply.json())]);
    kept.push({ at: performance.now(), metrics: parse(metrics), live });
    if (kept.length > 61) kept.shift();
    draw(kept.at(-1));
    const since = Date.now() / 1000 - sum(kept.at(-1), 'process_start_time_seconds');
    $('state').textContent = 'up for ' + (since < 120 ? Math.round(since) + ' s' : since < 7200 ? Math.round(since / 60) + ' min' : Math.round(since / 3600) + ' h');
    $('state').className = '';
  } catch (error) {
    $('state').textContent = error.message;
    $('state').className = 'bad';
  }
  setTimeout(look, 1000);
};

const lookUp = async customer => {
  const one = $('one');
  const [profile, answer] = await Promise.all([ask('/v1/profiles/' + encodeURIComponent(customer) + '?recent=1'),
    ask('/v1/recommendations?' + new URLSearchParams({ customer, why: 1, n: 8, budget_ms: 1000, fields: 'name' }))]);
  const known = profile.ok ? await profile.json() : undefined, shown = await answer.json();
  const parts = [];
  if (known) {
    parts.push(text('h3', 'What is known'));
    const counts = Object.entries(known.counts).map(([type, n]) => `${n} ${type}`).join(', ');
    parts.push(text('p', counts + (known.cart.length ? '; in the cart: ' + known.cart.map(line => line.item).join(', ') : ''), 'small'));
  } else {
    parts.push(text('p', profile.status === 404 ? 'Nothing is known of this customer.' : 'The profile can not be read now.', 'small'));
  }
  parts.push(text('h3', `What the homepage shows (${shown.tier}), and why`));
  const list = document.createElement('ol');
  for (const item of shown.items || []) {
    const line = document.createElement('li');
    line.append(text('span', item.name || item.item));
    for (const reason of item.reasons || [])
      if (reason.sentence) line.append(text('span', reason.sentence, 'small'));
    list.append(line);
  }
  parts.push(list);
  one.replaceChildren(...parts);
};

$('ask').addEventListener('submit', event => {
  event.preventDefault();
  lookUp($('customer').value.trim()).catch(error => $('one').replaceChildren(text('p', error.message, 'bad')));
});
$('login').addEventListener('submit', event => {
  event.preventDefault();
  token = $('token').value;
  sessionStorage.setItem('attune-admin', token);
});
look();
