// attune.js: a page's events to attune, and its recommendations into the page. One global, `attune`; also `import attune from 'attune-web'`.
//
// Nothing here throws into the page. An event is kept in localStorage until the service has made it durable: across pages, without a network,
// after a restart of the service; it is sent again under the same id, so that it counts once. Visitors who refuse (Do Not Track, Global Privacy
// Control, consent(false)) send no event and get no id; they are shown what is popular.

export interface Item {
  item: string;
  score: number;
  name?: string;
  price?: string; // a decimal, of `currency`
  currency?: string;
  image?: string;
  url?: string;
  offer?: string; // the offer that put it here
  say?: string; // what that offer has the shop say
  [field: string]: unknown; // what `fields` asks for
}

export interface Answer {
  recommendation: string; // its id; impressions and clicks carry it
  customer?: string;
  slot: string;
  items: Item[];
  tier: 'fresh' | 'cached' | 'session' | 'popular' | 'static';
  age_ms: number;
  degraded?: { code: string; detail: string };
  profile_version: number;
  model: string;
  holdout?: boolean;
}

export interface Options {
  url?: string; // of the service; default: where the script came from
  key?: string; // a write key
  customer?: string; // who is logged in, when the page knows
  signature?: string; // of that customer: HMAC-SHA-256 by the site's server
  fields?: string; // of the catalog, with each item; default "name,price,image,url"
  respectDnt?: boolean; // default true
  pollMs?: number; // between two questions where there are no server-sent events; default 15000
}

export interface Reply {
  accepted: number;
  rejected: { index: number; id?: string; field?: string; reason: string }[];
  token?: string;
  recommendations?: Answer; // of the page's first slot, changed by these events
}

export interface Line { item: string; quantity?: number; price?: string | number }
export interface Fields {
  item?: string;
  items?: Line[];
  quantity?: number;
  price?: string | number;
  currency?: string;
  category?: string;
  order?: string;
  query?: string;
  slot?: string;
  recommendation?: string;
  properties?: object; // anything else
}

export type Render = (answer: Answer, element?: Element) => void;
export interface SlotOptions {
  n?: number; // how many items; default 10
  item?: string; // that the page is about
  render?: Render; // default: the element's <template>, once for each item
  element?: Element;
}
export interface SlotHandle {
  refresh(): Promise<void>;
  close(): void;
}

// What listeners are told. `answer` and `painted` name the event whose reply brought the answer; none when it came by the stream.
export interface Happenings {
  sent: { id: string; type: string; item?: string };
  durable: Journey;
  answer: { slot: string; answer: Answer; event?: Journey };
  painted: { slot: string; answer: Answer; event?: Journey; at: number };
  error: { status?: number; body?: unknown; error?: unknown; waiting?: number };
}
export interface Journey {
  id: string;
  type: string;
  item?: string;
  ms: number; // from sending to the reply
  timing: { accepted?: number; durable?: number; profile?: number; wait?: number; rank?: number; total?: number }; // Server-Timing, ms
}

export interface Attune {
  // Once a page; a second call changes options. Every other call begins with the defaults when it was not made.
  init(options?: Options): Attune;
  // Keeps the event, sends what is kept, and gives the reply; undefined while the event has to wait, or when the visitor refuses.
  track(type: string, fields?: Fields): Promise<Reply | undefined>;
  view(item: string, fields?: Fields): Promise<Reply | undefined>;
  cartAdd(item: string, fields?: Fields): Promise<Reply | undefined>; // of 1, unless `quantity` says otherwise
  cartRemove(item: string, fields?: Fields): Promise<Reply | undefined>; // all of it, unless `quantity` says otherwise
  purchase(order: { order: string; items: Line[]; currency?: string }): Promise<Reply | undefined>;
  // The visitor is this customer from now on, and what the anonymous one did is theirs.
  identify(customer: string, proof?: { signature?: string; alias_signature?: string }): Promise<Reply | undefined>;
  // Logged out: another anonymous visitor.
  reset(): void;
  // false: nothing more is sent or kept in this browser, and what is known is forgotten. true: from now on it may be.
  consent(granted: boolean): Promise<Reply | undefined>;
  // Recommendations into a place of the page, at once and whenever they change.
  recommend(slot: string, options?: SlotOptions | Render, element?: Element): SlotHandle;
  on<Name extends keyof Happenings>(name: Name, call: (happening: Happenings[Name]) => void): void;
  readonly customer: string | undefined;
  readonly token: string | undefined;
}

declare const attune: Attune;
export default attune;
declare global {
  var attune: Attune;
}
