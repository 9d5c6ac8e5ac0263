// The package as npm has it: size, faces, Segment's calls; no browser.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const web = resolve(fileURLToPath(import.meta.url), '../../../share/web');
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8'));

test('the SDK is at most 4 kB gzipped', () => {
  const bytes = gzipSync(readFileSync(join(web, 'attune.js')), { level: 9 }).length;
  console.log(`attune.js: ${bytes} bytes gzipped`);
  assert.ok(bytes <= 4096, `${bytes} bytes`);
});

test('the package lists every file it needs, and depends on nothing', () => {
  for (const file of manifest.files) assert.ok(existsSync(join(web, file)), file);
  for (const face of [manifest.main, manifest.types, ...Object.values(manifest.exports).flatMap(each => typeof each === 'string' ? each : Object.values(each))])
    assert.ok(manifest.files.includes(face.replace('./', '')), face);
  assert.equal(manifest.dependencies, undefined);
});

test('every call of attune.d.ts is there, and no other', async () => {
  const { default: attune } = await import(join(web, 'attune.mjs'));
  const declared = /export interface Attune \{([\s\S]*?)\n\}/.exec(readFileSync(join(web, 'attune.d.ts'), 'utf8'))[1];
  const names = [...declared.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(attune).sort(), names.sort());
});

test("Segment's calls become attune's", async () => {
  const calls = [];
  const whole = globalThis.attune;
  globalThis.attune = Object.fromEntries(['track', 'purchase', 'identify', 'reset'].map(name => [name, (...all) => { calls.push([name, ...all]); return Promise.resolve(); }]));
  require(join(web, 'segment.js'));
  const { analytics } = globalThis;
  analytics.track('Product Added', { product_id: 'aurora-5', quantity: 1, price: 549, currency: 'EUR' });
  analytics.track('Order Completed', { order_id: 'o1', currency: 'EUR', products: [{ product_id: 'aurora-5', quantity: 2, price: 549 }] });
  analytics.track('Products Searched', { query: 'lamp' });
  await analytics.track('Coupon Entered', { coupon_id: 'x' });
  analytics.identify('ana', { email: 'a@example.org' }, { signature: 's' });
  analytics.reset();
  globalThis.attune = whole;
  assert.deepEqual(calls, [
    ['track', 'cart_add', { item: 'aurora-5', quantity: 1, price: 549, currency: 'EUR', category: undefined }],
    ['purchase', { order: 'o1', currency: 'EUR', items: [{ item: 'aurora-5', quantity: 2, price: 549 }] }],
    ['track', 'search', { query: 'lamp' }],
    ['identify', 'ana', { signature: 's' }],
    ['reset'],
  ]);
});

test('without a page or storage events are sent, again until they are durable, under one id, and the token is carried', async () => {
  const { default: attune } = await import(join(web, 'attune.mjs'));
  globalThis.crypto ??= webcrypto;
  const asked = [];
  globalThis.fetch = async (url, options) => {
    asked.push([new URL(url), options?.body && JSON.parse(options.body)]);
    if (asked.length === 1) throw new Error('no network');
    if (asked.length === 2) return new Response('busy', { status: 503 });
    return new Response(JSON.stringify({ accepted: 1, rejected: [], token: 'T1', items: [] }), { status: 202, headers: { 'Server-Timing': 'durable;dur=0.5' } });
  };
  const durable = new Promise(told => attune.on('durable', told));
  attune.init({ url: 'http://shop.example', key: 'K' });
  assert.equal(await attune.view('lamp', { category: 'lamps' }), undefined);
  const told = await durable;
  assert.equal(told.timing.durable, 0.5);
  assert.equal(asked.length, 3);
  const events = asked.map(([, body]) => body[0]);
  assert.equal(new Set(events.map(event => event.id)).size, 1);
  assert.deepEqual([events[2].type, events[2].item, events[2].category], ['view', 'lamp', 'lamps']);
  assert.ok(events[2].sent >= events[2].time);
  assert.equal(asked[2][0].searchParams.get('key'), 'K');
  assert.equal(attune.token, 'T1');
  const slot = attune.recommend('home', { n: 3, render() {} });
  assert.equal(asked[3][0].pathname, '/v1/recommendations');
  assert.equal(asked[3][0].searchParams.get('after'), 'T1');
  assert.equal(asked[3][0].searchParams.get('customer'), attune.customer);
  slot.close(); // asks no more
});
