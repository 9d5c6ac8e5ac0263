// attune in a page; see attune.d.ts. Apache-2.0
(root => {
  'use strict';
  const { document, navigator = {} } = root;
  const script = document?.currentScript;
  const config = { fields: 'name,price,image,url', respectDnt: true, pollMs: 15000 };
  const slots = [];
  const listeners = {};
  const replies = {};
  const moving = new Set();
  let box = {}; // kept from page to page
  try { localStorage.attune ||= '{}'; box = localStorage } catch { /* this page alone */ }
  let tries = 0, timer, polling, stream, started, draining, count = 1000;

  const tell = (name, detail) => listeners[name]?.forEach(call => { try { call(detail) } catch { /* theirs */ } });
  const random = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/\W/g, c => ({ '+': '-', '/': '_' })[c] || '');
  const put = (key, text) => { try { box[key] = text } catch { box = { ...box, [key]: text } } }; // full: this page alone
  const state = change => {
    const now = JSON.parse(box.attune || '{}');
    if (change) put('attune', JSON.stringify(Object.assign(now, change)));
    return now;
  };
  const queue = () => Object.keys(box).filter(key => /^attune\.q/.test(key)).sort();
  const refused = () => state().off || config.respectDnt && (navigator.doNotTrack == 1 || navigator.globalPrivacyControl);
  const who = () => {
    if (refused()) return;
    const { customer, anonymous } = state();
    return customer || config.customer || anonymous || state({ anonymous: 'anon-' + random() }).anonymous;
  };
  const session = () => {
    const { session, seen } = state(), now = Date.now();
    return state({ seen: now, session: session && now - seen < 18e5 ? session : random() }).session;
  };
  const address = (path, each, more) => {
    const { slot, n, item } = each || {};
    const all = { slot, n, item, fields: each && config.fields, key: config.key, signature: config.signature, ...state().proof, ...more };
    for (const name in all) all[name] || delete all[name];
    return config.url + path + '?' + new URLSearchParams(all);
  };

  const token = () => Date.now() - state().seen < 6e4 ? state().token : '';

  // Answers.
  const show = (each, answer, event) => {
    const looks = answer.items.map(({ item, say }) => [item, say]).join();
    if (!answer.items.length || !slots.includes(each)) return;
    tell('answer', { slot: each.slot, answer, event });
    if (looks != each.looks) {
      Object.assign(each, { looks, answer });
      try { each.render(answer, each.element) } catch (error) { tell('error', { error }) }
      watch(each);
    }
    (root.requestAnimationFrame || setTimeout)(() => setTimeout(() => tell('painted', { slot: each.slot, answer, event, at: performance.now() })));
  };
  const ask = each => fetch(address('/v1/recommendations', each, { customer: who(), after: token() }))
    .then(async reply => reply.ok && show(each, await reply.json())).catch(() => {});
  // One stream a page: browsers open six connections to a host.
  const listen = () => {
    stream?.close();
    clearTimeout(polling);
    const [each, ...others] = slots;
    if (!each || document?.hidden) return;
    const poll = () => { ask(each), polling = setTimeout(listen, config.pollMs) };
    others.forEach(ask);
    if (!root.EventSource) return poll();
    stream = new EventSource(address('/v1/stream', each, { customer: who(), after: token() }));
    stream.addEventListener('recommendations', event => {
      show(each, JSON.parse(event.data));
      others.forEach(ask);
    });
    stream.onerror = () => stream.readyState == 2 && poll();
  };

  // Events: each under its own key, for tabs; one tab sends at a time.
  const send = async (events, ours) => {
    const each = ours && slots[0], sent = Date.now(), began = performance.now(), timing = {}, event = events.at(-1);
    const reply = await fetch(address('/v1/events', each), {
      method: 'POST', keepalive: true, headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(events.map(event => ({ ...event, sent }))),
    });
    if (reply.status > 499 || reply.status == 408 || reply.status == 429) throw reply;
    const body = await reply.json().catch(() => ({}));
    reply.headers.get('Server-Timing')?.replace(/(\w+);dur=([\d.]+)/g, (all, name, ms) => { timing[name] = +ms });
    const detail = { id: event.id, type: event.type, item: event.item, ms: performance.now() - began, timing };
    if (!reply.ok || body.rejected?.length) tell('error', { status: reply.status, body });
    else tell('durable', detail);
    if (ours && body.token) state({ token: body.token });
    if (body.recommendations) show(each, body.recommendations, detail);
    if (ours) slots.slice(1).forEach(ask);
    return body;
  };
  const empty = async () => {
    clearTimeout(timer);
    for (let keys; (keys = queue())[0] && !refused(); keys.forEach(key => delete box[key])) {
      const all = keys.slice(0, 50).map(key => JSON.parse(box[key]));
      const end = all.findIndex(event => event.customer != all[0].customer);
      const events = end < 0 ? all : all.slice(0, end);
      keys = keys.slice(0, events.length);
      events.forEach(event => moving.add(event.id));
      const body = await send(events, all[0].customer == who()).finally(() => moving.clear());
      events.forEach(event => { replies[event.id] = body });
      tries = 0;
    }
  };
  const drain = () => draining ||= (navigator.locks ? navigator.locks.request('attune', empty) : empty()).catch(() => {
    timer = setTimeout(drain, Math.min(6e4, 500 * 2 ** tries++ * (1 + Math.random())));
    tell('error', { waiting: queue().length });
  }).finally(() => { draining = 0 });
  const track = async (type, fields) => {
    init();
    if (refused()) return;
    const id = random(), time = Date.now(), event = { id, type, time, customer: who(), session: session(), ...fields };
    for (const name in event) event[name] ?? delete event[name];
    queue().slice(0, -499).forEach(key => delete box[key]);
    put('attune.q' + time + count++ + id, JSON.stringify(event));
    tell('sent', { id, type, item: event.item });
    await draining;
    await drain();
    const reply = replies[id];
    delete replies[id];
    return reply;
  };
  // Not on its way when the page goes; the next page sends it again, with the same ids.
  const leave = () => {
    const left = queue().map(key => box[key]).filter(text => moving.size < moving.add(JSON.parse(text).id).size);
    if (left[0] && !refused()) navigator.sendBeacon?.(address('/v1/events'), left.join('\n'));
  };

  // The page.
  const text = (name, item) => name != 'price' ? item[name] : item.price &&
    new Intl.NumberFormat(document.documentElement.lang || [], { style: 'currency', currency: item.currency || 'EUR' }).format(item.price);
  const fill = (answer, element) => {
    const template = element?.querySelector('template');
    template && element.replaceChildren(template, ...answer.items.map(item => {
      const copy = template.content.cloneNode(true);
      copy.firstElementChild.dataset.attuneItem = item.item;
      copy.querySelectorAll('[data-attune]').forEach(part => {
        const name = part.dataset.attune, value = text(name, item);
        if (value == null) part.remove();
        else if (name == 'image') { part.src = value; part.alt = '' }
        else if (name == 'url') part.href = value;
        else part.textContent = value;
      });
      return copy;
    }));
  };
  // Impressions: what was half in sight, once.
  const watch = each => {
    if (!each.element || !root.IntersectionObserver) return;
    each.eye?.disconnect();
    const { slot, answer: { recommendation } } = each;
    let items = [], later;
    const eye = each.eye = new IntersectionObserver(seen => {
      seen.forEach(({ isIntersecting, target }) => {
        if (isIntersecting) eye.unobserve(target), items.push({ item: target.dataset.attuneItem });
      });
      clearTimeout(later);
      later = setTimeout(() => items[0] && track('impression', { slot, recommendation, items }, items = []), 500);
    }, { threshold: .5 });
    each.element.querySelectorAll('[data-attune-item]').forEach(item => eye.observe(item));
  };
  const clicked = ({ target }) => {
    const near = target.closest('[data-attune-item]'), asked = target.closest('[data-attune-event]'), item = near?.dataset.attuneItem;
    const { attuneEvent, attuneQuantity: quantity, attunePrice: price, attuneCurrency: currency } = asked?.dataset || {};
    const each = slots.find(each => each.element?.contains(near));
    if (asked) track(attuneEvent, { item, quantity: quantity && +quantity, price, currency });
    else if (each) track('click', { item, slot: each.slot, recommendation: each.answer?.recommendation });
  };
  const recommend = (slot, options, element) => {
    init();
    const each = { slot, render: fill, element, ...(options?.call ? { render: options } : options) };
    slots.push(each) > 1 ? ask(each) : listen();
    return {
      refresh: () => ask(each),
      close: () => {
        each.eye?.disconnect();
        slots.splice(slots.indexOf(each), 1);
        listen();
      },
    };
  };
  const read = () => {
    const { attuneView: item } = document.body.dataset;
    if (item) track('view', { item });
    document.querySelectorAll('[data-attune-slot]').forEach(element => {
      const { attuneSlot, attuneN: n, attuneItem: item } = element.dataset;
      recommend(attuneSlot, { n, item }, element);
    });
  };
  const init = options => {
    Object.assign(config, options);
    config.url ??= script ? new URL(script.src).origin : '';
    if (started) return attune;
    started = true;
    root.addEventListener?.('online', drain);
    root.addEventListener?.('pagehide', leave);
    document?.addEventListener('click', clicked);
    document?.addEventListener('visibilitychange', () => {
      document.hidden ? leave() : drain();
      listen();
    });
    drain();
    return attune;
  };
  const attune = root.attune = {
    init, track, recommend,
    view: (item, fields) => track('view', { item, ...fields }),
    cartAdd: (item, fields) => track('cart_add', { item, quantity: 1, ...fields }),
    cartRemove: (item, fields) => track('cart_remove', { item, ...fields }),
    purchase: order => track('purchase', order),
    identify: async (customer, proof) => {
      const alias = who();
      if (!alias || alias == customer) return;
      state({ customer, proof, token: '' });
      const told = track('identify', { alias });
      listen();
      return told;
    },
    reset: () => {
      state({ customer: '', proof: 0, token: '', session: '', anonymous: '' });
      listen();
    },
    consent: async granted => {
      if (granted) state({ off: 0 });
      const reply = await track('consent', { granted });
      if (!granted) {
        queue().forEach(key => delete box[key]);
        put('attune', '{"off":1}');
      }
      listen();
      return reply;
    },
    on: (name, call) => { (listeners[name] ||= []).push(call) },
    get customer() { return who() },
    get token() { return token() },
  };
  if (script && 'attuneAuto' in script.dataset) {
    init({ key: script.dataset.attuneKey });
    document.readyState == 'loading' ? document.addEventListener('DOMContentLoaded', read) : read();
  }
})(globalThis);
