// Segment's calls, handed on: analytics.track('Product Added', { product_id: 'aurora-5', quantity: 1, price: 549, currency: 'EUR' }).
(root => {
  const line = p => ({ item: p.product_id ?? p.sku, quantity: p.quantity, price: p.price });
  const types = { 'Product Viewed': 'view', 'Product Clicked': 'click', 'Product Added': 'cart_add', 'Product Removed': 'cart_remove' };
  const track = (name, p = {}) => {
    if (types[name]) return root.attune.track(types[name], { ...line(p), currency: p.currency, category: p.category });
    if (name === 'Products Searched') return root.attune.track('search', { query: p.query });
    if (name === 'Order Completed') return root.attune.purchase({ order: p.order_id, currency: p.currency, items: (p.products || []).map(line) });
    return Promise.resolve(); // an event that means nothing here
  };
  root.analytics = { track, identify: (id, _traits, proof) => root.attune.identify(id, proof), reset: () => root.attune.reset() };
})(globalThis);
