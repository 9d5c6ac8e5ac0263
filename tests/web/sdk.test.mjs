// attune.js in a real browser, against a real attuned: what share/web/README.md promises.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Attuned, Scratch, launch, tool, until, watched } from './support.mjs';

const kPage = `<!doctype html><html lang="en"><title>shop</title><script src="/attune.js" data-attune-auto></script>
<body><div id="home" data-attune-slot="home" data-attune-n="4">
<template><article><a data-attune="url"><img data-attune="image"></a><h3 data-attune="name"></h3><b data-attune="price"></b><i data-attune="say"></i></article></template>
<p id="own">what the page has itself</p></div>
<button id="add" data-attune-event="cart_add" data-attune-item="phone" data-attune-price="549.00" data-attune-currency="EUR">add</button></body></html>`;
const kPlain = '<!doctype html><title>plain</title><script src="/attune.js"></script><body></body>';

let scratch, attuned, browser, context;
before(async () => {
  scratch = new Scratch();
  // Whoever puts the phone into the cart looks at case and glass next; most look at lamps.
  const events = [];
  for (let i = 0; i < 400; ++i)
    (i % 4 ? ['lamp', 'bulb', 'rug', 'sofa'] : ['phone', 'case', 'glass']).forEach((item, k) =>
      events.push({ type: item === 'phone' ? 'cart_add' : 'view', customer: 'c' + i, item, time: 1767225600000 + i * 60000 + k * 1000 }));
  tool('attune-train', ['-o', scratch.file('model')], events.map(event => JSON.stringify(event)).join('\n'));
  const line = (item, more) => JSON.stringify({ item, name: 'The ' + item, price: '9.5', currency: 'EUR', url: '/item?' + item, image: '/' + item + '.svg', ...more });
  scratch.file('catalog.ndjson', ['phone', 'case', 'glass', 'lamp', 'bulb', 'rug', 'sofa'].map(item => line(item)).join('\n'));
  mkdirSync(scratch.file('www'));
  scratch.file('www/index.html', kPage);
  scratch.file('www/plain.html', kPlain);
  for (const item of ['phone', 'case', 'glass', 'lamp', 'bulb', 'rug', 'sofa'])
    scratch.file(`www/${item}.svg`, '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');
  attuned = await new Attuned(scratch, ['--model', scratch.file('model'), '--catalog', scratch.file('catalog.ndjson'), '--www', scratch.file('www'),
    '--www-header', "Content-Security-Policy: default-src 'self'; require-trusted-types-for 'script'"]).start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await attuned?.stop();
  scratch?.remove();
});
beforeEach(async () => { context = await browser.newContext(); });
afterEach(() => context.close());

const shown = page => page.$$eval('#home article', cards => cards.map(card => card.dataset.attuneItem));
const open = async (path = '/') => {
  const page = await watched(context);
  await page.goto(attuned.url + path);
  return page;
};
const cards = page => page.waitForSelector('#home article');
const mine = (page, type) => page.evaluate(() => attune.customer).then(customer => attuned.events().filter(each => each.customer === customer && (!type || each.type === type)));

test('a page without code is filled from its template, under a strict policy', async () => {
  const page = await open();
  await cards(page);
  const card = await page.$eval('#home article', each => ({
    item: each.dataset.attuneItem, name: each.querySelector('h3').textContent, price: each.querySelector('b').textContent,
    url: each.querySelector('a').getAttribute('href'), image: each.querySelector('img').getAttribute('src'), say: each.querySelector('i'),
  }));
  assert.equal(card.name, 'The ' + card.item);
  assert.equal(card.price, '€9.50');
  assert.equal(card.url, '/item?' + card.item);
  assert.equal(card.image, `/${card.item}.svg`);
  assert.equal(card.say, null, 'a field the item has not is left out');
  assert.equal(await page.$('#own'), null);
  assert.deepEqual(page.faults, []);
});

test('a cart add in one tab changes the other without a reload', async () => {
  const [home, other] = [await open(), await open()];
  await cards(home);
  await cards(other);
  const lead = async page => (await shown(page)).slice(0, 2).sort().join() === 'case,glass';
  assert.deepEqual([await lead(home), await lead(other)], [false, false], 'they do not lead before');
  let loads = 0;
  home.on('load', () => ++loads);
  await other.click('#add');
  await until('case and glass lead', () => lead(home));
  await until('here too', () => lead(other));
  assert.equal(loads, 0);
  const [event] = await mine(home, 'cart_add');
  assert.equal(event.item, 'phone');
  assert.equal(event.price, '549');
  assert.equal(event.currency, 'EUR');
});

test('impressions and clicks carry the id of the answer that showed the item', async () => {
  const page = await open();
  await page.evaluate(() => attune.on('answer', ({ answer }) => { (window.answers ||= []).push(answer.recommendation) }));
  await cards(page);
  await until('an impression', async () => (await mine(page, 'impression')).length);
  const [impression] = await mine(page, 'impression');
  assert.equal(impression.slot, 'home');
  assert.deepEqual(impression.items.map(line => line.item).sort(), (await shown(page)).sort());
  const clicked = await page.$eval('#home article', each => each.dataset.attuneItem);
  await page.click('#home article h3');
  await until('a click', async () => (await mine(page, 'click')).length);
  const [click] = await mine(page, 'click');
  assert.equal(click.item, clicked);
  assert.equal(click.recommendation, impression.recommendation);
  assert.match(click.recommendation, /^[0-9a-f]{32}$/);
});

test('offline for a while: nothing is lost, nothing double, the order stands', async () => {
  const page = await open('/plain.html');
  await page.evaluate(() => attune.view('lamp'));
  await context.setOffline(true);
  const tracked = await page.evaluate(() => Promise.all(['bulb', 'rug', 'sofa'].map(item => attune.view(item))));
  assert.deepEqual(tracked, [null, null, null].map(() => undefined));
  assert.equal((await mine(page)).length, 1);
  await page.reload().catch(() => {}); // there is no network: the page is lost, what it kept is not
  await context.setOffline(false);
  await page.goto(attuned.url + '/plain.html');
  await page.evaluate(() => attune.init().customer);
  await until('an empty queue', () => page.evaluate(() => !Object.keys(localStorage).some(key => key.startsWith('attune.q'))));
  // Perhaps once as the page went and once by the next one: under one id.
  const ids = new Map((await mine(page)).map(each => [each.id, each.item]));
  assert.deepEqual([...ids.values()], ['lamp', 'bulb', 'rug', 'sofa']);
  const customer = await page.evaluate(() => attune.customer);
  await until('the profile', async () => (await attuned.profile(customer))?.counts.view === 4);
});

test('a reply that is lost has the event sent again under the same id, and it counts once', async () => {
  const page = await open('/plain.html');
  let lost = 0;
  await page.route('**/v1/events*', async route => {
    if (lost++) return route.continue();
    await route.fetch(); // the service has it
    await route.abort(); // the page does not know
  });
  await page.evaluate(() => attune.cartAdd('phone'));
  await until('twice in the log', async () => (await mine(page)).length === 2);
  const [one, two] = await mine(page);
  assert.equal(one.id, two.id);
  const customer = await page.evaluate(() => attune.customer);
  await until('the profile', () => attuned.profile(customer));
  await page.evaluate(() => attune.view('lamp'));
  await until('the view', async () => (await attuned.profile(customer)).counts.view === 1);
  assert.equal((await attuned.profile(customer)).counts.cart_add, 1);
});

test('a tab that is closed right after a click: the event arrives', async () => {
  const page = await open();
  await cards(page);
  const customer = await page.evaluate(() => attune.customer);
  await page.click('#add');
  await page.close({ runBeforeUnload: true });
  await until('the event', () => attuned.events().some(each => each.customer === customer && each.type === 'cart_add'));
});

test('the service restarted: what was done meanwhile arrives, and the page is live again', async () => {
  const page = await open();
  await cards(page);
  await attuned.stop('SIGKILL');
  await page.click('#add');
  await until('it waits', () => page.evaluate(() => Object.keys(localStorage).some(key => key.startsWith('attune.q'))));
  assert.ok((await shown(page)).length > 0, 'the page keeps what it shows');
  await attuned.start();
  await until('the event', async () => (await mine(page, 'cart_add')).length === 1, 60_000);
  await until('the changed answer', async () => (await shown(page)).slice(0, 2).sort().join() === 'case,glass', 60_000);
  const customer = await page.evaluate(() => attune.customer);
  const streams = async () => /attune_http_streams\{listener="public"\} (\d+)/.exec(await (await fetch(attuned.admin + '/metrics')).text())[1];
  await until('a stream', async () => +await streams() >= 1, 60_000);
  await fetch(attuned.url + '/v1/events', { method: 'POST', body: JSON.stringify({ type: 'cart_add', customer, item: 'lamp' }) });
  await until('a change by the stream', async () => (await shown(page)).includes('bulb'));
});

for (const [name, say] of [['Do Not Track', "Object.defineProperty(navigator, 'doNotTrack', { value: '1' })"],
  ['Global Privacy Control', "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"]])
  test(`with ${name} no event leaves, nothing is kept, and what is popular is shown`, async () => {
    await context.addInitScript(say);
    const asked = [];
    const page = await watched(context);
    page.on('request', request => asked.push(request.method() + ' ' + request.url()));
    await page.goto(attuned.url + '/');
    await cards(page);
    await page.click('#add');
    await page.click('#home article h3');
    assert.equal(await page.evaluate(() => attune.view('lamp')), undefined);
    await page.reload();
    await cards(page);
    assert.deepEqual(asked.filter(each => each.startsWith('POST')), []);
    assert.deepEqual(asked.filter(each => each.includes('customer=')), []);
    assert.deepEqual(await page.evaluate(() => Object.values(localStorage)), ['{}']);
    assert.deepEqual(page.faults, []);
  });

test('consent refused: told once, then nothing is sent and nothing is kept, until it is given', async () => {
  const page = await open('/plain.html');
  await page.evaluate(() => attune.view('lamp'));
  const customer = await page.evaluate(() => attune.customer);
  await page.evaluate(() => attune.consent(false));
  await page.evaluate(() => attune.view('rug'));
  assert.deepEqual(attuned.events().filter(each => each.customer === customer).map(each => each.type), ['view', 'consent']);
  assert.deepEqual(await page.evaluate(() => [Object.values(localStorage), attune.customer]), [['{"off":1}'], undefined]);
  await page.evaluate(() => attune.consent(true));
  await page.evaluate(() => attune.view('sofa'));
  const again = await page.evaluate(() => attune.customer);
  assert.notEqual(again, customer);
  assert.deepEqual(attuned.events().filter(each => each.customer === again).map(each => each.type), ['consent', 'view']);
});

test('who logs in brings along what was done before; after logging out it is another visitor', async () => {
  const page = await open('/plain.html');
  await page.evaluate(() => attune.cartAdd('phone'));
  const before = await page.evaluate(() => attune.customer);
  assert.match(before, /^anon-[\w-]{22}$/);
  await page.evaluate(() => attune.identify('ana'));
  assert.equal(await page.evaluate(() => attune.customer), 'ana');
  await until('one history', async () => (await attuned.profile('ana'))?.counts.cart_add === 1);
  await page.evaluate(() => attune.reset());
  const next = await page.evaluate(() => attune.customer);
  assert.match(next, /^anon-/);
  assert.notEqual(next, before);
});

test('an answer knows the events of the page before', async () => {
  const page = await open('/plain.html');
  await page.evaluate(() => attune.cartAdd('phone'));
  await page.goto(attuned.url + '/');
  await cards(page);
  assert.deepEqual((await shown(page)).slice(0, 2).sort(), ['case', 'glass']);
});

test('one round trip: the reply to an event brings the changed answer, and each part of the way is told', async () => {
  const page = await open();
  await cards(page);
  const way = await page.evaluate(() => new Promise(told => {
    const way = [];
    for (const name of ['sent', 'durable', 'answer', 'painted']) attune.on(name, ({ event, ...detail }) => {
      if (name === 'sent' || name === 'durable' || event) way.push([name, detail.timing ?? event?.timing]);
      if (name === 'painted' && event) told(way);
    });
    attune.cartAdd('phone');
  }));
  assert.deepEqual(way.map(([name]) => name), ['sent', 'durable', 'answer', 'painted']);
  for (const part of ['accepted', 'durable', 'profile', 'rank', 'total']) assert.ok(way[1][1][part] >= 0, part);
});

test('a service that fails leaves the page as it was, and throws nothing into it', async () => {
  const page = await watched(context);
  await page.route('**/v1/**', route => route.fulfill({ status: 500, body: 'no' }));
  await page.goto(attuned.url + '/');
  await page.click('#add');
  await page.waitForFunction(() => Object.keys(localStorage).some(key => key.startsWith('attune.q')));
  assert.ok(await page.$('#own'));
  assert.deepEqual(page.faults, []);
});

test('where storage is full events are sent all the same', async () => {
  const page = await open('/plain.html');
  await page.evaluate(() => {
    attune.customer; // under which name is settled before
    for (let size = 1 << 22; size; size >>= 1)
      for (let n = 0; ; ++n) try { localStorage[`ballast.${size}.${n}`] = 'x'.repeat(size) } catch { break }
  });
  await page.evaluate(() => Promise.all([attune.view('lamp'), attune.view('rug')]));
  await until('both', async () => (await mine(page)).length === 2);
  assert.deepEqual((await mine(page)).map(each => each.item), ['lamp', 'rug']);
  assert.equal(new Set((await mine(page)).map(each => each.id)).size, 2);
  assert.deepEqual(page.faults, []);
});

test('an event the service refuses is told, dropped, and keeps no other from being sent', async () => {
  const page = await open('/plain.html');
  const told = await page.evaluate(async () => {
    const told = [];
    attune.on('error', error => told.push(error.body?.detail ?? error));
    await attune.track('view', {}); // of no item
    await attune.view('lamp');
    return told;
  });
  assert.deepEqual(told, ['item: missing']);
  assert.deepEqual((await mine(page)).map(each => each.item), ['lamp']);
});
