// The shop: plain pages over a catalogue, and attune for what follows the customer. The cart is this browser's.
'use strict';
const $ = id => document.getElementById(id);
const money = (price, currency) => new Intl.NumberFormat('en', { style: 'currency', currency: currency || 'EUR' }).format(price);
const make = (tag, kind, words) => {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (words !== undefined) element.textContent = words;
  return element;
};
const say = words => { $('said').textContent = words };

// --- The cart: {item: pieces} ---
const cart = () => { try { return JSON.parse(localStorage['shop.cart'] || '{}') } catch { return {} } };
const keep = lines => {
  try { localStorage['shop.cart'] = JSON.stringify(lines) } catch { /* this page alone then */ }
  count();
};
const count = () => { $('cart-count').textContent = Object.values(cart()).reduce((all, pieces) => all + pieces, 0) };
const goods = new Map(); // item → catalog line

const add = product => {
  const lines = cart();
  lines[product.item] = (lines[product.item] || 0) + 1;
  keep(lines);
  say(product.name + ' is in your cart');
  return attune.cartAdd(product.item, { price: product.price, currency: product.currency });
};
const total = () => Object.entries(cart()).reduce((sum, [item, pieces]) => sum + pieces * (goods.get(item)?.price || 0), 0);

// --- Cards ---
// What in the cart this goes with.
const fits = item => {
  const owner = Object.keys(cart()).map(each => goods.get(each)).find(each => each?.accessories.includes(item));
  return owner && 'Fits your ' + owner.name.replace(/ (phone|tablet)$/, '');
};
const card = (item, before) => {
  const known = goods.get(item.item) || item;
  const box = make('li', 'card' + (item.offer ? ' offer' : '') + (before && !before.has(item.item) ? ' new' : ''));
  box.dataset.attuneItem = item.item;
  const picture = make('img');
  Object.assign(picture, { src: known.image, alt: '', width: 280, height: 280, loading: 'lazy' });
  const words = make('div', 'words'), link = make('a', '', known.name);
  link.href = known.url;
  words.append(link, make('span', 'price', money(known.price, known.currency)));
  const reason = item.say || fits(item.item);
  if (reason) words.append(make('span', 'say', reason));
  box.append(picture, words);
  return box;
};
const draw = (answer, element) => {
  const before = element.dataset.live ? new Set([...element.children].map(each => each.dataset.attuneItem)) : undefined;
  const held = document.activeElement?.closest?.('[data-attune-item]')?.dataset.attuneItem; // who reads by keyboard stays where she is
  element.replaceChildren(...answer.items.map(item => card(item, before)));
  if (held && !element.contains(document.activeElement)) element.querySelector(`[data-attune-item="${CSS.escape(held)}"] a`)?.focus();
  if (before && answer.items.some(item => !before.has(item.item))) say('Your recommendations have changed');
  element.dataset.live = 'yes';
};
// A place of the page: what it shows by itself, and attune's answer in its stead, as long as there is one.
const slot = (name, element, options, own) => {
  element.replaceChildren(...own.map(item => card(item)));
  attune.recommend(name, { render: draw, ...options }, element);
};
const inStock = () => [...goods.values()].filter(each => each.stock > 0 && !each.tags.includes('service'));
const mains = () => inStock().filter(each => each.accessories.length);

// --- Pages ---
const pages = {
  home() {
    const wanted = new URLSearchParams(location.search).get('department');
    slot('home', $('home'), { n: 8 }, mains().slice(0, 8));
    const shelf = inStock().filter(each => !wanted || each.categories[1] === wanted);
    $('all').textContent = wanted || 'Everything';
    $('shelf').replaceChildren(...shelf.map(each => card(each)));
    if (wanted) $('all').scrollIntoView();
  },
  product() {
    const product = goods.get(new URLSearchParams(location.search).get('item'));
    if (!product) return void ($('name').textContent = 'That is not here any more');
    document.title = product.name + ', Harbour';
    $('picture').src = product.image;
    $('picture').alt = product.name;
    $('name').textContent = product.name;
    $('department').textContent = product.categories[1];
    $('price').textContent = money(product.price, product.currency);
    $('stock').textContent = product.stock < 1 ? 'Sold out' : product.stock < 5 ? `Only ${product.stock} left` : 'In stock';
    $('buy').disabled = product.stock < 1;
    $('buy').addEventListener('click', () => add(product));
    attune.view(product.item, { category: product.categories[0] });
    slot('product', $('fits'), { n: 4, item: product.item }, product.accessories.map(item => goods.get(item)).filter(Boolean));
  },
  cart() {
    const lines = cart();
    const rows = Object.entries(lines).map(([item, pieces]) => [goods.get(item), pieces]).filter(([product]) => product);
    $('lines').replaceChildren(...rows.map(([product, pieces]) => {
      const row = make('li'), picture = make('img'), link = make('a', '', product.name), gone = make('button', 'plain', 'Remove');
      Object.assign(picture, { src: product.image, alt: '', width: 80, height: 80 });
      link.href = product.url;
      gone.setAttribute('aria-label', 'Remove ' + product.name);
      gone.addEventListener('click', () => {
        const left = cart();
        delete left[product.item];
        keep(left);
        attune.cartRemove(product.item);
        say(product.name + ' is out of your cart');
        pages.cart.drawn = true;
        pages.cart();
        ($('lines').querySelector('button') || $('empty').querySelector('a')).focus();
      });
      row.append(picture, link, make('span', '', (pieces > 1 ? pieces + ' × ' : '') + money(product.price, product.currency)), gone);
      return row;
    }));
    $('empty').hidden = rows.length > 0;
    $('sum').hidden = rows.length === 0;
    $('total').textContent = money(total());
    if (!pages.cart.drawn) slot('cart', $('beside'), { n: 4 }, mains().slice(8, 12));
  },
  checkout() {
    const rows = Object.entries(cart()).map(([item, pieces]) => [goods.get(item), pieces]).filter(([product]) => product);
    $('brief').replaceChildren(...rows.map(([product, pieces]) => {
      const row = make('li');
      row.append(make('span', '', (pieces > 1 ? pieces + ' × ' : '') + product.name), make('span', '', money(pieces * product.price)));
      return row;
    }));
    $('total').textContent = money(total());
    $('order').querySelector('button').disabled = rows.length === 0;
    $('order').addEventListener('submit', event => {
      event.preventDefault();
      const order = 'h-' + Date.now().toString(36);
      attune.purchase({ order, currency: 'EUR', items: rows.map(([product, quantity]) => ({ item: product.item, quantity, price: product.price })) });
      keep({});
      $('number').textContent = order;
      $('ordering').hidden = true;
      $('thanks').hidden = false;
      $('heading').textContent = 'Thank you';
      $('heading').focus();
    });
  },
};

const begin = async () => {
  attune.init();
  const text = await (await fetch('/catalog.ndjson')).text();
  for (const line of text.split('\n')) if (line) goods.set(JSON.parse(line).item, JSON.parse(line));
  const here = new URLSearchParams(location.search).get('department');
  $('departments').replaceChildren(...[...new Set([...goods.values()].map(each => each.categories[1]))].map(name => {
    const place = make('li'), link = make('a', '', name);
    link.href = '/?department=' + name;
    if (name === here) link.setAttribute('aria-current', 'page');
    place.append(link);
    return place;
  }));
  count();
  addEventListener('storage', event => { if (event.key === 'shop.cart') count() }); // another tab's
  pages[document.body.dataset.page]();
};
begin();
