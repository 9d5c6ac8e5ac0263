// What a customer sees of it: from "add to cart" in one tab to the changed homepage on the screen of another window, and the first recommendations after a page
// is there; beside a page that draws a constant. Real Chromium, headless, on the machine that serves. One JSON line.
//   bench.mjs [LOG STORE]   without: embedded, one process; with: attuned collects and answers, attune-profiled keeps the profiles
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Attuned, Scratch, launch, source, tool, until } from './support.mjs';

const [log, store] = process.argv.slice(2);
const clicks = +(process.env.CLICKS || 200);
const shop = join(source, 'examples/shop');
const scratch = new Scratch();
mkdirSync(scratch.file('www'));
const catalog = join(shop, 'catalog.ndjson');
tool('attune-train', ['-o', scratch.file('model'), '--quiet'], tool('attune-simulate', ['--catalog', catalog, '--days', '14', '--quiet']));
const page = script => `<!doctype html><meta charset="utf-8"><title>bench</title><script src="/attune.js"></script><script src="/${script}.js"></script><body><ul id="home"></ul></body>`;
const draw = `const draw = answer => document.getElementById('home').replaceChildren(...answer.items.map(item => {
  const card = document.createElement('li'), picture = document.createElement('img');
  picture.src = item.image; picture.width = picture.height = 160;
  card.append(picture, item.name + ' ' + item.price);
  return card;
}));
const now = () => performance.timeOrigin + performance.now();
const painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
`;
scratch.file('www/home.html', page('home'));
scratch.file('www/home.js', draw + `attune.init({ customer: new URLSearchParams(location.search).get('customer') });
document.addEventListener('DOMContentLoaded', () => { window.ready = now() });
attune.on('answer', () => { window.first ??= now() });
attune.on('painted', ({ answer }) => { (window.seen ||= []).push([now(), answer.profile_version]) });
attune.recommend('home', { n: 8, render: draw });`);
scratch.file('www/other.html', page('other'));
scratch.file('www/other.js', "attune.init({ customer: 'anon-bench' });");
scratch.file('www/constant.html', page('constant'));
scratch.file('www/constant.js', draw + `const click = async () => { const at = now(); draw(await (await fetch('/constant.json', { cache: 'no-store' })).json()); await painted(); return now() - at };`);
const service = ['--model', scratch.file('model'), '--catalog', catalog, '--www', scratch.file('www'), ...(log ? ['--roles', 'collect,recommend'] : [])];
const attuned = new Attuned(scratch, service, log || undefined, store || undefined);
let profiled;
if (log) {
  profiled = spawn('attune-profiled', [...attuned.place, '--listen', '', '--admin-listen', ''],
    { env: { PATH: `${process.env.ATTUNE_DAEMONS}:${process.env.PATH}` }, stdio: ['ignore', 'ignore', 'inherit'] });
}
await attuned.start();
const constant = await (await fetch(attuned.url + '/v1/recommendations?n=8&fields=name,price,image')).text();
scratch.file('www/constant.json', constant);
attuned.child.kill('SIGHUP');
await until('the constant', async () => (await fetch(attuned.url + '/constant.json')).ok);

const browser = await launch();
const quantile = (times, part) => Math.round(10 * times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))]) / 10;
const told = times => ({ p50_ms: quantile(times, .5), p90_ms: quantile(times, .9), p99_ms: quantile(times, .99) });

const first = [];
for (let i = 0; i < 20; ++i) {
  const context = await browser.newContext();
  const home = await context.newPage();
  await home.goto(attuned.url + '/home');
  await home.waitForFunction(() => window.first && window.ready);
  first.push(await home.evaluate(() => first - ready));
  await context.close();
}

// Each click is an addition or a removal, of one of a few things that lead to something, so that the list changes each time.
// Windows of their own, of one customer: a tab behind another is not painted at all.
const windows = [];
for (let i = 0; i < 3; ++i) windows.push(await (await browser.newContext()).newPage());
const [home, other, flat] = windows;
await home.goto(attuned.url + '/home?customer=anon-bench');
await other.goto(attuned.url + '/other');
await flat.goto(attuned.url + '/constant');
await home.waitForFunction(() => window.first);
const things = ['aurora-5', 'prisma-m1', 'suitcase', 'espresso-machine', 'standing-desk', 'turntable'];
const times = [], constants = [];
let unchanged = 0;
for (let i = 0; i < clicks + 20; ++i) {
  const item = things[(i >> 1) % things.length];
  await home.evaluate(() => { seen = [] });
  const at = await other.evaluate(([item, out]) => {
    const at = performance.timeOrigin + performance.now();
    out ? attune.cartRemove(item) : attune.cartAdd(item);
    return at;
  }, [item, i & 1]);
  const seen = await home.waitForFunction(() => seen.length && seen[0][0], undefined, { timeout: 2000 }).then(each => each.jsonValue()).catch(() => 0);
  if (seen && i >= 20) times.push(seen - at); // the first warm the browser up
  else if (!seen) ++unchanged;
  const flatly = await flat.evaluate(() => click());
  if (i >= 20) constants.push(flatly);
}
await browser.close();
await attuned.stop();
profiled?.kill();
scratch.remove();
const sdk = gzipSync(readFileSync(join(source, 'share/web/attune.js')), { level: 9 }).length;
console.log(JSON.stringify({ what: 'add to cart → other window painted', place: log ? 'Kafka and Redis' : 'embedded', clicks: times.length, unchanged, ...told(times),
  constant: told(constants), first_after_dom_ready: told(first), sdk_gzip_bytes: sdk }));
