// The example shop in a real browser, against a real attuned: the homepage that follows the cart, the panel, a purchase by keyboard, axe.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Attuned, Scratch, axe, launch, source, tool, until, watched } from './support.mjs';

const shop = join(source, 'examples/shop');
let scratch, attuned, browser, context;
before(async () => {
  scratch = new Scratch();
  mkdirSync(scratch.file('demo'));
  tool('attune-train', ['-o', scratch.file('model'), join(shop, 'events.ndjson')]);
  const options = ['--model', scratch.file('model'), '--catalog', join(shop, 'catalog.ndjson'), '--rules', join(shop, 'rules.toml'), '--www', shop, '--demo', scratch.file('demo')];
  // The panel may ask the admin listener, whose port is known only once it listens: so the policy is that of a second start.
  attuned = await new Attuned(scratch, options).start();
  await attuned.stop();
  attuned.options.push('--www-header', `Content-Security-Policy: default-src 'self'; connect-src 'self' http://127.0.0.1:${attuned.ports[1]}`);
  await attuned.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await attuned?.stop();
  scratch?.remove();
});
beforeEach(async () => { context = await browser.newContext({ viewport: { width: 1440, height: 900 } }); });
afterEach(() => context.close());

const open = async path => {
  const page = await watched(context);
  await page.goto(attuned.url + path);
  return page;
};
const home = page => page.$$eval('#home > li', cards => cards.map(card => card.dataset.attuneItem));

test('a phone put into the cart in one tab: half of the homepage in the other fits it, and the offer is there, without a reload', async () => {
  const [first, second] = [await open('/'), await open('/product?item=aurora-5')];
  await first.waitForSelector('#home[data-live]');
  assert.ok(!(await home(first)).includes('phone-care'));
  let loads = 0;
  first.on('load', () => ++loads);
  await second.click('#buy');
  await first.waitForSelector('#home .offer');
  const shown = await home(first);
  const fits = ['aurora-5-case', 'aurora-5-glass', 'usb-c-charger'];
  assert.ok(fits.every(item => shown.includes(item)), `all that fits it: ${shown}`);
  assert.ok(shown.indexOf('aurora-5-case') < 4);
  assert.equal(await first.$eval('#home .offer', card => card.dataset.attuneItem), 'phone-care');
  assert.match(await first.$eval('#home .offer .say', each => each.textContent), /half price/);
  await until('other tabs know the cart', async () => await first.$eval('#cart-count', each => each.textContent) === '1');
  assert.equal(loads, 0);
  assert.deepEqual([...first.faults, ...second.faults], []);
});

test('the panel tells the way of the last event, the tier, the reasons and the profile', async () => {
  const page = await open('/product?item=tablet-11');
  await page.waitForSelector('#fits[data-live]');
  await page.click('#buy');
  await page.click('.panel-button');
  await page.waitForSelector('.panel .legend');
  assert.deepEqual(await page.$$eval('.legend li span:first-of-type', all => all.map(each => each.textContent)),
    ['to the service', 'durable in the log', 'profile and answer', 'back', 'on screen']);
  assert.match(await page.textContent('.panel'), /cart add Lumen 11 tablet → changed page in [\d.]+ ms/);
  assert.equal(await page.textContent('.panel .tier'), 'fresh');
  await until('reasons', () => page.$eval('.why', list => list.children.length > 0).catch(() => false));
  await until('the profile', async () => /1 cart add/.test(await page.textContent('.panel')));
  await page.keyboard.press('Escape');
  assert.ok(await page.$eval('#panel', panel => panel.hidden));
  assert.deepEqual(page.faults, []);
});

test('what runs is shown in the panel, and stopped and started from it', async () => {
  scratch.file('demo/parts.json', '{"parts":[{"name":"redis","title":"Redis","up":true}]}');
  tool('mkfifo', [scratch.file('demo/control')]);
  const { createReadStream } = await import('node:fs');
  let told = '';
  const fifo = createReadStream(scratch.file('demo/control')).on('data', bytes => { told += bytes });
  const page = await open('/');
  await page.click('.panel-button');
  await page.click('.parts button');
  await until('the line', () => told === 'stop redis\n');
  scratch.file('demo/parts.json', '{"parts":[{"name":"redis","title":"Redis","up":false}]}');
  await page.waitForSelector('.parts .dot.off');
  assert.equal(await page.textContent('.parts button'), 'Start');
  fifo.destroy();
  scratch.file('demo/parts.json', '{"parts":[]}');
});

test('by keyboard alone: to the goods, into the cart, out of the shop; one order of all of it', async () => {
  const page = await open('/product?item=kettle');
  await page.waitForSelector('#fits[data-live]');
  await page.focus('#buy');
  await page.keyboard.press('Enter');
  await page.goto(attuned.url + '/product?item=aurora-5');
  await page.waitForSelector('#fits[data-live]');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the goods');
  for (let steps = 0; await page.evaluate(() => document.activeElement.id) !== 'buy'; ++steps) {
    assert.ok(steps < 30, 'the button can be reached by Tab');
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await until('two in the cart', async () => await page.textContent('#cart-count') === '2');
  await page.goto(attuned.url + '/checkout');
  await page.focus('#who');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#thanks:not([hidden])');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Thank you');
  const customer = await page.evaluate(() => attune.customer);
  const orders = await until('the order', () => { const all = attuned.events().filter(each => each.customer === customer && each.type === 'purchase'); return all.length && all; });
  assert.equal(orders.length, 1);
  assert.deepEqual(orders[0].items, [{ item: 'kettle', quantity: 1, price: '59' }, { item: 'aurora-5', quantity: 1, price: '549' }]);
  assert.equal(await page.textContent('#cart-count'), '0');
  assert.deepEqual(page.faults, []);
});

test('what is removed from the cart is taken back', async () => {
  const page = await open('/product?item=kettle');
  await page.waitForSelector('#fits[data-live]');
  await page.click('#buy');
  await page.goto(attuned.url + '/cart');
  await page.click('.lines button');
  await page.waitForSelector('#empty:not([hidden])');
  const customer = await page.evaluate(() => attune.customer);
  await until('the profile', async () => (await attuned.profile(customer))?.counts.cart_remove === 1);
  assert.deepEqual((await attuned.profile(customer)).cart, []);
});

test('axe finds nothing: every page, light and dark, the panel open and folded, on a phone and on a desk', async () => {
  for (const colorScheme of ['light', 'dark']) for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
    const context = await browser.newContext({ colorScheme, viewport, bypassCSP: true });
    const page = await context.newPage();
    await page.goto(attuned.url + '/product?item=aurora-5');
    await page.click('#buy');
    for (const path of ['/', '/product?item=aurora-5', '/cart', '/checkout', attuned.admin + '/admin']) {
      await page.goto(path.startsWith('/') ? attuned.url + path : path);
      await page.addScriptTag({ path: axe() });
      for (const panel of [false, true]) {
        if (panel && !await page.$('.panel-button')) continue;
        if (panel) await page.click('.panel-button');
        await page.evaluate(() => Promise.all(document.getAnimations().map(each => each.finished)));
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        assert.deepEqual(violations.map(each => `${path}, ${colorScheme}, ${viewport.width}: ${each.id}: ${each.nodes[0].html}`), []);
        if (panel) await page.click('.panel-button');
      }
    }
    await context.close();
  }
});

test('every product has a picture, and everything that goes with it is a product', async () => {
  const page = await open('/');
  await page.waitForSelector('#shelf li');
  const missing = await page.evaluate(async () => {
    const missing = [];
    for (const product of goods.values()) {
      if (!(await fetch(product.image, { method: 'HEAD' })).ok) missing.push(product.image);
      for (const item of product.accessories) if (!goods.has(item)) missing.push(item);
    }
    return missing;
  });
  assert.deepEqual(missing, []);
});
