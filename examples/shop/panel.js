// The panel: what attune did with the last event, where the answer came from and why; in a demonstration also the profile, and what runs.
'use strict';
(() => {
  const open = () => { try { return sessionStorage['shop.panel'] === 'open' } catch { return false } };
  const button = make('button', 'panel-button'), panel = make('aside', 'panel');
  panel.id = 'panel';
  panel.setAttribute('aria-label', 'What attune does');
  panel.tabIndex = 0; // it scrolls
  button.setAttribute('aria-controls', 'panel');
  const part = (title, kind) => {
    const heading = make('h3', '', title), body = make('div', kind);
    panel.append(heading, body);
    return { set: (...what) => body.replaceChildren(...what), show: on => { heading.hidden = body.hidden = !on } };
  };
  panel.append(make('h2', '', 'What attune does'), make('p', 'quiet', 'Put something into the cart, here or in another tab.'));
  const way = part('The last event'), source = part('This answer'), reasons = part('Why each item is here'), profile = part('The profile'), parts = part('What runs', 'parts');
  for (const each of [reasons, profile, parts]) each.show(false);
  way.set(make('p', 'quiet', 'None yet on this page.'));

  const ms = value => (value < 10 ? value.toFixed(1) : value.toFixed(0)) + ' ms';
  const sent = new Map(); // id → when
  attune.on('sent', ({ id }) => sent.set(id, performance.now()));
  attune.on('painted', ({ answer, event, at }) => {
    const began = event && sent.get(event.id);
    if (!began || event.type === 'impression') return;
    sent.delete(event.id);
    const { durable = 0, profile = 0, rank = 0, total = 0 } = event.timing;
    const net = Math.max(0, event.ms - total) / 2;
    // Durable and answered at the same time: what the answer took beyond is what is seen of it.
    const steps = [['to the service', net], ['durable in the log', durable], ['profile and answer', Math.max(0, total - durable)], ['back', net], ['on screen', Math.max(0, at - began - event.ms)]];
    const all = steps.reduce((sum, [, time]) => sum + time, 0);
    const bar = make('div', 'way'), legend = make('ul', 'legend');
    bar.setAttribute('aria-hidden', 'true');
    steps.forEach(([name, time], i) => {
      const piece = make('i', 's' + i), line = make('li');
      piece.style.width = 100 * time / all + '%';
      line.append(make('i', 's' + i), make('span', '', name), make('span', '', ms(time)));
      bar.append(piece);
      legend.append(line);
    });
    const words = make('p');
    words.append(make('b', '', `${event.type.replace('_', ' ')} ${goods.get(event.item)?.name || event.item || ''}`), ` → changed page in ${ms(all)}. The profile was at hand after ${ms(profile)}, ranking took ${ms(rank)}.`);
    way.set(words, bar, legend);
  });

  const kTiers = { fresh: 'from the profile as it stands', cached: 'from the profile as it was last known', session: 'from what this page knows', popular: 'what is popular', static: 'a list from the settings' };
  let admin, asked;
  attune.on('answer', ({ slot, answer }) => {
    const line = make('p'), tier = make('span', 'tier' + (answer.tier === 'fresh' ? '' : ' low'), answer.tier);
    line.append(tier, ' ' + kTiers[answer.tier] + (answer.age_ms ? `, ${ms(answer.age_ms)} old` : '') + '.');
    if (answer.degraded) line.append(' ' + answer.degraded.detail + '.');
    source.set(line);
    if (admin && open()) {
      clearTimeout(asked);
      asked = setTimeout(inside, 150, slot, answer.items.length);
    }
  });

  const ask = (path, options) => fetch(admin + path, options).then(reply => reply.ok ? reply.json() : undefined).catch(() => undefined);
  // What only the admin listener tells.
  const inside = async (slot, n) => {
    const customer = attune.customer;
    if (!customer) return;
    const item = new URLSearchParams(location.search).get('item');
    const [answer, known] = await Promise.all([ask('/v1/recommendations?' + new URLSearchParams({ customer, slot, n, why: 1, budget_ms: 500, fields: 'name', ...(item && { item }) })),
      ask('/v1/profiles/' + encodeURIComponent(customer))]);
    reasons.show(answer);
    if (answer) {
      const list = make('ol', 'why');
      for (const each of answer.items) {
        const line = make('li');
        line.append(make('b', '', each.name || each.item));
        const words = (each.reasons || []).filter(reason => reason.sentence).sort((a, b) => b.score - a.score).slice(0, 2).map(reason => reason.sentence);
        line.append(words.join('; ') || 'weighed up from many things');
        list.append(line);
      }
      reasons.set(list);
    }
    profile.show(known);
    if (known) profile.set(make('p', '', `${known.customer}: ${Object.entries(known.counts).map(([type, times]) => times + ' ' + type.replace('_', ' ')).join(', ')}.`),
      make('p', 'quiet', (known.cart.length ? 'In the cart: ' + known.cart.map(line => goods.get(line.item)?.name || line.item).join(', ') + '. ' : '') + `Version ${known.version}.`));
  };
  const running = async () => {
    if (open()) {
      const all = (await ask('/v1/demo'))?.parts || [];
      parts.show(all.length);
      parts.set(...all.map(({ name, title, up }) => {
        const line = make('div'), words = make('span'), act = make('button', '', up ? 'Stop' : 'Start');
        words.append(make('i', up ? 'dot' : 'dot off'), title || name);
        act.setAttribute('aria-label', (up ? 'Stop ' : 'Start ') + (title || name));
        act.addEventListener('click', () => {
          act.disabled = true;
          ask(`/v1/demo?part=${name}&do=${up ? 'stop' : 'start'}`, { method: 'POST' });
        });
        line.append(words, act);
        const row = make('li');
        row.append(...line.childNodes);
        return row;
      }));
    }
    setTimeout(running, 1000);
  };

  const fold = on => {
    try { sessionStorage['shop.panel'] = on ? 'open' : '' } catch { /* this page alone then */ }
    panel.hidden = !on;
    document.body.classList.toggle('with-panel', on);
    button.setAttribute('aria-expanded', on);
    button.textContent = on ? 'Close' : 'What happened?';
    if (on && admin) inside(document.body.dataset.page, 8);
  };
  button.addEventListener('click', () => fold(panel.hidden));
  addEventListener('keydown', event => { if (event.key === 'Escape' && !panel.hidden) { fold(false); button.focus(); } });
  document.body.append(button, panel);
  fold(open());
  fetch('/demo.json').then(reply => reply.ok ? reply.json() : undefined).then(demo => {
    if (!demo) return;
    admin = demo.admin;
    running();
    if (open()) inside(document.body.dataset.page, 8);
  }).catch(() => {});
})();
